//! The row of one pipeline in the hands of its writer.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::{ClientError, Session, Stream, append_string};

use super::ahead::Note;
use super::layout::{self, FORMAT};
use super::{
    Applied, Clearing, Key, Lock, Names, Stored, ahead, fenced, literal, read, removed, stopped,
};
use crate::lock_wait;

/// A longer display (a GTID set of many servers) is cut: the column is for people.
const DISPLAY_BYTES: usize = 16 << 10;

/// Where the configuration says that a pipeline begins, and what it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beginning {
    /// As text, e.g. `position binlog.000003:4`. It is only compared, and shown.
    pub place: String,
    /// Whether the text names a place in the log. Other beginnings (a first copy, "now") say nothing against a checkpoint.
    pub is_place: bool,
    /// Go to the place although the pipeline began elsewhere.
    pub set_position: bool,
    /// The host has seen the pipeline on the target: if it is not there, it was removed, and is not to begin anew.
    pub known: bool,
    /// The filter of the tables that are replicated, as text. It is only compared, and shown.
    pub filter: String,
}

impl Beginning {
    /// Whether the stream must leave its checkpoint for this place.
    ///
    /// # Errors
    /// `config.start-changed` when it would have to, and was not told to.
    fn judge(&self, stored: &Stored) -> Result<bool, Error> {
        let Some(checkpoint) = &stored.checkpoint else {
            return Ok(false);
        };
        if !self.is_place || stored.began_at.as_ref() == Some(&self.place) {
            return Ok(false);
        }
        if self.set_position {
            return Ok(true);
        }
        Err(changed(checkpoint, stored.began_at.as_deref(), &self.place))
    }
}

/// A pipeline that was taken over.
#[derive(Debug)]
pub struct Claimed {
    /// Its row.
    pub store: Store,
    /// What the row held.
    pub stored: Stored,
    /// The stream must begin anew where the configuration says; only its numbering goes on.
    pub set_position: bool,
    /// What is in the target beyond the checkpoint, where the stream goes on from that.
    pub(crate) applied: Applied,
}

/// One pipeline's row, owned by this writer.
#[derive(Debug, Clone)]
pub struct Store {
    stream: String,
    epoch: u64,
    ordinal: u64,
    ddl_uuid: String,
    ddl_number: u64,
    /// See [`Beginning::filter`].
    filter: String,
    /// The new beginning that the first checkpoint of this writer has to put in place of the old one.
    begins_anew_at: Option<String>,
}

/// Who has changed the row so that this writer's condition matches it no longer.
enum Overruling {
    /// A person who stopped, started or skipped.
    Order,
    /// A person who removed the pipeline.
    Removal,
    /// Another writer, or a hand.
    Writer,
}

/// Whether the server says that the table of checkpoints is not there any more.
pub(crate) fn tables_are_gone(error: &ClientError) -> bool {
    matches!(
        error.code(),
        "server.table-missing" | "server.unknown-database"
    )
}

fn first(row: Option<Vec<Option<String>>>) -> Option<String> {
    row.and_then(|row| row.into_iter().next().flatten())
}

/// Makes the row of a pipeline that is not there yet, and the tables if need be.
pub(super) async fn make_row<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<(), Error> {
    Lock::Layout.take(session).await?;
    layout::make(session).await?;
    let mut sql =
        b"INSERT IGNORE INTO datain.checkpoints (stream, format, epoch, ordinal, display, ddl_uuid) VALUES (".to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(format!(", {FORMAT}, 0, 0, '', UUID())").as_bytes());
    session.exec(&sql).await?;
    Lock::Layout.give_back(session).await
}

fn changed(checkpoint: &Checkpoint, began: Option<&str>, now: &str) -> Error {
    Error::reconfigure(
        "config.start-changed",
        "[start] names another place than the one where this pipeline began, and the pipeline has a checkpoint",
    )
    .detail(format!(
        "the checkpoint is {}; the pipeline began at: {}; [start] says: {now}",
        checkpoint.display,
        began.unwrap_or("unknown")
    ))
    .hint("to go on from the checkpoint, put [start] back; to go to the new place instead, which leaves out or repeats what lies between, start once with --set-position")
}

