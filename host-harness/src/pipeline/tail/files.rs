//! Changes in files of a binary log as lines of JSON, without a server.
//!
//! The files are opened here, and read and taken apart by the source plugin in its sandbox, since anything may stand in a file. Names of columns that the log does not carry come
//! from CREATE TABLE statements, then from a server if one is named, else they are numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use datain_change_json::TableNames;

use super::lines::Lines;
use super::printing::Printing;
use super::{Ended, Output, after};
use crate::bindings::{EventCount, types};
use crate::config::{Config, files::names};
use crate::engine::{Engine, Role};
use crate::error::{Error, Kind, Result};
use crate::pipeline::{BATCH_BYTES, Reader as _, Stop};
use crate::plugin::{Plugin, Purpose, SourceInstance, interrupted, negotiate};
use crate::transport::{STDIN, Waker};

/// The longest sleep in the plugin: only a pipe makes it wait.
const MAX_WAIT: Duration = Duration::from_millis(100);

/// Files whose changes are printed or counted.
#[derive(Debug)]
pub struct FileTail {
    source: Arc<Plugin>,
    pipeline: String,
    files: Vec<PathBuf>,
    schema: TableNames,
    /// The server that is asked for names of columns.
    server: Option<Arc<Plugin>>,
    limit: Option<u64>,
}

/// What files are made of.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Events by their type.
    pub types: Vec<EventCount>,
    /// Whole transactions.
    pub transactions: u64,
}

impl FileTail {
    /// Prepares to read `files` in this order; `-` is standard input. `config` gives name, filter and limits ([`Config::for_files`]).
    ///
    /// # Errors
    /// `file.unreadable` when one cannot be opened; `plugin.*`; `row-block.version`.
    pub fn new(files: Vec<PathBuf>, config: &Config) -> Result<Self> {
        for file in &files {
            is_readable(file)?;
        }
        let config = Config::for_files(Some(config), files.clone())?;
        Ok(Self {
            pipeline: config.name.clone(),
            source: plugin(config)?,
            files,
            schema: TableNames::default(),
            server: None,
            limit: None,
        })
    }

    /// Names columns by these definitions of tables.
    #[must_use]
    pub fn schema(mut self, schema: TableNames) -> Self {
        self.schema = schema;
        self
    }

