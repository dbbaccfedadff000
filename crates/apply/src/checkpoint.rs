//! The checkpoint: a row of the schema `datain` in the target, written in the same transaction as the rows that it stands for.
//!
//! Each writer that opens a pipeline raises its `epoch`. Every commit of a group moves the row from the ordinal that this
//! writer last saw to the new one, under its own epoch, and must match exactly one row. That one statement is the fence: a writer that was
//! replaced, a group applied twice and a gap all match no row, and nothing of the group is committed.
//!
//! A DDL statement commits by itself, so an *intent* is committed before it: what it is (its GTID or position on the source), and
//! under which GTID of our own it runs on the target. After a kill the target's gtid_executed tells whether it ran.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::{Session, Stream, append_string};

/// A longer display (a GTID set of many servers) is cut: the column is for people.
const DISPLAY_BYTES: usize = 16 << 10;

/// The layout of the table, in its column `format`.
pub const FORMAT: u32 = 1;

const SCHEMA: &[u8] = b"CREATE SCHEMA IF NOT EXISTS datain";

const TABLE: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.checkpoints (\
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
    format INT UNSIGNED NOT NULL, \
    epoch BIGINT UNSIGNED NOT NULL, \
    ordinal BIGINT UNSIGNED NOT NULL, \
    state LONGBLOB NULL, \
    display TEXT CHARACTER SET utf8 NOT NULL, \
    written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), \
    ddl_uuid CHAR(36) CHARACTER SET ascii NOT NULL, \
    ddl_number BIGINT UNSIGNED NOT NULL DEFAULT 0, \
    ddl_identity VARCHAR(255) CHARACTER SET utf8 NULL, \
    ddl_gtid VARCHAR(100) CHARACTER SET ascii NULL\
    ) ENGINE=InnoDB";

const HELD_BACK: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.held_back (\
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    ordinal BIGINT UNSIGNED NOT NULL, \
    position VARCHAR(255) CHARACTER SET utf8 NOT NULL, \
    default_schema VARCHAR(64) CHARACTER SET utf8 NULL, \
    sql_mode BIGINT UNSIGNED NULL, \
    statement LONGBLOB NOT NULL, \
    UNIQUE KEY (stream, ordinal)\
    ) ENGINE=InnoDB";

/// A DDL statement that may or may not have run when its writer died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The transaction on the source: its GTID, or file and offset.
    pub identity: String,
    /// The GTID under which it was to run on the target; none where the target has no GTIDs or the account may not choose them.
    pub gtid: Option<String>,
}

/// What the table says about one pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Owner's number.
    pub epoch: u64,
    /// Where to go on; none before the first group.
    pub checkpoint: Option<Checkpoint>,
    /// Microseconds since 1970 when it was written.
    pub written_at_micros: u64,
    /// An unfinished DDL statement.
    pub intent: Option<Intent>,
    ddl_uuid: String,
    ddl_number: u64,
}

/// One pipeline's row, owned by this writer.
#[derive(Debug, Clone)]
pub struct Store {
    stream: String,
    epoch: u64,
    ordinal: u64,
    ddl_uuid: String,
    ddl_number: u64,
}

fn literal(sql: &mut Vec<u8>, text: &str) {
    sql.extend_from_slice(b"_utf8mb4");
    append_string(sql, text.as_bytes());
}

/// Reads a pipeline's row; none when there is no row or no table. Changes nothing.
///
/// # Errors
/// `checkpoint.format` for a row that a newer version has written; errors of the server.
pub async fn read<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<Option<Stored>, Error> {
    if !table_exists(session).await? {
        return Ok(None);
    }
    let mut sql = b"SELECT format, epoch, ordinal, HEX(state), display, CAST(UNIX_TIMESTAMP(written_at) * 1000000 AS UNSIGNED), \
        ddl_uuid, ddl_number, ddl_identity, ddl_gtid FROM datain.checkpoints WHERE stream = "
        .to_vec();
    literal(&mut sql, stream);
    let Some(row) = session.query_first(&sql).await? else {
        return Ok(None);
    };
    let damaged = || {
        Error::fatal(
            "checkpoint.damaged",
            "the row in datain.checkpoints cannot be read",
        )
    };
    let cell = |at: usize| row.get(at).cloned().flatten();
    let number = |at: usize| {
        cell(at)
            .and_then(|t| t.parse::<u64>().ok())
            .ok_or_else(damaged)
    };
    let format = number(0)?;
    if format != u64::from(FORMAT) {
        return Err(Error::fatal(
            "checkpoint.format",
            format!("the checkpoint of pipeline `{stream}` has format {format}, this version of datain knows {FORMAT}"),
        )
        .hint("run the version of datain that wrote it, or a newer one"));
    }
    let checkpoint = match cell(3) {
        None => None,
        Some(hex) => Some(Checkpoint {
            ordinal: number(2)?,
            data: unhex(&hex).ok_or_else(damaged)?,
            display: cell(4).unwrap_or_default(),
        }),
    };
    Ok(Some(Stored {
        epoch: number(1)?,
        checkpoint,
        written_at_micros: number(5)?,
        intent: cell(8).map(|identity| Intent {
            identity,
            gtid: cell(9),
        }),
        ddl_uuid: cell(6).ok_or_else(damaged)?,
        ddl_number: number(7)?,
    }))
}

