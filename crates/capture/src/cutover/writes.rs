//! Whether the source is written to, and the two orders that change it.
//!
//! MySQL since 5.7.8 has `super_read_only`, which refuses every client. Older servers and MariaDB have `read_only` alone, which lets accounts with SUPER write on: there such accounts'
//! sessions and events are looked for ([`writers`](super::writers)). Replication from elsewhere writes under either, so it is looked for on every server.

use datain_contract::types::{Error, Finding, Severity};
use datain_contract::{ErrorExt as _, FindingExt as _};
use datain_mysql_client::{Session, Stream};
use datain_server_facts::{Rights, Variables};
use serde::{Deserialize, Serialize};

use super::writers;

/// How long the server may wait for commits and statements under way, in seconds. Meanwhile it lets no new write begin.
const PATIENCE: u32 = 5;

/// errno of "lock wait timeout exceeded".
const LOCK_WAIT: u16 = 1205;

const VARIABLES: &[&str] = &[
    "read_only",
    "super_read_only",
    "event_scheduler",
    "partial_revokes",
];

/// What a look has brought.
#[derive(Debug, Clone)]
pub struct LookOut {
    /// Nothing but replication can change data now.
    pub writes_stopped: bool,
    /// For [`allow`].
    pub settings: Vec<u8>,
    /// What stands in the way.
    pub findings: Vec<Finding>,
}

/// The two settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    read_only: bool,
    /// None where the server does not know it.
    super_read_only: Option<bool>,
}

impl Settings {
    fn of(variables: &Variables) -> Self {
        Self {
            // MariaDB has further values than ON.
            read_only: variables
                .get("read_only")
                .is_some_and(|value| !matches!(value, "OFF" | "0")),
            super_read_only: variables
                .get("super_read_only")
                .map(|_| variables.is_on("super_read_only")),
        }
    }

    fn writes_stopped(self) -> bool {
        self.super_read_only.unwrap_or(self.read_only)
    }
}

/// Looks at the server; changes nothing. `stops_writes`: [`stop`] will be called.
///
/// # Errors
/// Errors of the server.
pub async fn look<S: Stream>(
    session: &mut Session<S>,
    stops_writes: bool,
) -> Result<LookOut, Error> {
    let variables = Variables::ask(session, VARIABLES).await?;
    let rights = Rights::ask(session, &variables).await?;
    let settings = Settings::of(&variables);
    let mut findings = Vec::new();
    if stops_writes && !settings.writes_stopped() {
        findings.extend(privilege(session, &rights));
    }
    findings.extend(writers::branches(session, &rights).await?);
    findings.extend(writers::replication(session, &rights).await?);
    if settings.super_read_only.is_none() {
        let scheduler = variables.is_on("event_scheduler");
        findings.extend(writers::privileged(session, &rights, scheduler).await?);
    }
    Ok(LookOut {
        writes_stopped: settings.writes_stopped(),
        settings: serde_json::to_vec(&settings).unwrap_or_default(),
        findings,
    })
}

/// What the account lacks for [`stop`].
fn privilege<S: Stream>(session: &Session<S>, rights: &Rights) -> Option<Finding> {
    let version = session.server_version();
    let enough: &[&str] = if version.is_mysql_since(8, 0, 0) {
        &["SYSTEM_VARIABLES_ADMIN", "SUPER"]
    } else if version.is_mariadb() {
        &["READ_ONLY ADMIN", "READ ONLY ADMIN", "SUPER"]
    } else {
        &["SUPER"]
    };
    let has = enough.iter().any(|one| rights.grants.globally(one));
    (!has).then(|| {
        let lacking = enough.first().copied().unwrap_or("SUPER");
        Finding::about(
            "cutover.source-rights",
            Severity::Fatal,
            format!(
                "{} may not make the source read-only: it lacks {lacking}",
                rights.account
            ),
        )
        .remedy(rights.grant_globally(&[lacking]))
    })
}

/// Makes the server refuse every change of data. It waits for what is under way, but not for long, since nobody can write meanwhile.
///
/// # Errors
/// `cutover.writes-not-stopped`, with the server as it was; errors of the server.
pub async fn stop<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    let before = Settings::of(&Variables::ask(session, VARIABLES).await?);
    if before.writes_stopped() {
        return Ok(());
    }
    session
        .exec(format!("SET SESSION lock_wait_timeout = {PATIENCE}").as_bytes())
        .await?;
    let sql: &[u8] = match before.super_read_only {
        Some(_) => b"SET GLOBAL super_read_only = ON",
        None => b"SET GLOBAL read_only = ON",
    };
    let Err(error) = session.exec(sql).await else {
        return Ok(());
    };
    if error.errno() != Some(LOCK_WAIT) {
        return Err(error.into());
    }
    // It may have come half of the way.
    give_back(session, before).await?;
    Err(Error::retry(
        "cutover.writes-not-stopped",
        format!("the source could not be made read-only within {PATIENCE} s: a statement that is running there, or LOCK TABLES, does not let it"),
    )
    .hint("SHOW PROCESSLIST on the source names it; the source is written to as before: try again when it has ended"))
}

/// Gives the server the settings back that [`look`] has found.
///
/// # Errors
/// `checkpoint.damaged` for settings that cannot be read; errors of the server.
pub async fn allow<S: Stream>(session: &mut Session<S>, settings: &[u8]) -> Result<(), Error> {
    let before: Settings = serde_json::from_slice(settings).map_err(|e| {
        Error::fatal(
            "checkpoint.damaged",
            format!("what the source's settings were cannot be read: {e}"),
        )
        .hint(
            "SET GLOBAL super_read_only = OFF, read_only = OFF on the source lets it be written to",
        )
    })?;
    give_back(session, before).await
}

async fn give_back<S: Stream>(session: &mut Session<S>, before: Settings) -> Result<(), Error> {
    let now = Settings::of(&Variables::ask(session, VARIABLES).await?);
    if now.super_read_only == Some(true) && before.super_read_only == Some(false) {
        session.exec(b"SET GLOBAL super_read_only = OFF").await?;
    }
    if now.read_only && !before.read_only {
        session.exec(b"SET GLOBAL read_only = OFF").await?;
    }
    Ok(())
}
