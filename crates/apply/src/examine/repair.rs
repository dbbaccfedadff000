//! Making rows as the source has them, beside a running pipeline.
//!
//! The source holds the rows under these keys while this is done, and the target's checkpoint covers a mark that was set since: so nothing is on the way for these keys, and nothing can
//! come. Therefore the pipeline writes none of these rows meanwhile, and its next change of them finds what it expects.
//!
//! All of the target's rows under the keys are deleted before any of the source's is inserted, since rows may have exchanged unique values. Foreign keys are not checked, and nothing cascades:
//! rows that refer to these are compared by themselves. Of the rows that are deleted only the keys are needed, so the target's may hold what the source's types could not. A unique value that a row under another key has is an error, and nothing is changed then: that row is not held, so the pipeline may
//! be about to change it.

use datain_contract::ErrorExt as _;
use datain_contract::types::{
    Column, Error, Operation as Op, RowFlags, RowSet, Signedness, Table, TableRows,
};
use datain_mysql_client::{ClientError, Session, Stream};
use datain_row_block::{Bitmap, ColumnKind, Operation, RowSetWriter, begin_block, read_image};
use datain_table_compare::{Shape, ShapeColumn};

use crate::mapping::{Collations, Mapping};
use crate::settings;
use crate::statements::{self, Bounds, Check, Statement};
use crate::target_table::{TargetTable, columns_query, keys_query, table_query};

/// errno of a unique value that is there already.
const DUPLICATE: u16 = 1062;
/// errnos of a wait for locks that was given up, and of a deadlock.
const LOCKED: [u16; 2] = [1205, 1213];
/// Rows in one statement.
const ROWS: u64 = 100;

/// Brings a fresh session into the state for repairs.
pub(super) async fn prepare<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    settings::set_if_known(session).await?;
    session.exec(b"SET SESSION foreign_key_checks = 0").await?;
    // The source's rows are locked meanwhile.
    session.exec(settings::IMPATIENT).await?;
    Ok(())
}

/// A table that is repaired.
pub(super) struct Repairs {
    mapping: Mapping,
    bounds: Bounds,
    /// The columns of the key by which the two are compared, in key order.
    key: Vec<usize>,
}

impl Repairs {
    /// Holds the source's table against the target's, as the pipeline does.
    pub(super) async fn of<S: Stream>(
        session: &mut Session<S>,
        shape: &Shape,
    ) -> Result<Self, Error> {
        let (schema, name) = (shape.schema.as_str(), shape.name.as_str());
        let version = session.server_version().clone();
        let table = session.query_first(&table_query(schema, name)).await?;
        let columns = session
            .query_rows(&columns_query(schema, name, &version))
            .await?;
        let keys = session.query_rows(&keys_query(schema, name)).await?;
        let target = TargetTable::from_answers(schema, name, table.as_ref(), &columns, &keys)
            .ok_or_else(|| {
                Error::reconfigure("table.missing", "the target has no such table")
                    .hint("create it on the target, or leave it out with --tables")
                    .in_table(schema, name)
            })?;
        let collations =
            Collations::from_answer(&session.query_rows(Collations::query(&version)).await?);
        let packet = session
            .query_first(b"SELECT @@global.max_allowed_packet")
            .await?
            .and_then(|row| row.into_iter().next().flatten())
            .and_then(|text| text.parse::<usize>().ok())
            .unwrap_or(1 << 20);
        Ok(Self {
            mapping: Mapping::new(&record(shape), target, &collations)?,
            key: shape
                .key
                .iter()
                .flat_map(|key| &key.parts)
                .map(|part| part.column as usize)
                .collect(),
            bounds: Bounds {
                bytes: (packet / 4).clamp(16 << 10, 1 << 20),
                rows: ROWS,
                hints: session.server_version().is_mysql_since(8, 0, 20),
            },
        })
    }

    /// Deletes the rows with these keys, which are there, and inserts `new`, in one transaction. Returns how many rows that were.
    ///
    /// # Errors
    /// `verify.in-the-way`, `verify.target-locked`: nothing was changed, and the session can be used further. Others of the server, and `row.*`.
    pub(super) async fn write<S: Stream>(
        &self,
        session: &mut Session<S>,
        old: &[Vec<u8>],
        new: &TableRows,
    ) -> Result<u32, Error> {
        session.exec(b"START TRANSACTION").await?;
        let written = self.in_transaction(session, old, new).await;
        let end: &[u8] = if written.is_ok() {
            b"COMMIT"
        } else {
            b"ROLLBACK"
        };
        if session.is_ready() {
            session.exec(end).await?;
        }
        let mapping = &self.mapping;
        written.map_err(|e| e.in_table(&mapping.target.schema, &mapping.target.name))?;
        Ok(u32::try_from(old.len() + new.lengths.len()).unwrap_or(u32::MAX))
    }

    async fn in_transaction<S: Stream>(
        &self,
        session: &mut Session<S>,
        old: &[Vec<u8>],
        new: &TableRows,
    ) -> Result<(), Error> {
        let sets = [self.deletes(old)?, self.inserts(new)];
        for (block, set) in sets.into_iter().filter(|(_, set)| set.count > 0) {
            let mut list = Vec::new();
            statements::write(&set, &block, &self.mapping, self.bounds, 0, |statement| {
                list.push(statement);
                Ok(())
            })?;
            for statement in &list {
                run(session, statement).await?;
            }
        }
        Ok(())
    }

