//! Groups that were committed before older ones (`preserve_commit_order = false`).
//!
//! The checkpoint cannot move past a group that is not there, so a younger one that is gets a row in `datain.ahead`, in its own target transaction: which
//! transactions it holds. The checkpoint takes it in, and deletes that row, as soon as everything older is there too. After a kill the stream begins at the
//! checkpoint, and transactions that such a row names are passed over.
//!
//! One row more, with ordinal 0, names the writer by its epoch: a group that is to be committed ahead locks it for reading, and a writer that takes the
//! pipeline over changes it before it reads the others. So no row can come that the new writer has not seen. The row of the checkpoint cannot serve for that: the
//! older group that is just being committed has locked it.

use std::collections::BTreeMap;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Transaction};
use datain_mysql_client::{Session, Stream};
use serde::{Deserialize, Serialize};

use super::literal;
use crate::lock_wait;

/// Transactions by name: the GTID where they have one, else where they stand in the log. Consecutive ones are kept as ranges, both ends included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    /// GTIDs: the last number of each, by what stands before it.
    gtids: BTreeMap<String, Vec<(u64, u64)>>,
    /// Offsets in the log's files. Whatever stands between the ends of a range is in it.
    places: BTreeMap<String, (u64, u64)>,
}

/// The parts of a GTID: what comes before its last number, and that.
fn parts(gtid: &str) -> (&str, u64) {
    let digits = gtid.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (before, number) = gtid.split_at(gtid.len() - digits);
    match number.parse() {
        Ok(number) => (before, number),
        Err(_) => (gtid, 0),
    }
}

/// The number of a file of the log, by which they follow each other.
fn file_number(file: &str) -> Option<u64> {
    file.rsplit_once('.')?.1.parse().ok()
}

impl Names {
    pub(crate) fn add(&mut self, transaction: &Transaction) {
        let Some(gtid) = &transaction.gtid else {
            let range = self
                .places
                .entry(transaction.file.clone())
                .or_insert((transaction.offset, transaction.offset));
            range.0 = range.0.min(transaction.offset);
            range.1 = range.1.max(transaction.offset);
            return;
        };
        let (before, number) = parts(gtid);
        let ranges = match self.gtids.get_mut(before) {
            Some(ranges) => ranges,
            None => self.gtids.entry(before.to_owned()).or_default(),
        };
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => ranges.push((number, number)),
        }
    }

    fn holds(&self, transaction: &Transaction) -> bool {
        let within = |number: u64, (first, last): (u64, u64)| (first..=last).contains(&number);
        match &transaction.gtid {
            Some(gtid) => {
                let (before, number) = parts(gtid);
                let ranges = self.gtids.get(before);
                ranges.is_some_and(|ranges| ranges.iter().any(|range| within(number, *range)))
            }
            None => {
                let range = self.places.get(&transaction.file);
                range.is_some_and(|range| within(transaction.offset, *range))
            }
        }
    }

    /// How many GTIDs there are.
    fn count(&self) -> u64 {
        let ranges = self.gtids.values().flatten();
        ranges.map(|(first, last)| last - first + 1).sum()
    }

    /// Whether the log has gone past all places.
    fn lie_before(&self, transaction: &Transaction) -> bool {
        self.places.iter().all(|(file, (_, last))| {
            if *file == transaction.file {
                *last < transaction.offset
            } else {
                file_number(file) < file_number(&transaction.file)
            }
        })
    }
}

/// The row of a group that was committed ahead, by its key.
pub(crate) type Key = (u64, u64);

/// One such row, and what has been seen of its transactions.
#[derive(Debug)]
struct Row {
    key: Key,
    names: Names,
    /// GTIDs that have not come by again.
    left: u64,
}

/// What an earlier writer has committed ahead of the checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    rows: Vec<Row>,
}

impl Applied {
    /// Whether the transaction is in the target already. Rows of which everything has come by are added to `ended`.
    pub(crate) fn holds(&mut self, transaction: &Transaction, ended: &mut Vec<Key>) -> bool {
        let mut found = false;
        self.rows.retain_mut(|row| {
            if row.names.holds(transaction) {
                found = true;
                if transaction.gtid.is_some() && transaction.last {
                    row.left = row.left.saturating_sub(1);
                }
            }
            let over = row.left == 0
                && (row.names.places.is_empty()
                    || transaction.gtid.is_none() && row.names.lie_before(transaction));
            if over {
                ended.push(row.key);
            }
            !over
        });
        found
    }

    /// Forgets them, since the stream begins anew somewhere else; returns the rows.
    pub(crate) fn forget(&mut self) -> Vec<Key> {
        self.rows.drain(..).map(|row| row.key).collect()
    }
}

