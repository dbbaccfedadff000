//! Sets of a table's columns.

/// Columns by number. Tables of up to 64 columns need no memory of their own for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Columns {
    low: u64,
    high: Vec<u64>,
}

impl Columns {
    pub(super) fn insert(&mut self, column: usize) {
        let (word, bit) = (column / 64, 1 << (column % 64));
        if word == 0 {
            self.low |= bit;
            return;
        }
        if self.high.len() < word {
            self.high.resize(word, 0);
        }
        self.high[word - 1] |= bit;
    }

    pub(super) fn contains(&self, column: usize) -> bool {
        let word = match column / 64 {
            0 => self.low,
            word => self.high.get(word - 1).copied().unwrap_or(0),
        };
        word >> (column % 64) & 1 == 1
    }

    pub(super) fn extend(&mut self, other: &Columns) {
        self.low |= other.low;
        if self.high.len() < other.high.len() {
            self.high.resize(other.high.len(), 0);
        }
        for (mine, theirs) in self.high.iter_mut().zip(&other.high) {
            *mine |= theirs;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_beyond_the_first_word_count() {
        let mut columns = Columns::default();
        assert_eq!(columns, Columns::default());
        for column in [0, 63, 64, 300] {
            columns.insert(column);
        }
        let found: Vec<usize> = (0..400).filter(|c| columns.contains(*c)).collect();
        assert_eq!(found, [0, 63, 64, 300]);
        let mut other = Columns::default();
        other.insert(7);
        other.extend(&columns);
        assert!(other.contains(7) && other.contains(300) && !other.contains(299));
    }
}
