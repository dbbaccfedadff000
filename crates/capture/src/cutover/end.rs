//! The end of the log of a source that is no longer written to, and whether a checkpoint covers it.
//!
//! A checkpoint stands right behind a transaction; the log's end may be further on though nothing was committed since: a server that opens a new file writes a few events of its own.
//! So where a checkpoint is before the end, the events between the two are looked at: if there is none but those, it covers the end.

use std::cmp::Ordering;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::{Session, Stream, append_string};

use crate::checkpoint::State;
use crate::facts::Facts;
use crate::inspect::logs;
use crate::position::Position;
use crate::start;

/// Events that a server writes at the edges of a file, as SHOW BINLOG EVENTS calls them.
const OF_FILES: &[&str] = &[
    "Format_desc",
    "Previous_gtids",
    "Rotate",
    "Stop",
    "Gtid_list",
    "Binlog_checkpoint",
    "Start_encryption",
];

/// More of them than any file has between two transactions.
const MOST: usize = 16;

/// Where the log ends.
///
/// # Errors
/// `source.position-unknown` for an account that may not know; errors of the server.
pub async fn of_log<S: Stream>(session: &mut Session<S>) -> Result<Checkpoint, Error> {
    let facts = Facts::ask(session).await?;
    let position = facts.head.ok_or_else(start::position_unknown)?;
    Ok(State {
        server_uuid: facts.server_uuid,
        position,
        gtids: facts.gtid_on.then_some(facts.executed),
        file_began: None,
        copy: None,
        aside: None,
        scope: None,
        temporary: crate::temporary::TemporaryTables::default(),
    }
    .checkpoint(0))
}

/// Whether `checkpoint` covers everything before `end`, as far as the two tell by themselves; none where the server must be asked ([`has_passed`]).
///
/// # Errors
/// As [`has_passed`], but for those of the server.
pub fn judge(checkpoint: &Checkpoint, end: &Checkpoint) -> Result<Option<bool>, Error> {
    Ok(match compare(checkpoint, end)? {
        Compared::Passed => Some(true),
        Compared::Before => Some(false),
        Compared::Between(from, to) => (from.file == to.file).then_some(false),
    })
}

/// Whether `checkpoint` covers everything before `end`, which is the answer of [`of_log`].
///
/// # Errors
/// `cutover.copy-incomplete`, `cutover.other-server`; `checkpoint.damaged`; errors of the server.
pub async fn has_passed<S: Stream>(
    session: &mut Session<S>,
    checkpoint: &Checkpoint,
    end: &Checkpoint,
) -> Result<bool, Error> {
    match compare(checkpoint, end)? {
        Compared::Passed => Ok(true),
        Compared::Before => Ok(false),
        Compared::Between(from, to) => only_files_end(session, &from, &to).await,
    }
}

#[derive(Debug, PartialEq)]
enum Compared {
    Passed,
    Before,
    /// The GTIDs say yes, or there are none; what lies between these two places must be looked at.
    Between(Position, Position),
}

fn compare(checkpoint: &Checkpoint, end: &Checkpoint) -> Result<Compared, Error> {
    let (at, end) = (
        State::from_checkpoint(checkpoint)?,
        State::from_checkpoint(end)?,
    );
    if at.copy.is_some() {
        return Err(Error::reconfigure(
            "cutover.copy-incomplete",
            "the first copy is not complete, so there is nothing to cut over to yet",
        )
        .hint("datain status -c FILE shows how far it is; wait for its end, then try again"));
    }
    if at.server_uuid != end.server_uuid {
        return Err(Error::fatal(
            "cutover.other-server",
            "the checkpoint is of another source server than the one that is asked now",
        )
        .detail(format!("{} and {}", at.server_uuid, end.server_uuid))
        .hint("let the pipeline run until it has followed the failover, then try again; both must lead to the same server"));
    }
    if let Some(executed) = &end.gtids {
        match &at.gtids {
            Some(gtids) if executed.is_subset_of(gtids) => {}
            Some(_) => return Ok(Compared::Before),
            // A stream by file and offset on a server with GTIDs: the place alone tells.
            None => {}
        }
    }
    match at.position.compare(&end.position) {
        Some(Ordering::Less) => Ok(Compared::Between(at.position, end.position)),
        Some(_) => Ok(Compared::Passed),
        None => Err(Error::fatal(
            "cutover.other-server",
            "the source's log has another name than at the checkpoint",
        )
        .detail(format!("{} and {}", at.position, end.position))
        .hint("let the pipeline go on until its checkpoint is in the new log, then try again")),
    }
}