async fn table_exists<S: Stream>(session: &mut Session<S>) -> Result<bool, Error> {
    let found = session
        .query_first(
            b"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain' AND TABLE_NAME IN ('checkpoints', 'held_back')",
        )
        .await?;
    Ok(found
        .and_then(|row| row.into_iter().next().flatten())
        .as_deref()
        == Some("2"))
}

fn unhex(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}

impl Store {
    /// Makes the schema and the row if need be, and takes the pipeline over: older writers can commit nothing from then on. A group that an
    /// older writer is committing right now is waited for, since both change the same row.
    ///
    /// # Errors
    /// As [`read`]; missing privileges on the schema `datain`.
    pub async fn claim<S: Stream>(
        session: &mut Session<S>,
        stream: &str,
    ) -> Result<(Store, Stored), Error> {
        if !table_exists(session).await? {
            for sql in [SCHEMA, TABLE, HELD_BACK] {
                session.exec(sql).await?;
            }
        }
        if read(session, stream).await?.is_none() {
            let mut sql =
                b"INSERT IGNORE INTO datain.checkpoints (stream, format, epoch, ordinal, display, ddl_uuid) VALUES (".to_vec();
            literal(&mut sql, stream);
            sql.extend_from_slice(format!(", {FORMAT}, 0, 0, '', UUID())").as_bytes());
            session.exec(&sql).await?;
        }
        let mut sql =
            b"UPDATE datain.checkpoints SET epoch = LAST_INSERT_ID(epoch + 1) WHERE stream = "
                .to_vec();
        literal(&mut sql, stream);
        let epoch = session.exec(&sql).await?.last_insert_id;
        match read(session, stream).await? {
            Some(stored) if stored.epoch == epoch => {
                let store = Store {
                    stream: stream.to_owned(),
                    epoch,
                    ordinal: stored.checkpoint.as_ref().map_or(0, |c| c.ordinal),
                    ddl_uuid: stored.ddl_uuid.clone(),
                    ddl_number: stored.ddl_number,
                };
                Ok((store, stored))
            }
            _ => Err(fenced(stream)),
        }
    }

    /// The pipeline's name.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }

    fn condition(&self, sql: &mut Vec<u8>) {
        sql.extend_from_slice(b" WHERE stream = ");
        literal(sql, &self.stream);
        sql.extend_from_slice(
            format!(" AND epoch = {} AND ordinal = {}", self.epoch, self.ordinal).as_bytes(),
        );
    }

    /// The statement that moves the checkpoint; it must match exactly one row. `ends_intent` clears the intent, whose statement was run.
    #[must_use]
    pub fn advance_sql(&self, to: &Checkpoint, ends_intent: bool) -> Vec<u8> {
        let mut sql = Vec::with_capacity(to.data.len() + to.display.len() + 256);
        sql.extend_from_slice(
            format!("UPDATE datain.checkpoints SET written_at = CURRENT_TIMESTAMP(6), ordinal = {}, state = _binary", to.ordinal)
                .as_bytes(),
        );
        append_string(&mut sql, &to.data);
        sql.extend_from_slice(b", display = ");
        literal(
            &mut sql,
            to.display.get(..DISPLAY_BYTES).unwrap_or(&to.display),
        );
        if ends_intent {
            sql.extend_from_slice(b", ddl_identity = NULL, ddl_gtid = NULL");
        }
        self.condition(&mut sql);
        sql
    }

