//! Query events: which of them frame transactions, which are passed on, which stop the stream.

use datain_binlog::{FormatDescription, QueryEvent};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, SessionContext, Statement, XaBranch, XaStep};
use datain_schema_objects::plan::Definer;
use datain_schema_objects::without_definer;
use datain_sql_statement::{
    Charset, Dialect, Kind, Options, Savepoint, TableAction, TableFilter, Verdict, Xa, Xid,
    classify, first_words,
};

/// What a Query event means to the framing.
#[derive(Debug, PartialEq)]
pub enum Meaning {
    /// Begins a transaction.
    Begin,
    /// Begins the first phase of an XA branch with this xid, which ends at its XA_prepare event.
    BeginBranch(String),
    /// The second phase of an XA branch: a transaction of its own.
    EndBranch(XaBranch),
    /// Ends a transaction.
    Commit,
    /// Changes nothing that counts.
    Nothing,
    /// A statement that is not replicated by the filter.
    Filtered,
    /// A statement to pass on.
    Statement(Statement),
    /// The statement of a CREATE TABLE … SELECT, whose rows, if there are any, follow in the same transaction.
    CreateSelect(Statement),
}

/// Reads a Query event. `inside` says whether a transaction is open, `dialect` who wrote the statement.
///
/// # Errors
/// For statements that cannot be replicated; see [`Meaning`] for the others.
pub fn meaning(
    query: &QueryEvent<'_>,
    timestamp: u32,
    inside: bool,
    filter: &TableFilter,
    dialect: Dialect,
) -> Result<Meaning, Error> {
    // The commonest statements by far.
    if query.sql == b"BEGIN" {
        return Ok(Meaning::Begin);
    }
    if query.sql == b"COMMIT" {
        return Ok(Meaning::Commit);
    }
    let options = options(query, dialect);
    let found = classify(query.sql, &options);
    let refused = |code: &str, message: &str, hint: &str| {
        Err(Error::fatal(code, message)
            .detail(format!(
                "statement: {} …",
                first_words(query.sql, 6, &options)
            ))
            .hint(hint))
    };
    match found.kind {
        Kind::Begin => return Ok(Meaning::Begin),
        Kind::Commit => return Ok(Meaning::Commit),
        Kind::Savepoint(Savepoint::Set | Savepoint::Release) => return Ok(Meaning::Nothing),
        Kind::Rollback | Kind::Savepoint(Savepoint::RollbackTo) => {
            return refused(
                "source.rollback-logged",
                "the source logged a rollback, which means that a table without transactions was changed in it",
                "ALTER TABLE … ENGINE=InnoDB on the source, bring the table over again, then skip the transaction",
            );
        }
        Kind::Xa(Xa::End) if inside => return Ok(Meaning::Nothing),
        Kind::Xa(xa) => {
            if let Some(meaning) = branch(xa, found.xid.as_ref().filter(|_| !inside)) {
                return Ok(meaning);
            }
            return refused(
                "source.xa-unreadable",
                "the source logged a statement of an XA transaction in a form that is not known",
                "compare with mysqlbinlog on the source and report this as a bug; to go on, apply its effect to the target by hand, then skip the transaction",
            );
        }
        Kind::Dml => {
            return refused(
                "source.statement-format",
                "the source logged a change of rows as a statement, which may have another effect on the target",
                "SET PERSIST binlog_format = ROW on the source, and reconnect its sessions",
            );
        }
        // What the filter leaves out stops nothing; its rows are left out as well.
        _ if inside && filter.judge(&found, query.schema, options.charset) == Verdict::Out => {
            return Ok(Meaning::Nothing);
        }
        // Temporary tables never leave their session; with ROW format their rows are not logged either.
        Kind::Table(_) if found.temporary => return Ok(Meaning::Nothing),
        // Its rows follow. Before 8.0.21 the clause START TRANSACTION does not say so.
        Kind::Table(TableAction::Create) if inside => {}
        _ if inside || found.start_transaction.is_some() => {
            return refused(
                "source.statement-inside",
                "the source logged a statement inside a transaction of rows",
                "apply its effect to the target by hand, then skip the transaction",
            );
        }
        _ => {}
    }
    match filter.judge(&found, query.schema, options.charset) {
        Verdict::Out => Ok(Meaning::Filtered),
        Verdict::In if !inside && found.from_select && found.start_transaction.is_none() => {
            refused(
                "source.statement-format",
                "the source logged a CREATE TABLE … SELECT as a statement, which may make other rows on the target",
                "SET PERSIST binlog_format = ROW on the source, and reconnect its sessions; here, make the table with its rows on the target by hand, then skip the transaction",
            )
        }
        Verdict::In if inside => Ok(Meaning::CreateSelect(statement(query, timestamp))),
        Verdict::In | Verdict::NoObjects => Ok(Meaning::Statement(statement(query, timestamp))),
        Verdict::Mixed => refused(
            "filter.mixed-statement",
            "the statement touches both tables that are replicated and tables that are not",
            "include or exclude all of its tables, or run its part on the target by hand and skip the transaction",
        ),
        Verdict::Unknown => refused(
            "filter.unreadable-statement",
            "the names in the statement cannot be read, so the filter cannot decide",
            "run it on the target by hand if it is wanted there, then skip the transaction",
        ),
    }
}

