//! Temporary tables of the source's sessions, kept over restarts: rows of `datain.temporary_tables`, and beside each an ordinary table in the schema `datain`, its stand-in, with what the temporary
//! table holds.
//!
//! Rows and stand-ins are written in the transaction that moves the checkpoint, so they are what the session had there. A stand-in's name holds the number of the writer that has made it: a writer
//! that was overtaken never touches those of the one that came after it.
//!
//! The table is made when the first temporary table is, and goes with the pipeline (`checkpoint/orders.rs`), so it is part of no format.

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream, append_string, quote_identifier};

use super::{literal, unhex};

const TABLE: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.temporary_tables (\
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    session INT UNSIGNED NOT NULL, \
    schema_name VARCHAR(64) CHARACTER SET utf8 COLLATE utf8_bin NOT NULL, \
    table_name VARCHAR(64) CHARACTER SET utf8 COLLATE utf8_bin NOT NULL, \
    stand_in VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    definition LONGBLOB NOT NULL, \
    PRIMARY KEY (stream, session, schema_name, table_name)\
    ) ENGINE=InnoDB";

/// The session's number on the source, schema and name, as the statement says them that has made the table.
pub(crate) type Name = (u32, String, String);

/// A temporary table that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub name: Name,
    /// The table in the schema `datain` with its rows; empty for one that was made in a transaction with other changes, and could not be kept before its end.
    pub stand_in: String,
    /// CREATE TEMPORARY TABLE without the schema.
    pub definition: Vec<u8>,
}

/// Makes the table, where it is not there.
///
/// # Errors
/// Those of the server, such as missing privileges.
pub(crate) async fn make<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    if is_there(session).await? {
        return Ok(());
    }
    // A removal must not meet a table that is made at the same moment.
    super::Lock::Layout.take(session).await?;
    let made = session.exec(TABLE).await;
    super::Lock::Layout.give_back(session).await?;
    made?;
    Ok(())
}

/// All that is kept of a pipeline.
///
/// # Errors
/// Those of the server.
pub(crate) async fn read<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<Vec<Kept>, Error> {
    if !is_there(session).await? {
        return Ok(Vec::new());
    }
    let mut sql = b"SELECT session, schema_name, table_name, stand_in, HEX(definition) FROM datain.temporary_tables WHERE stream = ".to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(b" ORDER BY session, schema_name, table_name");
    let rows = session.query_rows(&sql).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter();
            Some(Kept {
                name: (cells.next()??.parse().ok()?, cells.next()??, cells.next()??),
                stand_in: cells.next()??,
                definition: unhex(&cells.next()??)?,
            })
        })
        .collect())
}

/// The stand-ins that there are for a pipeline.
///
/// # Errors
/// Those of the server.
pub(crate) async fn stand_ins<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<Vec<String>, Error> {
    let mut sql = b"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain' AND LEFT(TABLE_NAME, ".to_vec();
    let prefix = prefix(stream);
    sql.extend_from_slice(format!("{}) = ", prefix.len()).as_bytes());
    append_string(&mut sql, prefix.as_bytes());
    let rows = session.query_rows(&sql).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .collect())
}

/// Drops stand-ins.
///
/// # Errors
/// Those of the server.
pub(crate) async fn drop_stand_ins<S: Stream>(
    session: &mut Session<S>,
    names: &[String],
) -> Result<(), Error> {
    for name in names {
        let sql = format!("DROP TABLE IF EXISTS datain.{}", quote_identifier(name));
        session.exec(sql.as_bytes()).await?;
    }
    Ok(())
}

/// Removes all that is kept of a pipeline.
///
/// # Errors
/// Those of the server.
pub(super) async fn remove<S: Stream>(session: &mut Session<S>, stream: &str) -> Result<(), Error> {
    if is_there(session).await? {
        session.exec(&delete_all_sql(stream)).await?;
        let names = stand_ins(session, stream).await?;
        drop_stand_ins(session, &names).await?;
    }
    Ok(())
}

/// A name for a stand-in that no other writer uses.
#[must_use]
pub(crate) fn stand_in(stream: &str, epoch: u64, number: u64) -> String {
    format!("{}{epoch}_{number}", prefix(stream))
}

/// What the names of a pipeline's stand-ins begin with. Pipelines may have names that no table can have, so a number stands for it (FNV-1a).
fn prefix(stream: &str) -> String {
    let hash = stream
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("temporary_{hash:016x}_")
}

/// The statement that keeps a temporary table.
#[must_use]
pub(crate) fn put_sql(stream: &str, kept: &Kept) -> Vec<u8> {
    let mut sql = b"REPLACE INTO datain.temporary_tables (stream, session, schema_name, table_name, stand_in, definition) VALUES (".to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(format!(", {}, ", kept.name.0).as_bytes());
    literal(&mut sql, &kept.name.1);
    sql.extend_from_slice(b", ");
    literal(&mut sql, &kept.name.2);
    sql.extend_from_slice(b", ");
    literal(&mut sql, &kept.stand_in);
    sql.extend_from_slice(b", _binary");
    append_string(&mut sql, &kept.definition);
    sql.push(b')');
    sql
}

/// The statement that forgets a temporary table.
#[must_use]
pub(crate) fn delete_sql(stream: &str, name: &Name) -> Vec<u8> {
    let mut sql = delete_all_sql(stream);
    sql.extend_from_slice(format!(" AND session = {} AND schema_name = ", name.0).as_bytes());
    literal(&mut sql, &name.1);
    sql.extend_from_slice(b" AND table_name = ");
    literal(&mut sql, &name.2);
    sql
}

/// The statement that forgets all of a pipeline's.
#[must_use]
pub(crate) fn delete_all_sql(stream: &str) -> Vec<u8> {
    let mut sql = b"DELETE FROM datain.temporary_tables WHERE stream = ".to_vec();
    literal(&mut sql, stream);
    sql
}

async fn is_there<S: Stream>(session: &mut Session<S>) -> Result<bool, Error> {
    let sql = b"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain' AND TABLE_NAME = 'temporary_tables'";
    let row = session.query_first(sql).await?;
    Ok(row
        .and_then(|row| row.into_iter().next().flatten())
        .is_some_and(|count| count != "0"))
}
