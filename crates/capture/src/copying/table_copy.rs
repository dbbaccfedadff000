//! A table that is being copied, and its chunks that wait for the stream.

use std::collections::VecDeque;

use super::moved::ReadAgain;
use super::progress::Totals;
use super::readers::{Again, Scan};
use super::window::{Copying, MOST_CHUNKS, Name};
use crate::position::Position;

/// A table that is being copied.
pub(super) struct TableCopy {
    pub(super) name: Name,
    pub(super) level: usize,
    /// None while a chunk is being read.
    pub(super) scan: Option<Box<Scan>>,
    /// It was read to its end, but for what is to be read again.
    pub(super) is_read: bool,
    /// Its rows change with a parent's, which the source does not log.
    pub(super) follows: bool,
    /// Chunks that were read and not handed on, in the order of reading.
    pub(super) chunks: VecDeque<Waits>,
    /// The key of the newest row that was handed on.
    pub(super) after: Option<Vec<u8>>,
    /// What was handed on.
    pub(super) copied: Totals,
    /// When this reader began with it.
    pub(super) began: u64,
}

/// A chunk that waits for the stream.
pub(super) struct Waits {
    /// Until it is here.
    pub(super) high: Position,
    pub(super) last_key: Option<Vec<u8>>,
    /// Of the table, or of what is read again.
    pub(super) is_last: bool,
    /// Its rows were read again.
    pub(super) again: bool,
    pub(super) read: Totals,
}

impl TableCopy {
    /// Whether the stream has come to where the oldest chunk is right.
    pub(super) fn is_due(&self, at: &Position) -> bool {
        let reached = |chunk: &Waits| {
            at.compare(&chunk.high)
                .is_some_and(std::cmp::Ordering::is_ge)
        };
        self.chunks.front().is_some_and(reached)
    }

    /// Whether another chunk may be read.
    pub(super) fn may_be_read(&self, copying: &Copying) -> bool {
        let Some(scan) = &self.scan else {
            return false;
        };
        let is_left = !self.is_read || scan.again.is_some() || copying.wants_again(&self.name);
        is_left && self.chunks.len() < MOST_CHUNKS
    }

    /// How these rows are read again, of what was read up to a key.
    pub(super) fn again(&self, rows: ReadAgain, read: Option<&Vec<u8>>) -> Again {
        let (only, up_to) = match rows {
            ReadAgain::Of(sql) => (Some(sql), None),
            ReadAgain::All => (None, read.filter(|_| !self.is_read).cloned()),
        };
        Again {
            only,
            after: None,
            up_to,
        }
    }
}