/// The meaning of an XA statement outside transactions.
fn branch(xa: Xa, xid: Option<&Xid>) -> Option<Meaning> {
    let xid = xid?.to_string();
    let step = match xa {
        Xa::Start => return Some(Meaning::BeginBranch(xid)),
        Xa::Commit { one_phase: false } => XaStep::Commit,
        Xa::Rollback => XaStep::Rollback,
        // These stand in the log as an event of its own, or not at all.
        Xa::Commit { one_phase: true } | Xa::Prepare | Xa::End | Xa::Recover => return None,
    };
    Some(Meaning::EndBranch(XaBranch { step, xid }))
}

/// The statement with the definer that was chosen for what it makes.
pub fn run_as(definer: Definer, statement: Statement) -> Statement {
    if definer == Definer::Keep {
        return statement;
    }
    let context = &statement.context;
    let charset = context
        .charset_client
        .map_or_else(Charset::default, Charset::from_collation);
    let modes = context.sql_mode.unwrap_or(0);
    let options = Options::from_sql_mode(modes, charset, Dialect::default());
    match classify(&statement.sql, &options).kind {
        Kind::View(_) | Kind::Routine(_) | Kind::Trigger(_) | Kind::Event(_) => Statement {
            sql: without_definer(&statement.sql, &options),
            ..statement
        },
        _ => statement,
    }
}

/// Whose SQL stands in a log of this format.
pub fn dialect(format: &FormatDescription) -> Dialect {
    if format.is_mariadb() {
        Dialect::MariaDb
    } else {
        Dialect::MySql
    }
}

/// The settings by which a Query event's text is read.
pub fn options(query: &QueryEvent<'_>, dialect: Dialect) -> Options {
    Options::from_sql_mode(
        query.status.sql_mode.unwrap_or(0),
        query
            .status
            .charset
            .map_or_else(Charset::default, |c| Charset::from_collation(c.0)),
        dialect,
    )
}

/// A statement for people, who may see and keep no row values and no secrets. Definitions of tables, views, routines and the like are shown as they were written; of whatever
/// may hold values, passwords or hashes only the first words.
#[must_use]
pub fn shown(query: &QueryEvent<'_>) -> String {
    let options = options(query, Dialect::default());
    match classify(query.sql, &options).kind {
        Kind::Table(_)
        | Kind::View(_)
        | Kind::Sequence(_)
        | Kind::Schema(_)
        | Kind::Routine(_)
        | Kind::Trigger(_)
        | Kind::Event(_)
        | Kind::Begin
        | Kind::Commit
        | Kind::Rollback
        | Kind::Savepoint(_)
        | Kind::Xa(_) => String::from_utf8_lossy(query.sql).into_owned(),
        _ => format!("{} …", first_words(query.sql, SHOWN_WORDS, &options)),
    }
}

/// Enough to tell what kind of statement it is, and mostly about what.
const SHOWN_WORDS: usize = 6;

/// The contract's form of a statement.
pub fn statement(query: &QueryEvent<'_>, timestamp: u32) -> Statement {
    let status = &query.status;
    let charset = status.charset;
    Statement {
        sql: query.sql.to_vec(),
        default_schema: (!query.schema.is_empty()).then(|| query.schema.to_owned()),
        error_code: query.error_code,
        session: None,
        temporary: datain_contract::types::TemporaryTables::None,
        file: None,
        context: SessionContext {
            sql_mode: status.sql_mode,
            flags2: status.flags2,
            charset_client: charset.map(|c| c.0),
            collation_connection: charset.map(|c| c.1),
            collation_server: charset.map(|c| c.2),
            collation_database: status.collation_database,
            time_zone: status.time_zone.map(str::to_owned),
            auto_increment_increment: status.auto_increment.map(|a| a.0),
            auto_increment_offset: status.auto_increment.map(|a| a.1),
            lc_time_names: status.lc_time_names,
            default_collation_for_utf8mb4: status.default_collation_for_utf8mb4,
            character_set_collations: status.character_set_collations.clone(),
            explicit_defaults_for_timestamp: status.explicit_defaults_for_timestamp,
            sql_require_primary_key: status.sql_require_primary_key,
            default_table_encryption: status.default_table_encryption,
            timestamp_micros: u64::from(timestamp) * 1_000_000
                + u64::from(status.microseconds.unwrap_or(0)),
        },
    }
}
