//! The source's side: quiet, but for what [`crate::act`] does and what [`crate::results`] makes of an answer.

use std::cell::Cell;

use crate::bindings::datain::replication::transport;
use crate::bindings::datain::replication::types::{
    Batch, Checkpoint, Definition, Description, Error, KeyRange, NextNumber, TableDigest, TableRows,
};
use crate::bindings::exports::datain::replication::source::{
    ComparedTable, EventCounts, Examiner, Guest, GuestExaminer, GuestReader, Inspection, Limits,
    Reader as ReaderHandle, SourceStatus, Survey, TablePart, TableShape, Throttle, Upcoming,
};
use crate::bindings::exports::datain::replication::source_cutover;
use crate::{Hostile, act, checkpoint, contact, not_there, results, wanted};

/// The ordinal of the newest transaction handed out.
pub(crate) struct Reader(Cell<u64>);

impl Reader {
    pub(crate) fn new(at: u64) -> Self {
        Self(Cell::new(at))
    }
}

impl Guest for Hostile {
    type Examiner = NoExaminer;
    type Reader = Reader;

    fn describe() -> Description {
        crate::describe()
    }

    fn check(_config: String, _checkpoint: Option<Checkpoint>) -> Result<Survey, Error> {
        act("check")?;
        Ok(Survey {
            findings: Vec::new(),
            facts: Vec::new(),
        })
    }

    fn inspect(_config: String, _checkpoint: Option<Checkpoint>) -> Result<Inspection, Error> {
        not_there()
    }

    fn next_transaction(_config: String, _after: Checkpoint) -> Result<Option<Upcoming>, Error> {
        not_there()
    }

    fn next_commit(_config: String, _after: Checkpoint) -> Result<Option<u64>, Error> {
        not_there()
    }

    fn column_names(
        _config: String,
        _schema: String,
        _table: String,
    ) -> Result<Vec<String>, Error> {
        not_there()
    }
}

impl GuestReader for Reader {
    fn open(
        _config: String,
        resume: Option<Checkpoint>,
        _set_position: bool,
    ) -> Result<ReaderHandle, Error> {
        act("open")?;
        Ok(ReaderHandle::new(Self::new(
            resume.map_or(0, |c| c.ordinal),
        )))
    }

    fn poll(&self, limits: Limits) -> Result<Option<Batch>, Error> {
        act("poll")?;
        let ordinal = self.0.get() + 1;
        if let Some(batch) = wanted("batch").and_then(|what| results::batch(&what, ordinal)) {
            return Ok(Some(batch));
        }
        // What the host wants meanwhile it says after this call.
        let _ = transport::wait(&[], limits.max_wait_ms.min(20));
        self.0.set(ordinal);
        Ok(Some(results::progress(ordinal)))
    }

    fn ack(&self, _checkpoint: Checkpoint) {
        let _ = act("ack");
    }

    fn status(&self) -> SourceStatus {
        let _ = act("status");
        let status = SourceStatus {
            state: "streaming".to_owned(),
            position: checkpoint(self.0.get()).display,
            bytes_read: 0,
            transactions_read: self.0.get(),
            last_commit_micros: 0,
            clock_ahead_micros: 0,
            caught_up: true,
            in_transaction: false,
            contact: contact(),
            copy: None,
        };
        match wanted("source-status").as_deref() {
            Some("largest-numbers") => results::largest(status),
            _ => status,
        }
    }

    fn set_throttle(&self, _throttle: Throttle) {}

    fn event_counts(&self) -> EventCounts {
        EventCounts {
            transactions: 0,
            types: Vec::new(),
        }
    }
}

/// There is none.
pub(crate) enum NoExaminer {}

impl GuestExaminer for NoExaminer {
    fn open(_config: String) -> Result<Examiner, Error> {
        not_there()
    }

    fn tables(&self) -> Result<Vec<ComparedTable>, Error> {
        match *self {}
    }

    fn begin(
        &self,
        _schema: String,
        _name: String,
        _strong: bool,
    ) -> Result<Option<TableShape>, Error> {
        match *self {}
    }

    fn boundary(&self, _after: Option<Vec<u8>>, _rows: u32) -> Result<Option<Vec<u8>>, Error> {
        match *self {}
    }

    fn digest(&self, _range: KeyRange, _max_wait_ms: u32) -> Result<Option<TableDigest>, Error> {
        match *self {}
    }

    fn buckets(&self, _count: u32) -> Result<Vec<TableDigest>, Error> {
        match *self {}
    }

    fn read(&self, _range: KeyRange, _max_bytes: u32) -> Result<TablePart, Error> {
        match *self {}
    }

    fn read_keys(&self, _keys: Vec<Vec<u8>>, _hold: bool) -> Result<TableRows, Error> {
        match *self {}
    }

    fn release(&self) -> Result<(), Error> {
        match *self {}
    }

    fn mark(&self) -> Result<Vec<u8>, Error> {
        match *self {}
    }

    fn covers(&self, _checkpoint: Checkpoint, _mark: Vec<u8>) -> Result<bool, Error> {
        match *self {}
    }
}

impl source_cutover::Guest for Hostile {
    fn look(_config: String, _stops_writes: bool) -> Result<source_cutover::LookOut, Error> {
        not_there()
    }

    fn stop_writes(_config: String) -> Result<(), Error> {
        not_there()
    }

    fn allow_writes(_config: String, _settings: Vec<u8>) -> Result<(), Error> {
        not_there()
    }

    fn end_of_log(_config: String) -> Result<source_cutover::End, Error> {
        not_there()
    }

    fn has_passed(
        _config: String,
        _checkpoint: Checkpoint,
        _end: source_cutover::End,
    ) -> Result<bool, Error> {
        not_there()
    }

    fn definitions(_config: String) -> Result<Vec<Definition>, Error> {
        not_there()
    }

    fn next_numbers(_config: String) -> Result<Vec<NextNumber>, Error> {
        not_there()
    }
}
