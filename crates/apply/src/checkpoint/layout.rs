//! The tables of the schema `datain` in the target.
//!
//! | table | holds |
//! |---|---|
//! | `checkpoints` | one row per pipeline: owner, checkpoint, unfinished DDL, whether a person stopped it, the last error |
//! | `held_back` | triggers and events of the source, kept for the cutover |
//! | `skipped` | transactions that a person had skipped, with time and reason |
//! | `xa_prepared` | XA branches that are prepared on the source and neither committed nor rolled back, since format 3 |
//! | `ahead` | groups that are in the target although older ones are not yet, since format 4 |
//! | `cutovers` | how far a cutover has come, since format 5 |
//! | `verified` | what the newest comparison of each pipeline came to; made when there is one (`examine/kept.rs`), so it is part of no format |
//! | `temporary_tables`, `temporary_…` | temporary tables of a source that logs statements; made when there is one (`temporary.rs`), so they are part of no format |
//!
//! A pipeline of format 2, 3 or 4 is taken over as it is: the tables that it lacks are made, and its row gets the new number.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

/// The layout of the tables, in the column `checkpoints.format`.
pub const FORMAT: u32 = 5;

/// The oldest layout that is taken over.
pub const OLDEST_FORMAT: u32 = 2;

const SCHEMA: &[u8] = b"CREATE SCHEMA IF NOT EXISTS datain";

const TABLE: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.checkpoints (\
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
    format INT UNSIGNED NOT NULL, \
    epoch BIGINT UNSIGNED NOT NULL, \
    owner BIGINT UNSIGNED NOT NULL DEFAULT 0, \
    ordinal BIGINT UNSIGNED NOT NULL, \
    state LONGBLOB NULL, \
    display TEXT CHARACTER SET utf8 NOT NULL, \
    written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), \
    committed_at_micros BIGINT UNSIGNED NOT NULL DEFAULT 0, \
    began_at TEXT CHARACTER SET utf8 NULL, \
    stopped_at TIMESTAMP(6) NULL, \
    last_error MEDIUMTEXT CHARACTER SET utf8mb4 NULL, \
    last_error_at TIMESTAMP(6) NULL, \
    ddl_uuid CHAR(36) CHARACTER SET ascii NOT NULL, \
    ddl_number BIGINT UNSIGNED NOT NULL DEFAULT 0, \
    ddl_identity VARCHAR(255) CHARACTER SET utf8 NULL, \
    ddl_gtid VARCHAR(100) CHARACTER SET ascii NULL\
    ) ENGINE=InnoDB";

const HELD_BACK: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.held_back (\
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    ordinal BIGINT UNSIGNED NOT NULL, \
    position VARCHAR(255) CHARACTER SET utf8 NOT NULL, \
    default_schema VARCHAR(64) CHARACTER SET utf8 NULL, \
    sql_mode BIGINT UNSIGNED NULL, \
    statement LONGBLOB NOT NULL, \
    UNIQUE KEY (stream, ordinal)\
    ) ENGINE=InnoDB";

const SKIPPED: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.skipped (\
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    ordinal BIGINT UNSIGNED NOT NULL, \
    identity VARCHAR(255) CHARACTER SET utf8 NOT NULL, \
    description TEXT CHARACTER SET utf8mb4 NOT NULL, \
    reason TEXT CHARACTER SET utf8mb4 NOT NULL, \
    skipped_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), \
    UNIQUE KEY (stream, ordinal)\
    ) ENGINE=InnoDB";

const XA_PREPARED: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.xa_prepared (\
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    xid VARCHAR(300) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    part BIGINT UNSIGNED NOT NULL, \
    kind VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    note MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL, \
    data LONGBLOB NULL, \
    PRIMARY KEY (stream, xid, part)\
    ) ENGINE=InnoDB";

