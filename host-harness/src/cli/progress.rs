//! A running pipeline's progress, shown once a second: that of a first copy always, the stream's where it is asked for.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle as BarStyle};

use super::copy_bars::CopyBars;
use super::time::{now_micros, tenths};
use super::{copy_text, logging};
use crate::pipeline::{Status, StatusHandle};

/// How progress is shown.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgressStyle {
    /// One line on a terminal, else a log line every 5 s.
    Auto,
    /// One JSON object a second on standard output.
    Json,
}

/// How often something is drawn or written as JSON.
const EVERY: Duration = Duration::from_secs(1);
/// How often log lines come.
const LOG_EVERY: Duration = Duration::from_secs(5);
/// And those of a first copy where only that is shown.
const COPY_EVERY: Duration = Duration::from_secs(10);

/// The thread that shows it.
pub(super) struct Display {
    end: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    /// Without a style only a first copy is shown. `label` is the pipeline's name, where there are several.
    pub(super) fn start(
        style: Option<ProgressStyle>,
        status: StatusHandle,
        label: Option<&str>,
    ) -> Self {
        let (end, ended) = channel();
        let mut output = Output::new(style, label);
        // Its log lines say whose they are.
        let span = tracing::Span::current();
        let body = move || {
            let _entered = span.enter();
            let mut rate = Rate::new(&status.get());
            loop {
                let over = ended.recv_timeout(output.every());
                let last = !matches!(over, Err(RecvTimeoutError::Timeout));
                let now = status.get();
                let rows_per_second = rate.of(&now);
                output.show(&now, rows_per_second, last);
                if last {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("datain-progress".to_owned())
            .spawn(body);
        // Replication does not depend on being watched.
        let thread = thread
            .inspect_err(|e| tracing::warn!(error = %e, "progress cannot be shown"))
            .ok();
        Self { end, thread }
    }

    /// Shows the last state, and ends.
    pub(super) fn finish(mut self) {
        let _ = self.end.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

enum Output {
    Terminal(Terminal),
    Log {
        /// Log lines about the stream are wanted too.
        stream: bool,
    },
    Json,
}

/// Lines at the terminal's end that are drawn anew again and again.
struct Terminal {
    /// What each line begins with.
    label: String,
    bars: MultiProgress,
    copy: CopyBars,
    stream: Option<ProgressBar>,
}

impl Terminal {
    fn new(with_stream: bool, label: Option<&str>) -> Self {
        let bars = logging::bars();
        let stream = with_stream.then(|| {
            let bar = bars.add(ProgressBar::new_spinner());
            if let Ok(style) = BarStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self {
            label: label.map_or_else(String::new, |name| format!("{name}: ")),
            bars,
            copy: CopyBars::default(),
            stream,
        }
    }

    fn show(&mut self, status: &Status, rows_per_second: f64, last: bool) {
        let copy = status.copy.as_ref().filter(|_| !last);
        self.copy.show(&self.bars, copy, &self.label);
        if let Some(bar) = &self.stream {
            bar.set_message(format!("{}{}", self.label, line(status, rows_per_second)));
            bar.tick();
            if last {
                bar.finish();
            }
        }
    }
}

impl Output {
    fn new(style: Option<ProgressStyle>, label: Option<&str>) -> Self {
        match style {
            Some(ProgressStyle::Json) => Self::Json,
            _ if std::io::stderr().is_terminal() => {
                Self::Terminal(Terminal::new(style.is_some(), label))
            }
            _ => Self::Log {
                stream: style.is_some(),
            },
        }
    }

    /// How often there is something to show. Nobody is woken for nothing: one process may have many pipelines.
    fn every(&self) -> Duration {
        match self {
            Self::Terminal(_) | Self::Json => EVERY,
            Self::Log { stream: true } => LOG_EVERY,
            Self::Log { stream: false } => COPY_EVERY,
        }
    }

    fn show(&mut self, status: &Status, rows_per_second: f64, last: bool) {
        match self {
            Self::Terminal(terminal) => terminal.show(status, rows_per_second, last),
            Self::Log { stream } => {
                // The command itself says how it ended.
                if last {
                    return;
                }
                if let Some(copy) = status.copy.as_ref().filter(|copy| !copy.complete) {
                    tracing::info!("first copy: {}", copy_text::line(copy));
                }
                if *stream {
                    tracing::info!("{}", line(status, rows_per_second));
                }
            }
            Self::Json => {
                let mut value = serde_json::json!(status);
                value["rows_per_second"] = rows_per_second.round().into();
                // A reader that has gone away must not end replication.
                let _ = writeln!(std::io::stdout().lock(), "{value}");
            }
        }
    }
}

fn line(status: &Status, rows_per_second: f64) -> String {
    let lag = status.lag_seconds.map_or_else(|| "?".to_owned(), tenths);
    let past = match (&status.last_error, status.last_error_at_micros) {
        (Some(error), Some(at)) => {
            let ago = now_micros().saturating_sub(at) / 1_000_000;
            format!(", last error {ago} s ago: {}", error.code)
        }
        _ => String::new(),
    };
    let position = |position: &Option<String>| position.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "{}: lag {lag} s, {rows_per_second:.0} rows/s, {} rows, read {}, durable {}{past}",
        status.state,
        status.totals.rows_applied,
        position(&status.source_position),
        position(&status.durable_position),
    )
}

/// Rows a second since the last look.
struct Rate {
    rows: u64,
    at: Instant,
}

impl Rate {
    fn new(status: &Status) -> Self {
        Self {
            rows: status.totals.rows_applied,
            at: Instant::now(),
        }
    }

    fn of(&mut self, status: &Status) -> f64 {
        let elapsed = self.at.elapsed().as_secs_f64();
        let rows = status.totals.rows_applied.saturating_sub(self.rows);
        *self = Self::new(status);
        #[expect(
            clippy::cast_precision_loss,
            reason = "for people; rows of one second fit"
        )]
        let rows = rows as f64;
        if elapsed > 0.0 { rows / elapsed } else { 0.0 }
    }
}
