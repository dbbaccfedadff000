//! Statements and what is told about them.

mod settings;
mod statements;
mod tables;

use datain_sql_statement::{ObjectName, Options, Statement, classify};

fn show_name(name: &ObjectName) -> String {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    match &name.schema {
        Some(schema) if name.name.is_empty() => format!("{}.*", text(schema)),
        Some(schema) => format!("{}.{}", text(schema), text(&name.name)),
        None => text(&name.name),
    }
}

/// One line for a statement: kind, targets, then what else is set.
fn show(sql: &[u8], statement: &Statement) -> String {
    let mut line = format!("{:?}", statement.kind);
    for target in &statement.targets {
        line += &format!(" {}", show_name(target));
    }
    if statement.temporary {
        line += " +temporary";
    }
    if let Some(name) = &statement.like {
        line += &format!(" +like {}", show_name(name));
    }
    if let Some(name) = &statement.trigger_table {
        line += &format!(" +on {}", show_name(name));
    }
    if statement.from_select {
        line += " +select";
    }
    if let Some(range) = &statement.start_transaction {
        line += &format!(" +[{}]", sql[range.clone()].escape_ascii());
    }
    if let Some(xid) = &statement.xid {
        line += &format!(
            " +{}/{}/{}",
            xid.gtrid.escape_ascii(),
            xid.bqual.escape_ascii(),
            xid.format_id
        );
    }
    if !statement.complete {
        line += " +incomplete";
    }
    line
}

fn check_with(options: &Options, sql: &[u8], expected: &str) {
    let statement = classify(sql, options);
    assert_eq!(show(sql, &statement), expected, "{}", sql.escape_ascii());
}

fn check(sql: &str, expected: &str) {
    check_with(&Options::default(), sql.as_bytes(), expected);
}
