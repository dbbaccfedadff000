//! LOAD DATA that the source has logged as a statement, with its file.
//!
//! The file is given to the target as LOAD DATA LOCAL. With LOCAL a server makes warnings of what it would otherwise refuse, as IGNORE does; so, where the source's statement did without, what it would
//! have refused is looked for in the answer.

use std::hash::BuildHasher;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Statement};
use datain_mysql_client::Stream;
use datain_sql_statement::{Doubt, data_change};

use super::replay::refused;
use super::{Engine, Place};
use crate::ddl;

/// errnos that are errors in strict mode: a value that does not fit or is none of the type, NULL where there must be one, a line with too few or too many values.
const STRICT: [&str; 10] = [
    "1048", "1261", "1262", "1263", "1264", "1265", "1292", "1364", "1366", "1406",
];
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
        let loaded = self.lane.session.load_local(&statement.sql, file).await;
        let loaded = loaded.map_err(refused)?;
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
        if loaded.warnings > 0 && is_strict {
            let warnings = self.lane.session.query_rows(b"SHOW WARNINGS").await?;
            let is_refusal = |row: &Vec<Option<String>>| {
                let cell = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
                cell(0) != "Note" && STRICT.contains(&cell(1))
            };
            if warnings.iter().any(is_refusal) {
                return Err(differs(
                    "the target changed values of a LOAD DATA that the source has loaded as they were",
                ));
            }
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
