//! The status as data; docs/status.md describes each key.

use serde::{Deserialize as _, Serialize};
use serde_json::Value;

use crate::bindings::{KnownCutover, SinkInspection, SourceInspection};
use crate::control::Answered;
use crate::error::{self, Result};
use crate::pipeline::{CopyStatus, verify};

/// What was found out, before it is put together.
pub(super) struct Found<'a> {
    pub name: &'a str,
    /// Of source and target.
    pub addresses: [String; 2],
    pub host: Option<&'a Answered>,
    pub target: &'a Result<SinkInspection>,
    pub source: &'a Result<SourceInspection>,
    /// Commit time of the first transaction that the checkpoint lacks, by the source's clock, where that was asked for and is known.
    pub next_commit_micros: Option<u64>,
    pub cutover: Option<&'a KnownCutover>,
    /// The newest comparison that is kept in the target.
    pub verified: Option<verify::Kept>,
    pub now_micros: u64,
}

/// Everything that `status --format json` says.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub pipeline: String,
    pub state: String,
    pub host: Option<Host>,
    pub seconds_behind: Option<f64>,
    pub bytes_behind: Option<u64>,
    pub transactions_behind: Option<u64>,
    pub head: Option<Place>,
    pub retrieved: Option<Place>,
    pub executed: Option<Place>,
    pub copying: Option<String>,
    pub copy: Option<CopyStatus>,
    pub source: Server,
    pub target: Server,
    pub checkpoint: Option<Checkpoint>,
    pub stopped_at_micros: Option<u64>,
    pub cutover: Option<Cutover>,
    pub verified: Option<verify::Kept>,
    pub held_back: Option<u64>,
    pub skipped: Option<u64>,
    pub last_error: Option<Value>,
    pub last_error_at_micros: Option<u64>,
}

/// The process that runs the pipeline on this machine.
#[derive(Debug, Serialize)]
pub(super) struct Host {
    pub pid: u32,
    pub uptime_seconds: Option<f64>,
    pub restarts: Option<u64>,
    pub source_silent_seconds: Option<f64>,
    pub target_silent_seconds: Option<f64>,
    pub rows_per_second: Option<f64>,
    pub rows_applied: Option<u64>,
    pub rows_repaired: Option<u64>,
    pub transactions_applied: Option<u64>,
    pub statements_applied: Option<u64>,
    pub statements_left_out: Option<u64>,
    pub groups_committed: Option<u64>,
    pub bytes_read: Option<u64>,
}

/// A place in the source's log.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    pub position: String,
    pub gtid_set: Option<String>,
}

/// A server as it answered now.
#[derive(Debug, Serialize)]
pub(super) struct Server {
    pub address: String,
    pub reachable: bool,
    pub version: Option<String>,
    pub error: Option<error::Report>,
}

/// What the target holds.
#[derive(Debug, Serialize)]
pub(super) struct Checkpoint {
    pub position: String,
    pub gtid_set: Option<String>,
    pub ordinal: u64,
    pub epoch: u64,
    pub written_at_micros: u64,
    pub committed_at_micros: u64,
}

/// A cutover that was begun.
#[derive(Debug, Serialize)]
pub(super) struct Cutover {
    pub stage: String,
    pub began_at_micros: u64,
    pub changed_at_micros: u64,
}

