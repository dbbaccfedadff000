//! Log lines of plugins, limited in rate and length, into the host's own log.
//!
//! Names of fields are the plugin's choice, which the host's log cannot carry as such: they follow the message in brackets.

use std::time::{Duration, Instant};

use crate::bindings::log::{Host, Level};
use crate::engine::Role;
use crate::plugin::{PluginState, text};

/// The target of plugins' lines, for filters: `--log-level info,datain::plugin=debug`.
const TARGET: &str = "datain::plugin";
/// So many seconds' lines may come at once.
const BURST_SECONDS: f64 = 5.0;
/// How often it is said that lines were left out.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Bytes of a message, and of all fields together.
const LENGTH_MAX: usize = 4096;

/// Lets a plugin's lines through at a bounded rate. Which pipeline it is, the span around the run says, as for the host's own lines.
pub(in crate::plugin) struct LogGate {
    role: Role,
    /// Lines a second.
    rate: f64,
    tokens: f64,
    filled: Instant,
    dropped: u64,
    /// When it was last said how many were left out.
    told: Option<Instant>,
}

impl LogGate {
    /// At most so many lines a second.
    pub(in crate::plugin) fn new(role: Role, rate: u32) -> Self {
        let rate = f64::from(rate);
        Self {
            role,
            rate,
            tokens: rate * BURST_SECONDS,
            filled: Instant::now(),
            dropped: 0,
            told: None,
        }
    }

    /// Whether one more line may be written now, and how many were left out, if that is to be told before: once a second is enough.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.rate).min(self.rate * BURST_SECONDS);
        self.filled = now;
        if self.tokens < 1.0 {
            self.dropped += 1;
            return None;
        }
        self.tokens -= 1.0;
        let due = self
            .told
            .is_none_or(|told| now.saturating_duration_since(told) >= TELL_EVERY);
        if self.dropped == 0 || !due {
            return Some(0);
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.dropped))
    }
}

macro_rules! emit {
    ($level:ident, $gate:expr, $message:expr) => {
        tracing::event!(
            target: TARGET,
            tracing::Level::$level,
            plugin = %$gate.role,
            "{}",
            $message
        )
    };
}

impl Drop for LogGate {
    /// A flood that goes on to the instance's end is told of too.
    fn drop(&mut self) {
        if self.dropped > 0 {
            left_out(self, self.dropped);
        }
    }
}

fn left_out(gate: &LogGate, lines: u64) {
    emit!(
        WARN,
        gate,
        format!("{lines} log lines were left out: limits.log_lines_per_second")
    );
}

impl Host for PluginState {
    fn log(
        &mut self,
        level: Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        if rank(level) < rank(lowest()) {
            return Ok(());
        }
        let Some(dropped) = self.log.admit(Instant::now()) else {
            return Ok(());
        };
        let gate = &self.log;
        if dropped > 0 {
            left_out(gate, dropped);
        }
        let message = line(&message, &fields);
        match level {
            Level::Trace => emit!(TRACE, gate, message),
            Level::Debug => emit!(DEBUG, gate, message),
            Level::Info => emit!(INFO, gate, message),
            Level::Warn => emit!(WARN, gate, message),
            Level::Error => emit!(ERROR, gate, message),
        }
        Ok(())
    }

    fn threshold(&mut self) -> wasmtime::Result<Level> {
        Ok(lowest())
    }
}

/// The lowest level that is kept for plugins' lines; with nothing kept, the highest.
fn lowest() -> Level {
    if tracing::enabled!(target: TARGET, tracing::Level::TRACE) {
        Level::Trace
    } else if tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
        Level::Debug
    } else if tracing::enabled!(target: TARGET, tracing::Level::INFO) {
        Level::Info
    } else if tracing::enabled!(target: TARGET, tracing::Level::WARN) {
        Level::Warn
    } else {
        Level::Error
    }
}

fn rank(level: Level) -> u8 {
    match level {
        Level::Trace => 0,
        Level::Debug => 1,
        Level::Info => 2,
        Level::Warn => 3,
        Level::Error => 4,
    }
}

/// The message and its fields: `a statement is left out (statement: CREATE USER, transaction: …:7)`.
fn line(message: &str, fields: &[(String, String)]) -> String {
    let mut text = text::line(message, LENGTH_MAX);
    if fields.is_empty() {
        return text;
    }
    let mut pairs = String::new();
    for (name, value) in fields {
        if pairs.len() > LENGTH_MAX {
            break;
        }
        let separator = if pairs.is_empty() { "" } else { ", " };
        let (name, value) = (text::line(name, LENGTH_MAX), text::line(value, LENGTH_MAX));
        pairs.extend([separator, &name, ": ", &value]);
    }
    text.extend([" (", &text::line(&pairs, LENGTH_MAX), ")"]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let mut gate = LogGate::new(Role::Source, 100);
        let start = gate.filled;
        let admitted = (0..2000).filter(|_| gate.admit(start).is_some()).count();
        assert_eq!(admitted, 500);
        assert_eq!(gate.admit(start + Duration::from_secs(1)), Some(1500));
        assert_eq!(gate.admit(start + Duration::from_secs(1)), Some(0));
    }

    #[test]
    fn fields_follow_the_message() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(line("left out", &[]), "left out");
        let fields = [
            field("statement", "CREATE\nUSER"),
            field("transaction", "u:7"),
        ];
        assert_eq!(
            line("left out", &fields),
            "left out (statement: CREATE USER, transaction: u:7)"
        );
    }
}
