//! The engine's epoch: a counter that running plugins look at, so that one that never returns can be stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::{Error, Kind, Result};

const TICK: Duration = Duration::from_millis(50);

/// A thread that advances the epoch until it is dropped.
pub(super) struct Ticker {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(super) fn start(engine: &wasmtime::Engine) -> Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let weak = engine.weak();
        let flag = Arc::clone(&ended);
        let thread = std::thread::Builder::new()
            .name("datain-epoch".to_owned())
            .spawn(move || {
                while !flag.load(Ordering::Acquire) {
                    std::thread::park_timeout(TICK);
                    let Some(engine) = weak.upgrade() else { return };
                    engine.increment_epoch();
                }
            })
            .map_err(|e| {
                Error::new(Kind::Retry, "host.resources", "failed to start a thread")
                    .detail(e.to_string())
            })?;
        Ok(Self {
            ended,
            thread: Some(thread),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It cannot panic, and nothing could be done about it here.
            let _ = thread.join();
        }
    }
}
