//! How far a checkpoint is behind its source, without a dump.

use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::{Session, Stream};

use crate::checkpoint::State;
use crate::clock;
use crate::facts::Facts;
use crate::position::Position;

/// What the source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distance {
    /// The source's newest position, for people.
    pub head: String,
    /// Transactions that the checkpoint lacks, where the stream goes by GTID.
    pub transactions: Option<u64>,
    /// Bytes of log between the checkpoint and the head, where the server is the same and the account may ask.
    pub bytes: Option<u64>,
    /// How far the server's clock is ahead of datain's, where it tells its time.
    pub clock_ahead_micros: Option<i64>,
}

/// Asks the server. `now` is datain's clock, microseconds since 1970.
///
/// # Errors
/// Errors of the server; a checkpoint that cannot be read.
pub async fn distance<S: Stream>(
    session: &mut Session<S>,
    checkpoint: Option<&Checkpoint>,
    now: impl Fn() -> u64,
) -> Result<Distance, Error> {
    let clock = clock::measure(session, now).await?;
    let facts = Facts::ask(session).await?;
    let state = checkpoint.map(State::from_checkpoint).transpose()?;
    let mut head = facts
        .head
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    if facts.gtid_on {
        head = format!("{head} {}", facts.executed).trim_start().to_owned();
    }
    let transactions = state
        .as_ref()
        .and_then(|s| s.gtids.as_ref())
        .filter(|_| facts.gtid_on)
        .map(|gtids| facts.executed.count_beyond(gtids));
    let bytes = match (&state, &facts.head) {
        (Some(state), Some(head)) if state.server_uuid == facts.server_uuid => {
            between(&logs(session).await?, &state.position, head)
        }
        _ => None,
    };
    Ok(Distance {
        head,
        transactions,
        bytes,
        clock_ahead_micros: clock.map(|measured| measured.ahead_micros),
    })
}

/// The log's files and their sizes; none when the account may not know.
pub(crate) async fn logs<S: Stream>(session: &mut Session<S>) -> Result<Vec<Position>, Error> {
    match session.query_rows(b"SHOW BINARY LOGS").await {
        Ok(rows) => Ok(rows
            .into_iter()
            .filter_map(|row| {
                let mut cells = row.into_iter().flatten();
                let file = cells.next()?;
                let offset = cells.next()?.parse().ok()?;
                Some(Position { file, offset })
            })
            .collect()),
        Err(e) if e.code() == "server.privilege-missing" => Ok(Vec::new()),
        Err(e) => Err(e.into()),
    }
}

/// Bytes from one place to another; none when a file between them is not known.
fn between(logs: &[Position], from: &Position, to: &Position) -> Option<u64> {
    if from.file == to.file {
        return Some(to.offset.saturating_sub(from.offset));
    }
    let first = logs.iter().position(|log| log.file == from.file)?;
    let last = logs.iter().position(|log| log.file == to.file)?;
    let rest = logs.get(first)?.offset.saturating_sub(from.offset);
    let whole = logs.get(first + 1..last)?.iter();
    let whole = whole.fold(rest, |sum, log| sum.saturating_add(log.offset));
    Some(whole.saturating_add(to.offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, offset: u64) -> Position {
        Position {
            file: file.to_owned(),
            offset,
        }
    }

    #[test]
    fn bytes_are_counted_over_files() {
        let logs = [at("b.1", 100), at("b.2", 200), at("b.3", 50)];
        assert_eq!(
            between(&logs, &at("b.1", 40), &at("b.3", 10)),
            Some(60 + 200 + 10)
        );
        assert_eq!(between(&logs, &at("b.3", 4), &at("b.3", 10)), Some(6));
        assert_eq!(between(&logs, &at("b.0", 4), &at("b.3", 10)), None);
        assert_eq!(between(&[], &at("b.1", 4), &at("b.3", 10)), None);
        assert_eq!(between(&logs, &at("b.3", 4), &at("b.1", 10)), None);
        let long = [at("b.1", u64::MAX), at("b.2", u64::MAX), at("b.3", 9)];
        assert_eq!(between(&long, &at("b.1", 4), &at("b.3", 9)), Some(u64::MAX));
    }
}
