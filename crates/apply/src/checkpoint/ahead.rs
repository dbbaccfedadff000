//! Groups that were committed before older ones (`preserve_commit_order = false`).
//!
//! The checkpoint cannot move past a group that is not there, so a younger one that is gets a row in `datain.ahead`, in its own target transaction: a note of which
//! transactions it holds. The checkpoint takes it in, and deletes that row, as soon as everything older is there too. After a kill the stream begins at the
//! checkpoint, and transactions that such a row names are passed over; a checkpoint that comes to stand among them leaves the row with what is still to come.
//!
//! One row more, with ordinal 0, names the writer by its epoch, and the pipeline by the `ddl_uuid` of its row: a group that is to be committed ahead locks it for reading, and whoever takes the
//! pipeline over changes it before it reads the others. So no row can come that the new writer has not seen. The row of the checkpoint cannot serve for that: the
//! older group that is just being committed has locked it. Stop and skip change it too.
//!
//! Notes belong to the pipeline of their `ddl_uuid` only: one of the same name that was removed, perhaps by a datain that did not know this table, has left nothing that
//! counts. They name whole transactions, though only what the filter let through was written: with another filter they say nothing.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Transaction};
use datain_mysql_client::{Session, Stream};
use serde::{Deserialize, Serialize};

use super::names::Names;
use super::{Stored, literal};
use crate::{lock_wait, settings};

/// The row of a group that was committed ahead, by its key.
pub(crate) type Key = (u64, u64);

/// What the column `names` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The `ddl_uuid` of the pipeline's row.
    pub(super) of: String,
    /// The filter under which the transactions were read, as text.
    pub(super) filter: String,
    pub(super) names: Names,
}

/// One such row, and what has not come by again of its transactions.
#[derive(Debug)]
struct Row {
    key: Key,
    note: Note,
    /// Some have come by since that was last [told](Applied::take_changes).
    is_changed: bool,
}

/// What the checkpoint has to do to such a row when it moves over its transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clearing {
    /// All of them lie behind it.
    Delete(Key),
    /// These are still to come.
    Leave(Key, String),
}

/// What an earlier writer has committed ahead of the checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    rows: Vec<Row>,
    over: Vec<Key>,
}

impl Applied {
    /// Whether the transaction is in the target already.
    pub(crate) fn holds(&mut self, transaction: &Transaction) -> bool {
        let mut found = false;
        let over = &mut self.over;
        self.rows.retain_mut(|row| {
            let names = &mut row.note.names;
            if names.holds(transaction) {
                found = true;
                if let (Some(gtid), true) = (&transaction.gtid, transaction.last) {
                    row.is_changed |= names.remove(gtid);
                }
            }
            let is_over = names.are_past(transaction);
            if is_over {
                over.push(row.key);
            }
            !is_over
        });
        found
    }

    /// What has to be written with the next checkpoint: it covers all that has come by.
    pub(crate) fn take_changes(&mut self) -> Vec<Clearing> {
        let mut changes: Vec<_> = self.over.drain(..).map(Clearing::Delete).collect();
        for row in self.rows.iter_mut().filter(|row| row.is_changed) {
            row.is_changed = false;
            changes.push(Clearing::Leave(row.key, text(&row.note)));
        }
        changes
    }

    /// Forgets them, since the stream begins anew; the next checkpoint deletes the rows.
    pub(crate) fn forget(&mut self) {
        self.over.extend(self.rows.drain(..).map(|row| row.key));
    }

    /// How many groups there are.
    pub(crate) fn groups(&self) -> usize {
        self.rows.len()
    }

    /// The transactions, for a source to say whether it has them; none if there are none. See `ahead` in wit/sink.wit.
    pub(crate) fn told(&self) -> Option<String> {
        let mut told = String::new();
        for row in &self.rows {
            row.note.names.tell(&mut told);
        }
        (!told.is_empty()).then_some(told)
    }

    /// Holds the notes against the filter of now.
    ///
    /// # Errors
    /// `checkpoint.filter-changed`.
    pub(super) fn require_filter(&self, filter: &str) -> Result<(), Error> {
        match self.rows.iter().find(|row| row.note.filter != filter) {
            None => Ok(()),
            Some(row) => Err(filter_changed(&row.note.filter, filter)),
        }
    }

    /// Whether the transaction of this name is among them: a GTID, or file and offset.
    pub(super) fn holds_name(&self, name: &str) -> bool {
        self.rows.iter().any(|row| row.note.names.holds_name(name))
    }
}

/// Strings and numbers always serialise.
fn text(note: &Note) -> String {
    serde_json::to_string(note).unwrap_or_default()
}