const AHEAD: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.ahead (\
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    epoch BIGINT UNSIGNED NOT NULL, \
    ordinal BIGINT UNSIGNED NOT NULL, \
    writer BIGINT UNSIGNED NOT NULL, \
    names MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL, \
    PRIMARY KEY (stream, epoch, ordinal)\
    ) ENGINE=InnoDB";

const CUTOVERS: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.cutovers (\
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
    revision BIGINT UNSIGNED NOT NULL, \
    stage VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    bars_start TINYINT UNSIGNED NOT NULL, \
    note MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL, \
    began_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), \
    changed_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)\
    ) ENGINE=InnoDB";

/// The tables, in the order in which they are made.
const TABLES: [&[u8]; 6] = [TABLE, HELD_BACK, SKIPPED, XA_PREPARED, AHEAD, CUTOVERS];

/// What is there of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Not all that every format has.
    Nothing,
    /// Those of an older format.
    Older,
    /// Those of this one.
    All,
}

/// Whether the tables are there, of this format or an older one that can be read; makes nothing.
///
/// # Errors
/// `checkpoint.format` when they are those of another version; errors of the server.
pub async fn exists<S: Stream>(session: &mut Session<S>) -> Result<bool, Error> {
    Ok(find(session).await? != Found::Nothing)
}

/// What is there; makes nothing.
///
/// # Errors
/// As [`exists`].
pub(super) async fn find<S: Stream>(session: &mut Session<S>) -> Result<Found, Error> {
    let found = session
        .query_first(
            b"SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain' AND TABLE_NAME = 'checkpoints'), \
            (SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'datain' AND TABLE_NAME = 'checkpoints' \
            AND COLUMN_NAME IN ('format', 'began_at', 'owner')), \
            (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain' AND TABLE_NAME IN ('held_back', 'skipped')), \
            (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain' AND TABLE_NAME IN ('xa_prepared', 'ahead', 'cutovers'))",
        )
        .await?
        .unwrap_or_default();
    let number = |at: usize| found.get(at).and_then(Option::as_deref).unwrap_or("0");
    if number(0) == "1" && number(1) != "3" {
        return Err(Error::fatal(
            "checkpoint.format",
            format!("the tables in the target's schema `datain` are not those of format {FORMAT}, which this version of datain writes"),
        )
        .hint("run the version of datain that made them; or, if they are of no use any more, DROP SCHEMA datain and begin anew"));
    }
    Ok(match (number(0), number(2), number(3)) {
        ("1", "2", "3") => Found::All,
        ("1", "2", _) => Found::Older,
        _ => Found::Nothing,
    })
}

/// Makes the schema and the tables, where they are not there; under [`Lock::Layout`](super::Lock::Layout).
///
/// # Errors
/// As [`exists`]; missing privileges on the schema `datain`.
pub async fn make<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    if find(session).await? == Found::All {
        return Ok(());
    }
    session.exec(SCHEMA).await?;
    for sql in TABLES {
        session.exec(sql).await?;
    }
    Ok(())
}

/// Makes the tables that an older format lacks, where a pipeline is there already.
///
/// # Errors
/// As [`make`]; `checkpoint.busy`.
pub(super) async fn complete<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    if find(session).await? == Found::Older {
        super::Lock::Layout.take(session).await?;
        make(session).await?;
        super::Lock::Layout.give_back(session).await?;
    }
    Ok(())
}

/// Drops the tables, and the schema if nothing else is in it; under [`Lock::Layout`](super::Lock::Layout).
///
/// # Errors
/// Missing privileges.
pub async fn drop<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    session
        .exec(b"DROP TABLE IF EXISTS datain.cutovers, datain.verified, datain.temporary_tables, datain.ahead, datain.xa_prepared, datain.skipped, datain.held_back, datain.checkpoints")
        .await?;
    let others = session
        .query_first(
            b"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain'",
        )
        .await?;
    if others
        .and_then(|row| row.into_iter().next().flatten())
        .as_deref()
        == Some("0")
    {
        session.exec(b"DROP SCHEMA IF EXISTS datain").await?;
    }
    Ok(())
}
