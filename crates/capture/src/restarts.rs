//! Which files of the log a server has begun because it had started, rather than because the one before was full.
//!
//! A file that is followed by another one while the server runs ends with a Rotate event; one that a server left when it stopped ends with a Stop event, or with none of both. A stream that reads
//! the end of a file sees that for itself. But one that goes by GTID may begin in a later file than the one where its checkpoint stands, where those in between hold nothing new.

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream, append_string};

use crate::inspect;
use crate::position::Position;

/// The files behind a position, as far as a stream that begins at it may skip what is before them: name, and whether a start of the server began it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Files(Vec<(String, bool)>);

/// A file with so many events holds transactions: a stream does not skip it.
const MOST_EVENTS: usize = 1000;

impl Files {
    /// Asks the server. Where it does not say, nothing is known.
    ///
    /// # Errors
    /// Errors of the server, other than that it refuses to say.
    pub async fn behind<S: Stream>(
        session: &mut Session<S>,
        position: &Position,
    ) -> Result<Files, Error> {
        let logs = inspect::logs(session).await?;
        let mut files = Files::default();
        let mut names = logs
            .into_iter()
            .map(|log| log.file)
            .skip_while(|file| *file != position.file)
            .peekable();
        let mut offset = position.offset;
        while let Some(file) = names.next() {
            let Some(next) = names.peek() else { break };
            let mut sql = b"SHOW BINLOG EVENTS IN ".to_vec();
            append_string(&mut sql, file.as_bytes());
            sql.extend_from_slice(format!(" FROM {offset} LIMIT {MOST_EVENTS}").as_bytes());
            offset = 4;
            let events = match session.query_rows(&sql).await {
                Ok(events) => events,
                Err(refused) if refused.errno().is_some() => break,
                Err(error) => return Err(error.into()),
            };
            if events.len() >= MOST_EVENTS {
                break;
            }
            let kind = |row: &Vec<Option<String>>| row.get(2).cloned().flatten();
            let ended = events.last().and_then(kind);
            files
                .0
                .push((next.clone(), ended.as_deref() != Some("Rotate")));
        }
        Ok(files)
    }

    /// Whether the server has started between the position and this file; none if that is not known.
    #[must_use]
    pub fn restarted_before(&self, file: &str) -> Option<bool> {
        let last = self.0.iter().position(|(name, _)| name == file)?;
        Some(self.0[..=last].iter().any(|(_, started)| *started))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_counts_for_all_files_behind_it() {
        let file = |name: &str, started| (name.to_owned(), started);
        let files = Files(vec![
            file("b.2", false),
            file("b.3", true),
            file("b.4", false),
        ]);
        let answers = ["b.2", "b.3", "b.4", "b.5"].map(|name| files.restarted_before(name));
        assert_eq!(answers, [Some(false), Some(true), Some(true), None]);
    }
}