fn filter_changed(before: &str, now: &str) -> Error {
    Error::reconfigure(
        "checkpoint.filter-changed",
        "[replicate] has changed, while transactions are in the target ahead of the checkpoint that were read under the filter before",
    )
    .detail(format!("before: {before}; now: {now}"))
    .hint("run once with [replicate] as it was, with --until-caught-up, then change it: what the filter before left out of those transactions would be missing")
}

/// Reads the notes of a pipeline, and the keys of rows that are another pipeline's of the same name.
///
/// # Errors
/// `checkpoint.damaged`; errors of the server.
pub(super) async fn read<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
    uuid: &str,
) -> Result<(Applied, Vec<Key>), Error> {
    let mut sql = b"SELECT epoch, ordinal, names FROM datain.ahead WHERE stream = ".to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(b" AND ordinal > 0 ORDER BY epoch, ordinal");
    let damaged = || Error::fatal("checkpoint.damaged", "a row in datain.ahead cannot be read");
    let (mut applied, mut others) = (Applied::default(), Vec::new());
    for row in session.query_rows(&sql).await? {
        let [Some(epoch), Some(ordinal), Some(note)] = &row[..] else {
            return Err(damaged());
        };
        let key = (
            epoch.parse().map_err(|_| damaged())?,
            ordinal.parse().map_err(|_| damaged())?,
        );
        let note: Note = serde_json::from_str(note).map_err(|_| damaged())?;
        if note.of == uuid {
            applied.rows.push(Row {
                key,
                note,
                is_changed: false,
            });
        } else {
            others.push(key);
        }
    }
    Ok((applied, others))
}

/// Reads the notes of a pipeline that its writer, of this epoch, has just taken over; no row can be added by an older one from then on.
///
/// # Errors
/// `checkpoint.damaged`; `server.lock-wait-timeout`; errors of the server.
pub(super) async fn take_over<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
    stored: &Stored,
) -> Result<Applied, Error> {
    let (epoch, uuid) = (stored.epoch, stored.ddl_uuid.as_str());
    let mut sql =
        b"INSERT INTO datain.ahead (stream, epoch, ordinal, writer, names) SELECT stream, 0, 0, epoch, ddl_uuid FROM datain.checkpoints WHERE stream = "
            .to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(format!(" AND epoch = {epoch} AND ddl_uuid = ").as_bytes());
    literal(&mut sql, uuid);
    sql.extend_from_slice(
        format!(" FOR UPDATE ON DUPLICATE KEY UPDATE writer = {epoch}, names = ").as_bytes(),
    );
    literal(&mut sql, uuid);
    // The claim may have waited for as long as an opening may take.
    session.exec(settings::BRIEF).await?;
    if let Err(error) = session.exec(&sql).await {
        return Err(lock_wait::explained(session, error.into()).await);
    }
    let (applied, others) = read(session, stream, uuid).await?;
    for key in others {
        session.exec(&delete_sql(stream, key)).await?;
    }
    session.exec(settings::PATIENT).await?;
    Ok(applied)
}

/// The statement after which no writer commits anything ahead until the pipeline is taken over, in the transaction that has raised the epoch. Where no writer has ever taken it over, it
/// matches no row, and nothing can go ahead either.
pub(super) fn fence_off_sql(stream: &str) -> Vec<u8> {
    let mut sql =
        b"UPDATE datain.ahead SET writer = (SELECT epoch FROM datain.checkpoints WHERE stream = "
            .to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(b") WHERE epoch = 0 AND ordinal = 0 AND stream = ");
    literal(&mut sql, stream);
    sql
}

/// The statement by which a group is committed ahead; it must match exactly one row.
pub(super) fn insert_sql(stream: &str, (epoch, ordinal): Key, note: &Note) -> Vec<u8> {
    let mut sql = format!(
        "INSERT INTO datain.ahead (stream, epoch, ordinal, writer, names) SELECT stream, {epoch}, {ordinal}, {epoch}, "
    )
    .into_bytes();
    literal(&mut sql, &text(note));
    sql.extend_from_slice(b" FROM datain.ahead WHERE stream = ");
    literal(&mut sql, stream);
    sql.extend_from_slice(
        format!(" AND epoch = 0 AND ordinal = 0 AND writer = {epoch} AND names = ").as_bytes(),
    );
    literal(&mut sql, &note.of);
    sql.extend_from_slice(b" LOCK IN SHARE MODE");
    sql
}

fn of_key(sql: &mut Vec<u8>, stream: &str, (epoch, ordinal): Key) {
    sql.extend_from_slice(b" WHERE stream = ");
    literal(sql, stream);
    sql.extend_from_slice(format!(" AND epoch = {epoch} AND ordinal = {ordinal}").as_bytes());
}

/// The statement that deletes such a row.
pub(super) fn delete_sql(stream: &str, key: Key) -> Vec<u8> {
    let mut sql = b"DELETE FROM datain.ahead".to_vec();
    of_key(&mut sql, stream, key);
    sql
}

