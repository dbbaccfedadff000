//! One reader and one writer, from opening to end, in turns.
//!
//! A batch is asked for, accepted when the writer says that it accepts, and the writer then gets its turn. While nothing is under way in the writer, the source may wait for
//! a change; while something is, both turns are short, since replies and commits of the one and changes of the other may come at any moment. A batch that is not accepted yet
//! is kept: the source is not asked meanwhile, which is the backpressure.

use std::time::Duration;

use datain_standalone_config::config::Config;
use datain_standalone_config::engine::Role;
use datain_standalone_config::error::{Error, Kind, Result};
use datain_standalone_config::{Told, plugin_json};
use datain_standalone_wasi::clock::Moment;
use datain_standalone_wasi::log::{Level, line};

use crate::bindings::datain::replication::sink::{Progress, SinkStatus, Writer};
use crate::bindings::datain::replication::source::{Limits, Reader};
use crate::bindings::datain::replication::types::{Batch, Checkpoint};
use crate::bindings::{sink_turns, source_turns};
use crate::reported::reported;

/// As the host's: rows of a batch.
const BATCH_BYTES: u32 = 1 << 20;
/// The source's turn while the writer has nothing to do, and the writer's while it does not accept.
const LONG_TURN: u32 = 50;
/// The source's turn while the writer has something under way.
const SHORT_TURN: u32 = 1;
/// The writer's turn while it has something under way and nothing was read.
const REPLY_TURN: u32 = 5;
/// How long what was read may take to become durable when the source cannot go on.
const DRAIN: Duration = Duration::from_secs(60);
/// How often the log says how far it is, if it is further.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// What lasts longer than a generation.
#[derive(Default)]
pub(crate) struct Memory {
    /// The target has known the pipeline.
    pub(crate) known: bool,
    /// The target has had a checkpoint.
    had_checkpoint: bool,
    /// Both sides were open once.
    pub(crate) reached: bool,
    /// Where a new pipeline has begun: until a checkpoint is durable it begins there again.
    began: Option<Checkpoint>,
    /// The newest transaction that is durable, and the newest that was read.
    pub(crate) durable: u64,
    pub(crate) read: u64,
    /// Where the durable one ends, for people.
    pub(crate) position: String,
    /// Up to which transaction each is committed by itself.
    pub(crate) one_by_one: Option<u64>,
    /// Totals of the generations that have ended.
    pub(crate) transactions: u64,
    pub(crate) rows: u64,
}

/// How a generation ended without an error.
pub(crate) enum Ending {
    /// All that the source had when it was opened is durable.
    CaughtUp,
    /// What was applied one by one has gone through.
    WentThrough,
}

/// Works until there is an error or an end.
pub(crate) fn run(
    config: &Config,
    row_block: u8,
    until_caught_up: bool,
    memory: &mut Memory,
) -> Result<Ending> {
    let told = Told {
        one_by_one: memory.one_by_one.is_some(),
        known: memory.known,
        ahead: None,
    };
    let writer = Writer::open(&plugin_json(Role::Sink, config, row_block, told))
        .map_err(|error| reported(error, Role::Sink, config))?;
    memory.known = true;
    let from = writer.resume_from();
    let mut resume = from.checkpoint;
    match &resume {
        None if memory.had_checkpoint => return Err(removed(&config.name)),
        // Number 0 has the source write its beginning down again.
        None => {
            resume = memory.began.clone().map(|began| Checkpoint {
                ordinal: 0,
                ..began
            });
        }
        Some(checkpoint) => {
            memory.had_checkpoint = true;
            memory.durable = checkpoint.ordinal;
            memory.position.clone_from(&checkpoint.display);
        }
    }
    let told = Told {
        ahead: from.ahead.as_deref(),
        ..told
    };
    let json = plugin_json(Role::Source, config, row_block, told);
    let reader = Reader::open(&json, resume.as_ref(), from.set_position)
        .map_err(|error| reported(error, Role::Source, config))?;
    memory.reached = true;
    memory.read = memory.durable;
    match &resume {
        Some(checkpoint) => say("resuming", &[("checkpoint", &checkpoint.display)]),
        None => say(
            "the target has no checkpoint: beginning where start.mode says",
            &[],
        ),
    }
    let mut sides = Sides {
        config,
        reader,
        writer,
        memory,
        accepts: true,
        pending: false,
        told_caught_up: false,
        told_at: Moment::now(),
    };
    let ending = sides.work(until_caught_up);
    let status = sides.writer.status();
    sides.memory.transactions += status.transactions_applied;
    sides.memory.rows += status.rows_applied;
    ending
}

