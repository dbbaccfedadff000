//! Which transactions can be seen in the tables.
//!
//! A transaction comes into the log, and to replicas, before its changes can be seen. Since 8.0 `@@gtid_executed` moves when they can. In 5.6 it moves with the log: of 6,000 SELECTs beside
//! four writers, each sent after the answer to `SELECT @@gtid_executed`, 4,408 lacked rows that the set held. But until it can be seen a transaction's GTID is also in `@@gtid_owned`, so those that
//! were executed and are, asked afterwards, not owned can be seen: no SELECT of the 6,000 lacked one of these.

use datain_binlog::GtidSet;
use datain_contract::types::Error;
use datain_mysql_client::{ServerVersion, Session, Stream};

use crate::facts::gtid_set;

/// Between two looks at a server that cannot wait for GTIDs, in seconds, and how many such looks make up for a wait of a second.
const PAUSE: &[u8] = b"DO SLEEP(0.005)";
const LOOKS: u32 = 200;

/// Whether `@@gtid_executed` may hold what cannot be seen. Of 5.7 that is not known, and the rule for 5.6 does no harm there.
fn runs_ahead(version: &ServerVersion) -> bool {
    !version.is_mysql_since(8, 0, 0)
}

/// Those of `executed`, which the server has just told, that can be seen.
///
/// # Errors
/// Errors of the server; `source.gtid-set-unreadable`.
pub async fn of<S: Stream>(session: &mut Session<S>, executed: &GtidSet) -> Result<GtidSet, Error> {
    if !runs_ahead(session.server_version()) {
        return Ok(executed.clone());
    }
    let row = session.query_first(b"SELECT @@global.gtid_owned").await?;
    let owned = row.and_then(|row| row.into_iter().next().flatten());
    let owned = gtid_set(&without_owners(&owned.unwrap_or_default()))?;
    Ok(executed.subtract(&owned))
}

/// Waits for a second at most until all of `wanted` can be seen.
///
/// # Errors
/// As [`of`].
pub async fn shows<S: Stream>(session: &mut Session<S>, wanted: &GtidSet) -> Result<bool, Error> {
    if !runs_ahead(session.server_version()) {
        let sql = format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('{wanted:#}', 1)");
        let row = session.query_first(sql.as_bytes()).await?;
        let waited_in_vain = row.and_then(|row| row.into_iter().next().flatten());
        return Ok(waited_in_vain.as_deref() == Some("0"));
    }
    for _ in 0..LOOKS {
        let row = session
            .query_first(b"SELECT @@global.gtid_executed")
            .await?;
        let executed = row.and_then(|row| row.into_iter().next().flatten());
        let executed = gtid_set(&executed.unwrap_or_default())?;
        if wanted.is_subset_of(&executed) && wanted.is_subset_of(&of(session, &executed).await?) {
            return Ok(true);
        }
        session.exec(PAUSE).await?;
    }
    Ok(false)
}

/// `@@gtid_owned` is a set in which each number is followed by the thread that owns it: `uuid:5#3:6#4`.
fn without_owners(owned: &str) -> String {
    let mut in_owner = false;
    let keep = |c: &char| {
        in_owner = match c {
            '#' => true,
            ':' | ',' => false,
            _ => in_owner,
        };
        !in_owner
    };
    owned.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
    const B: &str = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

    #[test]
    fn owned_gtids_are_read_without_their_owners() {
        let check = |owned: &str, expected: &str| {
            let set = gtid_set(&without_owners(owned)).unwrap();
            assert_eq!(set, expected.parse().unwrap(), "{owned}");
        };
        check("", "");
        check(
            &format!("{A}:73#13:72#10:71#11,\n{B}:5#3"),
            &format!("{A}:71-73,{B}:5"),
        );
    }

    #[test]
    fn only_old_servers_run_ahead() {
        let check = |text: &str| runs_ahead(&ServerVersion::parse(text.as_bytes()));
        assert!(check("5.6.24-log") && check("5.7.44"));
        assert!(!check("8.0.11") && !check("9.7.4"));
    }
}
