//! What `datain run --progress json` says, over all processes of one demo.

use std::{
    io::BufRead,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

/// One moment of a running process. Positions are without their GTID sets.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Progress {
    pub(super) source: String,
    pub(super) durable: String,
    pub(super) lag: Option<f64>,
    pub(super) rows_per_second: u64,
    /// Durable rows, over all processes.
    pub(super) rows: u64,
}

/// Collects progress; clones share what is collected.
#[derive(Clone, Default)]
pub(super) struct Feed(Arc<Mutex<Board>>);

#[derive(Default)]
struct Board {
    /// Rows of the processes that have ended.
    past_rows: u64,
    /// The present process's newest word.
    latest: Option<Progress>,
    greatest_lag: f64,
}

impl Feed {
    /// A new process begins.
    pub(super) fn begin(&self) {
        let mut board = self.lock();
        if let Some(last) = board.latest.take() {
            board.past_rows = last.rows;
        }
    }

    /// The present process's newest word.
    pub(super) fn latest(&self) -> Option<Progress> {
        self.lock().latest.clone()
    }

    /// All rows that the processes reported as durable. What a killed one did after its last word is not in it.
    pub(super) fn rows(&self) -> u64 {
        let board = self.lock();
        board.latest.as_ref().map_or(board.past_rows, |l| l.rows)
    }

    /// In seconds.
    pub(super) fn greatest_lag(&self) -> f64 {
        self.lock().greatest_lag
    }

    /// Takes in a process's standard output to its end.
    pub(super) fn read(&self, output: impl BufRead) {
        // A line that is cut off by a kill is not JSON, and is left out.
        let values = output
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        for value in values {
            let mut board = self.lock();
            let mut progress = Progress::of(&value);
            board.greatest_lag = board.greatest_lag.max(progress.lag.unwrap_or_default());
            progress.rows += board.past_rows;
            board.latest = Some(progress);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn of(value: &Value) -> Self {
        // `file:offset`, a blank, and the GTID set.
        let position = |name: &str| {
            let whole = value[name].as_str().unwrap_or("-");
            whole.split(' ').next().unwrap_or(whole).to_owned()
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate for people"
        )]
        let rate = |name: &str| value[name].as_f64().unwrap_or_default().max(0.0) as u64;
        Self {
            source: position("source_position"),
            durable: position("durable_position"),
            lag: value["lag_seconds"].as_f64(),
            rows_per_second: rate("rows_per_second"),
            rows: value["rows_applied"].as_u64().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_add_up_over_processes_and_half_lines_are_left_out() {
        let feed = Feed::default();
        feed.begin();
        let first = "{\"source_position\":\"b.1:9 u:1-2\",\"durable_position\":\"b.1:7 u:1\",\"lag_seconds\":2.5,\"rows_applied\":7,\"rows_per_second\":6.0}\n{\"rows_app";
        feed.read(first.as_bytes());
        let expected = Progress {
            source: "b.1:9".to_owned(),
            durable: "b.1:7".to_owned(),
            lag: Some(2.5),
            rows_per_second: 6,
            rows: 7,
        };
        assert_eq!(feed.latest(), Some(expected));
        feed.begin();
        assert_eq!((feed.latest(), feed.rows()), (None, 7));
        feed.read("{\"lag_seconds\":null,\"rows_applied\":3}\n".as_bytes());
        assert_eq!((feed.rows(), feed.greatest_lag()), (10, 2.5));
    }
}
