//! Definitions as statements of the stream.

use std::collections::BTreeMap;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, SessionContext, Severity, Statement};
use datain_mysql_client::{Session, Stream, quote_identifier};
use datain_schema_objects::read::Reading;
use datain_schema_objects::{Kind, Object};

/// Bit of a Query event's flags2, from MySQL's documentation of `Query_event`.
const NO_FOREIGN_KEY_CHECKS: u32 = 0x0400_0000;

/// Bits of sql_mode as the log has them, from MySQL's documentation of `Query_event`; MariaDB's from its `sql_class.h`.
const MODES: [(&str, u32); 34] = [
    ("REAL_AS_FLOAT", 0),
    ("PIPES_AS_CONCAT", 1),
    ("ANSI_QUOTES", 2),
    ("IGNORE_SPACE", 3),
    ("ONLY_FULL_GROUP_BY", 5),
    ("IGNORE_BAD_TABLE_OPTIONS", 4),
    ("NO_UNSIGNED_SUBTRACTION", 6),
    ("NO_DIR_IN_CREATE", 7),
    ("POSTGRESQL", 8),
    ("ORACLE", 9),
    ("MSSQL", 10),
    ("DB2", 11),
    ("MAXDB", 12),
    ("NO_KEY_OPTIONS", 13),
    ("NO_TABLE_OPTIONS", 14),
    ("NO_FIELD_OPTIONS", 15),
    ("ANSI", 18),
    ("NO_AUTO_VALUE_ON_ZERO", 19),
    ("NO_BACKSLASH_ESCAPES", 20),
    ("STRICT_TRANS_TABLES", 21),
    ("STRICT_ALL_TABLES", 22),
    ("NO_ZERO_IN_DATE", 23),
    ("NO_ZERO_DATE", 24),
    ("ALLOW_INVALID_DATES", 25),
    ("ERROR_FOR_DIVISION_BY_ZERO", 26),
    ("TRADITIONAL", 27),
    ("NO_AUTO_CREATE_USER", 28),
    ("HIGH_NOT_PRECEDENCE", 29),
    ("NO_ENGINE_SUBSTITUTION", 30),
    ("PAD_CHAR_TO_FULL_LENGTH", 31),
    ("TIME_TRUNCATE_FRACTIONAL", 32),
    ("EMPTY_STRING_IS_NULL", 32),
    ("SIMULTANEOUS_ASSIGNMENT", 33),
    ("TIME_ROUND_FRACTIONAL", 34),
];

fn modes(text: &str) -> u64 {
    let bit = |mode: &str| MODES.iter().find(|(name, _)| *name == mode);
    text.split(',')
        .filter_map(bit)
        .fold(0, |all, (_, bit)| all | 1 << bit)
}

/// Refuses to copy what could not be read as a whole.
///
/// # Errors
/// The first fatal finding.
pub fn must_be_readable(reading: &Reading) -> Result<(), Error> {
    let Some(finding) = reading
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Fatal)
    else {
        return Ok(());
    };
    let error = Error::reconfigure("snapshot.definitions-unreadable", finding.message.clone())
        .detail(finding.subjects.join(", "));
    Err(match &finding.remedy {
        Some(remedy) => error.hint(remedy.clone()),
        None => error,
    })
}

/// A session of which nothing is known.
fn plain() -> SessionContext {
    SessionContext {
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
    }
}

/// The statement that removes all rows of a table, which others may refer to. In utf8mb4, by its collation utf8mb4_general_ci.
pub fn truncate(schema: &str, name: &str) -> Statement {
    const UTF8MB4: u16 = 45;
    Statement {
        sql: format!(
            "TRUNCATE TABLE {}.{}",
            quote_identifier(schema),
            quote_identifier(name)
        )
        .into_bytes(),
        default_schema: Some(schema.to_owned()),
        context: SessionContext {
            sql_mode: Some(0),
            flags2: Some(NO_FOREIGN_KEY_CHECKS),
            charset_client: Some(UTF8MB4),
            collation_connection: Some(UTF8MB4),
            ..plain()
        },
        error_code: 0,
        session: None,
        temporary: datain_contract::types::TemporaryTables::None,
        file: None,
    }
}

/// The statements that make these objects, each with its session.
///
/// # Errors
/// Errors of the server, which is asked for the numbers of collations.
pub async fn of<S: Stream>(
    session: &mut Session<S>,
    objects: Vec<Object>,
) -> Result<Vec<Statement>, Error> {
    let sql: &[u8] = if session.server_version().is_mariadb_since(10, 10, 1) {
        b"SELECT FULL_COLLATION_NAME, CHARACTER_SET_NAME, ID, IS_DEFAULT FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
    } else {
        b"SELECT COLLATION_NAME, CHARACTER_SET_NAME, ID, IS_DEFAULT FROM information_schema.COLLATIONS"
    };
    let rows = session.query_rows(sql).await?;
    let mut collations = BTreeMap::new();
    let mut defaults = BTreeMap::new();
    for row in rows {
        let [Some(name), Some(charset), Some(id), is_default] = &row[..] else {
            continue;
        };
        let Ok(id) = id.parse::<u16>() else { continue };
        collations.insert(name.clone(), id);
        if is_default.as_deref() == Some("Yes") {
            defaults.insert(charset.clone(), id);
        }
    }
    let is_mariadb = session.server_version().is_mariadb();
    let statement = |object: Object| {
        let context = &object.context;
        Statement {
            sql: match object.sql.strip_prefix(b"CREATE DATABASE `") {
                // Who has made the schema on the target may have its tables made there.
                Some(rest) if object.kind == Kind::Schema => {
                    [b"CREATE DATABASE IF NOT EXISTS `", rest].concat()
                }
                _ => object.sql,
            },
            default_schema: context.default_schema.clone(),
            context: SessionContext {
                sql_mode: Some(modes(&context.sql_mode)),
                flags2: Some(NO_FOREIGN_KEY_CHECKS),
                charset_client: defaults.get(&context.character_set_client).copied(),
                collation_connection: collations.get(&context.collation_connection).copied(),
                collation_database: context
                    .database_collation
                    .as_ref()
                    .and_then(|name| collations.get(name))
                    .copied(),
                time_zone: context.time_zone.clone(),
                default_collation_for_utf8mb4: context
                    .default_collation_for_utf8mb4
                    .as_ref()
                    .and_then(|name| collations.get(name))
                    .copied(),
                character_set_collations: is_mariadb.then(Vec::new),
                explicit_defaults_for_timestamp: Some(true),
                sql_require_primary_key: Some(false),
                ..plain()
            },
            error_code: 0,
            session: None,
            temporary: datain_contract::types::TemporaryTables::None,
            file: None,
        }
    };
    Ok(objects.into_iter().map(statement).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_numbers_in_the_log() {
        // SELECT of a Query event on MySQL 9.7 with its default sql_mode.
        let default = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";
        assert_eq!(modes(default), 1_168_113_696);
        assert_eq!(modes(""), 0);
        assert_eq!(modes("ANSI_QUOTES"), 4);
    }
}