/// Whether nothing lies between two places but the edges of files.
async fn only_files_end<S: Stream>(
    session: &mut Session<S>,
    from: &Position,
    to: &Position,
) -> Result<bool, Error> {
    // A transaction before the end would have moved a checkpoint in the same file.
    if from.file == to.file {
        return Ok(false);
    }
    let logs = logs(session).await?;
    let place = |file: &str| logs.iter().position(|log| log.file == file);
    let (Some(first), Some(last)) = (place(&from.file), place(&to.file)) else {
        return Ok(false);
    };
    for log in logs.get(first..=last).unwrap_or_default() {
        let start = if log.file == from.file {
            from.offset
        } else {
            4
        };
        let mut sql = b"SHOW BINLOG EVENTS IN ".to_vec();
        append_string(&mut sql, log.file.as_bytes());
        sql.extend_from_slice(format!(" FROM {start} LIMIT {MOST}").as_bytes());
        let events = session.query_rows(&sql).await?;
        let before_end = |row: &[Option<String>]| {
            let begins = row
                .get(1)
                .and_then(Option::as_deref)
                .and_then(|t| t.parse().ok());
            log.file != to.file || begins.is_none_or(|begins: u64| begins < to.offset)
        };
        let between = events.iter().filter(|row| before_end(row));
        let all_of_files = between.clone().all(|row| {
            let name = row.get(2).and_then(Option::as_deref).unwrap_or_default();
            OF_FILES.contains(&name)
        });
        if !all_of_files || between.count() == MOST {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn at(uuid: &str, file: &str, offset: u64, gtids: Option<&str>) -> Checkpoint {
        State {
            server_uuid: uuid.to_owned(),
            position: Position {
                file: file.to_owned(),
                offset,
            },
            gtids: gtids.map(|text| crate::gtids::Gtids::parse(text, false).unwrap()),
            file_began: None,
            copy: None,
            aside: None,
            scope: None,
            temporary: crate::temporary::TemporaryTables::default(),
        }
        .checkpoint(1)
    }

    #[test]
    fn both_the_set_and_the_place_must_be_covered() {
        let set = |to: u32| format!("{UUID}:1-{to}");
        let end = at(UUID, "b.000002", 900, Some(&set(9)));
        let check = |file: &str, offset: u64, gtids: Option<&str>, expected: &str| {
            let found = match compare(&at(UUID, file, offset, gtids), &end).unwrap() {
                Compared::Passed => "passed",
                Compared::Before => "before",
                Compared::Between(..) => "between",
            };
            assert_eq!(found, expected, "{file}:{offset} {gtids:?}");
        };
        check("b.000002", 900, Some(&set(9)), "passed");
        check("b.000003", 4, Some(&set(12)), "passed");
        check("b.000002", 900, Some(&set(8)), "before");
        check("b.000002", 899, Some(&set(9)), "between");
        check("b.000001", 5000, Some(&set(9)), "between");
        check("b.000002", 900, None, "passed");
        check("b.000001", 9999, None, "between");
    }

    #[test]
    fn another_server_or_log_is_no_answer() {
        let end = at(UUID, "b.000002", 900, None);
        for checkpoint in [
            at("another", "b.000002", 900, None),
            at(UUID, "other.000002", 900, None),
        ] {
            assert_eq!(
                compare(&checkpoint, &end).unwrap_err().code,
                "cutover.other-server"
            );
        }
    }
}