    fn inserts(&self, rows: &TableRows) -> (Vec<u8>, RowSet) {
        let mut block = Vec::new();
        begin_block(&mut block);
        let offset = block.len();
        let present = vec![true; self.mapping.kinds.len()];
        RowSetWriter::begin(&mut block, Operation::Insert, None, Some(&present));
        block.extend_from_slice(&rows.images);
        let set = row_set(Op::Insert, rows.lengths.len(), offset, &block);
        (block, set)
    }

    /// Images of nothing but the keys, in the order of the table's columns.
    fn deletes(&self, keys: &[Vec<u8>]) -> Result<(Vec<u8>, RowSet), Error> {
        let kinds: Vec<ColumnKind> = self.key.iter().map(|at| self.mapping.kinds[*at]).collect();
        let in_order = {
            let mut places: Vec<usize> = (0..self.key.len()).collect();
            places.sort_by_key(|place| self.key[*place]);
            places
        };
        let mut block = Vec::new();
        begin_block(&mut block);
        let offset = block.len();
        let columns = 0..self.mapping.kinds.len();
        let present: Vec<bool> = columns.map(|at| self.key.contains(&at)).collect();
        RowSetWriter::begin(&mut block, Operation::Delete, Some(&present), None);
        for key in keys {
            let values = key_values(&kinds, key).ok_or_else(foreign)?;
            // A bitmap of NULLs, of which a key has none.
            block.resize(block.len() + Bitmap::bytes_for(kinds.len()), 0);
            for place in &in_order {
                block.extend_from_slice(values[*place]);
            }
        }
        let set = row_set(Op::Delete, keys.len(), offset, &block);
        Ok((block, set))
    }
}

/// The bytes of a key's values, in key order (`table-scan/src/key.rs` has the format).
fn key_values<'k>(kinds: &'k [ColumnKind], key: &'k [u8]) -> Option<Vec<&'k [u8]>> {
    let image = key.get(2 + kinds.len()..)?;
    let ones = vec![0xff; Bitmap::bytes_for(kinds.len())];
    let present = Bitmap::new(&ones, kinds.len())?;
    let mut offsets = Vec::new();
    let read = read_image(kinds, present, image, &mut offsets).ok()?;
    (0..kinds.len())
        .map(|column| read.raw(column).flatten())
        .collect()
}

fn row_set(operation: Op, count: usize, offset: usize, block: &[u8]) -> RowSet {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    RowSet {
        table: 0,
        operation,
        count: number(count),
        offset: number(offset),
        length: number(block.len() - offset),
        flags: RowFlags::empty(),
    }
}

fn foreign() -> Error {
    Error::fatal(
        "snapshot.key-foreign",
        "the key of a row that is to be repaired is none of the table's",
    )
    .hint("compare again; if it stays so, report it, with SHOW CREATE TABLE")
}

/// Runs a statement and holds the answer against what it must be.
async fn run<S: Stream>(session: &mut Session<S>, statement: &Statement) -> Result<(), Error> {
    let lenient = matches!(statement.check, Check::ReadBack(_));
    if lenient {
        session.exec(settings::LENIENT).await?;
    }
    let done = session.exec(&statement.sql).await.map_err(refused)?;
    if let Check::ReadBack(guard) = &statement.check {
        session.exec(guard).await.map_err(|_| altered())?;
        session.exec(settings::STRICT).await?;
    }
    if done.affected_rows != statement.rows {
        return Err(Error::retry(
            "verify.target-changed",
            "somebody else changed rows of the target while they were repaired; nothing of it was kept",
        )
        .detail(format!(
            "a statement should have touched {} row(s) and touched {}",
            statement.rows, done.affected_rows
        ))
        .hint("see who writes to the target beside the pipeline"));
    }
    if done.warnings > 0 && !lenient {
        return Err(altered());
    }
    Ok(())
}

fn altered() -> Error {
    Error::fatal(
        "row.altered",
        "the target did not keep a row as the source holds it; nothing of the repair was kept",
    )
    .hint("compare SHOW CREATE TABLE on both servers")
}

fn refused(error: ClientError) -> Error {
    match error.errno() {
        Some(DUPLICATE) => Error::fatal(
            "verify.in-the-way",
            "a row under another key has a unique value of a row that is to be repaired",
        ),
        Some(errno) if LOCKED.contains(&errno) => Error::retry(
            "verify.target-locked",
            "rows that are to be repaired are locked on the target by others",
        ),
        _ => error.into(),
    }
}

/// The contract's record of the source's table.
fn record(shape: &Shape) -> Table {
    let column = |column: &ShapeColumn| Column {
        name: Some(column.name.clone()),
        kind: column.kind,
        signedness: match column.unsigned {
            Some(true) => Signedness::Unsigned,
            Some(false) => Signedness::Signed,
            None => Signedness::Unknown,
        },
        collation: column.collation,
        length: column.length,
        scale: column.scale,
        nullable: column.nullable,
    };
    Table {
        id: 0,
        schema: shape.schema.clone(),
        name: shape.name.clone(),
        columns: shape.columns.iter().map(column).collect(),
        primary_key: Vec::new(),
    }
}
