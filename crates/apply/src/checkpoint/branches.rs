//! Prepared XA branches: what the table `xa_prepared` holds of them.
//!
//! A branch is kept as it came: table records, row sets with their bytes of the row block. Statements are made of them only when the branch is committed,
//! in the same way as of any other rows, so nothing of the rules of applying has a second form here. The rows of a branch are numbered parts:
//!
//! | kind | note | data |
//! |---|---|---|
//! | `branch` | where it was prepared; always part 0, also of a branch without rows | |
//! | `table` | a table record, as JSON | |
//! | `rows` | a row set, as JSON, with the number of its bytes | its first bytes |
//! | `more` | | the next bytes of the row set before |
//!
//! Parts are small, so neither a large branch nor a large row meets `max_allowed_packet` or the memory. They are written in the target
//! transaction that carries the checkpoint behind the PREPARE, and deleted in the one that carries the checkpoint behind COMMIT or ROLLBACK.

use datain_contract::types::{Column, Operation, RowFlags, RowSet, Signedness, Table};
use datain_mysql_client::append_string;
use serde::{Deserialize, Serialize};

use super::{Store, literal};

/// Bytes of data in a part.
const PART_BYTES: usize = 128 << 10;

/// Parts that are read at once.
const PARTS_AT_ONCE: usize = 16;

/// A part, as it is read back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// The branch itself.
    Branch,
    /// A table that row sets refer to.
    Table(Table),
    /// The beginning of a row set.
    Rows(Rows, Vec<u8>),
    /// The next bytes of the row set.
    More(Vec<u8>),
}

/// A row set without its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rows {
    pub(crate) table: u32,
    operation: String,
    pub(crate) count: u32,
    flags: u8,
    /// Length of its block, the version byte included.
    pub(crate) bytes: usize,
}

/// Where a part stands: branch and number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PieceOf<'a> {
    pub(crate) xid: &'a str,
    pub(crate) part: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredTable {
    id: u32,
    schema: String,
    name: String,
    columns: Vec<StoredColumn>,
    primary_key: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct StoredColumn {
    name: Option<String>,
    kind: u8,
    unsigned: Option<bool>,
    collation: Option<u16>,
    length: u32,
    scale: u8,
    nullable: bool,
}

impl Rows {
    fn new(set: &RowSet, bytes: usize) -> Rows {
        Rows {
            table: set.table,
            operation: operation_name(set.operation).to_owned(),
            count: set.count,
            flags: set.flags.bits(),
            bytes,
        }
    }

    /// The row set, whose bytes are a block of their own; `None` for what no version has written.
    pub(crate) fn row_set(&self) -> Option<RowSet> {
        let operations = [Operation::Insert, Operation::Update, Operation::Delete];
        Some(RowSet {
            table: self.table,
            operation: operations
                .into_iter()
                .find(|operation| operation_name(*operation) == self.operation)?,
            count: self.count,
            offset: 1,
            length: u32::try_from(self.bytes.checked_sub(1)?).ok()?,
            flags: RowFlags::from_bits(self.flags)?,
        })
    }
}

fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Insert => "insert",
        Operation::Update => "update",
        Operation::Delete => "delete",
    }
}

fn stored(table: &Table) -> StoredTable {
    let column = |column: &Column| {
        // Named one by one: a field that the contract gets must not be forgotten here.
        let Column {
            name,
            kind,
            signedness,
            collation,
            length,
            scale,
            nullable,
        } = column;
        StoredColumn {
            name: name.clone(),
            kind: *kind,
            unsigned: match signedness {
                Signedness::Signed => Some(false),
                Signedness::Unsigned => Some(true),
                Signedness::Unknown => None,
            },
            collation: *collation,
            length: *length,
            scale: *scale,
            nullable: *nullable,
        }
    };
    let Table {
        id,
        schema,
        name,
        columns,
        primary_key,
    } = table;
    StoredTable {
        id: *id,
        schema: schema.clone(),
        name: name.clone(),
        columns: columns.iter().map(column).collect(),
        primary_key: primary_key.clone(),
    }
}

fn restored(table: StoredTable) -> Table {
    let column = |column: StoredColumn| Column {
        name: column.name,
        kind: column.kind,
        signedness: match column.unsigned {
            Some(false) => Signedness::Signed,
            Some(true) => Signedness::Unsigned,
            None => Signedness::Unknown,
        },
        collation: column.collation,
        length: column.length,
        scale: column.scale,
        nullable: column.nullable,
    };
    Table {
        id: table.id,
        schema: table.schema,
        name: table.name,
        columns: table.columns.into_iter().map(column).collect(),
        primary_key: table.primary_key,
    }
}

impl Part {
    /// Reads a row of [`Store::read_branch_sql`]: number and part. `None` for what no version has written.
    pub(crate) fn read(row: Vec<Option<Vec<u8>>>) -> Option<(u64, Part)> {
        let [number, kind, note, data] = <[_; 4]>::try_from(row).ok()?;
        let number = std::str::from_utf8(&number?).ok()?.parse().ok()?;
        let note = note?;
        let part = match kind?.as_slice() {
            b"branch" => Part::Branch,
            b"table" => Part::Table(restored(serde_json::from_slice(&note).ok()?)),
            b"rows" => Part::Rows(serde_json::from_slice(&note).ok()?, data?),
            b"more" => Part::More(data?),
            _ => return None,
        };
        Some((number, part))
    }
}