impl Store {
    /// Makes the schema and the row if need be, and takes the pipeline over: older writers can commit nothing from then on. A group that an
    /// older writer is committing right now is waited for, since both change the same row.
    ///
    /// # Errors
    /// As [`super::read`]; `checkpoint.removed` for a known pipeline that is not there; `sink.stopped` while a person has stopped the pipeline; `config.start-changed` when the configuration names another beginning
    /// than the pipeline's own; `checkpoint.filter-changed` when what is ahead of the checkpoint was read under another filter; missing privileges on the schema `datain`.
    pub async fn claim<S: Stream>(
        session: &mut Session<S>,
        stream: &str,
        beginning: &Beginning,
    ) -> Result<Claimed, Error> {
        match read(session, stream).await? {
            None if beginning.known => return Err(removed(stream)),
            None => make_row(session, stream).await?,
            // Before the epoch: a configuration that is refused must not end the host that has the pipeline.
            Some(before) => {
                let begins_anew = beginning.judge(&before)? || before.checkpoint.is_none();
                layout::complete(session).await?;
                if !begins_anew {
                    let (applied, _) = ahead::read(session, stream, &before.ddl_uuid).await?;
                    applied.require_filter(&beginning.filter)?;
                }
            }
        }
        let mut sql = format!(
            "UPDATE datain.checkpoints SET epoch = LAST_INSERT_ID(epoch + 1), owner = epoch, format = {FORMAT} WHERE stopped_at IS NULL AND stream = "
        )
        .into_bytes();
        literal(&mut sql, stream);
        let claim = match session.exec(&sql).await {
            Ok(claim) => claim,
            Err(error) => return Err(lock_wait::explained(session, error.into()).await),
        };
        let Some(stored) = read(session, stream).await? else {
            return Err(fenced(stream));
        };
        if let Some(at) = stored.stopped_at_micros {
            return Err(stopped(stream, at));
        }
        if claim.affected_rows != 1 || stored.epoch != claim.last_insert_id {
            return Err(fenced(stream));
        }
        let mut store = Store {
            stream: stream.to_owned(),
            epoch: stored.epoch,
            ordinal: stored.checkpoint.as_ref().map_or(0, |c| c.ordinal),
            ddl_uuid: stored.ddl_uuid.clone(),
            ddl_number: stored.ddl_number,
            filter: beginning.filter.clone(),
            begins_anew_at: None,
        };
        let set_position = beginning.judge(&stored)?;
        let mut applied = ahead::take_over(session, stream, &stored).await?;
        if set_position || stored.checkpoint.is_none() {
            applied.forget();
        }
        applied.require_filter(&beginning.filter)?;
        if stored.checkpoint.is_none() {
            store.note_beginning(session, &beginning.place).await?;
        }
        if set_position {
            store.begins_anew_at = Some(beginning.place.clone());
        }
        Ok(Claimed {
            store,
            stored,
            set_position,
            applied,
        })
    }

    /// Writes down where the pipeline begins; before the first checkpoint only.
    async fn note_beginning<S: Stream>(
        &self,
        session: &mut Session<S>,
        place: &str,
    ) -> Result<(), Error> {
        let mut sql = b"UPDATE datain.checkpoints SET began_at = ".to_vec();
        literal(&mut sql, place);
        self.condition(&mut sql);
        // The same text again changes no row.
        session.exec(&sql).await?;
        Ok(())
    }

    /// Whether the row still is as this writer left it.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn is_ours<S: Stream>(&self, session: &mut Session<S>) -> Result<bool, Error> {
        let mut sql = b"SELECT COUNT(*) FROM datain.checkpoints".to_vec();
        self.condition(&mut sql);
        match session.query_first(&sql).await {
            Ok(row) => Ok(first(row).as_deref() == Some("1")),
            Err(e) if tables_are_gone(&e) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Keeps every other writer from taking over until the transaction ends that is open: what it writes beside the checkpoint is of the newest writer then.
    ///
    /// # Errors
    /// As [`lost`](Self::lost) where the row is not as this writer left it; those of the server.
    pub(crate) async fn hold<S: Stream>(&self, session: &mut Session<S>) -> Result<(), Error> {
        let mut sql = b"SELECT 1 FROM datain.checkpoints".to_vec();
        self.condition(&mut sql);
        sql.extend_from_slice(b" FOR UPDATE");
        match session.query_first(&sql).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(self.lost(session).await),
            Err(e) if tables_are_gone(&e) => Err(self.lost(session).await),
            Err(e) => Err(e.into()),
        }
    }

    /// Why the fence matched no row: another writer, or only a person's order, after which this host may go on from what the row says then. Takes
    /// back what is not committed.
    pub async fn lost<S: Stream>(&self, session: &mut Session<S>) -> Error {
        match self.overruling(session).await {
            Ok(Overruling::Order) => Error::retry(
                "checkpoint.overruled",
                "a person's order (stop, start or skip) came in between; nothing of this group was committed",
            ),
            Ok(Overruling::Removal) => removed(&self.stream),
            // Whoever cannot be sure must not take the pipeline back.
            Ok(Overruling::Writer) | Err(_) => fenced(&self.stream),
        }
    }

