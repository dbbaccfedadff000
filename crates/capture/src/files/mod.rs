//! Reads files of a binary log, or a relay log's, one after the other, without a server.
//!
//! Their bytes come through [`FileBytes`] as a stream, so that a file may have any size, and go event by event to the same [`Assembler`] that a dump goes to. Nothing will be
//! applied: what replication must refuse since it cannot repeat it, statements above all, is shown here (see [`crate::printed`]). Whatever cannot be read ends
//! the reading, once all whole transactions before it were handed out; every error names the file and the offset of the event at which it stopped.
//!
//! Memory does not depend on the size of anything: what is there of a large event, or of a compressed transaction, is used until a batch is full, and the rest waits until that
//! is taken, as in a dump. Only a statement is held whole, up to the limit of a row.
//!
//! A file may end only between two events, and between two transactions, unless it is a relay log that another file follows: a replica may go on with a transaction in its next
//! relay log, or begin it anew there.

mod frames;
mod large;
mod layout;
mod statistics;

use datain_binlog::{ChecksumAlgorithm, EventType};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Batch, Error};

use crate::assembler::Assembler;
use crate::checkpoint::State;
use crate::position::Position;
use crate::reader::{Progress, Settings};
use frames::{Frame, Frames};
use large::LargeEvent;
use layout::{DAMAGED, Layout, Use};
pub use statistics::{Count, Statistics};

/// Where the bytes of files come from.
// As for a session's stream: everything lives on one thread.
#[allow(async_fn_in_trait)]
pub trait FileBytes {
    /// Appends what follows in the file of this number, counted from 0; answers with the number of bytes, 0 at the file's end. Files are read in order.
    ///
    /// # Errors
    /// What the host reports.
    async fn read(&mut self, file: usize, to: &mut Vec<u8>) -> Result<usize, Error>;
}

/// What is made of the events.
enum Purpose {
    Print(Box<Assembler>),
    Count(Statistics),
}

/// See the module.
pub struct FileReader<B> {
    bytes: B,
    names: Vec<String>,
    /// The file being read.
    file: usize,
    frames: Frames,
    layout: Layout,
    purpose: Purpose,
    /// The most bytes of a statement.
    max_statement: usize,
    counted_bytes: u64,
    /// Where the newest event begins.
    event_at: u64,
    /// A large event under way that is not printed.
    large: Option<LargeEvent>,
    /// What ended the reading; the transactions before it go out first.
    failed: Option<Error>,
    ended: bool,
    warnings: Vec<String>,
    /// The type of the file's newest event.
    newest: Option<EventType>,
    is_relay: bool,
}

impl<B: FileBytes> FileReader<B> {
    /// Prepares to read the files of these names; with `count` their events are counted and nothing else.
    ///
    /// # Errors
    /// `config.filter`; `config.invalid` without a name.
    pub fn open(
        bytes: B,
        names: Vec<String>,
        settings: &Settings,
        count: bool,
    ) -> Result<Self, Error> {
        let Some(first) = names.first().cloned() else {
            return Err(Error::reconfigure("config.invalid", "no file is named"));
        };
        let purpose = if count {
            Purpose::Count(Statistics::default())
        } else {
            // Nobody knows how the server compared names; as they stand is what can be said.
            let filter = datain_server_facts::filter(&settings.include, &settings.exclude, false)?;
            let state = State {
                server_uuid: String::new(),
                position: Position::default(),
                gtids: None,
                file_began: None,
                copy: None,
                aside: None,
                scope: None,
                temporary: crate::temporary::TemporaryTables::default(),
            };
            let mut assembler = Assembler::new(
                state,
                0,
                ChecksumAlgorithm::Off,
                filter,
                settings.max_row_bytes,
            );
            assembler.show_statements();
            Purpose::Print(Box::new(assembler))
        };
        let mut reader = FileReader {
            bytes,
            names,
            file: 0,
            frames: Frames::new(first),
            layout: Layout::new(),
            purpose,
            max_statement: usize::try_from(settings.max_row_bytes).unwrap_or(usize::MAX),
            counted_bytes: 0,
            event_at: 0,
            large: None,
            failed: None,
            ended: false,
            warnings: Vec::new(),
            newest: None,
            is_relay: false,
        };
        reader.begin_file();
        Ok(reader)
    }

