//! What would stand in the way of a cutover, told while the source is still written to.

use std::collections::{BTreeMap, BTreeSet};

use datain_contract::FindingExt as _;
use datain_contract::types::{Definition, Error, Finding, NextNumber, Severity};
use datain_mysql_client::{Session, Stream};
use datain_schema_objects::plan::Choices;
use datain_schema_objects::{Kind, Object};
use datain_server_facts::tables::quoted;
use datain_server_facts::{Rights, Variables, list, set};

use super::make::planned;
use super::numbers::Numbers;
use super::place;
use crate::check::definers::accounts;
use crate::checkpoint::{self, layout};
use crate::{objects, settings};

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The pipeline.
    pub stream: &'a str,
    /// What will be made.
    pub definitions: Vec<Definition>,
    /// How its rows are numbered on the source.
    pub numbers: &'a [NextNumber],
    /// As whom things run.
    pub choices: Choices,
}

/// Looks at the server; changes nothing.
///
/// # Errors
/// Errors of the server.
pub async fn look<S: Stream>(
    session: &mut Session<S>,
    wanted: Wanted<'_>,
) -> Result<Vec<Finding>, Error> {
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    let mut names = place::VARIABLES.to_vec();
    names.extend([
        "event_scheduler",
        "log_bin_trust_function_creators",
        "partial_revokes",
    ]);
    let variables = Variables::ask(session, &names).await?;
    let rights = Rights::ask(session, &variables).await?;
    let mut findings = Vec::new();
    findings.extend(branches(session, wanted.stream).await?);
    findings.extend(unnumbered(session, wanted.numbers).await?);
    let list = planned(session, wanted.definitions, wanted.choices).await?;
    let made: Vec<&Object> = list
        .iter()
        .filter(|object| matches!(object.kind, Kind::Trigger | Kind::Event))
        .collect();
    findings.extend(privileges(&made, &rights));
    if made.iter().any(|object| object.kind == Kind::Trigger) {
        findings.extend(wary(&variables, &rights));
    }
    findings.extend(definers(session, &made, &rights).await?);
    let taken = objects::taken(session, &list).await?;
    if !taken.is_empty() {
        findings.push(
            Finding::about(
                "cutover.name-taken",
                Severity::Fatal,
                format!(
                    "the target has these already, otherwise than the source: {}",
                    datain_server_facts::list(&taken)
                ),
            )
            .remedy("drop them on the target, or make them as they are on the source")
            .subjects(taken),
        );
    }
    let enabled = made
        .iter()
        .filter(|object| object.kind == Kind::Event)
        .count();
    if enabled > 0 && !variables.is_on("event_scheduler") {
        findings.push(
            Finding::about(
                "cutover.scheduler-off",
                Severity::Warning,
                format!("{enabled} events will be made on the target, where the event scheduler is off: none of them will run"),
            )
            .remedy(set(session.server_version(), "event_scheduler", "ON")),
        );
    }
    if !place::keeps_log(&variables) {
        findings.push(
            Finding::about(
                "cutover.no-way-back",
                Severity::Warning,
                "the target keeps no binary log of rows: what is written there after the cutover cannot be replicated back",
            )
            .remedy("start the target with log_bin and binlog_format = ROW, if there shall be a way back"),
        );
    }
    Ok(findings)
}

/// Branches of which the target keeps rows that are neither committed nor rolled back.
async fn branches<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<Option<Finding>, Error> {
    if !layout::exists(session).await? {
        return Ok(None);
    }
    let xids = checkpoint::prepared(session, stream).await?;
    Ok((!xids.is_empty()).then(|| {
        Finding::about(
            "cutover.xa-prepared",
            Severity::Fatal,
            format!(
                "{} XA branches are prepared on the source as far as the target has followed it: {}",
                xids.len(),
                list(&xids)
            ),
        )
        .remedy("XA COMMIT or XA ROLLBACK each on the source")
        .subjects(xids)
    }))
}

