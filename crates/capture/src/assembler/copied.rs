//! The first copy within the stream: what is handed on besides the log, and what of the log is left out or marked.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Change, Error, Operation, RowFlags, RowSet, Statement};
use datain_row_block::{Operation as BlockOperation, RowSetWriter};
use datain_sql_statement::{Charset, Dialect, Kind, Options, TableFilter, Verdict, classify};
use datain_table_scan::TableDefinition;

use super::Assembler;
use crate::copying::{Aside, Copied, Copying, Name, Place, WasMoved, changed_meanwhile};
use crate::position::Position;

/// Whether a statement may make a foreign key, which could lead from a table that is being copied to another one.
fn refers(sql: &[u8]) -> bool {
    const WORD: &[u8] = b"REFERENCES";
    let mut places = sql.windows(WORD.len());
    places.any(|place| place.eq_ignore_ascii_case(WORD))
}

impl Assembler {
    /// How far the copy has come; none when it is complete, or there is none.
    #[must_use]
    pub fn copy_place(&self) -> Option<&Place> {
        self.framing.state.copy.as_ref()
    }

    /// The tables that were made without indexes; none if that was not decided.
    #[must_use]
    pub fn set_aside(&self) -> Option<&Aside> {
        self.framing.state.aside.as_ref()
    }

    /// Says which tables are made without indexes, before the first one is.
    pub fn sets_aside(&mut self, aside: Aside) {
        self.framing.state.aside = Some(aside);
    }

    /// From here on the stream takes tables in that it has left out, as ones that are still to be copied: those that `now` takes and `before` does not.
    pub fn take_in(&mut self, now: TableFilter, before: TableFilter) {
        self.filter = now;
        self.tables.judge_anew();
        self.framing.state.copy = Some(Place::BEGINNING);
        self.copying = Copying::everything_but(before);
    }

    /// The tables that are being added to a running pipeline are those that this filter takes: only their definitions may not change.
    pub fn are_added(&mut self, added: TableFilter) {
        self.added = Some(added);
    }

    /// Says which tables are to be copied.
    pub fn begin_copying(&mut self, copying: Copying) {
        self.copying = copying;
    }

    /// The tables that are not whole.
    pub fn copying(&mut self) -> &mut Copying {
        &mut self.copying
    }

    /// Begins a table; with `goes_on` some of its rows are on the target already.
    pub fn begin_table(&mut self, table: TableDefinition, goes_on: Option<WasMoved>) {
        let id = self.tables.add(&table.schema, &table.name);
        self.framing.batches.add_table(table.record(id));
        self.copying.begin(table, id, goes_on);
    }

    /// Everything was copied.
    pub fn end_copying(&mut self) {
        let at = self.framing.at.clone();
        self.framing.hand_on(Vec::new(), at, None);
    }

    /// Hands on a statement, the `number`th of its kind in the copy, as a transaction with which it comes to this place.
    pub fn hand_on_statement(
        &mut self,
        statement: Statement,
        kind: &str,
        number: u64,
        place: Place,
    ) {
        // A statement is known again after a kill by where it stands, which must be the same then.
        let stands = Position {
            file: kind.to_owned(),
            offset: number,
        };
        let changes = vec![Change::Statement(statement)];
        self.framing.hand_on(changes, stands, Some(place));
    }

    /// The server whose log this is.
    #[must_use]
    pub fn server_uuid(&self) -> &str {
        &self.framing.state.server_uuid
    }

    /// Whether the dump has said in which file it is.
    #[must_use]
    pub fn knows_its_place(&self) -> bool {
        self.knows_its_place
    }

    /// Hands on that the copy has come to this place.
    pub fn hand_on_place(&mut self, place: Place) {
        let at = self.framing.at.clone();
        self.framing.hand_on(Vec::new(), at, Some(place));
    }

    /// Hands on what is left of the table's oldest chunk as a transaction of inserts, with which the copy comes to this place.
    pub fn hand_on_chunk(&mut self, table: &Name, place: Place) {
        match self.copying.release(table) {
            Some(chunk) => self.hand_on_rows(&chunk, place),
            None => self.hand_on_place(place),
        }
    }

    /// Begins to hand on a table that is read in one go; until all of it is handed on it waits. Returns its id in records of the stream.
    pub fn begin_whole(&mut self, table: &TableDefinition) -> u32 {
        let id = self.tables.add(&table.schema, &table.name);
        self.framing.batches.add_table(table.record(id));
        id
    }

    /// Hands on rows as a transaction of inserts, with which the copy comes to this place.
    pub fn hand_on_rows(&mut self, chunk: &Copied, place: Place) {
        if chunk.count == 0 {
            return self.hand_on_place(place);
        }
        let rows = self.framing.batches.rows();
        let offset = rows.len();
        RowSetWriter::begin(
            rows,
            BlockOperation::Insert,
            None,
            Some(&vec![true; chunk.columns]),
        );
        rows.extend_from_slice(&chunk.images);
        let length = rows.len() - offset;
        // Rows that they refer to may come later.
        let mut flags = RowFlags::NO_FOREIGN_KEY_CHECKS;
        if chunk.may_be_there {
            flags |= RowFlags::COPYING;
        }
        let changes = vec![Change::Rows(RowSet {
            table: chunk.table,
            operation: Operation::Insert,
            count: chunk.count,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            length: u32::try_from(length).unwrap_or(u32::MAX),
            flags,
        })];
        let at = self.framing.at.clone();
        self.framing.hand_on(changes, at, Some(place));
    }

    /// While a copy is not complete no definition may change of what it copies: what was read before would be held against what comes later.
    pub(super) fn must_not_define(&self, statement: &Statement) -> Result<(), Error> {
        if self.framing.state.copy.is_none() {
            return Ok(());
        }
        let charset = statement
            .context
            .charset_client
            .map_or_else(Charset::default, Charset::from_collation);
        let modes = statement.context.sql_mode.unwrap_or(0);
        let options = Options::from_sql_mode(modes, charset, Dialect::default());
        let found = classify(&statement.sql, &options);
        if matches!(found.kind, Kind::Account | Kind::Server | Kind::Maintenance) {
            return Ok(());
        }
        // Foreign keys that act unseen were looked at over all tables.
        if let Some(added) = self.added.as_ref().filter(|_| !self.copying.has_links()) {
            let schema = statement.default_schema.as_deref().unwrap_or_default();
            if added.judge(&found, schema, charset) == Verdict::Out && !refers(&statement.sql) {
                return Ok(());
            }
        }
        Err(changed_meanwhile())
    }

    /// The error of an XA branch that changes a table that is not whole: when its rows can be seen, and when it comes by, are two moments.
    pub(super) fn branch_meanwhile() -> Error {
        Error::resnapshot(
            "snapshot.xa",
            "an XA transaction has changed a table before its first copy was complete",
        )
        .hint("nothing wrong was written, and nothing more will be: datain remove -c FILE, drop what was copied on the target, and start again when no XA transaction is under way")
    }
}
