//! What a MariaDB's tables have that this target cannot hold, or not in the same way.

use datain_contract::types::{Error, Finding, Severity};
use datain_contract::{FactsExt as _, FindingExt as _};
use datain_mysql_client::{Session, Stream};
use datain_server_facts::list;

use super::{Look, NO_FACTS};
use crate::from_mariadb::stand_in;
use crate::mapping::Collations;

pub(super) async fn check<S: Stream>(
    session: &mut Session<S>,
    look: &Look<'_>,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let codes = ["pair.collations", "pair.mariadb-only"];
    match look.facts.value("flavour") {
        None => findings.extend(codes.map(|code| Finding::not_checked(code, NO_FACTS))),
        Some("mariadb") => {
            findings.push(collations(session, look).await?);
            findings.push(types(session.server_version().is_mariadb(), look));
        }
        Some(_) => {
            let passed = |code| Finding::passed(code, "the source is no MariaDB");
            findings.extend(codes.map(passed));
        }
    }
    Ok(())
}

async fn collations<S: Stream>(
    session: &mut Session<S>,
    look: &Look<'_>,
) -> Result<Finding, Error> {
    let code = "pair.collations";
    let query = Collations::query(session.server_version());
    let known = Collations::from_answer(&session.query_rows(query).await?);
    let unknown = || {
        let names = look.facts.values("collation");
        names.filter(|name| known.number(name).is_none())
    };
    let names: Vec<String> = unknown().map(str::to_owned).collect();
    if names.is_empty() {
        return Ok(Finding::passed(
            code,
            "the target knows all that the source's tables use",
        ));
    }
    let shown: Vec<String> = unknown()
        .map(|name| match stand_in(name, &known) {
            Some(other) => format!("{name} (here {other})"),
            None => format!("{name} (here none)"),
        })
        .collect();
    Ok(Finding::about(
        code,
        Severity::Warning,
        format!("the target does not know these, and where it has another one for them, that is taken: {}", list(&shown)),
    )
    .remedy("ALTER TABLE … CONVERT TO CHARACTER SET … COLLATE … on the source, with a collation that both know; or let the others stand in: rows are equal, but trailing blanks count, and the order of texts may differ")
    .subjects(names))
}

/// A MariaDB has the types, but takes neither the log's form of COMPRESSED columns nor a history that is not its own.
fn types(is_mariadb: bool, look: &Look<'_>) -> Finding {
    let code = "pair.mariadb-only";
    let found: Vec<String> = look
        .facts
        .iter()
        .filter(|fact| fact.name == "mariadb-only")
        .filter(|fact| {
            let kind = fact.value.as_str();
            !is_mariadb || kind.starts_with("COMPRESSED") || kind == "SYSTEM VERSIONED"
        })
        .filter_map(|fact| Some(format!("{} ({})", fact.subject.as_deref()?, fact.value)))
        .collect();
    Finding::judge(
        code,
        found.is_empty(),
        Severity::Fatal,
        if found.is_empty() {
            "none in the replicated tables".to_owned()
        } else {
            format!("their rows cannot be replicated to this target: {}", list(&found))
        },
    )
    .remedy("leave these tables out ([replicate] exclude), or give the columns other types on the source: CHAR(36) for a UUID, VARCHAR(39) for an address, MODIFY without COMPRESSED; ALTER TABLE … DROP SYSTEM VERSIONING")
    .subjects(found)
}