/// Tables that number their rows on the source and not here.
async fn unnumbered<S: Stream>(
    session: &mut Session<S>,
    wanted: &[NextNumber],
) -> Result<Option<Finding>, Error> {
    let numbers = Numbers::ask(session).await?;
    let tables: Vec<String> = wanted
        .iter()
        .filter(|one| numbers.of(one).is_none())
        .map(|one| quoted(&one.schema, &one.table))
        .collect();
    Ok((!tables.is_empty()).then(|| {
        Finding::about(
            "cutover.not-numbered",
            Severity::Fatal,
            format!("these tables number their rows on the source, and on the target they do not, or are not there: {}", list(&tables)),
        )
        .remedy("give the column AUTO_INCREMENT on the target too")
        .subjects(tables)
    }))
}

/// What the account lacks to make them.
fn privileges(made: &[&Object], rights: &Rights) -> Option<Finding> {
    let mut by_schema: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut others = false;
    let own = rights.account.to_string();
    for object in made {
        let privilege = object.kind.sql();
        if !rights.grants.on_schema(privilege, &object.schema) {
            by_schema
                .entry(&object.schema)
                .or_default()
                .insert(privilege);
        }
        others |= object
            .definer
            .as_ref()
            .is_some_and(|definer| *definer != own);
    }
    let mut grants: Vec<String> = by_schema
        .into_iter()
        .map(|(schema, lacking)| {
            rights.grant_on_schema(&lacking.into_iter().collect::<Vec<_>>(), schema)
        })
        .collect();
    const AS_OTHERS: [&str; 3] = ["SET_ANY_DEFINER", "SET_USER_ID", "SUPER"];
    if others && !AS_OTHERS.iter().any(|one| rights.grants.globally(one)) {
        grants.push(rights.grant_globally(&AS_OTHERS[..1]));
    }
    (!grants.is_empty()).then(|| {
        Finding::about(
            "cutover.target-rights",
            Severity::Fatal,
            format!(
                "{} may not make the triggers and events on the target",
                rights.account
            ),
        )
        .remedy(grants.join("\n"))
    })
}

/// A server with a binary log takes triggers from accounts with SUPER only, unless it trusts all.
fn wary(variables: &Variables, rights: &Rights) -> Option<Finding> {
    let refuses = variables.is_on("log_bin")
        && !variables.is_on("log_bin_trust_function_creators")
        && !rights.grants.globally("SUPER");
    refuses.then(|| {
        Finding::about(
            "cutover.target-rights",
            Severity::Fatal,
            format!("the target writes a binary log, and takes triggers only from accounts with SUPER, which {} lacks", rights.account),
        )
        .remedy("SET PERSIST log_bin_trust_function_creators = ON;")
    })
}

/// Accounts as which triggers and events run, and which the target lacks: every statement on such a trigger's table would fail.
async fn definers<S: Stream>(
    session: &mut Session<S>,
    made: &[&Object],
    rights: &Rights,
) -> Result<Option<Finding>, Error> {
    let wanted: BTreeSet<&String> = made
        .iter()
        .filter_map(|object| object.definer.as_ref())
        .collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let Some(there) = accounts(session).await? else {
        return Ok(Some(
            Finding::about(
                "cutover.definer-missing",
                Severity::Warning,
                format!("{} may not read mysql.user on the target, so nobody knows whether the definers are there", rights.account),
            )
            .remedy(format!("GRANT SELECT ON mysql.user TO {};", rights.account)),
        ));
    };
    let missing: Vec<String> = wanted
        .into_iter()
        .filter(|account| !there.contains(*account))
        .cloned()
        .collect();
    let statements: Vec<String> = missing
        .iter()
        .map(|account| format!("CREATE USER {account} IDENTIFIED BY RANDOM PASSWORD ACCOUNT LOCK;"))
        .collect();
    Ok((!missing.is_empty()).then(|| {
        Finding::about(
            "cutover.definer-missing",
            Severity::Fatal,
            format!("triggers or events run as accounts that the target lacks: {}; without them every statement that sets off such a trigger fails", list(&missing)),
        )
        .remedy(statements.join("\n"))
        .subjects(missing)
    }))
}
