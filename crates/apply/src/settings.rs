//! The session settings under which rows are written, whatever the source's sessions had.
//!
//! - `character_set_client = binary`: the lexer looks at bytes, introducers say what strings are ([`crate::literal`]).
//! - strict mode, or bad values would be bent silently; `NO_AUTO_VALUE_ON_ZERO`, or a row with id 0 would get a new id;
//!   `ALLOW_INVALID_DATES` and no `NO_ZERO_DATE`, since the source holds what it holds; no `NO_BACKSLASH_ESCAPES`, which would change our literals.
//! - `time_zone = +00:00`, since the log's timestamps are UTC.
//! - `auto_increment_*` and `lc_time_names` as they are unless a statement's context says otherwise: the log names them only then.
//! - `sql_notes = 1`: what the server calls a note (a string cut at its trailing spaces) counts as a warning only then.
//! - READ COMMITTED: no gap locks between groups.
//! - no wait for a row's lock over 50 s: the claim waits for one too, and must have said so before the host gives up its opening.

use datain_mysql_client::{ClientError, ServerVersion, Session, Stream};

/// Whether rows can be written to a server of this version: MySQL since 5.6.4, which has fractions of a second, MariaDB since 10.6, which has atomic DDL.
#[must_use]
pub fn writes_to(version: &ServerVersion) -> bool {
    version.is_mysql_since(5, 6, 4) || version.is_mariadb_since(10, 6, 0)
}

/// What this version calls the isolation level.
fn isolation(version: &ServerVersion) -> &'static str {
    if version.is_mysql_since(5, 7, 20) || version.is_mariadb() && version.numbers() >= (11, 1, 1) {
        "transaction_isolation"
    } else {
        "tx_isolation"
    }
}

/// Brings a fresh session into the state for row changes.
#[must_use]
pub fn for_rows(version: &ServerVersion) -> Vec<u8> {
    let isolation = isolation(version);
    format!("{FOR_ROWS}, SESSION {isolation} = 'READ-COMMITTED'").into_bytes()
}

/// The same for every server that we know.
const FOR_ROWS: &str = "SET NAMES binary, \
    SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', \
    SESSION time_zone = '+00:00', SESSION foreign_key_checks = 1, SESSION unique_checks = 1, \
    SESSION timestamp = DEFAULT, SESSION auto_increment_increment = 1, SESSION auto_increment_offset = 1, \
    SESSION lc_time_names = 'en_US', SESSION autocommit = 1, \
    SESSION sql_auto_is_null = 0, SESSION sql_notes = 1, SESSION wait_timeout = 28800, \
    SESSION innodb_lock_wait_timeout = CAST(LEAST(@@global.innodb_lock_wait_timeout, 50) AS UNSIGNED), SESSION lock_wait_timeout = @@global.lock_wait_timeout";

/// A second for the wait for a lock, of a row or of a table's definition, where groups are written at the same time.
pub const IMPATIENT: &[u8] =
    b"SET SESSION innodb_lock_wait_timeout = 1, SESSION lock_wait_timeout = 1";

/// The wait for a lock as in [`for_rows`] again.
pub const PATIENT: &[u8] =
    b"SET SESSION innodb_lock_wait_timeout = CAST(LEAST(@@global.innodb_lock_wait_timeout, 50) AS UNSIGNED), SESSION lock_wait_timeout = @@global.lock_wait_timeout";

/// Ten seconds for the wait for a row's lock.
pub const BRIEF: &[u8] = b"SET SESSION innodb_lock_wait_timeout = CAST(LEAST(@@global.innodb_lock_wait_timeout, 10) AS UNSIGNED)";

/// Strict mode off, for a row with a value that it refuses. What was stored must be read back.
pub const LENIENT: &[u8] = b"SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'";

/// Strict mode on again: the same as in [`for_rows`].
pub const STRICT: &[u8] =
    b"SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'";

/// Settings that exist only since some version of MySQL; each is tried by itself and may be unknown to the server.
pub const IF_KNOWN: &[&[u8]] = &[
    b"SET SESSION sql_require_primary_key = 0",
    b"SET SESSION sql_generate_invisible_primary_key = 0",
];

/// Sets what the server knows of [`IF_KNOWN`]. They matter for definitions that would be refused; an account that may not set them is told by that.
///
/// # Errors
/// Other errors of the server.
pub async fn set_if_known<S: Stream>(session: &mut Session<S>) -> Result<(), ClientError> {
    for sql in IF_KNOWN {
        match session.exec(sql).await {
            Err(e)
                if e.errno() == Some(UNKNOWN_VARIABLE)
                    || e.code() == "server.privilege-missing" => {}
            other => {
                other?;
            }
        }
    }
    Ok(())
}

/// Whether the session's changes of rows would have to be logged as statements.
pub const LOGS_STATEMENTS: &[u8] =
    b"SELECT @@global.log_bin AND @@session.sql_log_bin AND @@session.binlog_format = 'STATEMENT'";

/// Lets the session log rows.
pub const LOG_ROWS: &[u8] = b"SET SESSION binlog_format = 'ROW'";

/// errno of "unknown system variable".
pub const UNKNOWN_VARIABLE: u16 = 1193;
