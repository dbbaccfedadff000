//! Statements of the source: what is done with each kind, and the session in which DDL runs.
//!
//! A statement runs as the source wrote it, in a session that looks like the source's: sql_mode, character sets, time zone, timestamp. No
//! parser stands between; a tokenizer tells the kind.

use datain_contract::types::{SessionContext, Statement};
use datain_sql_statement::{
    Action, Charset, Dialect, Kind, Options, TableAction, Verdict, classify, first_words,
    is_never_replicated,
};
use datain_sql_statement::{NameCase, TableFilter, Token, Tokens};

/// What the sink does with a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// Runs it.
    Run,
    /// Leaves it out by rule, and says so once.
    LeaveOut {
        /// Why, for the log.
        reason: &'static str,
    },
    /// Keeps it for the cutover: triggers and events would change rows a second time while replication runs.
    HoldBack,
    /// Stops: it cannot be applied.
    Refuse {
        /// Dotted code.
        code: &'static str,
        /// One sentence.
        message: &'static str,
        /// What to do.
        hint: &'static str,
    },
}

/// How the statement's bytes are to be read.
#[must_use]
pub fn options(statement: &Statement) -> Options {
    let charset = statement
        .context
        .charset_client
        .map_or_else(Charset::default, Charset::from_collation);
    let dialect = match statement.context.character_set_collations {
        Some(_) => Dialect::MariaDb,
        None => Dialect::MySql,
    };
    Options::from_sql_mode(statement.context.sql_mode.unwrap_or(0), charset, dialect)
}

/// A few words of the statement, without values, for logs and errors.
#[must_use]
pub fn summary(statement: &Statement) -> String {
    first_words(&statement.sql, 6, &options(statement))
}

/// Decides by the statement's kind.
#[must_use]
pub fn treatment(statement: &Statement) -> Treatment {
    let options = options(statement);
    let found = classify(&statement.sql, &options);
    let schema = statement.default_schema.as_deref().unwrap_or_default();
    // A half-failed statement about accounts is left out like a whole one.
    if statement.error_code != 0 && found.kind != Kind::Account {
        return Treatment::Refuse {
            code: "statement.failed-on-source",
            message: "the statement failed half-way on the source, so what it changed is not known",
            hint: "bring both servers to the same state by hand, then skip the transaction",
        };
    }
    match found.kind {
        Kind::Account => Treatment::LeaveOut {
            reason: "accounts and privileges are not replicated",
        },
        Kind::Trigger(_) | Kind::Event(_) => Treatment::HoldBack,
        Kind::Dml => Treatment::Refuse {
            code: "source.statement-format",
            message: "the source logged a change of rows as a statement, which may have another effect on the target",
            hint: "SET PERSIST binlog_format = ROW on the source, and reconnect its sessions",
        },
        Kind::Server | Kind::Maintenance if found.targets.is_empty() => Treatment::LeaveOut {
            reason: "statements about the server itself are not replicated",
        },
        Kind::Table(_) if found.temporary => Treatment::LeaveOut {
            reason: "temporary tables never leave their session",
        },
        Kind::Schema(_)
        | Kind::Table(_)
        | Kind::View(_)
        | Kind::Routine(_)
        | Kind::Sequence(_)
        | Kind::Maintenance
            if is_system(&found, schema, options.charset) =>
        {
            Treatment::LeaveOut {
                reason: "the server's own schemas are not replicated",
            }
        }
        Kind::Schema(_)
        | Kind::Table(_)
        | Kind::View(_)
        | Kind::Routine(_)
        | Kind::LoadableFunction
        | Kind::Sequence(_)
        | Kind::Server
        | Kind::Maintenance => Treatment::Run,
        Kind::Begin
        | Kind::Commit
        | Kind::Rollback
        | Kind::Savepoint(_)
        | Kind::Xa(_)
        | Kind::Set
        | Kind::Other => Treatment::Refuse {
            code: "statement.unknown",
            message: "the source logged a statement of a kind that the sink does not know how to apply",
            hint: "run its effect on the target by hand if it is wanted there, then skip the transaction",
        },
    }
}