/// The statement that leaves such a row with what is still to come.
pub(super) fn leave_sql(stream: &str, key: Key, note: &str) -> Vec<u8> {
    let mut sql = b"UPDATE datain.ahead SET names = ".to_vec();
    literal(&mut sql, note);
    of_key(&mut sql, stream, key);
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(gtid: Option<&str>, file: &str, offset: u64) -> Transaction {
        Transaction {
            ordinal: 0,
            piece: 0,
            last: true,
            gtid: gtid.map(str::to_owned),
            file: file.to_owned(),
            offset,
            committed_at_micros: 0,
            changes: vec![],
            xa: None,
            checkpoint: None,
        }
    }

    fn of(names: Names) -> Applied {
        let note = Note {
            of: "u".to_owned(),
            filter: String::new(),
            names,
        };
        Applied {
            rows: vec![Row {
                key: (3, 9),
                note,
                is_changed: false,
            }],
            over: Vec::new(),
        }
    }

    const OVER: [Clearing; 1] = [Clearing::Delete((3, 9))];

    #[test]
    fn gtids_are_known_again_and_their_row_ends_with_the_last_in_whatever_order() {
        let mut names = Names::default();
        for gtid in ["u:7", "u:8", "u:tag:1", "u:10", "0-1-5"] {
            names.add(&transaction(Some(gtid), "b.1", 4));
        }
        let text = serde_json::to_string(&names).unwrap();
        assert_eq!(
            text,
            r#"{"gtids":{"0-1-":[[5,5]],"u:":[[7,8],[10,10]],"u:tag:":[[1,1]]},"places":{}}"#
        );
        let mut applied = of(serde_json::from_str(&text).unwrap());
        for (gtid, held) in [
            ("u:6", false),
            ("u:10", true),
            ("u:9", false),
            ("v:7", false),
            ("u:7", true),
            ("0-1-5", true),
            ("u:8", true),
        ] {
            let holds = applied.holds(&transaction(Some(gtid), "other.9", 1));
            assert_eq!(holds, held, "{gtid}");
            assert!(applied.over.is_empty());
        }
        assert!(applied.holds(&transaction(Some("u:tag:1"), "b", 1)));
        assert_eq!(applied.take_changes(), OVER);
    }

    #[test]
    fn what_is_still_to_come_is_written_with_each_checkpoint() {
        let mut names = Names::default();
        for gtid in ["u:7", "u:8"] {
            names.add(&transaction(Some(gtid), "b.1", 4));
        }
        let mut applied = of(names);
        assert!(!applied.holds(&transaction(Some("u:6"), "b.1", 4)));
        assert_eq!(applied.take_changes(), []);
        let piece = Transaction {
            last: false,
            ..transaction(Some("u:7"), "b.1", 4)
        };
        assert!(applied.holds(&piece));
        assert_eq!(applied.take_changes(), [], "its end is still to come");
        assert!(applied.holds(&transaction(Some("u:7"), "b.1", 4)));
        let left = r#"{"of":"u","filter":"","names":{"gtids":{"u:":[[8,8]]},"places":{}}}"#;
        assert_eq!(
            applied.take_changes(),
            [Clearing::Leave((3, 9), left.to_owned())]
        );
        assert_eq!(applied.take_changes(), []);
        assert!(applied.holds(&transaction(Some("u:8"), "b.1", 4)));
        assert_eq!(applied.take_changes(), OVER);
    }

    #[test]
    fn a_row_of_places_ends_when_the_log_is_past_them() {
        let mut names = Names::default();
        for (file, offset) in [("b.000009", 500), ("b.000009", 900), ("b.000010", 4)] {
            names.add(&transaction(None, file, offset));
        }
        let mut applied = of(names);
        for (file, offset, held) in [
            ("b.000009", 400, false),
            ("b.000009", 500, true),
            ("b.000009", 700, true),
            ("b.000009", 900, true),
            ("b.000009", 901, false),
            ("b.000010", 4, true),
        ] {
            let holds = applied.holds(&transaction(None, file, offset));
            assert_eq!(holds, held, "{file}:{offset}");
            assert_eq!(applied.take_changes(), []);
        }
        assert!(!applied.holds(&transaction(None, "b.000010", 5)));
        assert_eq!(applied.take_changes(), OVER);
    }

    #[test]
    fn a_row_of_places_that_never_come_ends_in_a_later_file() {
        let mut names = Names::default();
        names.add(&transaction(None, "b.999999", 500));
        let mut applied = of(names);
        assert!(!applied.holds(&transaction(None, "b.1000000", 4)));
        assert_eq!(applied.take_changes(), OVER);
    }
}
