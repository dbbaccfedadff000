//! What the target's account may do.

use datain_contract::types::{Finding, Severity};
use datain_contract::{FactsExt as _, FindingExt as _};
use datain_mysql_client::{ServerVersion, quote_identifier};
use datain_privileges::Grants;
use datain_server_facts::list;

use super::definers::Unseen;
use super::{Look, NO_FACTS, unquoted};

const ROWS: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE"];
const OWN: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP"];
const DDL: &[&str] = &[
    "CREATE",
    "ALTER",
    "DROP",
    "INDEX",
    "REFERENCES",
    "CREATE VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
];
/// Any of these lets a session set gtid_next.
const CHOOSES_GTIDS: &[&str] = &[
    "REPLICATION_APPLIER",
    "SESSION_VARIABLES_ADMIN",
    "SYSTEM_VARIABLES_ADMIN",
    "SUPER",
];

/// The statements that are missing, and on what.
#[derive(Default)]
struct Missing {
    what: Vec<String>,
    grants: Vec<String>,
    places: Vec<String>,
}

impl Missing {
    fn on_schema(&mut self, look: &Look<'_>, grants: &Grants, wanted: &[&str], schema: &str) {
        let lacking: Vec<&str> = wanted
            .iter()
            .copied()
            .filter(|privilege| !granted(look, grants, privilege, schema))
            .collect();
        if !lacking.is_empty() {
            let place = quote_identifier(schema);
            self.what.push(format!("{} on {place}", lacking.join(", ")));
            self.grants
                .push(look.rights.grant_on_schema(&lacking, schema));
            self.places.push(place);
        }
    }

    fn globally(&mut self, look: &Look<'_>, enough: &[&str]) {
        if !enough.iter().any(|p| look.rights.grants.globally(p)) {
            self.what.push(enough[0].to_owned());
            self.grants.push(look.rights.grant_globally(&enough[..1]));
        }
    }

    fn finding(self, look: &Look<'_>, code: &str, severity: Severity, passed: String) -> Finding {
        let holds = self.grants.is_empty();
        let message = if holds {
            passed
        } else {
            format!("{} lacks {}", look.rights.account, list(&self.what))
        };
        Finding::judge(code, holds, severity, message)
            .remedy(self.grants.join("\n"))
            .subjects(self.places)
    }
}

/// On the schema, or on each table of it that the source has.
fn granted(look: &Look<'_>, grants: &Grants, privilege: &str, schema: &str) -> bool {
    if grants.on_schema(privilege, schema) {
        return true;
    }
    let prefix = format!("{}.", quote_identifier(schema));
    let mut tables = look
        .facts
        .iter()
        .filter(|fact| fact.name == "columns")
        .filter_map(|fact| fact.subject.as_deref()?.strip_prefix(&prefix).map(unquoted))
        .peekable();
    tables.peek().is_some() && tables.all(|table| grants.on_table(privilege, schema, &table))
}

pub(super) fn privileges(
    look: &Look<'_>,
    version: &ServerVersion,
    schemas: &[String],
    findings: &mut Vec<Finding>,
) {
    let grants = &look.rights.grants;
    let mut rows = Missing::default();
    let mut ddl = Missing::default();
    for schema in schemas {
        rows.on_schema(look, grants, ROWS, schema);
        ddl.on_schema(look, grants, DDL, schema);
    }
    rows.on_schema(look, grants, OWN, "datain");
    findings.push(rows.finding(
        look,
        "target.privilege-missing",
        Severity::Fatal,
        format!(
            "{} has {} on {} schemas, and what the schema `datain` needs",
            look.rights.account,
            ROWS.join(", "),
            schemas.len()
        ),
    ));
    if look
        .variables
        .get("gtid_mode")
        .is_some_and(|mode| mode.starts_with("ON"))
    {
        // Before 8.0 only SUPER does, and there is no other to grant.
        let old = &CHOOSES_GTIDS[CHOOSES_GTIDS.len() - 1..];
        let known = version.is_mysql_since(8, 0, 0);
        ddl.globally(look, if known { CHOOSES_GTIDS } else { old });
    }
    let own = look.rights.account.to_string();
    let name = if version.is_mysql_since(8, 2, 0) {
        "SET_ANY_DEFINER"
    } else if version.is_mysql_since(8, 0, 0) {
        "SET_USER_ID"
    } else if version.is_mariadb_since(10, 5, 2) {
        "SET USER"
    } else {
        "SUPER"
    };
    let enough = [name, "SUPER"];
    if look.facts.values("definer").any(|definer| definer != own) {
        ddl.globally(look, &enough);
    }
    if [
        "sql_require_primary_key",
        "sql_generate_invisible_primary_key",
    ]
    .iter()
    .any(|name| look.variables.is_on(name))
    {
        ddl.globally(
            look,
            &["SESSION_VARIABLES_ADMIN", "SYSTEM_VARIABLES_ADMIN", "SUPER"],
        );
    }
    // Who has it needs to know no more. Else a view or routine that is not seen may need it.
    let unsure = if enough.iter().any(|name| grants.globally(name)) {
        None
    } else if look.facts.value("tables").is_none() {
        Some((NO_FACTS.to_owned(), Vec::new()))
    } else {
        let unseen = Unseen::of(look, &["views", "routines"]);
        let why = format!(
            "the source's account may not see all {}",
            unseen.what.join(", ")
        );
        (!unseen.is_empty()).then_some((why, unseen.grants))
    };
    let code = "target.ddl-privilege-missing";
    let passed = format!(
        "{} may run DDL on {} schemas",
        look.rights.account,
        schemas.len()
    );
    let known = ddl.grants.is_empty();
    let mut finding = ddl.finding(look, code, Severity::Warning, passed);
    if let Some((why, on_source)) = unsure
        && !finding.message.contains(name)
    {
        let not_known = format!("not checked, whether it needs {name} for a DEFINER: {why}");
        finding.message = format!("{}; {not_known}", finding.message);
        if known {
            finding = Finding::about(code, Severity::Note, finding.message.as_str());
            if !on_source.is_empty() {
                finding = finding.remedy(on_source.join("\n"));
            }
        }
    }
    findings.push(finding);
}

/// The sink asks information_schema whether the account itself, not one of its roles, may see triggers: so does this.
pub(super) fn triggers(
    look: &Look<'_>,
    direct: &Grants,
    schemas: &[String],
    findings: &mut Vec<Finding>,
) {
    let mut missing = Missing::default();
    for schema in schemas {
        missing.on_schema(look, direct, &["TRIGGER"], schema);
    }
    findings.push(missing.finding(
        look,
        "table.triggers-unseen",
        Severity::Fatal,
        format!(
            "{} has TRIGGER on {} schemas",
            look.rights.account,
            schemas.len()
        ),
    ));
}
