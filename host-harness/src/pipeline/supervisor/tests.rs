//! The supervisor over plugins made of scripts, without WebAssembly.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::bindings::types::Transaction;
use crate::bindings::{Batch, Progress, SinkStatus, SourceStatus};
use crate::pipeline::{Reader, Writer};
use crate::transport::Waker;

/// A source with transactions 1 to `last`, and a target that keeps what was committed over all generations.
struct Servers {
    last: u64,
    committed: Mutex<Vec<u64>>,
    /// Errors that calls meet, by the name of the call, each once.
    faults: Mutex<VecDeque<(&'static str, Error)>>,
    /// How often each fault is met; 0 is once.
    endless: bool,
    caught_up: bool,
}

impl Servers {
    fn new(last: u64, faults: Vec<(&'static str, Error)>) -> Arc<Self> {
        Arc::new(Self {
            last,
            committed: Mutex::default(),
            faults: Mutex::new(faults.into()),
            endless: false,
            caught_up: true,
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
    fn open_source(
        &self,
        waker: &Arc<Waker>,
        resume: Option<&Checkpoint>,
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

    fn open_sink(&self, waker: &Arc<Waker>) -> Result<(Box<dyn Writer>, Option<Checkpoint>)> {
        self.0.meet("sink.open")?;
        let newest = self.0.newest();
        let writer = FakeWriter {
            servers: Arc::clone(&self.0),
            waker: Arc::clone(waker),
            accepted: Vec::new(),
        };
        Ok((Box::new(writer), (newest > 0).then(|| checkpoint(newest))))
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
        Supervisor::new(plugins, settings, status.clone()).run(stop),
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
    for call in ["sink.open", "source.open"] {
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
