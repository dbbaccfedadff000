//! Random schemas and random changes of them, all from one seed.
//!
//! A [`Schema`] is what the generator believes the server to hold: the tables and their columns, not the rows. It proposes [`Step`]s; the caller runs
//! them on a server, and tells of those that succeeded ([`Schema::done`]). Statements may fail (a duplicate key, a value that the session's
//! sql_mode refuses): that is part of what a log is made of. Which rows a statement touches is decided on the server, by the seed too.
//!
//! All statements are such that rows or definitions do not depend on who runs them: no UUID() in a definition, no table without a key.

mod alter;
pub mod characters;
mod json;
pub mod kind;
mod literal;
mod names;
mod rows;
mod table;

use names::{name, sql};
pub use table::{Column, Table};

use crate::seed::{Rng, chance, pick};

/// A statement for the server.
#[derive(Debug)]
pub struct Step {
    /// The SQL.
    pub sql: String,
    /// Whether it changes rows.
    pub changes_rows: bool,
    /// What the schema is to be afterwards.
    effect: Effect,
}

#[derive(Debug)]
enum Effect {
    None,
    Begun,
    Ended,
    Savepoint,
    New(Table),
    Other(usize, Table),
}

/// See the module.
#[derive(Debug)]
pub struct Schema {
    /// Its name.
    pub name: String,
    tables: Vec<Table>,
    given: usize,
    in_transaction: bool,
    savepoints: usize,
}

/// Modes of sessions that make a difference for rows or definitions. Not NO_BACKSLASH_ESCAPES: MySQL 9.7.4 keeps the text of a default without the mode in which it was
/// written, and doubles backslashes when it adds an invisible key; `ddl_context.sql` has it.
const MODES: &[&str] = &[
    "DEFAULT",
    "DEFAULT",
    "DEFAULT",
    "''",
    "'STRICT_TRANS_TABLES,ALLOW_INVALID_DATES'",
    // What ANSI stands for, without its name: under that MySQL 9.7.4 logs a table that gets an invisible key without its options (ROW_FORMAT).
    "'REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,STRICT_ALL_TABLES'",
    "'STRICT_TRANS_TABLES'",
    "'NO_AUTO_VALUE_ON_ZERO,STRICT_TRANS_TABLES'",
    // Not PAD_CHAR_TO_FULL_LENGTH: a stored column that is computed of a CHAR column then holds the padding, and the target computes it without.
    "'TIME_TRUNCATE_FRACTIONAL'",
    "'REAL_AS_FLOAT,HIGH_NOT_PRECEDENCE,IGNORE_SPACE'",
    "'NO_UNSIGNED_SUBTRACTION,NO_ZERO_DATE'",
];

/// Row images of sessions.
const IMAGES: &[&str] = &["FULL", "FULL", "MINIMAL", "NOBLOB"];

/// How sessions log changes inside documents.
const DOCUMENTS: &[&str] = &["''", "''", "'PARTIAL_JSON'"];

impl Schema {
    /// A schema under this number, and the statements that begin it.
    pub fn begin(rng: &mut Rng, number: u64) -> (Schema, Vec<String>) {
        let name = name(rng, &format!("random_{number}_"), 0);
        let (charset, collation) = characters::any(rng);
        let this = sql(&name);
        let statements = vec![
            format!("SET SESSION sql_mode = {}", pick(rng, MODES)),
            format!(
                "SET SESSION time_zone = '{}'",
                pick(rng, &["SYSTEM", "+00:00", "+05:30", "-11:00"])
            ),
            // The key that a table without one gets.
            "SET SESSION sql_generate_invisible_primary_key = 1".to_owned(),
            format!("SET SESSION unique_checks = {}", u8::from(chance(rng, 85))),
            format!(
                "SET SESSION binlog_rows_query_log_events = {}",
                u8::from(chance(rng, 30))
            ),
            format!("SET SESSION binlog_row_image = {}", pick(rng, IMAGES)),
            format!(
                "SET SESSION binlog_row_value_options = {}",
                pick(rng, DOCUMENTS)
            ),
            format!(
                "SET GLOBAL binlog_row_metadata = {}",
                pick(rng, &["MINIMAL", "FULL"])
            ),
            format!(
                "CREATE DATABASE {this} CHARACTER SET {} COLLATE {collation}",
                charset.name
            ),
            format!("USE {this}"),
        ];
        (
            Schema {
                name,
                tables: Vec::new(),
                given: 0,
                in_transaction: false,
                savepoints: 0,
            },
            statements,
        )
    }

