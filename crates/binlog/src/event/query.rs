//! Query: `Query_event` of MySQL's `statement_events.h`, with the status variables that its `Query_event_status_vars` lists, and those
//! that MariaDB's `log_event.h` adds (128 to 131).

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::header::HEADER_LEN;

const EVENT: &str = "Query event";

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryEvent<'a> {
    /// The source's connection id.
    pub thread_id: u32,
    /// How long it ran, in seconds.
    pub exec_time: u32,
    /// The errno that it had on the source; 0 is success.
    pub error_code: u16,
    /// The default schema; empty for none.
    pub schema: &'a str,
    /// The session under which it ran.
    pub status: StatusVars<'a>,
    /// The statement, in the client's character set.
    pub sql: &'a [u8],
}

/// The session of a statement, as far as the event tells. `None` is what the event does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusVars<'a> {
    /// Bits of `OPTION_…`: AUTO_IS_NULL 0x4000, NOT_AUTOCOMMIT 0x80000, NO_FOREIGN_KEY_CHECKS 0x4000000,
    /// RELAXED_UNIQUE_CHECKS 0x8000000.
    pub flags2: Option<u32>,
    /// sql_mode as a bit mask.
    pub sql_mode: Option<u64>,
    /// The catalog, always "std".
    pub catalog: Option<&'a [u8]>,
    /// auto_increment_increment and auto_increment_offset.
    pub auto_increment: Option<(u16, u16)>,
    /// Collation ids of character_set_client, collation_connection and collation_server.
    pub charset: Option<(u16, u16, u16)>,
    /// time_zone.
    pub time_zone: Option<&'a str>,
    /// Number of lc_time_names.
    pub lc_time_names: Option<u16>,
    /// collation_database.
    pub collation_database: Option<u16>,
    /// Bit mask of the tables that a multi-table UPDATE changes.
    pub table_map_for_update: Option<u64>,
    /// Bytes that the master wrote, in relay logs of old servers.
    pub master_data_written: Option<u32>,
    /// The user and host that CREATE … DEFINER = CURRENT_USER stands for.
    pub invoker: Option<(&'a [u8], &'a [u8])>,
    /// The schemas that the statement changes; `None` also when they are more than the server lists (16).
    pub updated_db_names: Option<Vec<&'a str>>,
    /// Microseconds of the event's timestamp.
    pub microseconds: Option<u32>,
    /// explicit_defaults_for_timestamp.
    pub explicit_defaults_for_timestamp: Option<bool>,
    /// The transaction number under which a DDL statement was logged.
    pub ddl_xid: Option<u64>,
    /// MariaDB's character_set_collations: the collation that a character set has by itself, and the one that takes its place, where the statement asked for one.
    pub character_set_collations: Option<Vec<(u16, u16)>>,
    /// default_collation_for_utf8mb4.
    pub default_collation_for_utf8mb4: Option<u16>,
    /// sql_require_primary_key.
    pub sql_require_primary_key: Option<bool>,
    /// default_table_encryption.
    pub default_table_encryption: Option<bool>,
    /// enable_cascade_triggers (9.7), on statements that change data.
    pub enable_cascade_triggers: Option<bool>,
}

impl<'a> QueryEvent<'a> {
    pub(crate) fn parse(body: &'a [u8], post_header: usize) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new(EVENT, body, HEADER_LEN);
        let mut fixed = cursor.sub(post_header as u64, "post_header")?;
        let thread_id = fixed.u32("thread_id")?;
        let exec_time = fixed.u32("exec_time")?;
        let schema_length = fixed.u8("schema_length")?;
        let error_code = fixed.u16("error_code")?;
        let status_length = if fixed.is_at_end() {
            0
        } else {
            fixed.u16("status_vars_length")?
        };
        let mut vars = cursor.sub(u64::from(status_length), "status_vars")?;
        let status = StatusVars::parse(&mut vars)?;
        let schema = cursor.str(usize::from(schema_length), "schema")?;
        cursor.nul("schema")?;
        Ok(Self {
            thread_id,
            exec_time,
            error_code,
            schema,
            status,
            sql: cursor.rest(),
        })
    }
}