/// The statement of a CREATE TABLE … SELECT, as the log has it, without its clause START TRANSACTION: with it the server would let nothing but the table's rows
/// into the transaction, no checkpoint either. `None` for any other statement.
#[must_use]
pub fn without_start_transaction(statement: &Statement) -> Option<Statement> {
    let clause = classify(&statement.sql, &options(statement)).start_transaction?;
    let mut sql = statement.sql.get(..clause.start)?.to_vec();
    sql.extend_from_slice(statement.sql.get(clause.end..)?);
    Some(Statement {
        sql,
        ..statement.clone()
    })
}

/// Whether the statement creates a table.
#[must_use]
pub fn makes_table(statement: &Statement) -> bool {
    classify(&statement.sql, &options(statement)).kind == Kind::Table(TableAction::Create)
}

/// Whether a statement that makes (`true`) or drops (`false`) one table, whatever was there before, has been run can be told by whether the table is there: then
/// that, with schema and name. Not of one that may do nothing, or both.
#[must_use]
pub fn tells_by_its_table(statement: &Statement) -> Option<(bool, String, String)> {
    let found = classify(&statement.sql, &options(statement));
    let makes = match found.kind {
        Kind::Table(TableAction::Create) => true,
        Kind::Table(TableAction::Drop) => false,
        _ => return None,
    };
    let is_plain = !found.temporary
        && found.targets.len() == 1
        && !begins_with(statement, &["EXISTS", "REPLACE"]);
    let (schema, name) = first_target(statement).filter(|_| is_plain)?;
    Some((makes, schema, name))
}

/// Whether running the statement a second time, directly after the first, leaves what the first left, and is no error. Of an ALTER TABLE nobody can say that
/// without knowing its whole syntax, and a RENAME may undo itself.
#[must_use]
pub fn may_be_repeated(statement: &Statement) -> bool {
    let options = options(statement);
    match classify(&statement.sql, &options).kind {
        Kind::Table(TableAction::Truncate)
        | Kind::View(Action::Alter)
        | Kind::Schema(Action::Alter)
        | Kind::Maintenance => true,
        Kind::Table(TableAction::Create | TableAction::Drop)
        | Kind::Schema(Action::Create | Action::Drop)
        | Kind::Routine(Action::Create | Action::Drop) => begins_with(statement, &["EXISTS"]),
        Kind::View(Action::Create | Action::Drop) => begins_with(statement, &["EXISTS", "REPLACE"]),
        _ => false,
    }
}

/// Whether one of these words stands among the unquoted words with which the statement begins, before the body of a view and before any parenthesis.
fn begins_with(statement: &Statement, words: &[&str]) -> bool {
    Tokens::new(&statement.sql, &options(statement))
        .take_while(|token| !token.is_punctuation(b'(') && !token.is_word("AS"))
        .scan(None::<Token<'_>>, |before, token| {
            // A name is no keyword: it stands alone, or behind a dot.
            let keyword = before.replace(token).is_some_and(|before| {
                before.is_word("IF") || before.is_word("NOT") || before.is_word("OR")
            });
            Some(keyword && words.iter().any(|word| token.is_word(word)))
        })
        .any(|found| found)
}

/// Schema and name of the first object that the statement names; `None` where there is none, or its name cannot be read.
#[must_use]
pub fn first_target(statement: &Statement) -> Option<(String, String)> {
    let options = options(statement);
    let found = classify(&statement.sql, &options);
    let schema = statement.default_schema.as_deref().unwrap_or_default();
    let (schema, name) = found.targets.first()?.decode(options.charset, schema)?;
    Some((schema.into_owned(), name.into_owned()))
}

/// Whether the statement names one object at most.
#[must_use]
pub fn has_one_target(statement: &Statement) -> bool {
    classify(&statement.sql, &options(statement)).targets.len() <= 1
}

/// Existing tables that the statement may give an AUTO_INCREMENT column, with their schemas.
#[must_use]
pub fn numbered_tables(statement: &Statement) -> Vec<(String, String)> {
    let options = options(statement);
    let found = classify(&statement.sql, &options);
    let numbers = found.kind == Kind::Table(TableAction::Alter)
        && Tokens::new(&statement.sql, &options).any(|token| token.is_word("AUTO_INCREMENT"));
    let schema = statement.default_schema.as_deref().unwrap_or_default();
    found
        .targets
        .iter()
        .filter(|_| numbers)
        .filter_map(|target| target.decode(options.charset, schema))
        .map(|(schema, name)| (schema.into_owned(), name.into_owned()))
        .collect()
}