    /// Asks the source server of this configuration for the names of columns that are not known otherwise.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn names_from(mut self, config: Config) -> Result<Self> {
        self.server = Some(plugin(config)?);
        Ok(self)
    }

    /// Makes [`Self::run`] return after so many changes.
    #[must_use]
    pub fn limit(mut self, changes: Option<u64>) -> Self {
        self.limit = changes;
        self
    }

    /// Prints all that can be read.
    ///
    /// # Errors
    /// What could not be read, after everything before it was printed; every error of the server that is asked for names.
    pub fn run(&self, stop: &Stop, output: &mut dyn Output) -> Result<Ended> {
        let waker = Arc::new(Waker::new()?);
        let shared = Arc::clone(&waker);
        let _subscription = stop.subscribe(move || shared.interrupt());
        let ended = self.print(&waker, output);
        if ended.is_err() && stop.is_requested() {
            return Ok(Ended::Stopped);
        }
        ended.map_err(|error| self.named(error))
    }

    fn print(&self, waker: &Arc<Waker>, output: &mut dyn Output) -> Result<Ended> {
        let mut source = SourceInstance::new(&self.source, Arc::clone(waker))?;
        source.open(&after(None), Purpose::Replicate)?;
        let mut printing = Printing {
            lines: &mut Lines::new(&self.pipeline, self.limit),
            checkpoint: &mut None,
            until_caught_up: true,
            max_wait: MAX_WAIT,
        };
        printing.run(&mut source, waker, output, |table| {
            self.look_up(table, waker)
        })
    }

    /// Counts events and transactions. What was counted before an error is worth knowing too.
    ///
    /// # Errors
    /// In the answer's second place, so that the first is never lost; `host.interrupted` when it was stopped.
    pub fn count(&self, stop: &Stop) -> (Statistics, Result<()>) {
        let mut found = Statistics::default();
        let ended = self.count_into(stop, &mut found);
        (found, ended.map_err(|error| self.named(error)))
    }

    fn count_into(&self, stop: &Stop, found: &mut Statistics) -> Result<()> {
        let waker = Arc::new(Waker::new()?);
        let shared = Arc::clone(&waker);
        let _subscription = stop.subscribe(move || shared.interrupt());
        let mut source = SourceInstance::new(&self.source, Arc::clone(&waker))?;
        source.open(&after(None), Purpose::Count)?;
        let ended = loop {
            waker.take_attention();
            if waker.is_interrupted() {
                break Err(interrupted());
            }
            match source.poll(BATCH_BYTES, MAX_WAIT) {
                Err(error) => break Err(error),
                Ok(_) if source.status()?.caught_up => break Ok(()),
                Ok(_) => {}
            }
        };
        // A plugin that crashed tells nothing more, and its own error says why.
        if let Ok(counts) = source.event_counts() {
            found.types = counts.types;
            found.transactions = counts.transactions;
        }
        ended
    }

    /// The names of a table's columns, none where nobody knows them.
    fn look_up(&self, table: &types::Table, waker: &Arc<Waker>) -> Result<Vec<String>> {
        let (place, wanted) = (
            format!("{}.{}", table.schema, table.name),
            table.columns.len(),
        );
        let mut elsewhere = None;
        if let Some(names) = self.schema.of(&table.schema, &table.name) {
            if names.len() == wanted {
                return Ok(names.to_vec());
            }
            elsewhere = Some(("the file of --schema", names.len()));
        }
        if let Some(server) = &self.server {
            let names = SourceInstance::new(server, Arc::clone(waker))?
                .column_names(&table.schema, &table.name)?;
            if names.len() == wanted {
                return Ok(names);
            }
            if !names.is_empty() {
                elsewhere = Some(("the server", names.len()));
            }
        }
        if let Some((whose, columns)) = elsewhere {
            tracing::warn!(
                table = %place,
                "the table has {wanted} columns in the log and {columns} in what {whose} says of it today: its columns are numbered"
            );
        } else if self.server.is_some() || !self.schema.is_empty() {
            tracing::warn!(table = %place, "nothing says the names of the table's columns: they are numbered");
        }
        Ok(Vec::new())
    }

    /// The error with the file as it was given, where its position has the short name.
    fn named(&self, mut error: Error) -> Error {
        let report = error.report_mut();
        if let Some(position) = &report.position {
            let short = names(&self.files);
            let found = short.iter().zip(&self.files).find_map(|(name, path)| {
                let offset = position.strip_prefix(name.as_str())?;
                offset
                    .starts_with(':')
                    .then(|| format!("{}{offset}", path.display()))
            });
            if found.is_some() {
                report.position = found;
            }
        }
        error
    }
}

fn plugin(config: Config) -> Result<Arc<Plugin>> {
    let source = Plugin::load(&Engine::new()?, Role::Source, &Arc::new(config))?;
    let source = Arc::new(source);
    negotiate::host_reads(&source, datain_row_block::VERSION)?;
    Ok(source)
}

/// Whether a file can be opened and read, before anything is printed.
fn is_readable(path: &Path) -> Result<()> {
    if path == Path::new(STDIN) {
        return Ok(());
    }
    let looked = std::fs::metadata(path).and_then(|found| {
        if found.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        // Opening a pipe may wait for its writer.
        if found.is_file() {
            std::fs::File::open(path)?;
        }
        Ok(())
    });
    looked.map_err(|e| {
        Error::new(
            Kind::Config,
            "file.unreadable",
            format!("failed to read the file {}", path.display()),
        )
        .detail(e.to_string())
        .hint("name files of a binary log, such as binlog.000001; - is standard input")
    })
}