    /// The statement that ends it.
    #[must_use]
    pub fn end(&self) -> String {
        format!("DROP DATABASE {}", sql(&self.name))
    }

    /// Whether there is a table yet.
    #[must_use]
    pub fn has_tables(&self) -> bool {
        !self.tables.is_empty()
    }

    /// A step: mostly rows, now and then a transaction's beginning or end, an ALTER TABLE or a new table. `most` bounds how many rows one statement inserts.
    pub fn step(&mut self, rng: &mut Rng, most: usize) -> Step {
        if self.tables.len() < 2 || self.tables.len() < 5 && chance(rng, 1) && !self.in_transaction
        {
            return self.create(rng);
        }
        if self.in_transaction {
            if chance(rng, 12) {
                let sql = if chance(rng, 75) {
                    "COMMIT"
                } else {
                    "ROLLBACK"
                };
                return step(sql.to_owned(), Effect::Ended);
            }
            if chance(rng, 10) {
                return step(format!("SAVEPOINT s{}", self.savepoints), Effect::Savepoint);
            }
            if self.savepoints > 0 && chance(rng, 10) {
                return step(
                    format!("ROLLBACK TO SAVEPOINT s{}", rng.usize(0..self.savepoints)),
                    Effect::None,
                );
            }
        } else {
            if chance(rng, 12) {
                return step("BEGIN".to_owned(), Effect::Begun);
            }
            if chance(rng, 4) {
                let place = rng.usize(0..self.tables.len());
                if let Some((sql, after)) = alter::alter(rng, &self.tables[place]) {
                    return step(sql, Effect::Other(place, after));
                }
            }
            if chance(rng, 1) {
                let zone = pick(rng, &["+00:00", "+05:30", "-11:00"]);
                return step(format!("SET SESSION time_zone = '{zone}'"), Effect::None);
            }
        }
        let table = &self.tables[rng.usize(0..self.tables.len())];
        let sql = rows::change(rng, table, most);
        Step {
            sql,
            changes_rows: true,
            effect: Effect::None,
        }
    }

    /// The step that closes an open transaction.
    #[must_use]
    pub fn settle(&self) -> Option<Step> {
        self.in_transaction
            .then(|| step("COMMIT".to_owned(), Effect::Ended))
    }

    fn create(&mut self, rng: &mut Rng) -> Step {
        self.given += 1;
        let table = Table::any(rng, self.given);
        step(table.create(), Effect::New(table))
    }

    /// The server has carried a step out.
    pub fn done(&mut self, step: Step) {
        match step.effect {
            Effect::None => {}
            Effect::Begun => {
                self.in_transaction = true;
                self.savepoints = 0;
            }
            Effect::Ended => self.in_transaction = false,
            Effect::Savepoint => self.savepoints += 1,
            Effect::New(table) => {
                self.in_transaction = false;
                self.tables.push(table);
            }
            Effect::Other(place, table) => self.tables[place] = table,
        }
    }
}

fn step(sql: String, effect: Effect) -> Step {
    Step {
        sql,
        changes_rows: false,
        effect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_statements() {
        let statements = |seed| {
            let mut rng = Rng::with_seed(seed);
            let (mut schema, mut all) = Schema::begin(&mut rng, 1);
            for _ in 0..200 {
                let step = schema.step(&mut rng, 10);
                all.push(step.sql.clone());
                schema.done(step);
            }
            all
        };
        assert_eq!(statements(5), statements(5));
        assert_ne!(statements(5), statements(6));
        assert!(statements(5).iter().all(|sql| !sql.contains('\0')));
    }
}
