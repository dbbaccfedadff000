//! The session settings under which a table is read, whatever the server's defaults are.
//!
//! - `SET NAMES binary`: strings come as the bytes that the columns hold, and statements are taken as bytes.
//! - `time_zone = +00:00`: a TIMESTAMP is read in UTC, as the log has it.
//! - sql_mode: no PAD_CHAR_TO_FULL_LENGTH, which would pad CHAR; no NO_BACKSLASH_ESCAPES, ANSI_QUOTES or PIPES_AS_CONCAT, which would change what statements mean;
//!   ALLOW_INVALID_DATES and no NO_ZERO_DATE, since a key may be such a date and is compared with.
//! - READ COMMITTED, read only, autocommit: each statement sees what is committed when it begins, and leaves nothing open.
//! - `net_write_timeout`: a sink that is slow makes the reader wait in the middle of a result. The server would give up after a minute.
//! - no limit on rows (`sql_select_limit`), joins (`sql_big_selects`) or time (`max_execution_time`, MariaDB: `max_statement_time`).
//! - `group_concat_max_len`: a letter for each value of a document (`json.rs`).
//! - `information_schema_stats_expiry = 0`: estimates of now, not of the day before.
//! - `show_gipk_in_create_table_and_information_schema = ON`: the key that a table got from the server is a column like others in the log.
//! - `use_secondary_engine = OFF`: rows come from the engine that has the keys.

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

/// The same for every server that we know.
const FOR_READS: &[&[u8]] = &[
    b"SET NAMES binary, SESSION sql_mode = 'ALLOW_INVALID_DATES', SESSION time_zone = '+00:00', \
    SESSION net_write_timeout = 31536000, SESSION wait_timeout = 28800, SESSION sql_select_limit = 18446744073709551615, \
    SESSION sql_big_selects = 1, SESSION sql_buffer_result = 0, SESSION group_concat_max_len = 1073741824, SESSION autocommit = 1",
    b"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
];

/// Settings that exist only since some version of MySQL; each is tried by itself.
const IF_KNOWN: &[&[u8]] = &[
    b"SET SESSION max_execution_time = 0",
    b"SET SESSION max_statement_time = 0",
    b"SET SESSION information_schema_stats_expiry = 0",
    b"SET SESSION show_gipk_in_create_table_and_information_schema = ON",
    b"SET SESSION use_secondary_engine = OFF",
];

/// errno of "unknown system variable".
const UNKNOWN_VARIABLE: u16 = 1193;

/// Brings a fresh session into the state in which tables are read. Everything else in this crate needs it.
///
/// # Errors
/// Errors of the server.
pub async fn prepare<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    for sql in FOR_READS {
        session.exec(sql).await?;
    }
    for sql in IF_KNOWN {
        match session.exec(sql).await {
            Err(e) if e.errno() != Some(UNKNOWN_VARIABLE) => return Err(e.into()),
            _ => {}
        }
    }
    Ok(())
}