impl Report {
    pub(super) fn new(found: Found<'_>) -> Self {
        let Found {
            name,
            addresses: [source_address, target_address],
            host,
            target,
            source,
            next_commit_micros,
            cutover,
            verified,
            now_micros,
        } = found;
        let live = host.map(|host| &host.status);
        let known = target.as_ref().ok();
        let checkpoint = known.and_then(|target| {
            let checkpoint = target.checkpoint.as_ref()?;
            let place = place(&checkpoint.display);
            Some(Checkpoint {
                position: place.position,
                gtid_set: place.gtid_set,
                ordinal: checkpoint.ordinal,
                epoch: target.epoch,
                written_at_micros: target.written_at_micros,
                committed_at_micros: target.committed_at_micros,
            })
        });
        let distance = source.as_ref().ok();
        let transactions_behind = distance.and_then(|source| source.transactions_behind);
        let bytes_behind = distance.and_then(|source| source.bytes_behind);
        let stopped_at_micros = known.and_then(|target| target.stopped_at_micros);
        let (last_error, last_error_at_micros) = last_error(live, known);
        // The host hears of a commit before anybody who asks the target, but does not know what was there when it began to connect.
        let durable = live
            .and_then(|live| live["durable_position"].as_str())
            .or(known
                .and_then(|target| target.checkpoint.as_ref())
                .map(|checkpoint| checkpoint.display.as_str()));
        Self {
            pipeline: name.to_owned(),
            state: state(live, stopped_at_micros.is_some(), cutover),
            host: host.map(Host::new),
            // A host that has just begun knows less than the target.
            seconds_behind: live
                .and_then(|live| live["lag_seconds"].as_f64())
                .or_else(|| {
                    let behind = transactions_behind.or(bytes_behind);
                    let ahead = distance.and_then(|source| source.clock_ahead_micros);
                    let since = behind_since(behind, next_commit_micros, ahead, known?)?;
                    Some(seconds_from(since, now_micros))
                }),
            bytes_behind,
            transactions_behind,
            head: distance.map(|source| place(&source.head)),
            retrieved: live.and_then(|live| live["source_position"].as_str().map(place)),
            executed: durable.map(place),
            copying: durable.and_then(copying),
            copy: live.and_then(|live| CopyStatus::deserialize(&live["copy"]).ok()),
            source: server(source_address, source, |source| &source.server_version),
            target: server(target_address, target, |target| &target.server_version),
            checkpoint,
            stopped_at_micros,
            cutover: cutover.map(|known| Cutover {
                stage: known.progress.stage.clone(),
                began_at_micros: known.began_at_micros,
                changed_at_micros: known.changed_at_micros,
            }),
            verified,
            held_back: known.map(|target| target.held_back),
            skipped: known.map(|target| target.skipped),
            last_error,
            last_error_at_micros,
        }
    }
}

impl Host {
    fn new(host: &Answered) -> Self {
        let count = |key: &str| host.status[key].as_u64();
        Self {
            pid: host.pid,
            uptime_seconds: host.status["uptime_seconds"].as_f64(),
            restarts: count("restarts"),
            source_silent_seconds: host.status["source_silent_seconds"].as_f64(),
            target_silent_seconds: host.status["target_silent_seconds"].as_f64(),
            rows_per_second: host.status["rows_per_second"].as_f64(),
            rows_applied: count("rows_applied"),
            rows_repaired: count("rows_repaired"),
            transactions_applied: count("transactions_applied"),
            statements_applied: count("statements_applied"),
            statements_left_out: count("statements_left_out"),
            groups_committed: count("groups_committed"),
            bytes_read: count("bytes_read"),
        }
    }
}

fn state(live: Option<&Value>, stopped: bool, cutover: Option<&KnownCutover>) -> String {
    match (live.and_then(|live| live["state"].as_str()), cutover) {
        (Some("stopped") | None, Some(known)) => format!("cutover {}", known.progress.stage),
        (Some(state), _) => state.to_owned(),
        (None, None) if stopped => "stopped".to_owned(),
        (None, None) => "not running".to_owned(),
    }
}

/// Since when the target is behind, by our clock, as far as that is known without a host that is connected. None when nothing is missing, since what comes
/// next is not read.
fn behind_since(
    behind: Option<u64>,
    next_commit_micros: Option<u64>,
    clock_ahead_micros: Option<i64>,
    target: &SinkInspection,
) -> Option<u64> {
    if behind == Some(0) {
        return None;
    }
    let commit = next_commit_micros
        .filter(|micros| *micros > 0)
        .or((target.committed_at_micros > 0).then_some(target.committed_at_micros))?;
    Some(match clock_ahead_micros {
        Some(ahead) => commit.saturating_add_signed(ahead.saturating_neg()),
        // Nothing was written before it was committed, so a commit time that is later is that of a clock that is ahead.
        None if target.written_at_micros > 0 => commit.min(target.written_at_micros),
        None => commit,
    })
}

