//! A trigger or event of a MariaDB, with the session in which it runs, in MySQL's words. The rules are those of statements; here settings have names where those have numbers.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, SessionContext, Statement, TemporaryTables};
use datain_schema_objects::{Context, Object};

use super::{stand_in, statement};
use crate::mapping::Collations;

/// Modes under which the same words mean something else.
const OTHER_MEANING: [&str; 4] = [
    "ORACLE",
    "MAXDB",
    "EMPTY_STRING_IS_NULL",
    "SIMULTANEOUS_ASSIGNMENT",
];
/// Modes of MariaDB's that say nothing of what is made.
const MEANINGLESS: [&str; 1] = ["IGNORE_BAD_TABLE_OPTIONS"];
const ROUNDS: &str = "TIME_ROUND_FRACTIONAL";
/// What MySQL calls it where that is not set.
const TRUNCATES: &str = "TIME_TRUNCATE_FRACTIONAL";

/// The object as MySQL can make it.
///
/// # Errors
/// `ddl.mode-gone`, `ddl.mariadb-only`, `statement.collation-unknown`.
pub(crate) fn object(object: Object, target: &Collations) -> Result<Object, Error> {
    let named = |error: Error| error.in_table(&object.schema, &object.name);
    let context = Context {
        sql_mode: modes(&object.context.sql_mode).map_err(named)?,
        collation_connection: known(&object.context.collation_connection, target).map_err(named)?,
        database_collation: match &object.context.database_collation {
            Some(name) => Some(known(name, target).map_err(named)?),
            None => None,
        },
        default_collation_for_utf8mb4: match &object.context.default_collation_for_utf8mb4 {
            Some(name) => Some(known(name, target).map_err(named)?),
            None => None,
        },
        ..object.context.clone()
    };
    let sql = statement::adapted(&as_statement(&object, target), target).map_err(named)?;
    Ok(Object {
        shown: sql.clone(),
        sql,
        context,
        ..object
    })
}

/// The modes in MySQL's names.
fn modes(modes: &str) -> Result<String, Error> {
    let is = |mode: &&str, names: &[&str]| names.iter().any(|name| mode.eq_ignore_ascii_case(name));
    let list: Vec<&str> = modes.split(',').filter(|mode| !mode.is_empty()).collect();
    if let Some(mode) = list.iter().find(|mode| is(mode, &OTHER_MEANING)) {
        return Err(Error::fatal(
            "ddl.mode-gone",
            format!(
                "it runs with sql_mode {mode}, a mode of MariaDB's that the target does not know"
            ),
        )
        .hint("make what it means on the target by hand, and exclude or drop it on the source"));
    }
    let mut kept: Vec<&str> = list
        .iter()
        .copied()
        .filter(|mode| !is(mode, &MEANINGLESS) && !is(mode, &[ROUNDS]))
        .collect();
    if !list.iter().any(|mode| is(mode, &[ROUNDS])) {
        kept.push(TRUNCATES);
    }
    Ok(kept.join(","))
}

/// The collation, or what stands in for it.
fn known(name: &str, target: &Collations) -> Result<String, Error> {
    if target.number(name).is_some() {
        return Ok(name.to_owned());
    }
    stand_in(name, target).ok_or_else(|| {
        Error::reconfigure(
            "statement.collation-unknown",
            format!("it was made with the collation {name} of MariaDB's, for which the target has no other"),
        )
        .hint("make it on the target by hand, with a collation that it knows")
    })
}

/// The object's text with what its tokens depend on.
fn as_statement(object: &Object, target: &Collations) -> Statement {
    let has = |mode: &str| {
        let mut modes = object.context.sql_mode.split(',');
        u64::from(modes.any(|one| one.eq_ignore_ascii_case(mode)))
    };
    let sql_mode = has("ANSI_QUOTES") << 2 | has("NO_BACKSLASH_ESCAPES") << 20;
    Statement {
        sql: object.sql.clone(),
        default_schema: object.context.default_schema.clone(),
        error_code: 0,
        session: None,
        temporary: TemporaryTables::None,
        file: None,
        context: SessionContext {
            sql_mode: Some(sql_mode),
            flags2: None,
            charset_client: target.any_of(&object.context.character_set_client),
            collation_connection: None,
            collation_server: None,
            collation_database: None,
            time_zone: None,
            auto_increment_increment: None,
            auto_increment_offset: None,
            lc_time_names: None,
            default_collation_for_utf8mb4: None,
            // Its words are MariaDB's.
            character_set_collations: Some(Vec::new()),
            explicit_defaults_for_timestamp: None,
            sql_require_primary_key: None,
            default_table_encryption: None,
            timestamp_micros: 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_get_their_names_in_mysql() {
        let modes = |text: &str| modes(text).map_err(|error| error.code);
        assert_eq!(modes("").as_deref(), Ok("TIME_TRUNCATE_FRACTIONAL"));
        assert_eq!(
            modes("ANSI_QUOTES,IGNORE_BAD_TABLE_OPTIONS,TIME_ROUND_FRACTIONAL").as_deref(),
            Ok("ANSI_QUOTES")
        );
        assert_eq!(
            modes("PIPES_AS_CONCAT,oracle"),
            Err("ddl.mode-gone".to_owned())
        );
    }
}
