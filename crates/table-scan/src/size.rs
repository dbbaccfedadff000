//! How many rows the next chunk is to have.
//!
//! A chunk should take a certain time: long enough that its overhead does not count, short enough that little is changed meanwhile. And it has a most number of
//! bytes, since its rows may have to be held. Both follow from what earlier chunks took; at the beginning, from the table's average row.

/// The bounds of one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Rows that the server is asked for.
    pub rows: u32,
    /// The chunk ends with the row that reaches so many bytes.
    pub bytes: usize,
}

/// See the module. Clocks are the caller's.
#[derive(Debug, Clone)]
pub struct ChunkSize {
    rows: u32,
    target_micros: u64,
    bytes: usize,
}

/// Rows of a first chunk of which nothing is known.
const FIRST: u32 = 1000;
const MOST: u32 = 1_000_000;

impl ChunkSize {
    /// Chunks that take about `target_micros` and have about `bytes` bytes at most. `row_bytes` is the table's average row
    /// ([`ListedTable::row_bytes`](crate::ListedTable::row_bytes)), 0 if it is not known.
    #[must_use]
    pub fn new(target_micros: u64, bytes: usize, row_bytes: u64) -> Self {
        let fit = (bytes as u64).checked_div(row_bytes);
        let fit = fit.map_or(FIRST, |rows| u32::try_from(rows).unwrap_or(MOST));
        Self {
            rows: fit.clamp(1, FIRST),
            target_micros,
            bytes,
        }
    }

    /// The bounds of the next chunk.
    #[must_use]
    pub fn limits(&self) -> ChunkLimits {
        ChunkLimits {
            rows: self.rows,
            bytes: self.bytes,
        }
    }

    /// What a chunk came to: its rows, their bytes, and the time from asking to its last row, of which waiting for the sink is no part.
    pub fn observe(&mut self, rows: u64, bytes: usize, micros: u64) {
        if rows == 0 {
            return;
        }
        let per_row = |target: u64, total: u64| rows.saturating_mul(target) / total.max(1);
        let by_time = per_row(self.target_micros, micros);
        let by_bytes = per_row(self.bytes as u64, bytes as u64);
        // It grows by steps, since the next rows may be larger ones; and shrinks at once.
        let most = rows.max(self.rows.into()).saturating_mul(2);
        let next = by_time.min(by_bytes).min(most).min(u64::from(MOST));
        self.rows = u32::try_from(next).unwrap_or(MOST).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_chunk_follows_the_average_row() {
        assert_eq!(ChunkSize::new(1, 1 << 20, 0).limits().rows, FIRST);
        assert_eq!(ChunkSize::new(1, 1 << 20, 100).limits().rows, FIRST);
        assert_eq!(ChunkSize::new(1, 1 << 20, 1 << 16).limits().rows, 16);
        assert_eq!(ChunkSize::new(1, 1 << 20, 1 << 30).limits().rows, 1);
    }

    #[test]
    fn later_ones_follow_time_and_bytes() {
        let mut size = ChunkSize::new(100_000, 1 << 20, 0);
        // Fast and small: twice as many.
        size.observe(1000, 10_000, 1000);
        assert_eq!(size.limits().rows, 2000);
        // As long as it should take.
        size.observe(2000, 20_000, 100_000);
        assert_eq!(size.limits().rows, 2000);
        // Too slow.
        size.observe(2000, 20_000, 1_000_000);
        assert_eq!(size.limits().rows, 200);
        // Cut short by its bytes.
        size.observe(20, 1 << 20, 1000);
        assert_eq!(size.limits().rows, 20);
        size.observe(1, 64 << 20, 1_000_000_000);
        assert_eq!(size.limits().rows, 1);
        size.observe(0, 0, 0);
        assert_eq!(size.limits().rows, 1);
        for _ in 0..40 {
            let rows = size.limits().rows;
            size.observe(rows.into(), 1, 0);
        }
        assert_eq!(size.limits().rows, MOST);
    }
}
