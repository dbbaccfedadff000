//! Where the target's own log ends: from there on it holds what clients write after the cutover, which a pipeline the other way brings back.

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_server_facts::Variables;

/// A place in the target's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The log's file.
    pub file: String,
    /// The offset in it.
    pub position: u64,
    /// What has been committed, where the server logs by GTID.
    pub gtid_set: Option<String>,
}

/// Whether the server keeps a log by which one could go back.
#[must_use]
pub(super) fn keeps_log(variables: &Variables) -> bool {
    variables.is_on("log_bin")
        && variables
            .get("binlog_format")
            .is_none_or(|format| format == "ROW")
}

/// The variables that [`keeps_log`] looks at, and the one that tells of GTIDs.
pub(super) const VARIABLES: [&str; 3] = ["log_bin", "binlog_format", "gtid_mode"];

/// Asks for it; none where there is no log of rows.
///
/// # Errors
/// Errors of the server, such as a missing REPLICATION CLIENT.
pub async fn own<S: Stream>(session: &mut Session<S>) -> Result<Option<Place>, Error> {
    let variables = Variables::ask(session, &VARIABLES).await?;
    if !keeps_log(&variables) {
        return Ok(None);
    }
    // The set first: what is committed between the two is behind the set, and so it is replicated back.
    let gtid_set = if variables.get("gtid_mode") == Some("ON") {
        let row = session
            .query_first(b"SELECT @@global.gtid_executed")
            .await?;
        let text = row.and_then(|row| row.into_iter().next().flatten());
        Some(text.unwrap_or_default().replace('\n', ""))
    } else {
        None
    };
    let sql: &[u8] = if session.server_version().is_mysql_since(8, 2, 0) {
        b"SHOW BINARY LOG STATUS"
    } else {
        b"SHOW MASTER STATUS"
    };
    let Some(row) = session.query_first(sql).await? else {
        return Ok(None);
    };
    let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    Ok(cell(1).parse().ok().map(|position| Place {
        file: cell(0),
        position,
        gtid_set,
    }))
}
