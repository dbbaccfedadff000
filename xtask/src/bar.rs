//! Progress on a terminal.

use std::{
    io::{IsTerminal as _, stderr},
    sync::Mutex,
    time::Duration,
};

use datain_throwaway_servers::{Lines, Progress};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal, plain lines elsewhere (in a log, a bar would be noise).
pub(crate) fn progress() -> Box<dyn Progress> {
    if stderr().is_terminal() {
        Box::new(Bar::default())
    } else {
        Box::new(Lines)
    }
}

#[derive(Default)]
struct Bar {
    present: Mutex<Option<ProgressBar>>,
}

impl Bar {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        // A panic elsewhere leaves the bar as good as it was.
        act(&mut self
            .present
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: Option<u64>) {
        let (bar, template) = match total {
            Some(total) => (
                ProgressBar::new(total),
                "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}"),
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_style(style).with_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.with(|present| {
            if let Some(old) = present.replace(bar) {
                old.finish_and_clear();
            }
        });
    }

    fn advance(&self, done: u64) {
        self.with(|present| {
            if let Some(bar) = present {
                bar.set_position(done);
            }
        });
    }

    fn finish(&self, summary: &str) {
        self.with(|present| {
            if let Some(bar) = present.take() {
                bar.finish_and_clear();
            }
        });
        eprintln!("{summary}");
    }
}
