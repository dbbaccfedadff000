//! A sink for datain that writes changes into a file, one JSON object a line, in Debezium's envelope.
//!
//! ```toml
//! [target]
//! file = "changes.jsonl"
//! [plugins]
//! sink = "json_lines_sink.wasm"
//! ```
//!
//! It is written against wit/ alone. Lines and the checkpoint become durable in one step (`output-file.commit`), so each change is in the file exactly once, whatever is killed and
//! when. Since a commit covers all that was appended, lines behind the newest checkpoint, which are those of a transaction that came in part, are not appended before that
//! checkpoint was committed.

mod json;
mod lines;
mod note;
mod rows;
mod value;

use std::cell::RefCell;
use std::collections::HashMap;

use datain::replication::output_file::{self, File};
use datain::replication::types::{Batch, Checkpoint, Description, Disposition, Error, Table};
use datain::replication::{system, transport};
use exports::datain::replication::change_sink::{Guest, GuestWriter, Progress, Writer};

wit_bindgen::generate!({ path: "wit", world: "change-sink-plugin" });

/// While more batches wait, a commit comes after this time all the same.
const COMMIT_NANOS: u64 = 1_000_000_000;

struct JsonLines;

struct Open {
    /// The pipeline's name.
    stream: String,
    file: File,
    resume: Option<Checkpoint>,
    tables: HashMap<u32, Table>,
    /// Counts the rows of the transaction under way.
    orders: lines::Orders,
    /// Everything up to here was appended, and nothing else was since the last commit.
    ready: Option<Checkpoint>,
    ready_since: u64,
    /// What was committed, and not reported yet.
    durable: Option<Checkpoint>,
}

impl Guest for JsonLines {
    type Writer = RefCell<Open>;

    fn describe() -> Description {
        Description {
            name: "json-lines-sink".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            row_block_versions: vec![rows::VERSION],
        }
    }

    fn inspect(config: String) -> Result<Option<Checkpoint>, Error> {
        let stream = setting(&config, "stream")?;
        let note = output_file::note_of(&setting(&config, "endpoint")?)?;
        note.map(|note| note::read(&stream, &note)).transpose()
    }
}

impl GuestWriter for RefCell<Open> {
    fn open(config: String) -> Result<Writer, Error> {
        let stream = setting(&config, "stream")?;
        let file = File::open(&setting(&config, "endpoint")?)?;
        let resume = file
            .note()
            .map(|note| note::read(&stream, &note))
            .transpose()?;
        Ok(Writer::new(RefCell::new(Open {
            stream,
            file,
            resume,
            tables: HashMap::new(),
            orders: lines::Orders::default(),
            ready: None,
            ready_since: 0,
            durable: None,
        })))
    }

    fn resume_from(&self) -> Option<Checkpoint> {
        self.borrow().resume.clone()
    }

    fn apply(&self, batch: Batch) -> Result<(), Error> {
        self.borrow_mut().accept(batch)
    }

    fn advance(&self, max_wait_ms: u32) -> Result<Progress, Error> {
        let mut open = self.borrow_mut();
        let waited = system::monotonic_nanos().saturating_sub(open.ready_since);
        // No time to wait means that more batches are there, with which a commit can be shared.
        if open.ready.is_some() && (max_wait_ms > 0 || waited > COMMIT_NANOS) {
            open.commit()?;
        } else if open.ready.is_none() && max_wait_ms > 0 {
            // A batch ends this sleep, and so does the host's wish to end: then the next call does not come.
            let _ = transport::wait(&[], max_wait_ms);
        }
        Ok(Progress {
            durable: open.durable.take(),
            accepts: true,
            pending: open.ready.is_some(),
        })
    }
}

impl Open {
    fn accept(&mut self, batch: Batch) -> Result<(), Error> {
        for table in batch.tables {
            self.tables.insert(table.id, table);
        }
        let mut text = Vec::new();
        // How much of the text is covered by the newest checkpoint.
        let mut covered = None;
        for transaction in batch.transactions {
            lines::write(
                &mut text,
                &self.stream,
                &transaction,
                &self.tables,
                &batch.rows,
                &mut self.orders,
            )?;
            if let Some(checkpoint) = transaction.checkpoint {
                covered = Some((text.len(), checkpoint));
            }
        }
        let mut rest = &text[..];
        if let Some((length, checkpoint)) = covered {
            self.file.append(&text[..length])?;
            rest = &text[length..];
            if self.ready.replace(checkpoint).is_none() {
                self.ready_since = system::monotonic_nanos();
            }
        }
        if !rest.is_empty() {
            // The beginning of a transaction: from here on nothing can be committed until its end has come.
            self.commit()?;
            self.file.append(rest)?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Error> {
        if let Some(checkpoint) = self.ready.take() {
            self.file.commit(&note::write(&self.stream, &checkpoint))?;
            self.durable = Some(checkpoint);
        }
        Ok(())
    }
}

/// A text of the configuration.
fn setting(config: &str, key: &str) -> Result<String, Error> {
    serde_json::from_str::<serde_json::Value>(config)
        .ok()
        .and_then(|config| config[key].as_str().map(str::to_owned))
        .ok_or_else(|| {
            let message = format!("the configuration has no {key}");
            error(
                "config.invalid-value",
                message,
                "use a host of the same version",
            )
        })
}

/// An error that a person has to do something about.
fn error(code: &str, message: String, hint: &str) -> Error {
    Error {
        disposition: Disposition::Fatal,
        code: code.to_owned(),
        message,
        detail: None,
        hint: Some(hint.to_owned()),
        server_errno: None,
        sqlstate: None,
        position: None,
        gtid: None,
        table: None,
    }
}

export!(JsonLines);
