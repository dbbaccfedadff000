//! LOAD DATA that the source has logged as a statement, with its file.
//!
//! The file is given to the target as LOAD DATA LOCAL. With LOCAL a server makes warnings of what it would otherwise refuse, as IGNORE does; so, where the source's statement did without, what it would
//! have refused is looked for in the answer, and in the warnings: some rows are left out without being counted.

use std::hash::BuildHasher;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Statement};
use datain_mysql_client::Stream;
use datain_sql_statement::{Doubt, data_change};

use super::replay::refused;
use super::{Engine, Place};
use crate::ddl;

/// errnos that are errors in strict mode: a value that does not fit or is none of the type, NULL where there must be one, a line with too few or too many values, a division by zero.
const STRICT: [&str; 12] = [
    "1048", "1261", "1262", "1263", "1264", "1265", "1292", "1364", "1365", "1366", "1406", "1411",
];
/// errnos that are errors in every mode: a subquery with several rows; a row that a CHECK constraint refuses (MySQL's and MariaDB's number), which is left out and not counted.
const ALWAYS: [&str; 3] = ["1242", "3819", "4025"];
/// The most warnings that a server keeps, and that its answer can count.
const MOST_WARNINGS: usize = 65_535;
/// STRICT_TRANS_TABLES and STRICT_ALL_TABLES.
const STRICT_MODES: u64 = 1 << 21 | 1 << 22;

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// Runs the statement with this file.
    ///
    /// # Errors
    /// `statement.load-differs` where rows were left out or changed that the source has loaded as they were; `server.local-infile-disabled`; others of the server.
    pub(super) async fn load_file(
        &mut self,
        statement: &Statement,
        file: &[u8],
        place: &Place,
    ) -> Result<(), Error> {
        if !self.lane.loads {
            return Err(Error::reconfigure(
                "server.local-infile-disabled",
                "the source logged a LOAD DATA as a statement, and the target does not let its file be loaded",
            )
            .hint("SET PERSIST local_infile = ON on the target (SET GLOBAL before MySQL 8.0), and start again"));
        }
        // Without CHARACTER SET the file is in that of the schema, or of the session's setting in its place.
        if let Some(collation) = statement.context.collation_database {
            let sql = format!("SET SESSION collation_database = {collation}");
            self.lane
                .session
                .exec(sql.as_bytes())
                .await
                .map_err(refused)?;
        }
        // A server keeps few warnings, and what is only told of, such as digits that are cut, must not push them out.
        let most = format!("SET SESSION sql_notes = 0, max_error_count = {MOST_WARNINGS}");
        self.lane.session.exec(most.as_bytes()).await?;
        let loaded = self.lane.session.load_local(&statement.sql, file).await;
        let loaded = loaded.map_err(refused)?;
        let warnings = match loaded.warnings {
            0 => Vec::new(),
            _ => self.lane.session.query_rows(b"SHOW WARNINGS").await?,
        };
        let as_before = b"SET SESSION sql_notes = DEFAULT, max_error_count = DEFAULT";
        self.lane.session.exec(as_before).await?;
        let ignores = data_change(&statement.sql, &ddl::options(statement))
            .is_some_and(|change| change.doubts.contains(&Doubt::Ignore));
        if ignores {
            return Ok(());
        }
        let differs = |what: &str| {
            Error::fatal("statement.load-differs", what.to_owned())
                .detail(format!("transaction: {}", place.text()))
                .hint("the target's rows or definitions differ from the source's at this point: mend the target and start again, or load the file by hand and leave the transaction out with datain skip; nothing of it was committed")
        };
        if skipped(&loaded.info) != Some(0) {
            return Err(differs(
                "the target left out rows of a LOAD DATA that the source has loaded",
            ));
        }
        let is_strict = statement
            .context
            .sql_mode
            .is_some_and(|mode| mode & STRICT_MODES != 0);
        let has = |list: &[&str]| {
            let is_one = |row: &Vec<Option<String>>| {
                let number = row.get(1).and_then(Option::as_deref).unwrap_or_default();
                list.contains(&number)
            };
            warnings.iter().any(is_one)
        };
        if has(&ALWAYS) {
            return Err(differs(
                "the target refused rows or values of a LOAD DATA that the source has loaded",
            ));
        }
        if is_strict && has(&STRICT) {
            return Err(differs(
                "the target changed values of a LOAD DATA that the source has loaded as they were",
            ));
        }
        if warnings.len() >= MOST_WARNINGS || warnings.len() < usize::from(loaded.warnings) {
            return Err(differs(
                "the target gave more warnings for a LOAD DATA than can be looked at, and some may stand for rows that it left out",
            ));
        }
        Ok(())
    }
}

/// The number of rows that were left out, from an answer such as `Records: 2  Deleted: 0  Skipped: 0  Warnings: 0`.
fn skipped(info: &str) -> Option<u64> {
    let (_, rest) = info.split_once("Skipped: ")?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_answer_says_what_was_left_out() {
        let skipped = super::skipped;
        assert_eq!(
            skipped("Records: 2  Deleted: 0  Skipped: 17  Warnings: 0"),
            Some(17)
        );
        assert_eq!(
            skipped("Records: 2  Deleted: 0  Skipped: 0  Warnings: 3"),
            Some(0)
        );
        assert_eq!(skipped(""), None);
    }
}