    /// Orders raise the epoch, writers also note it as theirs.
    async fn overruling<S: Stream>(&self, session: &mut Session<S>) -> Result<Overruling, Error> {
        session.exec(b"ROLLBACK").await?;
        let mut sql = format!(
            "SELECT owner = {0} AND epoch > {0} AND ddl_uuid = ",
            self.epoch
        )
        .into_bytes();
        literal(&mut sql, &self.ddl_uuid);
        sql.extend_from_slice(b" FROM datain.checkpoints WHERE stream = ");
        literal(&mut sql, &self.stream);
        match session.query_first(&sql).await {
            Ok(None) => Ok(Overruling::Removal),
            Ok(row) => Ok(match first(row).as_deref() {
                Some("1") => Overruling::Order,
                _ => Overruling::Writer,
            }),
            Err(e) if tables_are_gone(&e) => Ok(Overruling::Removal),
            Err(e) => Err(e.into()),
        }
    }

    /// The pipeline's name.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The number of this writer.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    fn condition(&self, sql: &mut Vec<u8>) {
        sql.extend_from_slice(b" WHERE stream = ");
        literal(sql, &self.stream);
        sql.extend_from_slice(
            format!(" AND epoch = {} AND ordinal = {}", self.epoch, self.ordinal).as_bytes(),
        );
        // A pipeline that was removed and made anew counts its epochs from the beginning.
        sql.extend_from_slice(b" AND ddl_uuid = ");
        literal(sql, &self.ddl_uuid);
    }

    /// The statement that moves the checkpoint; it must match exactly one row. `ends_intent` clears the intent, whose statement was run.
    /// `committed_at_micros` is the commit time of the newest transaction that it covers.
    #[must_use]
    pub fn advance_sql(
        &self,
        to: &Checkpoint,
        committed_at_micros: u64,
        ends_intent: bool,
    ) -> Vec<u8> {
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
        if committed_at_micros > 0 {
            sql.extend_from_slice(
                format!(", committed_at_micros = {committed_at_micros}").as_bytes(),
            );
        }
        if let Some(place) = &self.begins_anew_at {
            sql.extend_from_slice(b", began_at = ");
            literal(&mut sql, place);
        }
        if ends_intent || self.begins_anew_at.is_some() {
            sql.extend_from_slice(b", ddl_identity = NULL, ddl_gtid = NULL");
        }
        self.condition(&mut sql);
        sql
    }

    /// The statement by which a group that ends with `ordinal` is committed although older ones are not; it must match exactly one row. With it the row's key.
    pub(crate) fn ahead_sql(&self, ordinal: u64, names: &Names) -> (Vec<u8>, Key) {
        let key = (self.epoch, ordinal);
        let note = Note {
            of: self.ddl_uuid.clone(),
            filter: self.filter.clone(),
            names: names.clone(),
        };
        (ahead::insert_sql(&self.stream, key, &note), key)
    }

    /// The statement by which the checkpoint clears what it moves over; it must match exactly one row.
    pub(crate) fn clearing_sql(&self, clearing: &Clearing) -> Vec<u8> {
        match clearing {
            Clearing::Delete(key) => ahead::delete_sql(&self.stream, *key),
            Clearing::Leave(key, note) => ahead::leave_sql(&self.stream, *key, note),
        }
    }

    /// The statement that deletes the row of a group that the checkpoint takes in.
    pub(crate) fn taken_in_sql(&self, key: Key) -> Vec<u8> {
        ahead::delete_sql(&self.stream, key)
    }

    /// Notes that the checkpoint was moved to this ordinal.
    pub fn advanced(&mut self, ordinal: u64) {
        self.ordinal = ordinal;
        self.begins_anew_at = None;
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
            filter: String::new(),
            begins_anew_at: None,
        };
        let to = Checkpoint {
            ordinal: 44,
            data: b"{\"a\":'\\'}".to_vec(),
            display: "binlog.000001:4".to_owned(),
        };
        assert_eq!(
            String::from_utf8(store.advance_sql(&to, 7, true)).unwrap(),
            "UPDATE datain.checkpoints SET written_at = CURRENT_TIMESTAMP(6), ordinal = 44, state = _binary'{\\\"a\\\":\\'\\\\\\'}', \
             display = _utf8mb4'binlog.000001:4', committed_at_micros = 7, ddl_identity = NULL, ddl_gtid = NULL \
             WHERE stream = _utf8mb4'o\\'rders' AND epoch = 3 AND ordinal = 41 AND ddl_uuid = _utf8mb4'u'"
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
            filter: String::new(),
            begins_anew_at: None,
        };
        assert_eq!(store.intent_sql("g:1", true).1.as_deref(), Some("u:7"));
        assert_eq!(store.intent_sql("g:2", false).1, None);
        assert_eq!(store.intent_sql("g:3", true).1.as_deref(), Some("u:8"));
    }
}
