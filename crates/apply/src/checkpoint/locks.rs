//! Locks by name on the target, for what no transaction can protect: DDL of datain's own tables, and the source's statements.
//!
//! The server gives a lock back with its session at the latest, and that only when the session's statement has ended, also if its client was killed.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

use super::literal;

/// How long to wait for the end of a statement, in seconds.
const STATEMENT_SECONDS: u32 = 45;
/// How long to wait for those who make or drop tables, in seconds: they need a few statements.
const LAYOUT_SECONDS: u32 = 30;

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock<'a> {
    /// The tables of the schema `datain`. Under it they are made, a pipeline's row is added, and the last pipeline's tables are dropped: without it, a removal
    /// could drop the tables between the two halves of another pipeline's beginning.
    Layout,
    /// The statements of the pipeline of this name. Its writer holds it from before a statement's intent until its checkpoint: so whoever else has it knows that no
    /// statement of this pipeline is under way.
    Statements(&'a str),
}

impl Lock<'_> {
    /// Takes it.
    ///
    /// # Errors
    /// `checkpoint.busy`, `checkpoint.statement-running` when it is not to be had in time; errors of the server.
    pub async fn take<S: Stream>(self, session: &mut Session<S>) -> Result<(), Error> {
        let mut sql = b"SELECT GET_LOCK(".to_vec();
        self.name(&mut sql);
        sql.extend_from_slice(format!(", {})", self.seconds()).as_bytes());
        let row = session.query_first(&sql).await?;
        let taken = row.and_then(|row| row.into_iter().next().flatten());
        if taken.as_deref() == Some("1") {
            return Ok(());
        }
        Err(self.refused())
    }

    /// Gives it back.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn give_back<S: Stream>(self, session: &mut Session<S>) -> Result<(), Error> {
        let mut sql = b"SELECT RELEASE_LOCK(".to_vec();
        self.name(&mut sql);
        sql.push(b')');
        session.query_first(&sql).await?;
        Ok(())
    }

    /// Names have room for 64 characters.
    fn name(self, sql: &mut Vec<u8>) {
        match self {
            Lock::Layout => sql.extend_from_slice(b"'datain.layout'"),
            Lock::Statements(stream) => {
                sql.extend_from_slice(b"CONCAT('datain.', LEFT(SHA2(");
                literal(sql, stream);
                sql.extend_from_slice(b", 256), 40))");
            }
        }
    }

    fn seconds(self) -> u32 {
        match self {
            Lock::Layout => LAYOUT_SECONDS,
            Lock::Statements(_) => STATEMENT_SECONDS,
        }
    }

    fn refused(self) -> Error {
        match self {
            Lock::Layout => Error::retry(
                "checkpoint.busy",
                "another datain is making or removing the tables in the target's schema `datain`",
            )
            .hint("try again; if it stays so, SELECT IS_USED_LOCK('datain.layout') on the target names the connection that holds it"),
            Lock::Statements(stream) => Error::retry(
                "checkpoint.statement-running",
                format!("a statement that a host of pipeline `{stream}` had begun is still running on the target"),
            )
            .hint("SHOW PROCESSLIST on the target shows it: wait for its end, or KILL it; a killed statement is run again when the pipeline goes on"),
        }
        .detail(format!("it was waited for during {} s", self.seconds()))
    }
}