/// Never 0: that would say that the target is in step.
fn seconds_from(since_micros: u64, now_micros: u64) -> f64 {
    const LEAST_MICROS: u64 = 1000;
    #[expect(clippy::cast_precision_loss, reason = "for people, in seconds")]
    let micros = now_micros.saturating_sub(since_micros).max(LEAST_MICROS) as f64;
    micros / 1e6
}

/// The host's own, else the one that was left in the target.
fn last_error(
    live: Option<&Value>,
    known: Option<&SinkInspection>,
) -> (Option<Value>, Option<u64>) {
    if let Some(live) = live
        && live["last_error"].is_object()
    {
        return (
            Some(live["last_error"].clone()),
            live["last_error_at_micros"].as_u64(),
        );
    }
    match known.and_then(|target| target.last_error.as_ref()) {
        Some(noted) => (
            // What is no JSON was written by hand.
            serde_json::from_str(&noted.report)
                .ok()
                .or_else(|| Some(Value::from(noted.report.as_str()))),
            Some(noted.at_micros),
        ),
        None => (None, None),
    }
}

fn server<T>(address: String, answer: &Result<T>, version: impl FnOnce(&T) -> &String) -> Server {
    match answer {
        Ok(answer) => Server {
            address,
            reachable: true,
            version: Some(version(answer).clone()),
            error: None,
        },
        Err(error) => Server {
            address,
            reachable: false,
            version: None,
            error: Some(error.report().clone()),
        },
    }
}

/// What a first copy that is not complete is at, by a checkpoint's display.
fn copying(display: &str) -> Option<String> {
    let (_, what) = display.split_once(COPYING)?;
    Some(what.to_owned())
}

const COPYING: &str = "; copying ";

