//! The target compared with the source's facts.

use datain_contract::types::{Finding, Severity};
use datain_contract::{FactsExt as _, FindingExt as _};
use datain_mysql_client::ServerVersion;
use datain_server_facts::set;

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
    findings.push(timestamps(look, version));
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

/// Since 8.0 each session can set it, and statements run under the source's.
fn timestamps(look: &Look<'_>, version: &ServerVersion) -> Finding {
    let code = "pair.timestamp-defaults";
    if version.is_mysql_since(8, 0, 0) || version.is_mariadb() {
        return Finding::passed(code, "statements run on the target under the source's");
    }
    let here = look.variables.text("explicit_defaults_for_timestamp");
    match look.facts.value("explicit-timestamps") {
        None => Finding::not_checked(code, NO_FACTS),
        Some(there) => Finding::judge(
            code,
            there == here,
            Severity::Fatal,
            format!(
                "explicit_defaults_for_timestamp is {there} on the source, {here} on the target"
            ),
        )
        .remedy(format!(
            "explicit_defaults_for_timestamp = {there} in the target's option file, then a restart"
        )),
    }
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
    .remedy("if this is to be an upgrade: read docs/migrating.md (\"When it is an upgrade\"), then set [check] allow = [\"version\"] in the configuration; else bring both servers to the same major.minor version")
}
