//! Batches that were accepted and not yet taken up by the writer's task.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use datain_apply::engine::Totals;
use datain_contract::types::{Batch, Checkpoint};

/// Bytes of rows that may wait; beyond that no batch is accepted.
const ROOM: usize = 4 << 20;

/// What the writer's exports and its task share.
#[derive(Default)]
pub struct Shared {
    batches: VecDeque<Batch>,
    bytes: usize,
    /// Whether the task holds anything that is not durable.
    pub busy: bool,
    /// What it holds is the beginning of a transaction, and it waits for the rest.
    pub half: bool,
    /// The host asked to commit what there is.
    pub flush: bool,
    /// The newest durable checkpoint that was not reported yet.
    pub durable: Option<Checkpoint>,
    /// The same for people, for the status.
    pub position: String,
    /// Totals of everything durable.
    pub totals: Totals,
}

/// Handle to [`Shared`], one in the exports and one in the task.
pub type Handle = Rc<RefCell<Shared>>;

impl Shared {
    /// Whether another batch may come.
    pub fn accepts(&self) -> bool {
        self.bytes < ROOM
    }

    /// Whether anything accepted is not durable.
    pub fn pending(&self) -> bool {
        self.busy || !self.batches.is_empty()
    }

    /// Whether anything accepted could be made durable without another batch.
    pub fn can_flush(&self) -> bool {
        !self.batches.is_empty() || (self.busy && !self.half)
    }

    /// Whether a batch waits to be taken up.
    pub fn has_batches(&self) -> bool {
        !self.batches.is_empty()
    }

    /// Takes a batch in.
    pub fn put(&mut self, batch: Batch) {
        self.bytes += batch.rows.len();
        self.batches.push_back(batch);
    }

    /// Takes the oldest batch out.
    pub fn take(&mut self) -> Option<Batch> {
        let batch = self.batches.pop_front()?;
        self.bytes -= batch.rows.len();
        self.busy = true;
        self.half = false;
        Some(batch)
    }
}
