//! A sink that takes every batch, looks at none of its rows and calls all of it durable at once: `cargo xtask bench source` measures the source with it.
//!
//! It opens no connection, keeps nothing between two instances, and must never stand in a real configuration.

mod bindings {
    //! Generated from `wit/`; the types are those of `datain-contract`.
    #![allow(missing_docs, reason = "the documentation is in wit/")]
    #![allow(clippy::all, clippy::pedantic, reason = "generated code")]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "sink-plugin",
        with: {
            "datain:replication/types@0.1.0": datain_contract::types,
            "datain:replication/transport@0.1.0": datain_contract::transport,
            "datain:replication/system@0.1.0": datain_contract::system,
            "datain:replication/log@0.1.0": datain_contract::log,
            "datain:replication/credentials@0.1.0": datain_contract::credentials,
        },
    });
}

use std::cell::RefCell;

use bindings::export;
use bindings::exports::datain::replication::sink::{
    ComparedShape, Difference, Examiner as ExaminerHandle, Guest, GuestExaminer, GuestWriter,
    Inspection, KeptVerification, Progress, Removal, Resumption, SinkStatus, SkippedTransaction,
    Writer as WriterHandle,
};
use bindings::exports::datain::replication::sink_cutover;
use datain_contract::ErrorExt as _;
use datain_contract::transport;
use datain_contract::types::{
    Batch, Change, Checkpoint, Contact, Definition, Description, Error, Fact, Finding, KeyRange,
    NextNumber, TableDigest, TableRows,
};

struct Sink;

#[derive(Default)]
struct Taken {
    /// Not reported yet.
    durable: Option<Checkpoint>,
    position: String,
    transactions: u64,
    rows: u64,
    statements: u64,
    batches: u64,
    newest: u64,
}

#[derive(Default)]
struct Writer(RefCell<Taken>);

/// There is none: nothing is kept that could be compared.
enum Examiner {}

impl GuestExaminer for Examiner {
    fn open(_config: String) -> Result<ExaminerHandle, Error> {
        Err(Error::reconfigure(
            "sink.keeps-nothing",
            "this sink keeps nothing that could be compared",
        ))
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

impl Guest for Sink {
    type Examiner = Examiner;
    type Writer = Writer;

    fn describe() -> Description {
        Description {
            name: "datain null sink".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            row_block_versions: vec![datain_row_block::VERSION],
        }
    }

    fn check(_config: String, _source_facts: Vec<Fact>) -> Result<Vec<Finding>, Error> {
        Ok(Vec::new())
    }

    fn last_verification(_config: String) -> Result<Option<KeptVerification>, Error> {
        Ok(None)
    }

    fn inspect(_config: String) -> Result<Inspection, Error> {
        Ok(Inspection {
            checkpoint: None,
            written_at_micros: 0,
            epoch: 0,
            server_version: String::new(),
            committed_at_micros: 0,
            stopped_at_micros: None,
            held_back: 0,
            skipped: 0,
            last_error: None,
        })
    }

    fn note_error(_config: String, _report: String) -> Result<(), Error> {
        Ok(())
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
        Ok(())
    }

    fn remove(_config: String) -> Result<Removal, Error> {
        Ok(Removal {
            known: false,
            held_back: 0,
            skipped: 0,
            dropped_schema: false,
        })
    }
}

/// It keeps nothing, so nothing can take its place.
impl sink_cutover::Guest for Sink {
    fn known(_config: String) -> Result<Option<sink_cutover::KnownProgress>, Error> {
        Ok(None)
    }

    fn set_progress(
        _config: String,
        _seen: u64,
        _next: Option<sink_cutover::Progress>,
        _consequences: sink_cutover::Consequences,
    ) -> Result<u64, Error> {
        Err(no_cutover())
    }

    fn look(
        _config: String,
        _definitions: Vec<Definition>,
        _numbers: Vec<NextNumber>,
    ) -> Result<Vec<Finding>, Error> {
        Err(no_cutover())
    }

    fn make(
        _config: String,
        _definitions: Vec<Definition>,
        _kind: String,
    ) -> Result<Vec<sink_cutover::Made>, Error> {
        Err(no_cutover())
    }

    fn raise_next_numbers(
        _config: String,
        _numbers: Vec<NextNumber>,
    ) -> Result<Vec<String>, Error> {
        Err(no_cutover())
    }

    fn own_place(_config: String) -> Result<Option<sink_cutover::Place>, Error> {
        Ok(None)
    }
}

fn no_cutover() -> Error {
    Error::fatal("bench.no-cutover", "this sink keeps nothing")
}

impl GuestWriter for Writer {
    fn open(_config: String) -> Result<WriterHandle, Error> {
        Ok(WriterHandle::new(Writer::default()))
    }

    fn resume_from(&self) -> Resumption {
        Resumption {
            checkpoint: None,
            set_position: false,
            ahead: None,
        }
    }

    fn apply(&self, batch: Batch) -> Result<(), Error> {
        let mut taken = self.0.borrow_mut();
        taken.batches += 1;
        for transaction in batch.transactions {
            for change in &transaction.changes {
                match change {
                    Change::Rows(set) => taken.rows += u64::from(set.count),
                    Change::Statement(_) => taken.statements += 1,
                }
            }
            taken.transactions += u64::from(transaction.last);
            taken.newest = transaction.committed_at_micros;
            if let Some(checkpoint) = transaction.checkpoint {
                taken.position.clone_from(&checkpoint.display);
                taken.durable = Some(checkpoint);
            }
        }
        Ok(())
    }

    fn advance(&self, max_wait_ms: u32) -> Result<Progress, Error> {
        let mut durable = self.0.borrow_mut().durable.take();
        if durable.is_none() {
            // It returns as soon as the host has a batch.
            transport::wait(&[], max_wait_ms).map_err(|_| {
                Error::fatal("sink.closed", "the host ends while the null sink waits")
            })?;
            durable = self.0.borrow_mut().durable.take();
        }
        Ok(Progress {
            durable,
            accepts: true,
            pending: false,
        })
    }

    fn flush(&self, _max_wait_ms: u32) -> Result<Progress, Error> {
        Ok(Progress {
            durable: self.0.borrow_mut().durable.take(),
            accepts: true,
            pending: false,
        })
    }

    fn status(&self) -> SinkStatus {
        let taken = self.0.borrow();
        SinkStatus {
            state: "waiting".to_owned(),
            position: taken.position.clone(),
            transactions_applied: taken.transactions,
            rows_applied: taken.rows,
            rows_repaired: 0,
            statements_applied: taken.statements,
            groups_committed: taken.batches,
            statements_left_out: 0,
            last_commit_micros: taken.newest,
            contact: Contact {
                silent_ms: 0,
                expected_ms: 3_000,
            },
        }
    }
}

export!(Sink with_types_in crate::bindings);
