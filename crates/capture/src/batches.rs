//! Cuts the stream of changes into batches of about the same size.

use std::collections::VecDeque;

use datain_contract::types::{Batch, Change, Statement, Table, Transaction};

/// What a statement takes besides its text.
const STATEMENT_BYTES: usize = 256;

/// Batches under construction and finished ones.
#[derive(Default)]
pub struct Batches {
    open: Option<Batch>,
    /// Bytes of the statements in it, and of those that will be.
    statement_bytes: usize,
    finished: VecDeque<Batch>,
}

impl Batches {
    fn open(&mut self) -> &mut Batch {
        self.open.get_or_insert_with(|| Batch {
            tables: Vec::new(),
            transactions: Vec::new(),
            rows: Vec::new(),
        })
    }

    /// The row block of the open batch, with its version byte.
    pub fn rows(&mut self) -> &mut Vec<u8> {
        let rows = &mut self.open().rows;
        if rows.is_empty() {
            datain_row_block::begin_block(rows);
        }
        rows
    }

    /// Bytes in the open batch's row block, and of its statements.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.open.as_ref().map_or(0, |b| b.rows.len()) + self.statement_bytes
    }

    /// Counts a statement that goes into the open batch.
    pub fn weigh(&mut self, statement: &Statement) {
        self.statement_bytes +=
            STATEMENT_BYTES + statement.sql.len() + statement.file.as_ref().map_or(0, Vec::len);
    }

    /// Adds a table record.
    pub fn add_table(&mut self, table: Table) {
        self.open().tables.push(table);
    }

    /// Adds a transaction record or a piece of one.
    pub fn add(&mut self, transaction: Transaction) {
        self.open().transactions.push(transaction);
    }

    /// The newest record in the open batch.
    pub fn newest(&mut self) -> Option<&mut Transaction> {
        self.open.as_mut()?.transactions.last_mut()
    }

    /// Ends the open batch.
    pub fn cut(&mut self) {
        self.statement_bytes = 0;
        if let Some(batch) = self.open.take() {
            self.finished.push_back(batch);
        }
    }

    /// Whether anything is in the open batch.
    #[must_use]
    pub fn has_open(&self) -> bool {
        self.open
            .as_ref()
            .is_some_and(|b| !b.transactions.is_empty())
    }

    /// The oldest finished batch.
    pub fn take(&mut self) -> Option<Batch> {
        self.finished.pop_front()
    }

    /// Whether a finished batch waits.
    #[must_use]
    pub fn has_finished(&self) -> bool {
        !self.finished.is_empty()
    }
}

/// Rows in a record, for deciding where checkpoints stand.
#[must_use]
pub fn row_count(changes: &[Change]) -> u64 {
    changes
        .iter()
        .map(|c| match c {
            Change::Rows(set) => u64::from(set.count),
            Change::Statement(_) => 1,
        })
        .sum()
}
