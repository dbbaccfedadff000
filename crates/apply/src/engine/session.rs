//! What a fresh session on the target is told, and asked, before the first row.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

use crate::settings;

/// Prepares a session for rows.
pub(super) async fn settle<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    for sql in settings::IF_KNOWN {
        match session.exec(sql).await {
            Err(e)
                if e.errno() == Some(settings::UNKNOWN_VARIABLE)
                    || e.code() == "server.privilege-missing" => {}
            other => {
                other?;
            }
        }
    }
    log_rows(session).await
}

/// A server that logs statements, which MySQL before 5.7.7 does by default, refuses changes of rows under READ COMMITTED. It says so only at the first of them.
async fn log_rows<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    let row = match session.query_first(settings::LOGS_STATEMENTS).await {
        // It is to go, and then there is nothing but rows.
        Err(e) if e.errno() == Some(settings::UNKNOWN_VARIABLE) => None,
        row => row?,
    };
    let logs_statements = row.and_then(|row| row.into_iter().next().flatten());
    if logs_statements.as_deref() != Some("1") {
        return Ok(());
    }
    let changed = session.exec(settings::LOG_ROWS).await;
    changed.map_err(|error| {
        Error::from(error)
            .detail("the target's binlog_format is STATEMENT, in which it refuses changes of rows under READ COMMITTED")
            .hint("SET GLOBAL binlog_format = ROW on the target, or give the account the right to set it for its sessions (SUPER; since 8.0 SESSION_VARIABLES_ADMIN)")
    })?;
    Ok(())
}

pub(super) async fn may_choose_gtids<S: Stream>(session: &mut Session<S>) -> Result<bool, Error> {
    let mode = session
        .query_rows(b"SHOW GLOBAL VARIABLES LIKE 'gtid_mode'")
        .await?;
    let on = mode
        .first()
        .and_then(|row| row.get(1).cloned().flatten())
        .is_some_and(|value| value.starts_with("ON"));
    if !on {
        return Ok(false);
    }
    match session.exec(b"SET SESSION gtid_next = 'AUTOMATIC'").await {
        Ok(_) => Ok(true),
        Err(e) if e.server().is_some() => Ok(false),
        Err(e) => Err(e.into()),
    }
}
