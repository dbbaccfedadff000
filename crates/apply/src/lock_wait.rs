//! A change that waited too long for another transaction's locks.
//!
//! Mostly that is the transaction of a host that was killed: the server rolls it back for as long as it had been at work, and the next host finds the
//! rows locked meanwhile. Nothing is wrong with the rows then. The pipeline tries again until the locks are free, and says who may hold them.

use datain_contract::types::Error;
use datain_contract::{ErrorExt as _, types::Disposition};
use datain_mysql_client::{Session, Stream};

/// The code of that error.
pub(crate) const LOCKED: &str = "server.lock-wait-timeout";

/// Those that may be in the way, the likeliest first. The wait is over, so the server no longer says which of them it was.
const HOLDERS: &[u8] = b"SELECT trx_mysql_thread_id, trx_state, TIMESTAMPDIFF(SECOND, trx_started, NOW()), trx_rows_modified \
    FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id <> CONNECTION_ID() AND trx_rows_locked + trx_rows_modified > 0 \
    ORDER BY trx_state = 'ROLLING BACK' DESC, trx_started LIMIT 3";

/// Adds who may hold the locks, if the server tells. It does only with the privilege PROCESS, and an error is an answer too.
pub(crate) async fn explained<S: Stream>(session: &mut Session<S>, error: Error) -> Error {
    if error.code != LOCKED || error.disposition != Disposition::Retry {
        return error;
    }
    let known = match session.query_rows(HOLDERS).await {
        Ok(rows) if rows.is_empty() => {
            "no other transaction holds locks now: it has ended meanwhile".to_owned()
        }
        Ok(rows) => rows.iter().map(|row| holder(row)).collect::<Vec<_>>().join("; "),
        Err(e) if e.code() == "server.privilege-missing" => {
            "which transaction holds them, the server tells only accounts with the privilege PROCESS"
                .to_owned()
        }
        Err(_) => return error,
    };
    let detail = match &error.detail {
        Some(before) => format!("{known}; {before}"),
        None => known,
    };
    error.detail(detail)
}

fn holder(row: &[Option<String>]) -> String {
    let cell = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or("?");
    let who = match cell(0) {
        "0" => "a transaction without a connection, of before the server's restart or of XA,"
            .to_owned(),
        id => format!("connection {id}"),
    };
    let (state, seconds, rows) = (cell(1), cell(2), cell(3));
    if state == "ROLLING BACK" {
        format!(
            "{who} is rolling back a transaction that began {seconds} s ago, with {rows} row(s) still to be taken back"
        )
    } else {
        format!(
            "{who} has an open transaction ({state}) that began {seconds} s ago and has changed {rows} row(s)"
        )
    }
}
