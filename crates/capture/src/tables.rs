//! Tables by the numbers that the log gives them.
//!
//! The log repeats a table map before every group of row events, and a server that was restarted, or whose tables were closed, numbers its tables anew. A
//! map that describes the same table in the same way keeps the id that the first one got, whatever its number, so that a sink prepares a table
//! once and holds one record of it. What a reader keeps grows with the number of definitions only.

use std::collections::HashMap;

use datain_binlog::{BinlogError, Signedness as Sign, TableColumns, TableMap};
use datain_contract::types::{Column, Signedness, Table};
use datain_sql_statement::TableFilter;

/// A table that rows may belong to.
pub struct Known {
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

/// The table maps seen.
#[derive(Default)]
pub struct Tables {
    known: Vec<Known>,
    /// Places in `known`, by what the log says of the table: names and columns, without the number.
    by_definition: HashMap<Vec<u8>, usize>,
    /// The same by the log's own table number.
    by_number: HashMap<u64, usize>,
}

impl Tables {
    /// Notes a table map.
    ///
    /// # Errors
    /// For columns of a type that is not known, if the table is replicated.
    pub fn note(&mut self, map: &TableMap<'_>, filter: &TableFilter) -> Result<(), BinlogError> {
        let place = match self.by_definition.get(map.definition()) {
            Some(place) => *place,
            None => {
                let columns = if filter.matches(map.schema, map.table) {
                    Some(map.columns()?)
                } else {
                    None
                };
                let place = self.known.len();
                self.known.push(Known {
                    schema: map.schema.to_owned(),
                    name: map.table.to_owned(),
                    columns,
                    id: u32::try_from(place + 1).unwrap_or(u32::MAX),
                    announced: false,
                });
                self.by_definition.insert(map.definition().to_vec(), place);
                place
            }
        };
        self.by_number.insert(map.table_id, place);
        Ok(())
    }

    /// The table of a rows event.
    pub fn get(&mut self, number: u64) -> Option<&mut Known> {
        let place = self.by_number.get(&number)?;
        self.known.get_mut(*place)
    }

    /// A new id, for a table of this name that is told of by other means than a table map.
    pub fn add(&mut self, schema: &str, name: &str) -> u32 {
        let id = u32::try_from(self.known.len() + 1).unwrap_or(u32::MAX);
        self.known.push(Known {
            schema: schema.to_owned(),
            name: name.to_owned(),
            columns: None,
            id,
            announced: true,
        });
        id
    }

    /// Lets the filter judge those anew that were not replicated.
    pub fn judge_anew(&mut self) {
        let known = &self.known;
        let is_taken = |place: &usize| known.get(*place).is_some_and(|t| t.columns.is_some());
        self.by_definition.retain(|_, place| is_taken(place));
        self.by_number.retain(|_, place| is_taken(place));
    }

    /// Forgets all numbers, as the server does when it starts. What they stood for is kept.
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

#[cfg(test)]
mod tests {
    use datain_binlog::{ChecksumAlgorithm, Event, EventBody, FormatDescription};

    use super::*;

    /// Written by MySQL 9.7, see crates/binlog/tests/data/make.sh.
    const FILE: &[u8] = include_bytes!("../../binlog/tests/data/minimal-metadata.binlog");
    const TABLE_MAP: u8 = 19;

    /// Two table maps of different tables, without their checksums.
    fn maps() -> Vec<Vec<u8>> {
        let mut rest = &FILE[4..];
        let mut maps: Vec<Vec<u8>> = Vec::new();
        while maps.len() < 2 {
            let size = u32::from_le_bytes(rest[9..13].try_into().unwrap()) as usize;
            let (event, tail) = rest.split_at(size);
            let known = maps.iter().any(|map| map[27..] == event[27..size - 4]);
            if event[4] == TABLE_MAP && !known {
                let mut event = event[..size - 4].to_vec();
                event[9..13].copy_from_slice(&u32::try_from(size - 4).unwrap().to_le_bytes());
                maps.push(event);
            }
            rest = tail;
        }
        maps
    }

    /// The id of a table whose map comes with this number.
    fn note(tables: &mut Tables, map: &[u8], number: u64) -> u32 {
        let mut event = map.to_vec();
        event[19..25].copy_from_slice(&number.to_le_bytes()[..6]);
        let off = ChecksumAlgorithm::Off;
        let event = Event::split(&event, off).unwrap();
        let body = event.parse(&FormatDescription::assumed(off)).unwrap();
        let EventBody::TableMap(map) = body else {
            panic!("no table map")
        };
        let filter = TableFilter::new(&[], &[]).unwrap();
        tables.note(&map, &filter).unwrap();
        let known = tables.get(number).unwrap();
        known.announced = true;
        known.id
    }

    #[test]
    fn a_table_keeps_its_id_over_numbers_and_files() {
        let maps = maps();
        let mut tables = Tables::default();
        assert_eq!(note(&mut tables, &maps[0], 100), 1);
        assert_eq!(note(&mut tables, &maps[1], 101), 2);
        // Opened anew, under another number.
        assert_eq!(note(&mut tables, &maps[0], 102), 1);
        // A new file, in which a number stands for another table.
        tables.forget();
        assert!(tables.get(100).is_none());
        assert_eq!(note(&mut tables, &maps[1], 100), 2);
        assert_eq!(note(&mut tables, &maps[0], 101), 1);
        assert!(tables.get(101).unwrap().announced, "told once");
        assert_eq!(tables.known.len(), 2);
    }
}
