//! Who writes to the source although it is read-only: replication, accounts with SUPER, their events; and who may come back later: prepared XA branches.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{Outcome, Session, Stream};
use datain_privileges::Account;
use datain_server_facts::{Rights, list};

/// errno of "XAER_RMERR", with which a server answers an account that lacks XA_RECOVER_ADMIN.
const NOT_ALLOWED: u16 = 1401;

/// XA branches that are prepared: whoever began them may still commit them, and their rows are on no side yet.
pub(super) async fn branches<S: Stream>(
    session: &mut Session<S>,
    rights: &Rights,
) -> Result<Option<Finding>, Error> {
    const CODE: &str = "cutover.xa-prepared";
    let rows = match session.query_rows(b"XA RECOVER").await {
        Ok(rows) => rows,
        Err(error) if error.errno() == Some(NOT_ALLOWED) => {
            return Ok(Some(
                Finding::about(
                    CODE,
                    Severity::Fatal,
                    format!(
                        "{} may not ask the source for prepared XA branches",
                        rights.account
                    ),
                )
                .remedy(rights.grant_globally(&["XA_RECOVER_ADMIN"])),
            ));
        }
        Err(error) => return Err(error.into()),
    };
    Ok((!rows.is_empty()).then(|| {
        Finding::about(
            CODE,
            Severity::Fatal,
            format!(
                "{} XA branches are prepared on the source, neither committed nor rolled back",
                rows.len()
            ),
        )
        .remedy("XA RECOVER CONVERT XID on the source lists them: XA COMMIT or XA ROLLBACK each")
    }))
}

/// An applier of replication on the source: it writes although the server is read-only.
pub(super) async fn replication<S: Stream>(
    session: &mut Session<S>,
    rights: &Rights,
) -> Result<Option<Finding>, Error> {
    const CODE: &str = "cutover.source-applies";
    let version = session.server_version();
    let sql: &[u8] = if version.is_mysql_since(8, 0, 22) {
        b"SHOW REPLICA STATUS"
    } else if version.is_mariadb() {
        b"SHOW ALL SLAVES STATUS"
    } else {
        b"SHOW SLAVE STATUS"
    };
    let set = match session.query(sql).await {
        Ok(mut outcomes) => match outcomes.pop() {
            Some(Outcome::Rows(set)) => set,
            _ => return Ok(None),
        },
        Err(error) if error.code() == "server.privilege-missing" => {
            return Ok(Some(
                Finding::about(
                    CODE,
                    Severity::Fatal,
                    format!(
                        "{} may not ask the source whether it is a replica itself",
                        rights.account
                    ),
                )
                .remedy(rights.grant_globally(&["REPLICATION CLIENT"])),
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let running = set.columns.iter().position(|column| {
        matches!(
            column.name.as_str(),
            "Replica_SQL_Running" | "Slave_SQL_Running"
        )
    });
    let applies = set
        .rows
        .iter()
        .any(|row| running.and_then(|at| row.get(at)?.as_deref()) == Some(b"Yes"));
    Ok(applies.then(|| {
        Finding::about(
            CODE,
            Severity::Fatal,
            "the source is a replica itself, and applies changes although it is read-only",
        )
        .remedy("STOP REPLICA SQL_THREAD; on the source, when it has come to where the cutover is to be")
    }))
}

/// Where nothing but `read_only` can be set: sessions and events that it does not stop.
pub(super) async fn privileged<S: Stream>(
    session: &mut Session<S>,
    rights: &Rights,
    scheduler_runs: bool,
) -> Result<Vec<Finding>, Error> {
    const CODE: &str = "cutover.privileged-writers";
    let mut findings = Vec::new();
    let see_all = |what: &str, privilege: &str| {
        Finding::about(
            CODE,
            Severity::Fatal,
            format!(
                "{} may not see {what} of the source, which has no super_read_only",
                rights.account
            ),
        )
        .remedy(privilege.to_owned())
    };
    if !rights.grants.globally("PROCESS") {
        findings.push(see_all(
            "the sessions of others",
            &rights.grant_globally(&["PROCESS"]),
        ));
        return Ok(findings);
    }
    let grantees = session
        .query_rows(
            b"SELECT DISTINCT GRANTEE FROM information_schema.USER_PRIVILEGES \
              WHERE PRIVILEGE_TYPE IN ('SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN')",
        )
        .await?;
    // Without a right on mysql.user only the account's own rows are shown.
    if !rights.grants.on_table("SELECT", "mysql", "user") {
        findings.push(see_all(
            "which accounts have SUPER",
            &format!("GRANT SELECT ON mysql.user TO {};", rights.account),
        ));
        return Ok(findings);
    }
    let privileged: Vec<String> = grantees
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .map(|grantee| user(&grantee))
        .collect();
    let sessions = session
        .query_rows(
            b"SELECT USER, HOST FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() \
              AND COMMAND NOT LIKE 'Binlog Dump%' AND USER NOT IN ('system user', 'event_scheduler', 'unauthenticated user')",
        )
        .await?;
    let writers: Vec<String> = sessions
        .into_iter()
        .filter_map(|row| {
            let [Some(user), Some(host)] = row.as_slice() else {
                return None;
            };
            // The account of datain's own sessions.
            (*user != rights.account.user && privileged.contains(user))
                .then(|| format!("{user} from {host}"))
        })
        .collect();
    if !writers.is_empty() {
        findings.push(
            Finding::about(
                CODE,
                Severity::Fatal,
                format!("the source has no super_read_only, and accounts that may write all the same are connected: {}", list(&writers)),
            )
            .remedy("end these sessions, or take SUPER away from their accounts")
            .subjects(writers),
        );
    }
    if scheduler_runs {
        findings.extend(events(session, &privileged).await?);
    }
    Ok(findings)
}

/// Events that run as an account which read_only does not stop.
async fn events<S: Stream>(
    session: &mut Session<S>,
    privileged: &[String],
) -> Result<Option<Finding>, Error> {
    let rows = session
        .query_rows(
            b"SELECT EVENT_SCHEMA, EVENT_NAME, DEFINER FROM information_schema.EVENTS WHERE STATUS = 'ENABLED'",
        )
        .await?;
    let names: Vec<String> = rows
        .into_iter()
        .filter_map(|row| {
            let [Some(schema), Some(name), Some(definer)] = row.as_slice() else {
                return None;
            };
            privileged
                .contains(&Account::parse(definer).user)
                .then(|| datain_server_facts::tables::quoted(schema, name))
        })
        .collect();
    Ok((!names.is_empty()).then(|| {
        Finding::about(
            "cutover.privileged-writers",
            Severity::Fatal,
            format!(
                "events of the source run as accounts that may write although it is read-only: {}",
                list(&names)
            ),
        )
        .remedy("SET GLOBAL event_scheduler = OFF;")
        .subjects(names)
    }))
}

/// The user of a grantee: `'app'@'%'`.
fn user(grantee: &str) -> String {
    let user = grantee.rsplit_once('@').map_or(grantee, |(user, _)| user);
    user.trim_matches('\'').replace("''", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grantee_has_a_user() {
        assert_eq!(user("'app'@'%'"), "app");
        assert_eq!(user("'a@b'@'localhost'"), "a@b");
        assert_eq!(user("''@'%'"), "");
    }
}
