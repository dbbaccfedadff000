//! The checkpoint: a row of the schema `datain` in the target, written in the same transaction as the rows that it stands for.
//!
//! Each writer that opens a pipeline raises its `epoch`. Every commit of a group moves the row from the ordinal that this
//! writer last saw to the new one, under its own epoch, and must match exactly one row. That one statement is the fence: a writer that was
//! replaced, a group applied twice and a gap all match no row, and nothing of the group is committed.
//!
//! A DDL statement commits by itself, so an *intent* is committed before it: what it is (its GTID or position on the source), and
//! under which GTID of our own it runs on the target. After a kill the target's gtid_executed tells whether it ran.
//!
//! XA branches that are prepared and not yet committed are kept in the same way as the checkpoint, in the transaction that covers them ([`branches`]). Groups that
//! were committed before older ones are noted beside it ([`ahead`]).
//!
//! A cutover keeps there how far it has come ([`cutovers`]).
//!
//! What a person orders ([`orders`]: stop, start, skip, remove) is written to the same tables ([`layout`]), so it outlives every host.

mod ahead;
mod branches;
pub mod cutovers;
pub mod layout;
mod locks;
mod names;
pub mod orders;
mod store;
pub(crate) mod temporary;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::{Session, Stream, append_string};

pub(crate) use ahead::{Applied, Clearing, Key};
pub(crate) use branches::{Part, PieceOf, Rows};
pub use locks::Lock;
pub(crate) use names::Names;
pub(crate) use store::tables_are_gone;
pub use store::{Beginning, Claimed, Store};

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
    /// Commit time on the source of the newest transaction that the checkpoint covers, microseconds since 1970; 0 before the first.
    pub committed_at_micros: u64,
    /// Where the pipeline began, as text.
    pub began_at: Option<String>,
    /// When a person stopped it, microseconds since 1970.
    pub stopped_at_micros: Option<u64>,
    /// The last error that was noted: when (microseconds since 1970), and its report.
    pub last_error: Option<(u64, String)>,
    /// An unfinished DDL statement.
    pub intent: Option<Intent>,
    ddl_uuid: String,
    ddl_number: u64,
}

pub(crate) fn literal(sql: &mut Vec<u8>, text: &str) {
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
    if !layout::exists(session).await? {
        return Ok(None);
    }
    let mut sql = b"SELECT format, epoch, ordinal, HEX(state), display, CAST(UNIX_TIMESTAMP(written_at) * 1000000 AS UNSIGNED), \
        ddl_uuid, ddl_number, ddl_identity, ddl_gtid, committed_at_micros, began_at, \
        CAST(UNIX_TIMESTAMP(stopped_at) * 1000000 AS UNSIGNED), last_error, CAST(UNIX_TIMESTAMP(last_error_at) * 1000000 AS UNSIGNED) FROM datain.checkpoints WHERE stream = "
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
    if !(u64::from(layout::OLDEST_FORMAT)..=u64::from(layout::FORMAT)).contains(&format) {
        return Err(Error::fatal(
            "checkpoint.format",
            format!("the checkpoint of pipeline `{stream}` has format {format}, this version of datain knows {}", layout::FORMAT),
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
        committed_at_micros: number(10)?,
        began_at: cell(11),
        stopped_at_micros: cell(12).map(|_| number(12)).transpose()?,
        last_error: match cell(13) {
            Some(report) => Some((number(14)?, report)),
            None => None,
        },
        ddl_uuid: cell(6).ok_or_else(damaged)?,
        ddl_number: number(7)?,
    }))
}

/// The xids of branches that are kept for a pipeline: prepared on the source, neither committed nor rolled back.
///
/// # Errors
/// Errors of the server.
pub async fn prepared<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<Vec<String>, Error> {
    if layout::find(session).await? != layout::Found::All {
        return Ok(Vec::new());
    }
    let mut sql = b"SELECT DISTINCT xid FROM datain.xa_prepared WHERE stream = ".to_vec();
    literal(&mut sql, stream);
    let rows = session.query_rows(&sql).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .collect())
}

/// The newest checkpoint of a pipeline whose row was [read](read) before on this session: for who asks often. None when there is none, or the pipeline is gone.
///
/// # Errors
/// `checkpoint.damaged`; errors of the server.
pub(crate) async fn newest<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<Option<Checkpoint>, Error> {
    let mut sql =
        b"SELECT ordinal, HEX(state), display FROM datain.checkpoints WHERE stream = ".to_vec();
    literal(&mut sql, stream);
    let row = match session.query_first(&sql).await {
        Ok(row) => row,
        Err(error) if tables_are_gone(&error) => None,
        Err(error) => return Err(error.into()),
    };
    let Some([ordinal, state, display]) = row.and_then(|row| <[_; 3]>::try_from(row).ok()) else {
        return Ok(None);
    };
    let Some(state) = state else {
        return Ok(None);
    };
    let damaged = || {
        Error::fatal(
            "checkpoint.damaged",
            "the row in datain.checkpoints cannot be read",
        )
    };
    Ok(Some(Checkpoint {
        ordinal: ordinal
            .and_then(|text| text.parse().ok())
            .ok_or_else(damaged)?,
        data: unhex(&state).ok_or_else(damaged)?,
        display: display.unwrap_or_default(),
    }))
}

pub(crate) fn unhex(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
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

/// The error of a writer whose pipeline is gone.
fn removed(stream: &str) -> Error {
    Error::fatal(
        "checkpoint.removed",
        format!("pipeline `{stream}` was removed from the target while this host was running; nothing of this group was committed"),
    )
    .hint("to begin anew on purpose, look at [start] and start the host again")
}

/// The error of a writer that wants to open a stopped pipeline.
fn stopped(stream: &str, at_micros: u64) -> Error {
    Error::reconfigure(
        "sink.stopped",
        format!("pipeline `{stream}` was stopped by a person"),
    )
    .detail(format!("since {} (Unix time)", at_micros / 1_000_000))
    .hint("datain start -c FILE lets it run again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_or_refused() {
        assert_eq!(unhex("00fF"), Some(vec![0, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }
}
