//! What people read: numbered steps, and at the end how long each took.

use std::{
    io::{IsTerminal as _, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::feed::Progress;

/// The numbered steps.
pub(super) struct Screen {
    steps: Vec<Duration>,
    begun: Option<Instant>,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            steps: Vec::new(),
            begun: None,
        }
    }

    /// The next step begins, and the one before ends.
    pub(super) fn step(&mut self, title: &str) {
        self.close();
        self.begun = Some(Instant::now());
        println!("\n{}. {title}", self.steps.len() + 1);
    }

    /// The last step ends.
    pub(super) fn finish(&mut self, result: &str) {
        self.close();
        println!("\n{result}");
        let seconds = |time: &Duration| format!("{:.1} s", time.as_secs_f64());
        let each: Vec<_> = self
            .steps
            .iter()
            .enumerate()
            .map(|(at, time)| format!("{}. {}", at + 1, seconds(time)))
            .collect();
        let total = seconds(&self.steps.iter().sum());
        println!("time: {}; together {total}", each.join(", "));
    }

    fn close(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.steps.push(begun.elapsed());
        }
    }
}

/// Two lines that change on a terminal; elsewhere a line every [`EVERY`].
pub(super) struct Line {
    bar: Option<ProgressBar>,
    shown: Option<Instant>,
}

const EVERY: Duration = Duration::from_secs(2);

impl Line {
    pub(super) fn new(total: Duration) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(millis(total));
            let style = ProgressStyle::with_template("  [{bar:20}] {msg}\n  {prefix}");
            bar.with_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            )
        });
        Self { bar, shown: None }
    }

    /// Shows the state after `time`; `progress` is none while `datain` does not run or has said nothing yet.
    pub(super) fn show(&mut self, time: Duration, progress: Option<&Progress>, runs: bool) {
        let (state, positions) = match progress {
            Some(progress) => describe(progress),
            None if runs => ("datain is starting".to_owned(), String::new()),
            None => ("datain is not running".to_owned(), String::new()),
        };
        let state = format!("{:>4.1} s  {state}", time.as_secs_f64());
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(positions);
                bar.set_message(state);
                bar.set_position(millis(time));
            }
            None if self.shown.is_none_or(|shown| shown.elapsed() >= EVERY) => {
                println!("  {}", format!("{state}  {positions}").trim_end());
                self.shown = Some(Instant::now());
            }
            None => {}
        }
    }

    /// Something happened.
    pub(super) fn event(&self, time: Duration, text: &str) {
        let print = || println!("  {:>4.1} s  * {text}", time.as_secs_f64());
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Speed and positions.
fn describe(progress: &Progress) -> (String, String) {
    let lag = progress
        .lag
        .map_or_else(|| "?".to_owned(), |lag| format!("{lag:.1}"));
    let state = format!(
        "lag {lag} s, {} rows/s, {} rows",
        grouped(progress.rows_per_second),
        grouped(progress.rows),
    );
    let positions = format!("source {}, durable {}", progress.source, progress.durable);
    (state, positions)
}

/// A number with commas between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The text, or its begin and an ellipsis.
pub(super) fn clipped(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands() {
        let check = |number, expected: &str| assert_eq!(grouped(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
    }

    #[test]
    fn only_long_text_is_clipped() {
        assert_eq!(clipped("crème", 5), "crème");
        assert_eq!(clipped("crèmes", 5), "crème…");
    }
}