    /// The next batch of about `max_bytes` of rows; none when all files are at their end. Where events are only counted there are no batches. `tell` hears of the progress before
    /// each wait.
    ///
    /// # Errors
    /// Anything that cannot be read. The reader must then be dropped.
    pub async fn next_batch(
        &mut self,
        max_bytes: usize,
        mut tell: impl FnMut(Progress, &Statistics),
    ) -> Result<Option<Batch>, Error> {
        if let Purpose::Print(assembler) = &mut self.purpose {
            assembler.set_batch_bytes(max_bytes);
        }
        loop {
            if self.failed.is_none()
                && let Err(error) = self.take_buffered()
            {
                self.fail(error);
            }
            let batch = match &mut self.purpose {
                Purpose::Print(assembler) => assembler.take_batch(),
                Purpose::Count(_) => None,
            };
            tell(self.progress(), self.statistics());
            if batch.is_some() {
                return Ok(batch);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.ended {
                return Ok(None);
            }
            match self.bytes.read(self.file, self.frames.room()).await {
                Ok(0) => {
                    if let Err(error) = self.end_file() {
                        self.fail(error);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    let at = self.frames.position();
                    self.fail(error.at(&at.file, at.offset, None));
                }
            }
        }
    }

    /// Whether all files are at their end.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.ended
    }

    /// What is worth knowing and no error, once.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// What is known of the stream now.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut progress = Progress {
            position: self.frames.position().to_string(),
            reached_head: self.ended,
            ..Progress::default()
        };
        match &self.purpose {
            Purpose::Print(assembler) => {
                progress.counts = assembler.counts();
                progress.ordinal = assembler.ordinal();
            }
            Purpose::Count(statistics) => {
                progress.counts.transactions = statistics.transactions;
                progress.counts.bytes = self.counted_bytes;
            }
        }
        progress
    }

    fn statistics(&self) -> &Statistics {
        static NONE: Statistics = Statistics::none();
        match &self.purpose {
            Purpose::Print(_) => &NONE,
            Purpose::Count(statistics) => statistics,
        }
    }

    /// Takes events that are there already, until a batch is full.
    fn take_buffered(&mut self) -> Result<(), Error> {
        loop {
            if let Purpose::Print(assembler) = &mut self.purpose {
                if assembler.has_full_batch() {
                    return Ok(());
                }
                let gone_on = assembler.go_on();
                if gone_on.map_err(|e| self.at_event(e))? {
                    return Ok(());
                }
            }
            if !self.take_event()? {
                return Ok(());
            }
        }
    }

    /// Takes the next event, or the next piece of a large one, if it is there.
    fn take_event(&mut self) -> Result<bool, Error> {
        let Some(frame) = self.frames.next()? else {
            return Ok(false);
        };
        self.event_at = frame.offset;
        let name = self.names[self.file].as_str();
        let placed = |error: Error| placed(error, name, frame.offset, None);
        let (mut what, mut flags) = (Use::Read, None);
        if frame.first {
            (what, flags) = self.layout.see(&frame).map_err(placed)?;
            if let Some(flags) = &flags {
                self.is_relay = flags.is_relay;
            }
            self.newest = Some(frame.header.event_type);
            let is_printed = what == Use::Read && matches!(self.purpose, Purpose::Print(_));
            if !frame.last && !is_printed {
                let large = LargeEvent::begin(&frame, &self.layout, self.max_statement);
                self.large = Some(large.map_err(placed)?);
            }
        } else if let Some(large) = &mut self.large {
            large.feed(&frame).map_err(placed)?;
        }
        match &mut self.purpose {
            Purpose::Count(statistics) => {
                let bytes = frame.bytes.len() as u64;
                self.counted_bytes += bytes;
                if frame.is_whole() {
                    let event = self.layout.verified(&frame).map_err(placed)?;
                    statistics
                        .count(&event, bytes, self.layout.format())
                        .map_err(placed)?;
                } else if let Some(large) = &mut self.large
                    && frame.last
                {
                    large.count_into(statistics, &self.layout).map_err(placed)?;
                }
            }
            // Not parsed, but what is damaged is damaged.
            Purpose::Print(_) if what == Use::PassOver && frame.is_whole() => {
                self.layout.verified(&frame).map_err(placed)?;
            }
            Purpose::Print(_) if what == Use::PassOver || self.large.is_some() => {}
            Purpose::Print(assembler) => {
                assembler.in_relay_log(self.is_relay);
                if frame.first && !self.is_relay {
                    assembler.stand_at(frame.offset);
                }
                let taken = hand_on(assembler, &frame);
                if let Err(error) = taken {
                    let begins = assembler.begins().map(ToString::to_string);
                    return Err(self::placed(error, name, frame.offset, begins));
                }
            }
        }
        if frame.last {
            self.large = None;
        }
        if let Some(flags) = flags {
            self.frames.set(&flags);
        }
        Ok(true)
    }

    /// An error that came up in what the newest event holds.
    fn at_event(&self, error: Error) -> Error {
        let begins = match &self.purpose {
            Purpose::Print(assembler) => assembler.begins().map(ToString::to_string),
            Purpose::Count(_) => None,
        };
        placed(error, &self.names[self.file], self.event_at, begins)
    }

    fn begin_file(&mut self) {
        let name = &self.names[self.file];
        self.frames = Frames::new(name.clone());
        self.layout = Layout::new();
        self.is_relay = false;
        self.newest = None;
        self.large = None;
        if let Purpose::Print(assembler) = &mut self.purpose {
            assembler.begin_file(name);
        }
    }

    /// The file is at its end: whether it may be, and what comes then.
    fn end_file(&mut self) -> Result<(), Error> {
        self.frames.end()?;
        let is_last = self.file + 1 == self.names.len();
        let begins = match &self.purpose {
            Purpose::Print(assembler) => assembler.begins().map(ToString::to_string),
            Purpose::Count(statistics) => statistics
                .is_inside()
                .then(|| "an earlier event".to_owned()),
        };
        if let Some(begins) = begins
            && (is_last || !self.is_relay)
        {
            let mut error = self
                .frames
                .truncated("the file ends in the middle of a transaction");
            "binlog.truncated-transaction".clone_into(&mut error.code);
            return Err(error.detail(format!("the transaction begins at {begins}; nothing of it is shown that was not shown already")));
        }
        let is_closed = matches!(self.newest, Some(EventType::Rotate | EventType::Stop));
        if !is_closed && !self.is_relay && !self.frames.in_use {
            self.warnings.push(format!(
                "{} ends without a Rotate or Stop event: either its end was cut off, between two transactions, or its server was killed and started again",
                self.frames.name
            ));
        }
        if is_last {
            self.ended = true;
        } else {
            self.file += 1;
            self.begin_file();
        }
        Ok(())
    }

    /// Keeps an error until the whole transactions before it were handed out.
    fn fail(&mut self, error: Error) {
        if let Purpose::Print(assembler) = &mut self.purpose {
            assembler.abandon();
        }
        self.failed = Some(error);
    }
}

/// Gives an event, or a piece of one, to the assembler, which uses of it what makes a full batch.
fn hand_on(assembler: &mut Assembler, frame: &Frame<'_>) -> Result<(), Error> {
    if frame.is_whole() {
        assembler.offer(frame.bytes)
    } else {
        assembler.piece(frame.bytes, frame.first, frame.last)
    }
}

/// An error with the place of the event at which it came up, and that of its transaction where that is another.
fn placed(mut error: Error, name: &str, offset: u64, begins: Option<String>) -> Error {
    let place = format!("{name}:{offset}");
    if error.code == "binlog.checksum" || error.code == "binlog.malformed" {
        error.hint = Some(DAMAGED.to_owned());
        error.detail = None;
    }
    if let Some(begins) = begins.filter(|begins| *begins != place) {
        let begins = format!("its transaction begins at {begins}");
        error.detail = Some(match error.detail {
            Some(detail) => format!("{detail}; {begins}"),
            None => begins,
        });
    }
    error.position = Some(place);
    error
}