/// Reads the rows of a pipeline that its writer, of this epoch, has just taken over; no row can be added by an older one from then on.
///
/// # Errors
/// `checkpoint.damaged`; errors of the server.
pub(super) async fn take_over<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
    epoch: u64,
) -> Result<Applied, Error> {
    let mut sql =
        b"INSERT INTO datain.ahead (stream, epoch, ordinal, writer, names) SELECT stream, 0, 0, epoch, '' FROM datain.checkpoints WHERE stream = "
            .to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(
        format!(" AND epoch = {epoch} FOR UPDATE ON DUPLICATE KEY UPDATE writer = {epoch}")
            .as_bytes(),
    );
    if let Err(error) = session.exec(&sql).await {
        return Err(lock_wait::explained(session, error.into()).await);
    }
    let mut sql = b"SELECT epoch, ordinal, names FROM datain.ahead WHERE stream = ".to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(b" AND ordinal > 0");
    let damaged = || Error::fatal("checkpoint.damaged", "a row in datain.ahead cannot be read");
    let mut applied = Applied::default();
    for row in session.query_rows(&sql).await? {
        let [Some(epoch), Some(ordinal), Some(names)] = &row[..] else {
            return Err(damaged());
        };
        let key = (
            epoch.parse().map_err(|_| damaged())?,
            ordinal.parse().map_err(|_| damaged())?,
        );
        let names: Names = serde_json::from_str(names).map_err(|_| damaged())?;
        applied.rows.push(Row {
            key,
            left: names.count(),
            names,
        });
    }
    Ok(applied)
}

/// The statement by which a group is committed ahead; it must match exactly one row.
pub(super) fn insert_sql(stream: &str, (epoch, ordinal): Key, names: &Names) -> Vec<u8> {
    let mut sql = format!(
        "INSERT INTO datain.ahead (stream, epoch, ordinal, writer, names) SELECT stream, {epoch}, {ordinal}, {epoch}, "
    )
    .into_bytes();
    literal(&mut sql, &serde_json::to_string(names).unwrap_or_default());
    sql.extend_from_slice(b" FROM datain.ahead WHERE stream = ");
    literal(&mut sql, stream);
    sql.extend_from_slice(
        format!(" AND epoch = 0 AND ordinal = 0 AND writer = {epoch} LOCK IN SHARE MODE")
            .as_bytes(),
    );
    sql
}

/// The statement that deletes such a row.
pub(super) fn delete_sql(stream: &str, (epoch, ordinal): Key) -> Vec<u8> {
    let mut sql = b"DELETE FROM datain.ahead WHERE stream = ".to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(format!(" AND epoch = {epoch} AND ordinal = {ordinal}").as_bytes());
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
        let left = names.count();
        Applied {
            rows: vec![Row {
                key: (3, 9),
                names,
                left,
            }],
        }
    }

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
        let mut ended = Vec::new();
        for (gtid, held) in [
            ("u:6", false),
            ("u:10", true),
            ("u:9", false),
            ("v:7", false),
            ("u:7", true),
            ("0-1-5", true),
            ("u:8", true),
        ] {
            let holds = applied.holds(&transaction(Some(gtid), "other.9", 1), &mut ended);
            assert_eq!(holds, held, "{gtid}");
            assert!(ended.is_empty());
        }
        assert!(applied.holds(&transaction(Some("u:tag:1"), "b", 1), &mut ended));
        assert_eq!(ended, [(3, 9)]);
    }

    #[test]
    fn a_row_of_places_ends_when_the_log_is_past_them() {
        let mut names = Names::default();
        for (file, offset) in [("b.000009", 500), ("b.000009", 900), ("b.000010", 4)] {
            names.add(&transaction(None, file, offset));
        }
        let mut applied = of(names);
        let mut ended = Vec::new();
        for (file, offset, held) in [
            ("b.000009", 400, false),
            ("b.000009", 500, true),
            ("b.000009", 700, true),
            ("b.000009", 900, true),
            ("b.000009", 901, false),
            ("b.000010", 4, true),
        ] {
            let holds = applied.holds(&transaction(None, file, offset), &mut ended);
            assert_eq!(holds, held, "{file}:{offset}");
            assert!(ended.is_empty());
        }
        assert!(!applied.holds(&transaction(None, "b.000010", 5), &mut ended));
        assert_eq!(ended, [(3, 9)]);
    }

    #[test]
    fn a_row_of_places_that_never_come_ends_in_a_later_file() {
        let mut names = Names::default();
        names.add(&transaction(None, "b.999999", 500));
        let mut applied = of(names);
        let mut ended = Vec::new();
        assert!(!applied.holds(&transaction(None, "b.1000000", 4), &mut ended));
        assert_eq!(ended, [(3, 9)]);
    }
}