struct Sides<'a> {
    config: &'a Config,
    // Dropped in this order: the source first, so that nothing new comes.
    reader: Reader,
    writer: Writer,
    memory: &'a mut Memory,
    accepts: bool,
    pending: bool,
    told_caught_up: bool,
    told_at: Moment,
}

impl Sides<'_> {
    fn work(&mut self, until_caught_up: bool) -> Result<Ending> {
        let mut waiting: Option<Batch> = None;
        loop {
            if waiting.is_none() {
                waiting = self.ask()?;
            }
            if self.accepts
                && let Some(batch) = waiting.take()
            {
                self.writer
                    .apply(&batch)
                    .map_err(|error| self.of_sink(error))?;
                self.pending = true;
            }
            let turn = match (&waiting, self.pending) {
                (Some(_), _) => LONG_TURN,
                (None, true) => REPLY_TURN,
                (None, false) => 0,
            };
            sink_turns::may_end(true);
            let progress = self.writer.advance(turn);
            sink_turns::may_end(false);
            self.pass_on(progress.map_err(|error| self.of_sink(error))?);
            if let Some(until) = self.memory.one_by_one
                && self.memory.durable >= until
            {
                return Ok(Ending::WentThrough);
            }
            if !self.told_caught_up && self.reader.status().caught_up {
                self.told_caught_up = true;
                say(
                    "caught up with what the source had when it was opened",
                    &[("checkpoint", &self.memory.position)],
                );
            }
            if self.told_caught_up && until_caught_up {
                self.drain()?;
                return Ok(Ending::CaughtUp);
            }
            self.tell();
        }
    }

    /// The source's turn. What it had read before an error that does not pass is applied first, so that the checkpoint stands right before what it could not read.
    fn ask(&mut self) -> Result<Option<Batch>> {
        let limits = Limits {
            max_bytes: BATCH_BYTES,
            max_wait_ms: if self.pending { SHORT_TURN } else { LONG_TURN },
        };
        source_turns::may_end(true);
        let polled = self.reader.poll(limits);
        source_turns::may_end(false);
        match polled {
            Ok(None) => Ok(None),
            Ok(Some(batch)) => {
                if let Some(newest) = batch.transactions.last() {
                    self.memory.read = newest.ordinal;
                }
                if self.memory.began.is_none() && !self.memory.had_checkpoint {
                    let mut places = batch.transactions.iter().map(|t| &t.checkpoint);
                    self.memory.began = places.find_map(Clone::clone);
                }
                Ok(Some(batch))
            }
            Err(error) => {
                let error = reported(error, Role::Source, self.config);
                if error.kind() != Kind::Retry {
                    self.drain()?;
                }
                Err(error)
            }
        }
    }

    /// Commits what was accepted.
    fn drain(&mut self) -> Result<()> {
        let begun = Moment::now();
        while self.pending && begun.elapsed() < DRAIN {
            let progress = self
                .writer
                .flush(LONG_TURN)
                .map_err(|error| self.of_sink(error))?;
            self.pass_on(progress);
        }
        Ok(())
    }

    fn pass_on(&mut self, progress: Progress) {
        (self.accepts, self.pending) = (progress.accepts, progress.pending);
        if let Some(checkpoint) = progress.durable {
            self.memory.had_checkpoint = true;
            self.memory.durable = checkpoint.ordinal;
            self.reader.ack(&checkpoint);
            self.memory.position = checkpoint.display;
        }
    }

    /// What it had made durable until the error counts, whether it was told or not: nothing is to be done for that, since the target says it at the next opening.
    fn of_sink(&self, error: crate::bindings::datain::replication::types::Error) -> Error {
        reported(error, Role::Sink, self.config)
    }

    fn tell(&mut self) {
        if self.told_at.elapsed() < TELL_EVERY {
            return;
        }
        self.told_at = Moment::now();
        let SinkStatus {
            transactions_applied,
            rows_applied,
            position,
            ..
        } = self.writer.status();
        let transactions = (self.memory.transactions + transactions_applied).to_string();
        let rows = (self.memory.rows + rows_applied).to_string();
        say(
            "applied",
            &[
                ("transactions", &transactions),
                ("rows", &rows),
                ("checkpoint", &position),
            ],
        );
    }
}

fn say(message: &str, fields: &[(&str, &str)]) {
    let fields: Vec<(String, String)> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    line(Level::Info, "runner", message, &fields);
}

fn removed(name: &str) -> Error {
    Error::new(
        Kind::Fatal,
        "checkpoint.removed",
        format!("the target no longer has the checkpoint of pipeline `{name}`, which it had while this program was running"),
    )
    .hint("is it another server, or was the pipeline removed? To begin anew on purpose, look at [start] and start again")
}
