//! The supervisor over plugins made of scripts, without WebAssembly.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::bindings::types::Transaction;
use crate::bindings::{Batch, Checkpoint, Progress, Resumption, SinkStatus, SourceStatus};
use crate::pipeline::{Reader, Writer};

/// A source with transactions 1 to `last`, and a target that keeps what was committed over all generations.
struct Servers {
    last: u64,
    committed: Mutex<Vec<u64>>,
    /// Errors that calls meet, by the name of the call, each once.
    faults: Mutex<VecDeque<(&'static str, Error)>>,
    /// How often each fault is met; 0 is once.
    endless: bool,
    caught_up: bool,
    /// At which paces sinks were opened.
    paces: Mutex<Vec<Pace>>,
    /// A person's stop in the target.
    stopped: Mutex<bool>,
    noted: Mutex<Vec<String>>,
    /// How often the checks were made.
    preflights: AtomicU32,
}

impl Servers {
    fn new(last: u64, faults: Vec<(&'static str, Error)>) -> Arc<Self> {
        Arc::new(Self {
            last,
            committed: Mutex::default(),
            faults: Mutex::new(faults.into()),
            endless: false,
            caught_up: true,
            paces: Mutex::default(),
            stopped: Mutex::default(),
            noted: Mutex::default(),
            preflights: AtomicU32::new(0),
        })
    }

    fn meet(&self, call: &'static str) -> Result<()> {
        let mut faults = self.faults.lock().unwrap();
        match faults.front() {
            Some((at, error)) if *at == call => {
                let error = error.clone();
                if !self.endless {
                    faults.pop_front();
                }
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn newest(&self) -> u64 {
        self.committed.lock().unwrap().last().copied().unwrap_or(0)
    }
}

fn checkpoint(ordinal: u64) -> Checkpoint {
    Checkpoint {
        ordinal,
        data: Vec::new(),
        display: format!("at {ordinal}"),
    }
}

struct FakePlugins(Arc<Servers>);

impl Plugins for FakePlugins {
    fn preflight(&self, _waker: &Arc<Waker>) -> Result<()> {
        self.0.preflights.fetch_add(1, Ordering::Relaxed);
        self.0.meet("preflight")
    }

    fn open_source(
        &self,
        waker: &Arc<Waker>,
        resume: Option<&Checkpoint>,
        _set_position: bool,
        _pace: Pace,
    ) -> Result<Box<dyn Reader>> {
        self.0.meet("source.open")?;
        let next = resume.map_or(0, |c| c.ordinal) + 1;
        Ok(Box::new(FakeReader {
            servers: Arc::clone(&self.0),
            waker: Arc::clone(waker),
            next,
            acked: next - 1,
        }))
    }

    fn open_sink(&self, waker: &Arc<Waker>, pace: Pace) -> Result<(Box<dyn Writer>, Resumption)> {
        self.0.meet("sink.open")?;
        self.0.paces.lock().unwrap().push(pace);
        let newest = self.0.newest();
        let writer = FakeWriter {
            servers: Arc::clone(&self.0),
            waker: Arc::clone(waker),
            accepted: Vec::new(),
        };
        let resumption = Resumption {
            checkpoint: (newest > 0).then(|| checkpoint(newest)),
            set_position: false,
        };
        Ok((Box::new(writer), resumption))
    }

    fn is_stopped(&self) -> Result<bool> {
        Ok(*self.0.stopped.lock().unwrap())
    }

    fn note_error(&self, report: &str) -> Result<()> {
        self.0.noted.lock().unwrap().push(report.to_owned());
        Ok(())
    }
}

/// Sleeps as a plugin's `wait` does.
fn sleep(waker: &Waker, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end && !waker.is_interrupted() {
        if waker.take_attention() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    if waker.is_interrupted() {
        Err(crate::plugin::interrupted())
    } else {
        Ok(())
    }
}

struct FakeReader {
    servers: Arc<Servers>,
    waker: Arc<Waker>,
    next: u64,
    acked: u64,
}

impl Reader for FakeReader {
    fn poll(&mut self, _max_bytes: u32, max_wait: Duration) -> Result<Option<Batch>> {
        self.servers.meet("source.poll")?;
        if self.next > self.servers.last {
            sleep(&self.waker, max_wait)?;
            return Ok(None);
        }
        let ordinal = self.next;
        self.next += 1;
        let transaction = Transaction {
            ordinal,
            piece: 0,
            last: true,
            gtid: None,
            file: "binlog.000001".to_owned(),
            offset: ordinal,
            committed_at_micros: ordinal,
            changes: Vec::new(),
            checkpoint: Some(checkpoint(ordinal)),
        };
        Ok(Some(Batch {
            tables: Vec::new(),
            transactions: vec![transaction],
            rows: vec![0; 1000],
        }))
    }

    fn ack(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.acked = checkpoint.ordinal;
        Ok(())
    }

    fn status(&mut self) -> Result<SourceStatus> {
        Ok(SourceStatus {
            state: "streaming".to_owned(),
            position: format!("at {}", self.next - 1),
            bytes_read: 0,
            transactions_read: 0,
            last_commit_micros: 0,
            clock_ahead_micros: 0,
            caught_up: self.servers.caught_up && self.acked >= self.servers.last,
        })
    }
}

struct FakeWriter {
    servers: Arc<Servers>,
    waker: Arc<Waker>,
    accepted: Vec<u64>,
}

impl FakeWriter {
    fn commit(&mut self) -> Progress {
        let mut committed = self.servers.committed.lock().unwrap();
        let durable = self.accepted.last().map(|ordinal| checkpoint(*ordinal));
        committed.append(&mut self.accepted);
        Progress {
            durable,
            accepts: true,
            pending: false,
        }
    }
}

impl Writer for FakeWriter {
    fn apply(&mut self, batch: &Batch) -> Result<()> {
        self.servers.meet("sink.apply")?;
        self.accepted
            .extend(batch.transactions.iter().map(|t| t.ordinal));
        Ok(())
    }

    fn advance(&mut self, max_wait: Duration) -> Result<Progress> {
        self.servers.meet("sink.advance")?;
        if self.accepted.len() < 3 {
            if max_wait.is_zero() {
                let pending = !self.accepted.is_empty();
                return Ok(Progress {
                    durable: None,
                    accepts: true,
                    pending,
                });
            }
            sleep(&self.waker, max_wait.min(Duration::from_millis(20)))?;
        }
        Ok(self.commit())
    }

    fn flush(&mut self, _max_wait: Duration) -> Result<Progress> {
        Ok(self.commit())
    }

    fn status(&mut self) -> Result<SinkStatus> {
        Ok(SinkStatus {
            state: "applying".to_owned(),
            position: String::new(),
            transactions_applied: self.servers.committed.lock().unwrap().len() as u64,
            rows_applied: 0,
            statements_applied: 0,
            groups_committed: 0,
            statements_left_out: 0,
            last_commit_micros: 0,
        })
    }
}

fn settings() -> Settings {
    Settings {
        name: "test".to_owned(),
        needs_snapshot: false,
        queue_bytes: 5000,
        until_caught_up: true,
        connect_retry: Duration::ZERO,
    }
}

fn run(servers: &Arc<Servers>, settings: Settings, stop: &Stop) -> (Result<Outcome>, StatusHandle) {
    let status = StatusHandle::new("test");
    let plugins: Arc<dyn Plugins> = Arc::new(FakePlugins(Arc::clone(servers)));
    (
        Supervisor::new(plugins, settings, status.clone(), Hold::default()).run(stop),
        status,
    )
}

fn retry(code: &str) -> Error {
    Error::new(Kind::Retry, code, "passing trouble")
}

fn in_order(servers: &Servers) -> bool {
    *servers.committed.lock().unwrap() == (1..=servers.last).collect::<Vec<_>>()
}

#[test]
fn everything_arrives_once_and_in_order() {
    let servers = Servers::new(200, Vec::new());
    let (outcome, status) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    assert!(in_order(&servers));
    let status = status.get();
    assert_eq!(
        (status.durable_ordinal, status.restarts, status.state),
        (200, 0, "stopped")
    );
}

#[test]
fn passing_trouble_starts_anew_from_the_checkpoint() {
    let faults = vec![
        ("source.poll", retry("net.closed")),
        ("sink.advance", retry("net.reset")),
        ("source.open", retry("net.refused")),
        ("sink.open", retry("net.refused")),
        ("sink.apply", retry("server.deadlock")),
    ];
    let servers = Servers::new(100, faults);
    let (outcome, status) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    assert!(in_order(&servers));
    assert!(servers.faults.lock().unwrap().is_empty(), "all were met");
    // Both sides can fail in one generation.
    assert!(
        (3..=5).contains(&status.get().restarts),
        "{}",
        status.get().restarts
    );
}

#[test]
fn a_server_that_was_never_reached_ends_the_run_at_once() {
    for call in ["preflight", "sink.open", "source.open"] {
        let servers = Servers::new(1, vec![(call, retry("net.refused"))]);
        let (outcome, _) = run(&servers, settings(), &Stop::new());
        assert_eq!(outcome.unwrap_err().code(), "net.refused");
    }
    let servers = Servers::new(1, vec![("source.open", retry("net.refused"))]);
    let patient = Settings {
        connect_retry: Duration::from_secs(60),
        ..settings()
    };
    assert_eq!(
        run(&servers, patient, &Stop::new()).0.unwrap(),
        Outcome::CaughtUp
    );
}

#[test]
fn the_checks_are_made_until_they_are_passed_and_then_no_more() {
    let faults = vec![
        ("preflight", retry("net.refused")),
        ("preflight", retry("net.refused")),
        ("source.poll", retry("net.closed")),
        ("source.poll", retry("net.closed")),
    ];
    let servers = Servers::new(10, faults);
    let patient = Settings {
        connect_retry: Duration::from_secs(60),
        ..settings()
    };
    let (outcome, _) = run(&servers, patient, &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    assert_eq!(servers.preflights.load(Ordering::Relaxed), 3);
    // A finding that a person must mend ends the run before anything is opened.
    let finding = Error::new(Kind::Reconfigure, "source.row-image", "a finding");
    let servers = Servers::new(10, vec![("preflight", finding)]);
    let (outcome, _) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap_err().code(), "source.row-image");
    assert!(servers.committed.lock().unwrap().is_empty());
}

#[test]
fn what_a_person_must_mend_ends_the_run() {
    for kind in [Kind::Reconfigure, Kind::Resnapshot, Kind::Fatal] {
        let servers = Servers::new(10, vec![("sink.apply", Error::new(kind, "x.y", "trouble"))]);
        let (outcome, _) = run(&servers, settings(), &Stop::new());
        assert_eq!(outcome.unwrap_err().kind(), kind);
        assert!(servers.committed.lock().unwrap().is_empty());
    }
}

#[test]
fn a_plugin_that_keeps_crashing_is_given_up() {
    let mut servers = Servers::new(10, vec![("sink.apply", retry("plugin.trap"))]);
    Arc::get_mut(&mut servers).unwrap().endless = true;
    let (outcome, status) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap_err().code(), "plugin.trap");
    assert_eq!(status.get().restarts, u64::from(CRASHES) - 1);
}

#[test]
fn a_first_copy_is_asked_for_only_without_a_checkpoint() {
    let servers = Servers::new(10, Vec::new());
    let snapshot = Settings {
        needs_snapshot: true,
        ..settings()
    };
    let error = run(&servers, snapshot.clone(), &Stop::new()).0.unwrap_err();
    assert_eq!(
        (error.code(), error.exit_code()),
        ("start.snapshot-unavailable", 2)
    );
    servers.committed.lock().unwrap().push(1);
    assert_eq!(
        run(&servers, snapshot, &Stop::new()).0.unwrap(),
        Outcome::CaughtUp
    );
}

#[test]
fn a_stop_commits_what_was_accepted() {
    let servers = Servers::new(u64::MAX, Vec::new());
    let stop = Stop::new();
    let later = stop.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        later.request();
    });
    let begun = Instant::now();
    let (outcome, status) = run(
        &servers,
        Settings {
            until_caught_up: false,
            ..settings()
        },
        &stop,
    );
    thread.join().unwrap();
    assert_eq!(outcome.unwrap(), Outcome::Stopped);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    let committed = servers.committed.lock().unwrap();
    assert!(!committed.is_empty());
    assert_eq!(*committed, (1..=committed.len() as u64).collect::<Vec<_>>());
    assert_eq!(status.get().durable_ordinal, committed.len() as u64);
    assert_eq!(
        run(&Servers::new(1, Vec::new()), settings(), &stop)
            .0
            .unwrap(),
        Outcome::Stopped
    );
}

fn about_a_transaction(code: &str) -> Error {
    Error::new(Kind::Fatal, code, "it cannot be applied").at("binlog.000001:7")
}

#[test]
fn an_error_in_a_group_is_looked_for_one_by_one_and_then_ends_the_run() {
    let fault = || ("sink.apply", about_a_transaction("row.missing"));
    let servers = Servers::new(100, vec![fault(), fault()]);
    let (outcome, _) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap_err().code(), "row.missing");
    let paces = servers.paces.lock().unwrap();
    assert!(
        matches!(paces[..], [Pace::Groups, Pace::OneByOne { until }] if until > 0),
        "{paces:?}"
    );
    assert_eq!(servers.noted.lock().unwrap().len(), 1);
}

#[test]
fn what_goes_through_one_by_one_goes_on_in_groups() {
    let servers = Servers::new(
        100,
        vec![("sink.apply", about_a_transaction("row.missing"))],
    );
    let (outcome, _) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    assert!(in_order(&servers));
    let paces = servers.paces.lock().unwrap();
    // The whole may have gone through before the supervisor went back.
    assert!(matches!(paces[1], Pace::OneByOne { .. }), "{paces:?}");
    assert!(servers.noted.lock().unwrap().is_empty());
}

#[test]
fn what_was_read_before_an_error_of_the_source_is_applied() {
    let servers = Servers::new(100, Vec::new());
    let plugins = SourceFailsAt(FakePlugins(Arc::clone(&servers)), 40);
    let supervisor = Supervisor::new(
        Arc::new(plugins),
        settings(),
        StatusHandle::new("test"),
        Hold::default(),
    );
    assert_eq!(
        supervisor.run(&Stop::new()).unwrap_err().code(),
        "binlog.unknown-event"
    );
    assert_eq!(
        *servers.committed.lock().unwrap(),
        (1..=40).collect::<Vec<_>>()
    );
}

/// A source that cannot read what follows an ordinal.
struct SourceFailsAt(FakePlugins, u64);

impl Plugins for SourceFailsAt {
    fn preflight(&self, waker: &Arc<Waker>) -> Result<()> {
        self.0.preflight(waker)
    }