impl<'a> StatusVars<'a> {
    /// Reads to the end of `cursor`. A code without a known length makes it impossible to go on, so it is an error.
    fn parse(cursor: &mut Cursor<'a>) -> Result<Self, BinlogError> {
        let mut vars = Self::default();
        while !cursor.is_at_end() {
            let start = cursor.clone();
            match cursor.u8("status_var")? {
                0 => vars.flags2 = Some(cursor.u32("flags2")?),
                1 => vars.sql_mode = Some(cursor.u64("sql_mode")?),
                2 => {
                    vars.catalog = Some(short_bytes(cursor, "catalog")?);
                    cursor.nul("catalog")?;
                }
                3 => {
                    let increment = cursor.u16("auto_increment_increment")?;
                    vars.auto_increment = Some((increment, cursor.u16("auto_increment_offset")?));
                }
                4 => {
                    let client = cursor.u16("character_set_client")?;
                    let connection = cursor.u16("collation_connection")?;
                    let server = cursor.u16("collation_server")?;
                    vars.charset = Some((client, connection, server));
                }
                5 => vars.time_zone = Some(short_str(cursor, "time_zone")?),
                6 => vars.catalog = Some(short_bytes(cursor, "catalog")?),
                7 => vars.lc_time_names = Some(cursor.u16("lc_time_names")?),
                8 => vars.collation_database = Some(cursor.u16("collation_database")?),
                9 => vars.table_map_for_update = Some(cursor.u64("table_map_for_update")?),
                10 => vars.master_data_written = Some(cursor.u32("master_data_written")?),
                11 => {
                    let user = short_bytes(cursor, "invoker_user")?;
                    vars.invoker = Some((user, short_bytes(cursor, "invoker_host")?));
                }
                12 => vars.updated_db_names = updated_db_names(cursor)?,
                13 => vars.microseconds = Some(cursor.uint(3, "microseconds")? as u32),
                16 => {
                    vars.explicit_defaults_for_timestamp =
                        Some(cursor.u8("explicit_defaults_for_timestamp")? != 0);
                }
                17 => vars.ddl_xid = Some(cursor.u64("ddl_xid")?),
                18 => {
                    vars.default_collation_for_utf8mb4 =
                        Some(cursor.u16("default_collation_for_utf8mb4")?);
                }
                19 => {
                    vars.sql_require_primary_key = Some(cursor.u8("sql_require_primary_key")? != 0);
                }
                20 => {
                    vars.default_table_encryption =
                        Some(cursor.u8("default_table_encryption")? != 0);
                }
                // In files of 9.7 only; what it is was read off mysqlbinlog's output, which names the variable.
                21 => {
                    vars.enable_cascade_triggers = Some(cursor.u8("enable_cascade_triggers")? != 0);
                }
                // MariaDB: the microseconds under another code, and the transaction number of a DDL statement.
                128 => vars.microseconds = Some(cursor.uint(3, "hrnow")? as u32),
                129 => vars.ddl_xid = Some(cursor.u64("xid")?),
                // The phase of a two-phase ALTER, which the Gtid event names too.
                130 => {
                    if cursor.u8("gtid_flags3")? & (4 | 8) != 0 {
                        cursor.u64("sa_seq_no")?;
                    }
                }
                131 => {
                    let count = cursor.u8("character_set_collations")?;
                    let mut pairs = Vec::with_capacity(usize::from(count));
                    for _ in 0..count {
                        let from = cursor.u16("character_set_collations")?;
                        pairs.push((from, cursor.u16("character_set_collations")?));
                    }
                    vars.character_set_collations = Some(pairs);
                }
                other => {
                    return Err(start
                        .error("status_var", Problem::Value(u64::from(other)))
                        .into());
                }
            }
        }
        Ok(vars)
    }
}

/// A string with one byte of length.
fn short_bytes<'a>(cursor: &mut Cursor<'a>, field: &'static str) -> Result<&'a [u8], BinlogError> {
    let length = cursor.u8(field)?;
    Ok(cursor.bytes(usize::from(length), field)?)
}

fn short_str<'a>(cursor: &mut Cursor<'a>, field: &'static str) -> Result<&'a str, BinlogError> {
    let length = cursor.u8(field)?;
    Ok(cursor.str(usize::from(length), field)?)
}

/// A count, then names that end with a NUL each. The count 254 (OVER_MAX_DBS_IN_EVENT_MTS) stands for too many to list.
fn updated_db_names<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Vec<&'a str>>, BinlogError> {
    const FIELD: &str = "updated_db_names";
    let count = cursor.u8(FIELD)?;
    if count == 254 {
        return Ok(None);
    }
    let mut names = Vec::new();
    for _ in 0..count {
        let ahead = cursor.clone().rest();
        let length = ahead.iter().position(|b| *b == 0).unwrap_or(ahead.len());
        names.push(cursor.str(length, FIELD)?);
        cursor.nul(FIELD)?;
    }
    Ok(Some(names))
}
