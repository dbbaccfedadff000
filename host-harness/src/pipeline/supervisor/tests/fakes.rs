//! Plugins made of scripts, without WebAssembly.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::*;
use crate::bindings::types::{Contact, Transaction};
use crate::bindings::{Batch, Checkpoint, Progress, Resumption, SinkStatus, SourceStatus};
use crate::pipeline::{Reader, Standing, Writer};

/// A source with transactions 1 to `last`, and a target that keeps what was committed over all generations.
pub(super) struct Servers {
    pub(super) last: u64,
    pub(super) committed: Mutex<Vec<u64>>,
    /// Errors that calls meet, by the name of the call, each once.
    pub(super) faults: Mutex<VecDeque<(&'static str, Error)>>,
    /// How often each fault is met; 0 is once.
    pub(super) endless: bool,
    pub(super) caught_up: bool,
    /// At which paces sinks were opened.
    pub(super) paces: Mutex<Vec<Pace>>,
    /// What the target says of a person's orders.
    pub(super) standing: Mutex<Standing>,
    /// Whether sinks were opened for a pipeline that is known to be there.
    pub(super) known: Mutex<Vec<bool>>,
    pub(super) noted: Mutex<Vec<String>>,
    /// How often the checks were made.
    pub(super) preflights: AtomicU32,
}

impl Servers {
    pub(super) fn new(last: u64, faults: Vec<(&'static str, Error)>) -> Arc<Self> {
        Arc::new(Self {
            last,
            committed: Mutex::default(),
            faults: Mutex::new(faults.into()),
            endless: false,
            caught_up: true,
            paces: Mutex::default(),
            standing: Mutex::new(Standing::MayRun),
            known: Mutex::default(),
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

    pub(super) fn newest(&self) -> u64 {
        self.committed.lock().unwrap().last().copied().unwrap_or(0)
    }
}

pub(super) fn checkpoint(ordinal: u64) -> Checkpoint {
    Checkpoint {
        ordinal,
        data: Vec::new(),
        display: format!("at {ordinal}"),
    }
}

pub(super) struct FakePlugins(pub(super) Arc<Servers>);

impl Plugins for FakePlugins {
    fn preflight(&self, _waker: &Arc<Waker>) -> Result<()> {
        self.0.preflights.fetch_add(1, Ordering::Relaxed);
        self.0.meet("preflight")
    }

    fn open_source(
        &self,
        waker: &Arc<Waker>,
        from: &Resumption,
        _pace: Pace,
    ) -> Result<Box<dyn Reader>> {
        self.0.meet("source.open")?;
        let next = from.checkpoint.as_ref().map_or(0, |c| c.ordinal) + 1;
        Ok(Box::new(FakeReader {
            servers: Arc::clone(&self.0),
            waker: Arc::clone(waker),
            next,
            acked: next - 1,
        }))
    }

    fn open_sink(
        &self,
        waker: &Arc<Waker>,
        pace: Pace,
        known: bool,
    ) -> Result<(Box<dyn Writer>, Resumption)> {
        self.0.known.lock().unwrap().push(known);
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
            ahead: None,
        };
        Ok((Box::new(writer), resumption))
    }

    fn standing(&self, _waker: &Arc<Waker>) -> Result<Standing> {
        Ok(*self.0.standing.lock().unwrap())
    }

    fn record_stop(&self, _waker: &Arc<Waker>) -> Result<()> {
        *self.0.standing.lock().unwrap() = Standing::Stopped;
        Ok(())
    }

    fn refresh(&self) -> Result<()> {
        self.0.meet("refresh")
    }

    fn note_error(&self, report: &str, _waker: &Arc<Waker>) -> Result<()> {
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
            xa: None,
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
            in_transaction: false,
            contact: HEARD,
            copy: None,
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
            rows_repaired: 0,
            statements_applied: 0,
            groups_committed: 0,
            statements_left_out: 0,
            last_commit_micros: 0,
            contact: HEARD,
        })
    }
}

/// A server that answers.
const HEARD: Contact = Contact {
    silent_ms: 0,
    expected_ms: 1000,
};

/// A source that cannot read what follows an ordinal.
pub(super) struct SourceFailsAt(pub(super) FakePlugins, pub(super) u64);

impl Plugins for SourceFailsAt {
    fn preflight(&self, waker: &Arc<Waker>) -> Result<()> {
        self.0.preflight(waker)
    }

    fn open_source(
        &self,
        waker: &Arc<Waker>,
        from: &Resumption,
        pace: Pace,
    ) -> Result<Box<dyn Reader>> {
        let inner = self.0.open_source(waker, from, pace)?;
        Ok(Box::new(FailsAt(inner, self.1)))
    }

    fn open_sink(
        &self,
        waker: &Arc<Waker>,
        pace: Pace,
        known: bool,
    ) -> Result<(Box<dyn Writer>, Resumption)> {
        self.0.open_sink(waker, pace, known)
    }

    fn standing(&self, waker: &Arc<Waker>) -> Result<Standing> {
        self.0.standing(waker)
    }

    fn record_stop(&self, waker: &Arc<Waker>) -> Result<()> {
        self.0.record_stop(waker)
    }

    fn refresh(&self) -> Result<()> {
        self.0.refresh()
    }

    fn note_error(&self, report: &str, waker: &Arc<Waker>) -> Result<()> {
        self.0.note_error(report, waker)
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

pub(super) fn about_a_transaction(code: &str) -> Error {
    Error::new(Kind::Fatal, code, "it cannot be applied").at("binlog.000001:7")
}

/// A target that loses everything when the connection to it is lost, which happens once something is committed.
pub(super) struct Vanishing(pub(super) FakePlugins);

impl Plugins for Vanishing {
    fn preflight(&self, waker: &Arc<Waker>) -> Result<()> {
        self.0.preflight(waker)
    }

    fn open_source(
        &self,
        waker: &Arc<Waker>,
        from: &Resumption,
        pace: Pace,
    ) -> Result<Box<dyn Reader>> {
        let inner = self.0.open_source(waker, from, pace)?;
        Ok(Box::new(LosesTarget(inner, Arc::clone(&self.0.0))))
    }

    fn open_sink(
        &self,
        waker: &Arc<Waker>,
        pace: Pace,
        known: bool,
    ) -> Result<(Box<dyn Writer>, Resumption)> {
        self.0.open_sink(waker, pace, known)
    }

    fn standing(&self, waker: &Arc<Waker>) -> Result<Standing> {
        self.0.standing(waker)
    }

    fn record_stop(&self, waker: &Arc<Waker>) -> Result<()> {
        self.0.record_stop(waker)
    }

    fn refresh(&self) -> Result<()> {
        self.0.refresh()
    }

    fn note_error(&self, report: &str, waker: &Arc<Waker>) -> Result<()> {
        self.0.note_error(report, waker)
    }
}

struct LosesTarget(Box<dyn Reader>, Arc<Servers>);

impl Reader for LosesTarget {
    fn poll(&mut self, max_bytes: u32, max_wait: Duration) -> Result<Option<Batch>> {
        self.0.poll(max_bytes, max_wait)
    }

    fn ack(&mut self, _checkpoint: &Checkpoint) -> Result<()> {
        self.1.committed.lock().unwrap().clear();
        Err(Error::new(
            Kind::Retry,
            "net.reset",
            "the connection is lost",
        ))
    }

    fn status(&mut self) -> Result<SourceStatus> {
        self.0.status()
    }
}
