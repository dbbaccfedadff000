//! Statements that replication refuses and a person who reads a file may see.
//!
//! What changes rows as a statement may have another effect elsewhere, so it must never be applied; printed, it is only what the log says. The values that such
//! a statement depends on (Intvar, Rand and User_var events) are printed before it, as the SET statements that would give them.

use datain_binlog::{EventBody, IntvarKind, QueryEvent, UserVarValue};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, SessionContext, Statement};
use datain_sql_statement::{Charset, Dialect, Kind, Options, classify};

/// Refusals of [`crate::statement::meaning`] that are about what would happen on a target.
const SHOWN: &[&str] = &[
    "source.statement-format",
    "source.statement-inside",
    "source.rollback-logged",
    "filter.mixed-statement",
    "filter.unreadable-statement",
];

/// Whether a statement that was refused for this is shown.
pub fn is_shown(error: &Error) -> bool {
    SHOWN.contains(&error.code.as_str())
}

/// Whether it ends the transaction in which it stands.
pub fn ends_transaction(query: &QueryEvent<'_>) -> bool {
    let charset = query
        .status
        .charset
        .map_or_else(Charset::default, |c| Charset::from_collation(c.0));
    let sql_mode = query.status.sql_mode.unwrap_or(0);
    let options = Options::from_sql_mode(sql_mode, charset, Dialect::default());
    classify(query.sql, &options).kind == Kind::Rollback
}

/// The statement that sets what an Intvar, Rand or User_var event sets.
///
/// # Errors
/// `binlog.malformed` for a value that is not of its type, or another event.
pub fn setting(event: &EventBody<'_>) -> Result<Statement, Error> {
    assignment(event, for_people)
}

fn for_people(value: &UserVarValue<'_>) -> Option<String> {
    value.to_sql()
}

/// The same with the value of a user variable written in a form of the caller's.
///
/// # Errors
/// As [`setting`]; `value` is `None` for what is not of its type.
pub fn assignment(
    event: &EventBody<'_>,
    value: impl Fn(&UserVarValue<'_>) -> Option<String>,
) -> Result<Statement, Error> {
    let malformed = |what: &str| Error::fatal("binlog.malformed", what);
    let mut sql = b"SET ".to_vec();
    match event {
        EventBody::Intvar(intvar) => {
            let name = match intvar.kind {
                IntvarKind::LastInsertId => "LAST_INSERT_ID",
                IntvarKind::InsertId => "INSERT_ID",
            };
            sql.extend_from_slice(format!("{name} = {}", intvar.value).as_bytes());
        }
        EventBody::Rand(rand) => {
            let seeds = format!("RAND_SEED1 = {}, RAND_SEED2 = {}", rand.seed1, rand.seed2);
            sql.extend_from_slice(seeds.as_bytes());
        }
        EventBody::UserVar(variable) => {
            sql.extend_from_slice(b"@`");
            for byte in variable.name {
                if *byte == b'`' {
                    sql.push(b'`');
                }
                sql.push(*byte);
            }
            sql.extend_from_slice(b"` = ");
            let text = match &variable.value {
                None => "NULL".to_owned(),
                Some(found) => value(found)
                    .ok_or_else(|| malformed("the value of a user variable is not of its type"))?,
            };
            sql.extend_from_slice(text.as_bytes());
        }
        _ => {
            return Err(malformed(
                "an event that sets no variable was taken for one that does",
            ));
        }
    }
    Ok(Statement {
        sql,
        default_schema: None,
        error_code: 0,
        session: None,
        temporary: datain_contract::types::TemporaryTables::None,
        file: None,
        context: SessionContext {
            sql_mode: None,
            flags2: None,
            charset_client: None,
            collation_connection: None,
            collation_server: None,
            collation_database: None,
            time_zone: None,
            auto_increment_increment: None,
            auto_increment_offset: None,
            lc_time_names: None,
            default_collation_for_utf8mb4: None,
            character_set_collations: None,
            explicit_defaults_for_timestamp: None,
            sql_require_primary_key: None,
            default_table_encryption: None,
            timestamp_micros: 0,
        },
    })
}
