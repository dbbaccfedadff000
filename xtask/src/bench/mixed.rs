//! W5: small transactions on 50 tables, and every tenth one of 10,000 rows.
//!
//! It is written as one SQL script, the same in every run, so that the number of rows is known without asking.

use std::fmt::Write as _;

/// Tables `bench.mixed1` to `bench.mixed50`.
const TABLES: u64 = 50;
/// Rows of each at the beginning, numbered from 1; none of them is ever deleted.
const INITIAL: u64 = 1_000;
/// Rows of a large transaction.
const LARGE: u64 = 10_000;
/// Every so many transactions one is large.
const EVERY: u64 = 10;

/// What was written so far.
pub(super) struct Mixed {
    done: u64,
    random: u64,
    /// The highest id that was given out, of all tables.
    newest: u64,
    /// A small row of each table that was inserted and not deleted yet.
    single: Vec<Option<u64>>,
    /// Runs of [`LARGE`] rows: table and first id.
    runs: Vec<(u64, u64)>,
}

impl Default for Mixed {
    fn default() -> Self {
        Self {
            done: 0,
            random: 0x9E37_79B9_7F4A_7C15,
            newest: INITIAL,
            single: (0..TABLES).map(|_| None).collect(),
            runs: Vec::new(),
        }
    }
}

impl Mixed {
    /// Makes the tables with their first rows.
    pub(super) fn tables() -> String {
        let mut script = "CREATE DATABASE bench; USE bench;\n".to_owned();
        for table in 1..=TABLES {
            // Nothing fails when a string is written to.
            let _ = writeln!(
                script,
                "CREATE TABLE mixed{table} (id BIGINT PRIMARY KEY, customer INT NOT NULL, amount DECIMAL(12,2) NOT NULL, \
                 note VARCHAR(100) NOT NULL, KEY (customer));\n\
                 INSERT INTO mixed{table} SELECT n, n, 0, note FROM bench_tools.numbers WHERE n <= {INITIAL};"
            );
        }
        script
    }

    /// So many transactions more, and how many rows they change.
    pub(super) fn script(&mut self, transactions: u64) -> (String, u64) {
        let mut script = "USE bench;\n".to_owned();
        let mut rows = 0;
        for _ in 0..transactions {
            self.done += 1;
            let (statements, changed) = match self.done.is_multiple_of(EVERY) {
                true => self.large(),
                false => self.small(),
            };
            let _ = writeln!(script, "BEGIN; {statements} COMMIT;");
            rows += changed;
        }
        (script, rows)
    }

    /// One row in, one changed, and one out if there is one that may go.
    fn small(&mut self) -> (String, u64) {
        let table = 1 + self.below(TABLES);
        self.newest += 1;
        let (new, changed, customer) = (self.newest, 1 + self.below(INITIAL), self.below(100_000));
        let mut statements = format!(
            "INSERT INTO mixed{table} VALUES ({new}, {customer}, 0, SHA2({new}, 256)); \
             UPDATE mixed{table} SET amount = amount + 1, customer = {customer} WHERE id = {changed};"
        );
        let place = usize::try_from(table - 1).unwrap_or_default();
        let old = self.single.get_mut(place).and_then(|row| row.replace(new));
        let Some(old) = old else {
            return (statements, 2);
        };
        let _ = write!(statements, " DELETE FROM mixed{table} WHERE id = {old};");
        (statements, 3)
    }

    /// In turn: rows in, the same changed, others in, the first ones out.
    fn large(&mut self) -> (String, u64) {
        let step = self.done / EVERY % 4;
        let run = match step {
            2 => self.runs.last().copied(),
            0 => (!self.runs.is_empty()).then(|| self.runs.remove(0)),
            _ => None,
        };
        let statement = match (step, run) {
            (2, Some((table, first))) => format!(
                "UPDATE mixed{table} SET amount = amount + 1 WHERE id BETWEEN {first} AND {};",
                first + LARGE - 1
            ),
            (_, Some((table, first))) => format!(
                "DELETE FROM mixed{table} WHERE id BETWEEN {first} AND {};",
                first + LARGE - 1
            ),
            (_, None) => {
                let (table, first) = (1 + self.below(TABLES), self.newest + 1);
                self.newest += LARGE;
                self.runs.push((table, first));
                format!(
                    "INSERT INTO mixed{table} SELECT {} + n, n, 0, note FROM bench_tools.numbers WHERE n <= {LARGE};",
                    first - 1
                )
            }
        };
        (statement, LARGE)
    }

    /// The same numbers in every run (xorshift64*).
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_large_and_the_rows_are_counted() {
        let mut mixed = Mixed::default();
        let (first, rows) = mixed.script(30);
        let (second, more) = mixed.script(10);
        let script = first + &second;
        assert_eq!(script.matches("COMMIT").count(), 40);
        let large = |word: &str, mark: &str| {
            let lines = script
                .lines()
                .filter(|line| line.contains(word) && line.contains(mark));
            lines.count()
        };
        assert_eq!(large("INSERT", "SELECT"), 2);
        assert_eq!(large("UPDATE", "BETWEEN"), 1);
        assert_eq!(large("DELETE", "BETWEEN"), 1);
        let small = script.matches("VALUES").count() * 2 + script.matches("DELETE FROM").count()
            - large("DELETE", "BETWEEN");
        assert_eq!(rows + more, 4 * LARGE + u64::try_from(small).unwrap());
    }

    #[test]
    fn no_id_is_given_out_twice() {
        let (script, _) = Mixed::default().script(200);
        let mut last = INITIAL;
        for line in script.lines() {
            let single = line.split_once("VALUES (").map(|(_, rest)| (rest, 1));
            let run = line
                .contains("INSERT")
                .then(|| line.split_once("SELECT ").map(|(_, rest)| (rest, LARGE)))
                .flatten();
            let Some((rest, count)) = single.or(run) else {
                continue;
            };
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let first = number.parse::<u64>().unwrap() + u64::from(count > 1);
            assert_eq!(first, last + 1, "{line}");
            last = first + count - 1;
        }
    }
}
