//! Statements that are replayed, on their way into transactions, and the files of LOAD DATA.

use datain_binlog::{EventHeader, ExecuteLoad, LoadBlock};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Change, Error};

use super::Assembler;
use crate::replay::{Replayed, Standing};
use crate::statement::{dialect, statement};
use crate::unsaid;

impl Assembler {
    /// Where the stream stands.
    pub(super) fn standing(&self, header: &EventHeader) -> Standing {
        let open = self.framing.open.as_ref();
        Standing {
            inside: open.is_some_and(|open| open.block),
            in_branch: open.is_some_and(|open| open.xa.is_some()),
            copying: self.framing.state.copy.is_some(),
            dialect: dialect(&self.format),
            server_id: header.server_id,
        }
    }

    /// Does what was decided about a statement; says whether that was all.
    pub(super) fn replayed(
        &mut self,
        replayed: Replayed,
        inside: bool,
        header: &EventHeader,
        before: u64,
    ) -> Result<bool, Error> {
        let list = match replayed {
            Replayed::Other => return Ok(false),
            Replayed::Nothing => Vec::new(),
            Replayed::Change(list) => list,
        };
        if !inside || !list.is_empty() {
            self.opened(header, before);
        }
        let is_change = !list.is_empty();
        for mut statement in list {
            unsaid::fill_in(&mut statement.context, &self.format, self.sessions);
            self.framing.push_statement(statement);
        }
        if !inside {
            self.framing.end()?;
        } else if is_change {
            self.framing.cut_if_full();
        }
        Ok(true)
    }

    /// The log goes on in another file, whose first event may not say whether the server has started in between: a dump often leaves that out.
    ///
    /// `without_word`: the file before does not say so at its end, as it does when a server that goes on running begins another one.
    pub(super) fn other_file(&mut self, file: &str, without_word: bool) {
        let temporary = &mut self.framing.temporary;
        let restarted = match without_word {
            false => Some(false),
            true if self.knows_its_place => Some(true),
            // The dump begins in another file than the one where the checkpoint stands.
            true => self.files.restarted_before(file),
        };
        match restarted {
            Some(true) => temporary.clear(),
            Some(false) => {}
            None => temporary.doubt(),
        }
    }

    pub(super) fn load_block(
        &mut self,
        block: LoadBlock<'_>,
        begins: bool,
        header: &EventHeader,
        before: u64,
    ) -> Result<(), Error> {
        if self.shows_statements {
            return Ok(());
        }
        let limit = self.max_row_bytes;
        let Some(replay) = &mut self.replay else {
            return Err(refused());
        };
        replay.block(block, begins, limit)?;
        self.opened(header, before);
        Ok(())
    }

    pub(super) fn delete_load_file(&mut self, file_id: u32) {
        if let Some(replay) = &mut self.replay {
            replay.delete_file(file_id);
        }
    }

    pub(super) fn execute_load(
        &mut self,
        load: &ExecuteLoad<'_>,
        header: &EventHeader,
        before: u64,
    ) -> Result<(), Error> {
        let standing = self.standing(header);
        if self.shows_statements {
            let shown = statement(&load.query, header.timestamp);
            self.opened(header, before);
            self.framing.push(Change::Statement(shown));
            return if standing.inside {
                Ok(())
            } else {
                self.framing.end()
            };
        }
        let Some(replay) = &mut self.replay else {
            return Err(refused());
        };
        let tables = &mut self.framing.temporary;
        let replayed = replay.take_load(load, header.timestamp, standing, &self.filter, tables)?;
        if self.replayed(replayed, standing.inside, header, before)? {
            return Ok(());
        }
        Err(Error::fatal(
            "binlog.malformed",
            "an Execute_load_query event holds a statement that loads nothing",
        ))
    }
}

fn refused() -> Error {
    Error::fatal(
        "source.load-data",
        "the source logged a LOAD DATA as a statement with its file",
    )
    .hint("SET PERSIST binlog_format = ROW on the source, and reconnect its sessions; here, load the same file into the target by hand, then skip the transaction")
}
