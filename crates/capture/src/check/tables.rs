//! The replicated tables of the source.

use datain_contract::FindingExt as _;
use datain_contract::types::{Finding, Severity};
use datain_mysql_client::quote_identifier;
use datain_server_facts::{list, tables::SeenTable};

use super::Survey;

/// `log_is_bare`: the log says neither characters' sets nor which numbers have no sign.
pub(super) fn check(tables: &[SeenTable], log_is_bare: bool, survey: &mut Survey) {
    for table in tables {
        survey.tell_of("columns", Some(table.quoted()), table.columns.as_str());
        if log_is_bare {
            survey.tell_of("meanings", Some(table.quoted()), table.meanings.as_str());
        }
    }
    let keyless: Vec<&SeenTable> = tables.iter().filter(|table| !table.primary_key).collect();
    survey.find(finding(
        "table.no-primary-key",
        tables.len(),
        &keyless,
        "have no primary key",
        add_primary_key,
    ));
    let others: Vec<&SeenTable> = tables
        .iter()
        .filter(|table| !table.engine.eq_ignore_ascii_case("InnoDB"))
        .collect();
    survey.find(finding(
        "source.table-engine",
        tables.len(),
        &others,
        "are not InnoDB",
        |table| format!("ALTER TABLE {} ENGINE = InnoDB;", table.quoted()),
    ));
}

fn finding(
    code: &str,
    all: usize,
    bad: &[&SeenTable],
    what: &str,
    remedy: impl Fn(&SeenTable) -> String,
) -> Finding {
    let names: Vec<String> = bad.iter().map(|table| table.quoted()).collect();
    let message = format!("{} of {all} replicated tables {what}", bad.len());
    let message = if bad.is_empty() {
        message
    } else {
        format!("{message}: {}", list(&names))
    };
    let statements: Vec<String> = bad.iter().map(|table| remedy(table)).collect();
    Finding::judge(code, bad.is_empty(), Severity::Fatal, message)
        .remedy(statements.join("\n"))
        .subjects(names)
}

/// A key that is there already becomes the primary one. Else a numbered column is the only one that always works; it must be added before the first copy,
/// since each server would number the rows in its own order.
fn add_primary_key(table: &SeenTable) -> String {
    if let Some(key) = &table.unique_key {
        let key: Vec<String> = key.iter().map(|column| quote_identifier(column)).collect();
        return format!(
            "ALTER TABLE {} ADD PRIMARY KEY ({});",
            table.quoted(),
            key.join(", ")
        );
    }
    let name = if table.has_column("id") {
        "row_id"
    } else {
        "id"
    };
    format!(
        "ALTER TABLE {} ADD COLUMN {name} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY; -- before the first copy, or on both servers",
        table.quoted()
    )
}
