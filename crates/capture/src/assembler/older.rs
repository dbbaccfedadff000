//! What servers before 5.1's first stable version left out of their logs. Such logs are met in files only, and nothing is applied from a file: so what is missing can be thought of without harm.
//!
//! - MySQL 5.0 wrote no BEGIN before the single statement of a session in autocommit mode, but the Xid event behind it.
//! - The first versions of 5.1 wrote rows of tables without transactions without BEGIN, and nothing behind them: the last rows event of the statement says that it is the last.

use datain_binlog::{EventHeader, RowsEvent, RowsFlags};
use datain_contract::types::Error;

use super::Assembler;

impl Assembler {
    /// Whether an Xid event ends what has been taken as whole.
    pub(super) fn has_ended_already(&self) -> bool {
        self.shows_statements
            && self.framing.open.is_none()
            && self.format.server_version.starts_with("5.0.")
    }

    /// Whether a rows event may stand without BEGIN here.
    pub(super) fn may_stand_alone(&self) -> bool {
        let is_in_block = self.framing.open.as_ref().is_some_and(|open| open.block);
        self.shows_statements && !is_in_block && self.format.server_version.starts_with("5.1.")
    }

    /// Takes a rows event that may be a transaction, or the end of one, by itself.
    pub(super) fn rows_alone(
        &mut self,
        rows: &RowsEvent<'_>,
        header: &EventHeader,
        before: u64,
    ) -> Result<(), Error> {
        self.opened(header, before);
        self.rows(rows, 0)?;
        if rows.flags.contains(RowsFlags::STMT_END) {
            self.framing.end()?;
        }
        Ok(())
    }
}
