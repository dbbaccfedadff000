//! Log lines on standard error, for people or for machines.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use clap::ValueEnum;
use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::error::{Error, Result};

/// How log lines and errors are written.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// The lines of progress that log lines must not tear.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// The bars of this process, which all pipelines share. From now on log lines are written above them.
pub(super) fn bars() -> MultiProgress {
    BARS.get_or_init(MultiProgress::new).clone()
}

pub(super) fn start(format: LogFormat, level: &str) -> Result<()> {
    let filter = EnvFilter::try_new(level).map_err(|e| {
        Error::config(
            "usage.log-level",
            format!("{level:?} is not a log level or filter"),
        )
        .detail(e.to_string())
        .hint("error, warn, info, debug, trace, or for example \"info,datain::plugin=debug\"")
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Lines);
    let started = match format {
        LogFormat::Human => builder
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    };
    // An embedding program may log in its own way already.
    started.or(Ok(()))
}

pub(super) fn write_stderr(text: &str) {
    // Nobody can be told when standard error is gone.
    let _ = Line.write_all(format!("{}\n", printable(text)).as_bytes());
}

/// The text without what would steer a terminal: some of its words come from servers and plugins.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(steers) {
        text.replace(steers, " ").into()
    } else {
        text.into()
    }
}

struct Lines;

impl MakeWriter<'_> for Lines {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line
    }
}

struct Line;

impl Write for Line {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match BARS.get() {
            Some(bars) => bars.suspend(|| io::stderr().lock().write_all(data))?,
            None => io::stderr().lock().write_all(data)?,
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
