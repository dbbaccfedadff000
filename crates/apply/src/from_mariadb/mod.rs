//! Statements of a MariaDB on a MySQL.
//!
//! Most DDL means the same on both. Where it does not, one of three things happens, and never a fourth:
//!
//! - it is said in MySQL's words: collations of which MySQL has no such one ([`collations`]), the session's settings ([`session`]), `JSON`, defaults ([`statement`]);
//! - it is refused here, since MySQL would take it and make something else of it (`ddl.mode-gone`, `ddl.mariadb-only`, `statement.collation-unknown`);
//! - it is left as it is, and MySQL refuses what it does not know.
//!
//! docs/mariadb.md lists what becomes of what. A statement is a MariaDB's where its context has `character_set_collations`, which a source gives for those alone.

mod collations;
mod object;
mod session;
mod statement;

use datain_contract::types::{Error, Statement};
use datain_mysql_client::ServerVersion;

use crate::mapping::Collations;

pub(crate) use collations::{charset, stand_in};
pub(crate) use object::object;

/// What to do with a statement of MariaDB's that MySQL refuses.
pub(crate) const NOT_TAKEN: &str = "the statement is in MariaDB's own words, which MySQL does not know: make what it means on the target by hand, and leave it out with datain skip; \
    what MySQL has not at all (sequences, system-versioned tables, UUID, INET4, INET6, packages) is to be excluded in [replicate]";

/// Whether a MariaDB ran the statement, and this is none.
pub(crate) fn is_foreign(statement: &Statement, target: &ServerVersion) -> bool {
    statement.context.character_set_collations.is_some() && !target.is_mariadb()
}

/// The statement for MySQL.
///
/// # Errors
/// See the module.
pub(crate) fn adapted(statement: &Statement, target: &Collations) -> Result<Statement, Error> {
    Ok(Statement {
        sql: statement::adapted(statement, target)?,
        context: session::adapted(&statement.context, target)?,
        ..statement.clone()
    })
}
