//! The target compared with the source's facts.

use std::collections::HashSet;

use datain_contract::types::{Error, Finding, Severity};
use datain_contract::{FactsExt as _, FindingExt as _};
use datain_mysql_client::{ServerVersion, Session, Stream};
use datain_privileges::Account;
use datain_server_facts::{list, set};

use super::{Look, NO_FACTS};

pub(super) fn settings(look: &Look<'_>, version: &ServerVersion, findings: &mut Vec<Finding>) {
    findings.push(same_version(look, version));
    let code = "pair.lower-case-names";
    let here = look.variables.text("lower_case_table_names");
    findings.push(match look.facts.value("lower-case-table-names") {
        None => Finding::not_checked(code, NO_FACTS),
        Some(there) => Finding::judge(
            code,
            there == here,
            Severity::Fatal,
            format!("lower_case_table_names is {there} on the source, {here} on the target"),
        )
        .remedy(format!(
            "initialise a new target with lower_case_table_names = {there}; it cannot be changed later"
        )),
    });
    let code = "pair.max-packet";
    let there = look
        .facts
        .value("max-allowed-packet")
        .and_then(|value| value.parse::<u64>().ok());
    let here = look.variables.number("max_allowed_packet");
    findings.push(match (there, here) {
        (Some(there), Some(here)) => Finding::judge(
            code,
            here >= there,
            Severity::Warning,
            format!("max_allowed_packet is {there} on the source, {here} on the target"),
        )
        .remedy(set(version, "max_allowed_packet", &there.to_string())),
        _ => Finding::not_checked(code, NO_FACTS),
    });
    findings.push(
        Finding::about(
            "pair.accounts",
            Severity::Note,
            "statements about accounts and privileges are left out, and logged",
        )
        .remedy("create the accounts that the target needs by hand"),
    );
}

fn same_version(look: &Look<'_>, version: &ServerVersion) -> Finding {
    let code = "pair.version";
    let (Some(flavour), Some(numbers)) = (look.facts.value("flavour"), look.facts.value("version"))
    else {
        return Finding::not_checked(code, NO_FACTS);
    };
    let same = |text: &str| {
        let mut parts = text.split('.').map(str::parse::<u16>);
        parts.next() == Some(Ok(version.major)) && parts.next() == Some(Ok(version.minor))
    };
    let holds = (flavour == "mariadb") == version.is_mariadb() && same(numbers);
    let name = if flavour == "mariadb" {
        "MariaDB"
    } else {
        "MySQL"
    };
    Finding::judge(
        code,
        holds,
        Severity::Fatal,
        format!("the source is {name} {numbers}, the target {version}"),
    )
    .remedy("bring both servers to the same major.minor version, or set [check] allow = [\"version\"] in the configuration")
}

/// Accounts that the source's views and routines run as.
pub(super) async fn definers<S: Stream>(
    session: &mut Session<S>,
    look: &Look<'_>,
    version: &ServerVersion,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let code = "pair.definers";
    let wanted: Vec<&str> = look.facts.values("definer").collect();
    if look.facts.value("tables").is_none() {
        findings.push(Finding::not_checked(code, NO_FACTS));
        return Ok(());
    }
    if wanted.is_empty() {
        findings.push(Finding::passed(
            code,
            "the source's account sees no view or routine in the replicated schemas",
        ));
        return Ok(());
    }
    let all: Vec<String> = wanted.iter().map(|&account| account.to_owned()).collect();
    let rows = match session
        .query_rows(b"SELECT User, Host FROM mysql.user")
        .await
    {
        Ok(rows) => rows,
        Err(e) if e.code() == "server.privilege-missing" => {
            let grant = format!("GRANT SELECT ON mysql.user TO {};", look.rights.account);
            findings.push(
                Finding::not_checked(
                    code,
                    &format!(
                        "{} may not read mysql.user on the target; the definers are {}",
                        look.rights.account,
                        list(&all)
                    ),
                )
                .remedy(grant)
                .subjects(all),
            );
            return Ok(());
        }
        Err(e) => return Err(e.into()),
    };
    let there: HashSet<String> = rows
        .into_iter()
        .filter_map(|row| match <[Option<String>; 2]>::try_from(row) {
            Ok([user, host]) => Some(
                Account {
                    user: user.unwrap_or_default(),
                    host: host.unwrap_or_default(),
                }
                .to_string(),
            ),
            Err(_) => None,
        })
        .collect();
    let missing: Vec<String> = all
        .into_iter()
        .filter(|account| !there.contains(account))
        .collect();
    let how = if version.is_mysql_since(8, 0, 18) {
        "IDENTIFIED BY RANDOM PASSWORD ACCOUNT LOCK"
    } else {
        "ACCOUNT LOCK"
    };
    let statements: Vec<String> = missing
        .iter()
        .map(|account| format!("CREATE USER {account} {how};"))
        .collect();
    let message = if missing.is_empty() {
        format!("the target has all {}", wanted.len())
    } else {
        format!("the target lacks {}", list(&missing))
    };
    findings.push(
        Finding::judge(code, missing.is_empty(), Severity::Warning, message)
            .remedy(statements.join("\n"))
            .subjects(missing),
    );
    Ok(())
}
