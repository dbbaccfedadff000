//! Tables by the numbers that the log gives them.
//!
//! The log repeats a table map before every group of row events. A map that describes the same table in the same way keeps the id that the
//! first one got, so that a sink prepares a table once.

use std::collections::HashMap;

use datain_binlog::{BinlogError, Signedness as Sign, TableColumns, TableMap};
use datain_contract::types::{Column, Signedness, Table};
use datain_sql_statement::TableFilter;

/// A table that rows may belong to.
pub struct Known {
    definition: Vec<u8>,
    /// Names for messages.
    pub schema: String,
    /// Names for messages.
    pub name: String,
    /// The decoder; none for a table that is not replicated.
    pub columns: Option<TableColumns>,
    /// The id in table records.
    pub id: u32,
    /// Whether its record went out.
    pub announced: bool,
}

/// The table maps seen, by the log's own table number.
#[derive(Default)]
pub struct Tables {
    by_number: HashMap<u64, Known>,
    last_id: u32,
}

impl Tables {
    /// Notes a table map.
    ///
    /// # Errors
    /// For columns of a type that is not known, if the table is replicated.
    pub fn note(&mut self, map: &TableMap<'_>, filter: &TableFilter) -> Result<(), BinlogError> {
        let seen = self.by_number.get(&map.table_id);
        if seen.is_some_and(|known| known.definition == map.definition()) {
            return Ok(());
        }
        let columns = if filter.matches(map.schema, map.table) {
            Some(map.columns()?)
        } else {
            None
        };
        self.last_id += 1;
        let known = Known {
            definition: map.definition().to_vec(),
            schema: map.schema.to_owned(),
            name: map.table.to_owned(),
            columns,
            id: self.last_id,
            announced: false,
        };
        self.by_number.insert(map.table_id, known);
        Ok(())
    }

    /// The table of a rows event.
    pub fn get(&mut self, number: u64) -> Option<&mut Known> {
        self.by_number.get_mut(&number)
    }

    /// Forgets all numbers, as the server does when it starts.
    pub fn forget(&mut self) {
        self.by_number.clear();
    }
}

impl Known {
    /// The contract's record of this table.
    pub fn record(&self) -> Table {
        let (columns, primary_key) = match &self.columns {
            Some(columns) => (columns.columns.as_slice(), columns.primary_key.as_slice()),
            None => (&[][..], &[][..]),
        };
        Table {
            id: self.id,
            schema: self.schema.clone(),
            name: self.name.clone(),
            columns: columns.iter().map(column).collect(),
            primary_key: primary_key.iter().map(|part| part.column).collect(),
        }
    }
}

fn column(column: &datain_binlog::Column) -> Column {
    Column {
        name: column.name.clone(),
        kind: column.kind.code(),
        signedness: match column.signedness {
            Sign::Signed => Signedness::Signed,
            Sign::Unsigned => Signedness::Unsigned,
            Sign::Unknown => Signedness::Unknown,
        },
        collation: column.collation,
        length: column.length,
        scale: column.scale,
        nullable: column.nullable,
    }
}
