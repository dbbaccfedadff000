//! The newest comparison of a pipeline, kept in the target for those who ask later: a row of `datain.verified`.
//!
//! The table is made when there is something to keep, and goes with the pipeline (`checkpoint/orders.rs`).

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream, append_string};

use crate::checkpoint::{self, Lock, layout, literal};

const TABLE: &[u8] = b"CREATE TABLE IF NOT EXISTS datain.verified (\
    stream VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
    ended_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), \
    report MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL\
    ) ENGINE=InnoDB";

/// A comparison that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// When it ended, microseconds since 1970 by the target's clock.
    pub at_micros: u64,
    /// What it came to: a JSON object.
    pub report: String,
}

/// Keeps a comparison in place of the one before. Does nothing when the target knows no such pipeline. The session is one that
/// [`for_rows`](crate::settings::for_rows) was given to.
///
/// # Errors
/// Those of the server, such as missing privileges.
pub async fn keep<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
    report: &str,
) -> Result<(), Error> {
    if checkpoint::read(session, stream).await?.is_none() {
        return Ok(());
    }
    if !is_there(session).await? {
        // A removal must not meet a table that is made at the same moment.
        Lock::Layout.take(session).await?;
        let made = session.exec(TABLE).await;
        Lock::Layout.give_back(session).await?;
        made?;
    }
    let mut sql = b"INSERT INTO datain.verified (stream, report) SELECT stream, ".to_vec();
    literal(&mut sql, report);
    sql.extend_from_slice(b" FROM datain.checkpoints WHERE stream = ");
    literal(&mut sql, stream);
    sql.extend_from_slice(b" ON DUPLICATE KEY UPDATE ended_at = CURRENT_TIMESTAMP(6), report = ");
    literal(&mut sql, report);
    session.exec(&sql).await?;
    Ok(())
}

/// The newest comparison that was kept.
///
/// # Errors
/// Those of the server.
pub async fn last<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<Option<Kept>, Error> {
    if !layout::exists(session).await? || !is_there(session).await? {
        return Ok(None);
    }
    let mut sql = b"SELECT CAST(UNIX_TIMESTAMP(ended_at) * 1000000 AS UNSIGNED), report FROM datain.verified WHERE stream = ".to_vec();
    literal(&mut sql, stream);
    let row = session.query_first(&sql).await?;
    Ok(row.and_then(|row| {
        let mut cells = row.into_iter();
        Some(Kept {
            at_micros: cells.next()??.parse().ok()?,
            report: cells.next()??,
        })
    }))
}

/// Removes what was kept of a pipeline.
///
/// # Errors
/// Those of the server.
pub(crate) async fn remove<S: Stream>(session: &mut Session<S>, stream: &str) -> Result<(), Error> {
    if is_there(session).await? {
        let mut sql = b"DELETE FROM datain.verified WHERE stream = ".to_vec();
        literal(&mut sql, stream);
        session.exec(&sql).await?;
    }
    Ok(())
}

async fn is_there<S: Stream>(session: &mut Session<S>) -> Result<bool, Error> {
    let mut sql = b"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain' AND TABLE_NAME = ".to_vec();
    append_string(&mut sql, b"verified");
    let row = session.query_first(&sql).await?;
    Ok(row
        .and_then(|row| row.into_iter().next().flatten())
        .is_some_and(|count| count != "0"))
}
