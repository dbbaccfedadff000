//! The sink's side: it calls everything durable, but for what [`crate::act`] does and what [`crate::results`] makes of an answer.

use std::cell::RefCell;

use crate::bindings::datain::replication::transport;
use crate::bindings::datain::replication::types::{
    Batch, Checkpoint, Definition, Description, Error, Fact, Finding, KeyRange, NextNumber,
    TableDigest, TableRows,
};
use crate::bindings::exports::datain::replication::sink::{
    ComparedShape, Difference, Examiner, Guest, GuestExaminer, GuestWriter, Inspection,
    KeptVerification, Progress, Removal, Resumption, SinkStatus, SkippedTransaction,
    Writer as WriterHandle,
};
use crate::bindings::exports::datain::replication::sink_cutover;
use crate::{Hostile, act, checkpoint, contact, not_there, results, wanted};

/// The newest checkpoint that was not reported yet.
#[derive(Default)]
pub(crate) struct Writer(RefCell<Option<Checkpoint>>);

impl Guest for Hostile {
    type Examiner = NoExaminer;
    type Writer = Writer;

    fn describe() -> Description {
        crate::describe()
    }

    fn check(_config: String, _facts: Vec<Fact>) -> Result<Vec<Finding>, Error> {
        act("check")?;
        Ok(Vec::new())
    }

    fn inspect(_config: String) -> Result<Inspection, Error> {
        act("inspect")?;
        Ok(Inspection {
            checkpoint: Some(beginning()),
            written_at_micros: 0,
            epoch: 1,
            server_version: "none".to_owned(),
            committed_at_micros: 0,
            stopped_at_micros: None,
            held_back: 0,
            skipped: 0,
            last_error: None,
        })
    }

    fn note_error(_config: String, _report: String) -> Result<(), Error> {
        act("note-error")
    }

    fn set_stopped(_config: String, _stopped: bool) -> Result<(), Error> {
        Ok(())
    }

    fn skip(
        _config: String,
        _before: Checkpoint,
        _after: Checkpoint,
        _transaction: SkippedTransaction,
    ) -> Result<(), Error> {
        not_there()
    }

    fn remove(_config: String) -> Result<Removal, Error> {
        not_there()
    }

    fn last_verification(_config: String) -> Result<Option<KeptVerification>, Error> {
        Ok(None)
    }
}

/// It keeps nothing, and always begins anew at the same place.
fn beginning() -> Checkpoint {
    match wanted("checkpoint") {
        Some(what) => results::checkpoint(&what),
        None => checkpoint(1),
    }
}

impl GuestWriter for Writer {
    fn open(_config: String) -> Result<WriterHandle, Error> {
        act("open")?;
        Ok(WriterHandle::new(Self::default()))
    }

    fn resume_from(&self) -> Resumption {
        let _ = act("resume-from");
        Resumption {
            checkpoint: Some(beginning()),
            set_position: false,
            ahead: None,
        }
    }

    fn apply(&self, batch: Batch) -> Result<(), Error> {
        act("apply")?;
        let newest = batch
            .transactions
            .into_iter()
            .filter_map(|t| t.checkpoint)
            .next_back();
        if newest.is_some() {
            *self.0.borrow_mut() = newest;
        }
        Ok(())
    }

    fn advance(&self, max_wait_ms: u32) -> Result<Progress, Error> {
        act("advance")?;
        if self.0.borrow().is_none() {
            let _ = transport::wait(&[], max_wait_ms);
        }
        Ok(self.progress())
    }

    fn flush(&self, _max_wait_ms: u32) -> Result<Progress, Error> {
        act("flush")?;
        Ok(self.progress())
    }

    fn status(&self) -> SinkStatus {
        let _ = act("status");
        let number = match wanted("sink-status").as_deref() {
            Some("largest-numbers") => u64::MAX,
            _ => 0,
        };
        SinkStatus {
            state: "waiting".to_owned(),
            position: "nowhere".to_owned(),
            transactions_applied: number,
            rows_applied: number,
            rows_repaired: number,
            statements_applied: number,
            groups_committed: number,
            statements_left_out: number,
            last_commit_micros: number,
            contact: contact(),
        }
    }
}

impl Writer {
    fn progress(&self) -> Progress {
        Progress {
            durable: self.0.borrow_mut().take(),
            accepts: true,
            pending: false,
        }
    }
}

/// There is none.
pub(crate) enum NoExaminer {}

impl GuestExaminer for NoExaminer {
    fn open(_config: String) -> Result<Examiner, Error> {
        not_there()
    }

    fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        match *self {}
    }

    fn tables(&self, _schemas: Vec<String>) -> Result<Vec<(String, String)>, Error> {
        match *self {}
    }

    fn begin(
        &self,
        _schema: String,
        _name: String,
        _shape: Vec<u8>,
    ) -> Result<ComparedShape, Error> {
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

    fn compare(
        &self,
        _range: KeyRange,
        _rows: TableRows,
        _values: bool,
    ) -> Result<Vec<Difference>, Error> {
        match *self {}
    }

    fn compare_keys(
        &self,
        _keys: Vec<Vec<u8>>,
        _rows: TableRows,
        _values: bool,
    ) -> Result<Vec<Difference>, Error> {
        match *self {}
    }

    fn repair(&self, _keys: Vec<Vec<u8>>, _rows: TableRows) -> Result<u32, Error> {
        match *self {}
    }

    fn keep(&self, _report: String) -> Result<(), Error> {
        match *self {}
    }
}

impl sink_cutover::Guest for Hostile {
    fn known(_config: String) -> Result<Option<sink_cutover::KnownProgress>, Error> {
        Ok(None)
    }

    fn set_progress(
        _config: String,
        _seen: u64,
        _next: Option<sink_cutover::Progress>,
        _consequences: sink_cutover::Consequences,
    ) -> Result<u64, Error> {
        not_there()
    }

    fn look(
        _config: String,
        _definitions: Vec<Definition>,
        _numbers: Vec<NextNumber>,
    ) -> Result<Vec<Finding>, Error> {
        not_there()
    }

    fn make(
        _config: String,
        _definitions: Vec<Definition>,
        _kind: String,
    ) -> Result<Vec<sink_cutover::Made>, Error> {
        not_there()
    }

    fn raise_next_numbers(
        _config: String,
        _numbers: Vec<NextNumber>,
    ) -> Result<Vec<String>, Error> {
        not_there()
    }

    fn own_place(_config: String) -> Result<Option<sink_cutover::Place>, Error> {
        Ok(None)
    }
}