    /// Notes that the checkpoint was moved to this ordinal.
    pub fn advanced(&mut self, ordinal: u64) {
        self.ordinal = ordinal;
    }

    /// The statement that records an intent, and the GTID for the DDL where `choose_gtid`; it must match exactly one row.
    #[must_use]
    pub fn intent_sql(&mut self, identity: &str, choose_gtid: bool) -> (Vec<u8>, Option<String>) {
        let gtid = choose_gtid.then(|| {
            self.ddl_number += 1;
            format!("{}:{}", self.ddl_uuid, self.ddl_number)
        });
        let mut sql = b"UPDATE datain.checkpoints SET ddl_identity = ".to_vec();
        literal(&mut sql, identity);
        sql.extend_from_slice(
            format!(", ddl_number = {}, ddl_gtid = ", self.ddl_number).as_bytes(),
        );
        match &gtid {
            Some(gtid) => literal(&mut sql, gtid),
            None => sql.extend_from_slice(b"NULL"),
        }
        self.condition(&mut sql);
        (sql, gtid)
    }

    /// The statement that takes an intent back.
    #[must_use]
    pub fn forget_intent_sql(&self) -> Vec<u8> {
        let mut sql =
            b"UPDATE datain.checkpoints SET ddl_identity = NULL, ddl_gtid = NULL".to_vec();
        self.condition(&mut sql);
        sql
    }

    /// The statement that keeps a trigger's or event's definition for the cutover.
    #[must_use]
    pub fn hold_back_sql(
        &self,
        ordinal: u64,
        position: &str,
        schema: Option<&str>,
        sql_mode: Option<u64>,
        statement: &[u8],
    ) -> Vec<u8> {
        let mut sql = b"INSERT INTO datain.held_back (stream, ordinal, position, default_schema, sql_mode, statement) VALUES (".to_vec();
        literal(&mut sql, &self.stream);
        sql.extend_from_slice(format!(", {ordinal}, ").as_bytes());
        literal(&mut sql, position);
        sql.extend_from_slice(b", ");
        match schema {
            Some(schema) => literal(&mut sql, schema),
            None => sql.extend_from_slice(b"NULL"),
        }
        let mode = sql_mode.map_or_else(|| "NULL".to_owned(), |m| m.to_string());
        sql.extend_from_slice(format!(", {mode}, _binary").as_bytes());
        append_string(&mut sql, statement);
        sql.push(b')');
        sql
    }
}

/// The error of a writer that was replaced.
#[must_use]
pub fn fenced(stream: &str) -> Error {
    Error::fatal(
        "checkpoint.fenced",
        format!("another host has taken over pipeline `{stream}`, or its checkpoint was changed by hand; nothing of this group was committed"),
    )
    .hint("run one host per pipeline; give each pipeline its own name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fence_names_stream_epoch_and_old_ordinal() {
        let store = Store {
            stream: "o'rders".to_owned(),
            epoch: 3,
            ordinal: 41,
            ddl_uuid: "u".to_owned(),
            ddl_number: 6,
        };
        let to = Checkpoint {
            ordinal: 44,
            data: b"{\"a\":'\\'}".to_vec(),
            display: "binlog.000001:4".to_owned(),
        };
        assert_eq!(
            String::from_utf8(store.advance_sql(&to, true)).unwrap(),
            "UPDATE datain.checkpoints SET written_at = CURRENT_TIMESTAMP(6), ordinal = 44, state = _binary'{\\\"a\\\":\\'\\\\\\'}', \
             display = _utf8mb4'binlog.000001:4', ddl_identity = NULL, ddl_gtid = NULL \
             WHERE stream = _utf8mb4'o\\'rders' AND epoch = 3 AND ordinal = 41"
        );
    }

    #[test]
    fn each_intent_takes_the_next_gtid() {
        let mut store = Store {
            stream: "s".to_owned(),
            epoch: 1,
            ordinal: 0,
            ddl_uuid: "u".to_owned(),
            ddl_number: 6,
        };
        assert_eq!(store.intent_sql("g:1", true).1.as_deref(), Some("u:7"));
        assert_eq!(store.intent_sql("g:2", false).1, None);
        assert_eq!(store.intent_sql("g:3", true).1.as_deref(), Some("u:8"));
    }

    #[test]
    fn hex_is_read_or_refused() {
        assert_eq!(unhex("00fF"), Some(vec![0, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }
}