    fn open_source(
        &self,
        waker: &Arc<Waker>,
        resume: Option<&Checkpoint>,
        set_position: bool,
        pace: Pace,
    ) -> Result<Box<dyn Reader>> {
        let inner = self.0.open_source(waker, resume, set_position, pace)?;
        Ok(Box::new(FailsAt(inner, self.1)))
    }

    fn open_sink(&self, waker: &Arc<Waker>, pace: Pace) -> Result<(Box<dyn Writer>, Resumption)> {
        self.0.open_sink(waker, pace)
    }

    fn is_stopped(&self) -> Result<bool> {
        self.0.is_stopped()
    }

    fn note_error(&self, report: &str) -> Result<()> {
        self.0.note_error(report)
    }
}

struct FailsAt(Box<dyn Reader>, u64);

impl Reader for FailsAt {
    fn poll(&mut self, max_bytes: u32, max_wait: Duration) -> Result<Option<Batch>> {
        let batch = self.0.poll(max_bytes, max_wait)?;
        let past = |batch: &Batch| batch.transactions.iter().any(|t| t.ordinal > self.1);
        if batch.as_ref().is_some_and(past) {
            return Err(about_a_transaction("binlog.unknown-event"));
        }
        Ok(batch)
    }

    fn ack(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.0.ack(checkpoint)
    }

