//! Marks: where the log ended at some moment, and whether a checkpoint covers one.
//!
//! A mark is a file and an offset of one server's log. The position moves as a transaction comes into the log, before anybody can see the transaction, so all that could be seen
//! before the question stands before the answer. (A server's set of executed GTIDs moves only afterwards, so it is no mark.)
//!
//! A checkpoint before the mark may cover it all the same: a log grows without transactions as a new file begins, and nothing that reads the log says so where no pipeline runs.
//! So what lies between the two is looked through, if it is not much.

use std::cmp::Ordering;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::{Session, Stream, append_string};
use serde::{Deserialize, Serialize};

use crate::checkpoint::State;
use crate::facts;
use crate::inspect::logs;
use crate::position::Position;

/// So many files without a transaction are looked through.
const FILES: usize = 20;

/// Events that change nothing, wherever they stand.
const EMPTY: &[&str] = &[
    "Format_desc",
    "Previous_gtids",
    "Rotate",
    "Stop",
    "Gtid_list",
    "Binlog_checkpoint",
    "Start_encryption",
];

/// As bytes it is JSON; only the source reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    server_uuid: String,
    file: String,
    offset: u64,
}

impl Mark {
    /// Where the log of the server with this uuid ends now.
    ///
    /// # Errors
    /// `verify.no-position` where the server does not tell it; errors of the server.
    pub async fn now<S: Stream>(
        session: &mut Session<S>,
        server_uuid: &str,
    ) -> Result<Self, Error> {
        let position = facts::head(session).await?.ok_or_else(|| {
            Error::reconfigure(
                "verify.no-position",
                "the source does not say where its log ends, so nobody can tell when the target has all of it",
            )
            .hint("turn on log_bin, and GRANT REPLICATION CLIENT ON *.* TO the source's account")
        })?;
        Ok(Self {
            server_uuid: server_uuid.to_owned(),
            file: position.file,
            offset: position.offset,
        })
    }

    /// For the way through the host.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What [`to_bytes`](Self::to_bytes) has written.
    ///
    /// # Errors
    /// `verify.mark-unreadable`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|e| {
            Error::fatal(
                "verify.mark-unreadable",
                format!("a mark in the source's log cannot be read: {e}"),
            )
            .hint("report it")
        })
    }

    /// Whether all that stands before the mark is in a target with this checkpoint.
    ///
    /// # Errors
    /// `verify.copy-incomplete`; those of a checkpoint that cannot be read; errors of the server.
    pub async fn is_covered<S: Stream>(
        &self,
        session: &mut Session<S>,
        checkpoint: &Checkpoint,
    ) -> Result<bool, Error> {
        let state = State::from_checkpoint(checkpoint)?;
        if state.copy.is_some() {
            return Err(Error::reconfigure(
                "verify.copy-incomplete",
                "the first copy is not complete, so the target cannot be equal yet",
            )
            .hint("run the pipeline until datain status says that the copy is complete"));
        }
        // Positions of two servers have nothing to do with each other.
        if state.server_uuid != self.server_uuid {
            return Ok(false);
        }
        let end = Position {
            file: self.file.clone(),
            offset: self.offset,
        };
        match state.position.compare(&end) {
            Some(Ordering::Equal | Ordering::Greater) => Ok(true),
            Some(Ordering::Less) => is_empty_between(session, &state.position, &end).await,
            None => Ok(false),
        }
    }
}

/// Whether the log holds nothing between two places that could change anything.
async fn is_empty_between<S: Stream>(
    session: &mut Session<S>,
    from: &Position,
    to: &Position,
) -> Result<bool, Error> {
    // What stands in the same file behind a whole transaction is, but for the file's end, another one.
    if from.file == to.file {
        return Ok(false);
    }
    let files = logs(session).await?;
    let place = |file: &str| files.iter().position(|log| log.file == file);
    let (Some(first), Some(last)) = (place(&from.file), place(&to.file)) else {
        return Ok(false);
    };
    if last < first || last - first > FILES {
        return Ok(false);
    }
    for log in files.get(first..=last).unwrap_or_default() {
        let begin = if log.file == from.file {
            from.offset
        } else {
            4
        };
        let end = if log.file == to.file {
            to.offset
        } else {
            u64::MAX
        };
        if !is_empty(session, &log.file, begin, end).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a file of the log holds nothing but its own beginning and end between two offsets.
async fn is_empty<S: Stream>(
    session: &mut Session<S>,
    file: &str,
    begin: u64,
    end: u64,
) -> Result<bool, Error> {
    const MOST: usize = 8;
    let mut sql = b"SHOW BINLOG EVENTS IN ".to_vec();
    append_string(&mut sql, file.as_bytes());
    sql.extend_from_slice(format!(" FROM {begin} LIMIT {MOST}").as_bytes());
    let events = match session.query_rows(&sql).await {
        Ok(events) => events,
        // The account may not look, or the file has gone: then it is not known, and the pipeline's own progress is waited for.
        Err(error) if error.errno().is_some() => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let mut seen = 0;
    for event in &events {
        let cell = |at: usize| event.get(at).and_then(Option::as_deref).unwrap_or_default();
        if cell(1).parse::<u64>().is_ok_and(|at| at >= end) {
            return Ok(true);
        }
        if !EMPTY.contains(&cell(2)) {
            return Ok(false);
        }
        seen += 1;
    }
    Ok(seen < MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mark = Mark {
            server_uuid: "u".to_owned(),
            file: "b.1".to_owned(),
            offset: 5_000_000_000,
        };
        assert_eq!(Mark::from_bytes(&mark.to_bytes()).unwrap(), mark);
        let error = Mark::from_bytes(b"{").unwrap_err();
        assert_eq!(error.code, "verify.mark-unreadable");
    }
}
