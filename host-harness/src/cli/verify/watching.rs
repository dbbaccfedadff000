//! How far a comparison is: a bar on a terminal, else a log line every few seconds.

use std::cell::RefCell;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::logging;
use crate::pipeline::verify::{Progress, Watcher};

const LOG_EVERY: Duration = Duration::from_secs(5);
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// See the module.
pub(in crate::cli) struct Display(RefCell<Output>);

enum Output {
    Bar { bar: ProgressBar, drawn: Instant },
    Log { told: Instant, rows: u64 },
}

impl Display {
    pub(in crate::cli) fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(RefCell::new(Output::Log {
                told: Instant::now(),
                rows: 0,
            }));
        }
        let bar = logging::bars().add(ProgressBar::new(0));
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {percent:>3}% {per_sec} {wide_msg}")
        {
            bar.set_style(style);
        }
        Self(RefCell::new(Output::Bar {
            bar,
            drawn: Instant::now(),
        }))
    }

    /// Leaves nothing on the terminal: the result follows.
    pub(in crate::cli) fn clear(&self) {
        if let Output::Bar { bar, .. } = &*self.0.borrow() {
            bar.finish_and_clear();
        }
    }
}

impl Watcher for Display {
    fn progress(&self, progress: &Progress) {
        match &mut *self.0.borrow_mut() {
            Output::Bar { bar, drawn } => {
                if bar.is_finished() {
                    bar.reset();
                }
                // An estimate may be too small.
                bar.set_length(progress.estimated_rows.max(progress.rows));
                bar.set_position(progress.rows);
                bar.set_message(line(progress));
                if drawn.elapsed() >= DRAW_EVERY {
                    *drawn = Instant::now();
                    bar.tick();
                }
            }
            Output::Log { told, rows } => {
                let since = told.elapsed();
                if since < LOG_EVERY {
                    return;
                }
                let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(1);
                let rate = progress.rows.saturating_sub(*rows).saturating_mul(1000) / millis;
                tracing::info!(
                    "{} of about {} rows, {rate} rows/s, {}",
                    progress.rows,
                    progress.estimated_rows.max(progress.rows),
                    line(progress)
                );
                *told = Instant::now();
                *rows = progress.rows;
            }
        }
    }
}

fn line(progress: &Progress) -> String {
    let mut text = format!(
        "table {} of {}: {}",
        progress.number, progress.tables, progress.table
    );
    if progress.suspects > 0 {
        text.push_str(&format!(", {} part(s) to look at again", progress.suspects));
    }
    if progress.differing > 0 {
        text.push_str(&format!(", {} difference(s)", progress.differing));
    }
    text
}
