//! The queue of batches between source and sink, bounded in bytes.
//!
//! A [`Batch`] is plain owned data without handles into either plugin: the types that are generated from the contract, used as they
//! are, since a copy of them field by field would cost a pass over every batch and buy nothing. Whoever carries batches over a
//! network serialises this type and keeps the queue's two promises: batches arrive once and in order within a generation, and a
//! writer is held back while the reader has too much.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use crate::bindings::types::Batch;
use crate::bindings::types::Change;
use crate::transport::Waker;

/// What records cost beside the bytes they carry, roughly.
const RECORD_BYTES: usize = 256;

/// A queue with one writer and one reader; the reader sleeps in its plugin and is woken there.
#[derive(Debug)]
pub struct Queue {
    inner: Mutex<Inner>,
    space: Condvar,
    limit: usize,
    reader: Arc<Waker>,
}

#[derive(Debug, Default)]
struct Inner {
    batches: VecDeque<(usize, Batch)>,
    bytes: usize,
}

impl Queue {
    /// A queue that holds at most `limit` bytes, or one larger batch alone.
    pub fn new(limit: usize, reader: Arc<Waker>) -> Self {
        Self {
            inner: Mutex::new(Inner::default()),
            space: Condvar::new(),
            limit,
            reader,
        }
    }

    /// Adds a batch, waiting up to `timeout` for space; gives it back when there was none.
    ///
    /// # Errors
    /// The batch itself.
    pub fn push(&self, batch: Batch, timeout: Duration) -> Result<(), Batch> {
        let size = size(&batch);
        let end = Instant::now() + timeout;
        let mut inner = self.lock();
        while !inner.batches.is_empty() && inner.bytes + size > self.limit {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(batch);
            }
            inner = self
                .space
                .wait_timeout(inner, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let was_empty = inner.batches.is_empty();
        inner.bytes += size;
        inner.batches.push_back((size, batch));
        drop(inner);
        if was_empty {
            // A reader that has more to take looks for itself.
            self.reader.attention();
        }
        Ok(())
    }

    /// The oldest batch, if there is one.
    pub fn try_pop(&self) -> Option<Batch> {
        let mut inner = self.lock();
        let (size, batch) = inner.batches.pop_front()?;
        inner.bytes -= size;
        drop(inner);
        self.space.notify_one();
        Some(batch)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lock().batches.is_empty()
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About how much memory a batch takes.
fn size(batch: &Batch) -> usize {
    let tables: usize = batch
        .tables
        .iter()
        .map(|table| RECORD_BYTES + table.columns.len() * RECORD_BYTES / 4)
        .sum();
    let transactions: usize = batch
        .transactions
        .iter()
        .map(|transaction| {
            let changes: usize = transaction
                .changes
                .iter()
                .map(|change| match change {
                    Change::Rows(_) => RECORD_BYTES / 4,
                    Change::Statement(statement) => RECORD_BYTES + statement.sql.len(),
                })
                .sum();
            let checkpoint = transaction
                .checkpoint
                .as_ref()
                .map_or(0, |c| c.data.len() + c.display.len());
            RECORD_BYTES + changes + checkpoint
        })
        .sum();
    RECORD_BYTES + tables + transactions + batch.rows.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(bytes: usize) -> Batch {
        Batch {
            tables: Vec::new(),
            transactions: Vec::new(),
            rows: vec![0; bytes],
        }
    }

    #[test]
    fn bytes_bound_the_queue_and_order_is_kept() {
        let waker = Arc::new(Waker::new().unwrap());
        let queue = Queue::new(10_000, Arc::clone(&waker));
        let now = Duration::ZERO;
        queue.push(batch(4000), now).unwrap();
        assert!(waker.take_attention(), "the first batch wakes the reader");
        queue.push(batch(4001), now).unwrap();
        assert!(
            !waker.take_attention(),
            "a reader that has work is not woken again"
        );
        assert_eq!(queue.push(batch(4002), now).unwrap_err().rows.len(), 4002);
        assert_eq!(queue.try_pop().unwrap().rows.len(), 4000);
        queue.push(batch(4002), now).unwrap();
        assert_eq!(queue.try_pop().unwrap().rows.len(), 4001);
        assert_eq!(queue.try_pop().unwrap().rows.len(), 4002);
        assert!(queue.try_pop().is_none());
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn a_batch_above_the_bound_passes_alone() {
        let queue = Queue::new(10, Arc::new(Waker::new().unwrap()));
        queue.push(batch(1000), Duration::ZERO).unwrap();
        assert!(queue.push(batch(1), Duration::ZERO).is_err());
        queue.try_pop().unwrap();
        queue.push(batch(1), Duration::ZERO).unwrap();
    }

    #[test]
    fn a_blocked_writer_goes_on_when_there_is_space() {
        let queue = Arc::new(Queue::new(10, Arc::new(Waker::new().unwrap())));
        queue.push(batch(1000), Duration::ZERO).unwrap();
        let writer = Arc::clone(&queue);
        let thread = std::thread::spawn(move || writer.push(batch(2000), Duration::from_secs(30)));
        std::thread::sleep(Duration::from_millis(20));
        queue.try_pop().unwrap();
        thread.join().unwrap().unwrap();
        assert_eq!(queue.try_pop().unwrap().rows.len(), 2000);
    }
}
