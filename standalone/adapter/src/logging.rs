//! `log`: lines of the plugin on standard error, at a bounded rate.

use std::cell::RefCell;

use datain_standalone_config::engine::Role;
use datain_standalone_wasi::clock::Moment;
use datain_standalone_wasi::log as lines;

use crate::Adapter;
use crate::bindings::exports::datain::replication::log::{Guest, Level};
use crate::part;

/// Lines a second, and how many may come at once.
const RATE: f64 = 100.0;
const BURST: f64 = 500.0;

struct Gate {
    tokens: f64,
    filled: Moment,
    dropped: u64,
}

thread_local! {
    static GATE: RefCell<Option<Gate>> = const { RefCell::new(None) };
}

/// Whether one more line may be written now, and how many were left out since the last one.
fn admit(now: Moment) -> Option<u64> {
    GATE.with_borrow_mut(|gate| {
        let gate = gate.get_or_insert(Gate {
            tokens: BURST,
            filled: now,
            dropped: 0,
        });
        let elapsed =
            std::time::Duration::from_nanos(now.nanos().saturating_sub(gate.filled.nanos()));
        gate.tokens = (gate.tokens + elapsed.as_secs_f64() * RATE).min(BURST);
        gate.filled = now;
        if gate.tokens < 1.0 {
            gate.dropped += 1;
            return None;
        }
        gate.tokens -= 1.0;
        Some(std::mem::take(&mut gate.dropped))
    })
}

fn who() -> &'static str {
    match part::role() {
        Role::Source => "source plugin",
        Role::Sink | Role::Transform => "sink plugin",
    }
}

fn lowest() -> lines::Level {
    part::options().map_or(lines::Level::Info, |options| options.log_level)
}

impl Guest for Adapter {
    fn log(level: Level, message: String, fields: Vec<(String, String)>) {
        let level = match level {
            Level::Trace => lines::Level::Trace,
            Level::Debug => lines::Level::Debug,
            Level::Info => lines::Level::Info,
            Level::Warn => lines::Level::Warn,
            Level::Error => lines::Level::Error,
        };
        if level < lowest() {
            return;
        }
        let Some(dropped) = admit(Moment::now()) else {
            return;
        };
        if dropped > 0 {
            let text = format!("{dropped} log lines were left out");
            lines::line(lines::Level::Warn, who(), &text, &[]);
        }
        lines::line(level, who(), &message, &fields);
    }

    fn threshold() -> Level {
        match lowest() {
            lines::Level::Trace => Level::Trace,
            lines::Level::Debug => Level::Debug,
            lines::Level::Info => Level::Info,
            lines::Level::Warn => Level::Warn,
            lines::Level::Error => Level::Error,
        }
    }
}