/// Whether everything that the statement touches lies in a schema that is never replicated.
fn is_system(
    found: &datain_sql_statement::Statement,
    default_schema: &str,
    charset: Charset,
) -> bool {
    if found.targets.is_empty() {
        return is_never_replicated(default_schema, NameCase::default());
    }
    // A filter without patterns lets everything pass but the schemas that never are.
    TableFilter::new(&[], &[])
        .is_ok_and(|all| all.judge(found, default_schema, charset) == Verdict::Out)
}

/// The SET statement that makes the session look like the one in which the statement ran.
#[must_use]
pub fn context_sql(context: &SessionContext) -> Vec<u8> {
    let mut sql = String::from("SET ");
    let micros = context.timestamp_micros;
    sql.push_str(&format!(
        "SESSION timestamp = {}.{:06}",
        micros / 1_000_000,
        micros % 1_000_000
    ));
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            sql.push_str(&format!(", SESSION {name} = {value}"));
        }
    };
    let number = |n: Option<u16>| n.map(|n| n.to_string());
    set("sql_mode", context.sql_mode.map(|m| m.to_string()));
    set("character_set_client", number(context.charset_client));
    set("collation_connection", number(context.collation_connection));
    set("collation_server", number(context.collation_server));
    set(
        "time_zone",
        context.time_zone.as_deref().and_then(zone_literal),
    );
    set(
        "auto_increment_increment",
        number(context.auto_increment_increment),
    );
    set(
        "auto_increment_offset",
        number(context.auto_increment_offset),
    );
    set("lc_time_names", number(context.lc_time_names));
    set(
        "default_collation_for_utf8mb4",
        number(context.default_collation_for_utf8mb4),
    );
    if let Some(on) = context.explicit_defaults_for_timestamp {
        set(
            "explicit_defaults_for_timestamp",
            Some(u8::from(on).to_string()),
        );
    }
    // Asking for it needs a privilege; only a schema or table that is encrypted on the source needs it.
    if context.default_table_encryption == Some(true) {
        set("default_table_encryption", Some("1".to_owned()));
    }
    if let Some(flags) = context.flags2 {
        set(
            "foreign_key_checks",
            Some(u8::from(flags & NO_FOREIGN_KEY_CHECKS == 0).to_string()),
        );
        set(
            "unique_checks",
            Some(u8::from(flags & RELAXED_UNIQUE_CHECKS == 0).to_string()),
        );
        set(
            "sql_auto_is_null",
            Some(u8::from(flags & AUTO_IS_NULL != 0).to_string()),
        );
    }
    sql.into_bytes()
}

/// Bits of a Query event's flags2, from MySQL's documentation of `Query_event`.
const AUTO_IS_NULL: u32 = 0x4000;
const NO_FOREIGN_KEY_CHECKS: u32 = 0x0400_0000;
const RELAXED_UNIQUE_CHECKS: u32 = 0x0800_0000;

