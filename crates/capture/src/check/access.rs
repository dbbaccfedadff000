//! What the source's account may do and see.

use datain_contract::FindingExt as _;
use datain_contract::types::{Finding, Severity};
use datain_mysql_client::quote_identifier;
use datain_server_facts::{Rights, list, tables::SeenTable};
use datain_sql_statement::TableFilter;

use super::Survey;

pub(super) fn privileges(
    rights: &Rights,
    filter: &TableFilter,
    tables: &[SeenTable],
    by_file: bool,
    insensitive: bool,
    survey: &mut Survey,
) {
    let mut one = |code: &str, privilege: &str, severity: Severity| {
        let holds = rights.grants.globally(privilege);
        let message = if holds {
            format!("{} has {privilege}", rights.account)
        } else {
            format!("{} lacks {privilege}", rights.account)
        };
        survey.find(
            Finding::judge(code, holds, severity, message)
                .remedy(rights.grant_globally(&[privilege]))
                .subjects(vec![rights.account.to_string()]),
        );
    };
    one(
        "source.privilege-missing",
        "REPLICATION SLAVE",
        Severity::Fatal,
    );
    let severity = if by_file {
        Severity::Fatal
    } else {
        Severity::Warning
    };
    one("source.position-unknown", "REPLICATION CLIENT", severity);
    let finding = seen(rights, filter, tables, insensitive);
    let all = finding.severity == Severity::Passed;
    survey.tell("tables", if all { "all" } else { "some" });
    survey.find(finding);
}

/// A table without any privilege on it does not exist in information_schema.
fn seen(rights: &Rights, filter: &TableFilter, tables: &[SeenTable], insensitive: bool) -> Finding {
    let code = "source.tables-unseen";
    if rights.grants.without_exception("SELECT") {
        return Finding::passed(
            code,
            format!(
                "the account sees all; {} tables are replicated",
                tables.len()
            ),
        );
    }
    let Some(names) = filter.named_schemas() else {
        return Finding::about(
            code,
            Severity::Warning,
            format!(
                "the filter takes any number of schemas, and {} may not see all; it sees {} replicated tables",
                rights.account,
                tables.len()
            ),
        )
        .remedy(rights.grant_globally(&["SELECT"]))
        .subjects(vec![rights.account.to_string()]);
    };
    let unseen: Vec<String> = names
        .into_iter()
        // Privileges are kept under names in lower case there.
        .map(|name| {
            if insensitive {
                name.to_lowercase()
            } else {
                name
            }
        })
        .filter(|schema| {
            let mut inside = tables
                .iter()
                .filter(|table| table.schema == *schema)
                .peekable();
            let each = inside.peek().is_some()
                && inside.all(|t| rights.grants.on_table("SELECT", &t.schema, &t.name));
            !rights.grants.on_schema("SELECT", schema) && !each
        })
        .collect();
    let quoted: Vec<String> = unseen
        .iter()
        .map(|schema| quote_identifier(schema))
        .collect();
    let grants: Vec<String> = unseen
        .iter()
        .map(|schema| rights.grant_on_schema(&["SELECT"], schema))
        .collect();
    let message = if unseen.is_empty() {
        format!("the account sees the {} replicated tables", tables.len())
    } else {
        format!("{} lacks SELECT on {}", rights.account, list(&quoted))
    };
    Finding::judge(code, unseen.is_empty(), Severity::Warning, message)
        .remedy(grants.join("\n"))
        .subjects(quoted)
}