    fn status(&mut self) -> Result<SourceStatus> {
        self.0.status()
    }
}

#[test]
fn a_person_stops_and_starts_it() {
    let servers = Servers::new(u64::MAX, Vec::new());
    let (stop, hold, status) = (Stop::new(), Hold::default(), StatusHandle::new("test"));
    let plugins: Arc<dyn Plugins> = Arc::new(FakePlugins(Arc::clone(&servers)));
    let wanted = Settings {
        until_caught_up: false,
        ..settings()
    };
    let supervisor = Supervisor::new(plugins, wanted, status.clone(), hold.clone());
    let ends = stop.clone();
    let thread = std::thread::spawn(move || supervisor.run(&ends));
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(30);
        while !holds() {
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    until("it runs", &|| servers.newest() > 0);
    hold.set();
    until("it rests", &|| status.get().state == "stopped");
    let at = servers.newest();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(servers.newest(), at, "nothing is applied at rest");
    hold.release();
    until("it goes on", &|| servers.newest() > at);
    stop.request();
    assert_eq!(thread.join().unwrap().unwrap(), Outcome::Stopped);
}

#[test]
fn a_stop_by_the_target_lets_it_rest() {
    for (call, code) in [
        ("sink.open", "sink.stopped"),
        ("sink.advance", "checkpoint.fenced"),
    ] {
        let error = Error::new(Kind::Reconfigure, code, "stopped by a person");
        let servers = Servers::new(10, vec![(call, error)]);
        *servers.stopped.lock().unwrap() = true;
        // Who waits for an end must not wait for a person.
        let (outcome, _) = run(&servers, settings(), &Stop::new());
        assert_eq!(outcome.unwrap_err().code(), "sink.stopped");
    }
    // Another host has taken it: it must not be taken back.
    let servers = Servers::new(
        10,
        vec![("sink.advance", about_a_transaction("checkpoint.fenced"))],
    );
    let (outcome, _) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap_err().code(), "checkpoint.fenced");
    assert_eq!(servers.paces.lock().unwrap().len(), 1);
}