/// A time zone as a literal, if it looks like one: a name, an offset or SYSTEM.
fn zone_literal(zone: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '-' | ':');
    (!zone.is_empty() && zone.chars().all(plain)).then(|| format!("'{zone}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sql: &str, schema: &str) -> Statement {
        Statement {
            sql: sql.as_bytes().to_vec(),
            default_schema: Some(schema.to_owned()),
            context: empty(),
            error_code: 0,
            session: None,
            temporary: datain_contract::types::TemporaryTables::None,
            file: None,
        }
    }

    fn empty() -> SessionContext {
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
            timestamp_micros: 1_700_000_000_000_007,
        }
    }

    fn check(sql: &str, schema: &str, expected: &str) {
        let found = match treatment(&statement(sql, schema)) {
            Treatment::Run => "run".to_owned(),
            Treatment::LeaveOut { .. } => "leave out".to_owned(),
            Treatment::HoldBack => "hold back".to_owned(),
            Treatment::Refuse { code, .. } => code.to_owned(),
        };
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn each_kind_has_its_treatment() {
        check("CREATE TABLE t (id INT PRIMARY KEY)", "shop", "run");
        check("/* x */ ALTER TABLE shop.t ADD c INT", "", "run");
        check("CREATE SCHEMA shop", "shop", "run");
        check("CREATE DEFINER=`a`@`%` VIEW v AS SELECT 1", "shop", "run");
        check("DROP TABLE mysql.backup", "shop", "leave out");
        check("CREATE TABLE t (id INT)", "mysql", "leave out");
        check("FLUSH TABLES", "", "leave out");
        check("CREATE TEMPORARY TABLE t (id INT)", "shop", "leave out");
        check(
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1",
            "shop",
            "hold back",
        );
        check("DROP EVENT e", "shop", "hold back");
        check(
            "INSERT INTO t VALUES (1)",
            "shop",
            "source.statement-format",
        );
        check("CREATE TABLE t (a INT) START TRANSACTION", "shop", "run");
        check("BOGUS", "shop", "statement.unknown");
    }

    #[test]
    fn only_what_is_surely_the_same_the_second_time_may_be_repeated() {
        for (sql, expected) in [
            ("TRUNCATE t", true),
            ("DROP TABLE IF EXISTS a, b", true),
            ("DROP TABLE a, b", false),
            ("DROP TABLE `IF`, `EXISTS`", false),
            ("CREATE TABLE IF NOT EXISTS a (id INT)", true),
            ("CREATE TABLE a (id INT)", false),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", true),
            (
                "CREATE VIEW v AS SELECT 1 OR REPLACE(1, 2, IF(EXISTS (SELECT 1), 1, 2))",
                false,
            ),
            (
                "CREATE PROCEDURE p () BEGIN IF EXISTS (SELECT 1) THEN DO 1; END IF; END",
                false,
            ),
            ("DROP SCHEMA IF EXISTS s", true),
            ("ALTER SCHEMA s COLLATE utf8mb4_bin", true),
            ("ALTER VIEW v AS SELECT 2", true),
            ("RENAME TABLE a TO c, b TO a, c TO b", false),
            ("ALTER TABLE a ADD INDEX (b)", false),
            ("ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b", false),
        ] {
            assert_eq!(may_be_repeated(&statement(sql, "shop")), expected, "{sql}");
        }
    }

    #[test]
    fn a_created_table_loses_only_the_clause_that_shuts_the_checkpoint_out() {
        let without = |sql: &str| {
            let found = without_start_transaction(&statement(sql, "shop"))?;
            Some(String::from_utf8(found.sql).unwrap())
        };
        assert_eq!(
            without("CREATE TABLE `start` (`transaction` INT COMMENT 'START TRANSACTION') START TRANSACTION /* xid=7 */").as_deref(),
            Some("CREATE TABLE `start` (`transaction` INT COMMENT 'START TRANSACTION')  /* xid=7 */")
        );
        assert_eq!(without("CREATE TABLE t (start INT, transaction INT)"), None);
    }

    #[test]
    fn accounts_are_never_replicated() {
        for sql in [
            "CREATE USER a@b IDENTIFIED BY 'x'",
            "ALTER USER a@b ACCOUNT LOCK",
            "DROP USER a@b",
            "RENAME USER a TO b",
            "GRANT SELECT ON *.* TO a@b",
            "REVOKE SELECT ON *.* FROM a@b",
            "SET PASSWORD FOR a@b = 'x'",
            "CREATE ROLE r",
            "DROP ROLE r",
            "SET DEFAULT ROLE r TO a@b",
        ] {
            check(sql, "shop", "leave out");
        }
    }

    #[test]
    fn the_context_says_only_what_the_log_said() {
        let mut context = empty();
        assert_eq!(
            context_sql(&context),
            b"SET SESSION timestamp = 1700000000.000007"
        );
        context.time_zone = Some("x'; DROP".to_owned());
        context.flags2 = Some(NO_FOREIGN_KEY_CHECKS);
        context.sql_mode = Some(1_411_383_296);
        assert_eq!(
            String::from_utf8(context_sql(&context)).unwrap(),
            "SET SESSION timestamp = 1700000000.000007, SESSION sql_mode = 1411383296, SESSION foreign_key_checks = 0, \
             SESSION unique_checks = 1, SESSION sql_auto_is_null = 0"
        );
    }
}