impl Store {
    fn of_branch(&self, sql: &mut Vec<u8>, xid: &str) {
        sql.extend_from_slice(b" WHERE stream = ");
        literal(sql, self.stream());
        sql.extend_from_slice(b" AND xid = ");
        literal(sql, xid);
    }

    fn part_sql(&self, at: PieceOf<'_>, kind: &str, note: &str, data: Option<&[u8]>) -> Vec<u8> {
        let mut sql =
            b"INSERT INTO datain.xa_prepared (stream, xid, part, kind, note, data) VALUES ("
                .to_vec();
        literal(&mut sql, self.stream());
        sql.push(b',');
        literal(&mut sql, at.xid);
        sql.extend_from_slice(format!(",{},'{kind}',", at.part).as_bytes());
        literal(&mut sql, note);
        match data {
            Some(data) => {
                sql.extend_from_slice(b",_binary");
                append_string(&mut sql, data);
            }
            None => sql.extend_from_slice(b",NULL"),
        }
        sql.push(b')');
        sql
    }

    /// The statement that begins to keep a branch: its part 0.
    pub(crate) fn keep_branch_sql(&self, xid: &str, place: &str) -> Vec<u8> {
        self.part_sql(PieceOf { xid, part: 0 }, "branch", place, None)
    }

    /// The statement that keeps a table record.
    pub(crate) fn keep_table_sql(&self, at: PieceOf<'_>, table: &Table) -> Vec<u8> {
        // Strings and numbers always serialise.
        let note = serde_json::to_string(&stored(table)).unwrap_or_default();
        self.part_sql(at, "table", &note, None)
    }

    /// The statements that keep a row set, each one part. `version` is the row block's, `bytes` are the row set's own.
    pub(crate) fn keep_rows_sql<'a>(
        &'a self,
        at: PieceOf<'a>,
        set: &RowSet,
        version: u8,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = Vec<u8>> + 'a {
        let note = serde_json::to_string(&Rows::new(set, bytes.len() + 1)).unwrap_or_default();
        let (head, rest) = bytes.split_at(bytes.len().min(PART_BYTES));
        let head = [&[version], head].concat();
        let first = self.part_sql(at, "rows", &note, Some(&head));
        let more = rest.chunks(PART_BYTES).zip(1..).map(move |(chunk, n)| {
            let at = PieceOf {
                part: at.part + n,
                ..at
            };
            self.part_sql(at, "more", "", Some(chunk))
        });
        std::iter::once(first).chain(more)
    }

    /// The query for the next parts of a branch, from this number on; no row means that there are none.
    pub(crate) fn read_branch_sql(&self, from: PieceOf<'_>) -> Vec<u8> {
        let mut sql = b"SELECT part, kind, note, data FROM datain.xa_prepared".to_vec();
        self.of_branch(&mut sql, from.xid);
        sql.extend_from_slice(
            format!(
                " AND part >= {} ORDER BY part LIMIT {PARTS_AT_ONCE}",
                from.part
            )
            .as_bytes(),
        );
        sql
    }

    /// The statement that forgets a branch.
    pub(crate) fn forget_branch_sql(&self, xid: &str) -> Vec<u8> {
        let mut sql = b"DELETE FROM datain.xa_prepared".to_vec();
        self.of_branch(&mut sql, xid);
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_table_and_its_rows_comes_back() {
        let table = Table {
            id: 7,
            schema: "sch\u{f6}n".to_owned(),
            name: "a'b\\".to_owned(),
            columns: vec![Column {
                name: None,
                kind: 3,
                signedness: Signedness::Unknown,
                collation: Some(255),
                length: 4,
                scale: 2,
                nullable: true,
            }],
            primary_key: vec![0],
        };
        let note = serde_json::to_vec(&stored(&table)).unwrap();
        let row = [&b"1"[..], b"table", &note].map(|cell| Some(cell.to_vec()));
        let row = [row.to_vec(), vec![None]].concat();
        assert_eq!(Part::read(row), Some((1, Part::Table(table))));

        let set = RowSet {
            table: 7,
            operation: Operation::Delete,
            count: 3,
            offset: 100,
            length: 20,
            flags: RowFlags::CASCADES_LOGGED | RowFlags::NO_UNIQUE_CHECKS,
        };
        let kept = Rows::new(&set, 21);
        let again: Rows = serde_json::from_slice(&serde_json::to_vec(&kept).unwrap()).unwrap();
        assert_eq!(again.row_set(), Some(RowSet { offset: 1, ..set }));
    }

    #[test]
    fn what_nobody_wrote_is_not_guessed_at() {
        let row = |cells: [&str; 4]| cells.map(|cell| Some(cell.as_bytes().to_vec())).to_vec();
        assert_eq!(Part::read(row(["1", "later", "", ""])), None);
        assert_eq!(Part::read(row(["x", "more", "", ""])), None);
        assert_eq!(Part::read(row(["1", "table", "{}", ""])), None);
        assert_eq!(Part::read(Vec::new()), None);
        let mut rows = Rows {
            table: 1,
            operation: "insert".to_owned(),
            count: 1,
            flags: 0,
            bytes: 0,
        };
        assert_eq!(rows.row_set(), None, "not even a version byte");
        rows.bytes = 5;
        assert!(rows.row_set().is_some());
        rows.operation = "merge".to_owned();
        assert_eq!(rows.row_set(), None);
    }
}