/// A checkpoint's display: file and offset, then, where there are GTIDs, a space and the set, then what a first copy is at (wit/types.wit).
fn place(display: &str) -> Place {
    let place = display
        .split_once(COPYING)
        .map_or(display, |(place, _)| place);
    match place.split_once(' ') {
        Some((position, set)) => Place {
            position: position.to_owned(),
            gtid_set: Some(set.to_owned()),
        },
        None => Place {
            position: place.to_owned(),
            gtid_set: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};

    pub(in super::super) fn target() -> SinkInspection {
        SinkInspection {
            checkpoint: Some(crate::bindings::Checkpoint {
                ordinal: 7,
                data: vec![1],
                display: "binlog.000003:1234 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-7".to_owned(),
            }),
            written_at_micros: 951_782_400_000_000,
            epoch: 2,
            server_version: "9.7.4".to_owned(),
            committed_at_micros: 951_782_400_000_000,
            stopped_at_micros: None,
            held_back: 1,
            skipped: 0,
            last_error: None,
        }
    }

    fn source(behind: u64) -> SourceInspection {
        SourceInspection {
            head: "binlog.000003:2000".to_owned(),
            server_version: "9.7.4".to_owned(),
            transactions_behind: Some(behind),
            bytes_behind: Some(766),
            clock_ahead_micros: Some(0),
        }
    }

    /// 10 s after the newest transaction in the target was committed.
    const NOW: u64 = 951_782_410_000_000;

    fn report(
        host: Option<&Answered>,
        source: &Result<SourceInspection>,
        next_commit_micros: Option<u64>,
    ) -> Report {
        Report::new(Found {
            name: "orders",
            addresses: ["s:1".to_owned(), "t:2".to_owned()],
            host,
            target: &Ok(target()),
            source,
            next_commit_micros,
            cutover: None,
            verified: None,
            now_micros: NOW,
        })
    }

    fn unreachable() -> Error {
        Error::new(Kind::Retry, "net.refused", "failed to connect")
    }

    #[test]
    fn without_a_host_the_commit_time_counts_and_it_is_never_zero() {
        let behind = report(None, &Ok(source(3)), None);
        assert_eq!(behind.state, "not running");
        assert_eq!(behind.seconds_behind, Some(10.0));
        assert_eq!(report(None, &Ok(source(0)), None).seconds_behind, None);
        let executed = behind.executed.unwrap();
        assert_eq!(executed.position, "binlog.000003:1234");
        assert!(executed.gtid_set.unwrap().ends_with(":1-7"));
    }

    #[test]
    fn the_first_missing_transaction_counts_where_it_is_known() {
        let check = |next: u64, ahead: Option<i64>, expected: f64| {
            let source = SourceInspection {
                clock_ahead_micros: ahead,
                ..source(3)
            };
            let found = report(None, &Ok(source), Some(next)).seconds_behind;
            assert_eq!(found, Some(expected), "{next} {ahead:?}");
        };
        check(NOW - 2_000_000, Some(0), 2.0);
        check(NOW + 88_000_000, Some(90_000_000), 2.0);
        check(NOW - 92_000_000, Some(-90_000_000), 2.0);
        // A commit from the future is an error of measurement.
        check(NOW + 1, Some(0), 0.001);
        check(0, Some(0), 10.0);
        check(u64::MAX, Some(i64::MIN), 0.001);
        // Without a measurement, the target's own clock says that it was no later than this.
        check(NOW + 80_000_000, None, 10.0);
        assert_eq!(
            report(None, &Err(unreachable()), None).seconds_behind,
            Some(10.0)
        );
    }

    #[test]
    fn a_hosts_own_word_goes_before_the_targets() {
        let host = Answered {
            pid: 12,
            status: serde_json::json!({
                "state": "waiting to retry", "lag_seconds": 4.5, "source_silent_seconds": 1.5, "durable_position": "binlog.000003:1500",
                "restarts": 2, "last_error": {"code": "net.refused"}, "last_error_at_micros": 5,
            }),
            throttle: None,
        };
        let report = report(Some(&host), &Err(unreachable()), None);
        assert_eq!(report.state, "waiting to retry");
        assert_eq!(report.seconds_behind, Some(4.5));
        assert_eq!(report.executed.unwrap().position, "binlog.000003:1500");
        assert_eq!(report.last_error.unwrap()["code"], "net.refused");
        assert_eq!(report.source.error.unwrap().code, "net.refused");
        assert_eq!(report.checkpoint.unwrap().position, "binlog.000003:1234");
    }

    #[test]
    fn a_copy_is_known_with_and_without_a_host() {
        let display = "binlog.000003:4 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-7; copying s.t; u";
        assert_eq!(copying(display).as_deref(), Some("s.t; u"));
        assert_eq!(copying("binlog.000003:4"), None);
        let found = place(display);
        assert_eq!(found.position, "binlog.000003:4");
        assert!(found.gtid_set.unwrap().ends_with(":1-7"));
        assert_eq!(
            place("binlog.000003:4; copying s.t").position,
            "binlog.000003:4"
        );
        let copy = crate::cli::copy_text::tests::copy();
        let host = Answered {
            pid: 12,
            status: serde_json::json!({"durable_position": display, "copy": copy}),
            throttle: None,
        };
        let report = report(Some(&host), &Ok(source(0)), None);
        assert_eq!(report.copy, Some(copy));
        assert_eq!(report.copying.as_deref(), Some("s.t; u"));
    }

    #[test]
    fn a_host_that_knows_no_lag_yet_is_helped_out_by_the_target() {
        let host = Answered {
            pid: 12,
            status: serde_json::json!({"state": "connecting", "lag_seconds": null}),
            throttle: None,
        };
        let check = |source: &Result<SourceInspection>, expected: Option<f64>| {
            assert_eq!(report(Some(&host), source, None).seconds_behind, expected);
        };
        check(&Err(unreachable()), Some(10.0));
        check(&Ok(source(3)), Some(10.0));
        check(&Ok(source(0)), None);
    }
}
