//! The replicated tables of the target.
//!
//! Replicated are those that the filter lets through and the source has too. Where the source's tables are not all known, those that the filter lets through.

use std::collections::{BTreeSet, HashMap};

use datain_contract::types::{Error, Finding, Severity};
use datain_contract::{FactsExt as _, FindingExt as _};
use datain_mysql_client::{Session, Stream, quote_identifier};
use datain_server_facts::list;
use datain_server_facts::tables::{self, SeenTable, in_schemas, quoted};

use super::{Look, NO_FACTS};

pub(super) async fn check<S: Stream>(
    session: &mut Session<S>,
    look: &Look<'_>,
    schemas: &[String],
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let source = look.source_columns();
    let complete = look.facts.value("tables") == Some("all");
    let known = |name: &str| {
        !complete
            || source
                .as_ref()
                .is_none_or(|tables| tables.contains_key(&look.folded(name)))
    };
    let mut seen = tables::tables(session, &look.filter).await?;
    seen.retain(|table| known(&table.quoted()));
    findings.push(named(
        "table.engine",
        &seen,
        |table| !table.engine.eq_ignore_ascii_case("InnoDB"),
        "are not InnoDB",
        |table| format!("ALTER TABLE {} ENGINE = InnoDB;", table.quoted()),
    ));
    findings.push(named(
        "table.no-key",
        &seen,
        |table| !table.primary_key && table.unique_key.is_none(),
        "have neither a primary key nor a unique key over NOT NULL columns",
        |table| {
            format!(
                "ALTER TABLE {} ADD PRIMARY KEY (…); -- the columns of the source's primary key",
                table.quoted()
            )
        },
    ));
    findings.push(triggers(session, look, schemas, known).await?);
    let charsets = tables::schema_charsets(session, &look.filter).await?;
    findings.push(meanings(look, &seen, &charsets, source.as_ref()));
    findings.push(match &source {
        None => Finding::not_checked("table.column-order", NO_FACTS),
        Some(source) => {
            let other: Vec<(&SeenTable, &str)> = seen
                .iter()
                .filter_map(|table| {
                    let there = source.get(&look.folded(&table.quoted()))?;
                    other_order(there, &table.columns).then_some((table, *there))
                })
                .collect();
            column_order(look, &other, seen.len())
        }
    });
    Ok(())
}

fn named(
    code: &str,
    seen: &[SeenTable],
    bad: impl Fn(&SeenTable) -> bool,
    what: &str,
    remedy: impl Fn(&SeenTable) -> String,
) -> Finding {
    let bad: Vec<&SeenTable> = seen.iter().filter(|table| bad(table)).collect();
    let names: Vec<String> = bad.iter().map(|table| table.quoted()).collect();
    let mut message = format!("{} of {} replicated tables {what}", bad.len(), seen.len());
    if !bad.is_empty() {
        message = format!("{message}: {}", list(&names));
    }
    let statements: Vec<String> = bad.iter().map(|table| remedy(table)).collect();
    Finding::judge(code, bad.is_empty(), Severity::Fatal, message)
        .remedy(statements.join("\n"))
        .subjects(names)
}

async fn triggers<S: Stream>(
    session: &mut Session<S>,
    look: &Look<'_>,
    schemas: &[String],
    known: impl Fn(&str) -> bool,
) -> Result<Finding, Error> {
    let mut sql =
        b"SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_SCHEMA, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE "
            .to_vec();
    sql.extend_from_slice(&in_schemas("EVENT_OBJECT_SCHEMA", schemas));
    let mut names = BTreeSet::new();
    let mut statements = Vec::new();
    for row in session.query_rows(&sql).await? {
        let [Some(schema), Some(table), Some(in_schema), Some(trigger)] = row.as_slice() else {
            continue;
        };
        let name = quoted(schema, table);
        if look.filter.matches(schema, table) && known(&name) {
            names.insert(name);
            statements.push(format!("DROP TRIGGER {};", quoted(in_schema, trigger)));
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    let message = if names.is_empty() {
        "the account sees none".to_owned()
    } else {
        format!("{} trigger(s) on {}", statements.len(), list(&names))
    };
    Ok(
        Finding::judge("table.triggers", names.is_empty(), Severity::Fatal, message)
            .remedy(statements.join("\n"))
            .subjects(names),
    )
}

/// The names in a list of quoted names.
fn split(columns: &str) -> Vec<&str> {
    let (mut names, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, letter) in columns.char_indices() {
        match letter {
            '`' => inside = !inside,
            ',' if !inside => {
                names.push(&columns[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    names.push(&columns[start..]);
    names
}

/// The same names in another order. Letter case never counts in names of columns.
fn other_order(there: &str, here: &str) -> bool {
    let (there, here) = (there.to_lowercase(), here.to_lowercase());
    if there == here || there.len() != here.len() {
        return false;
    }
    let (mut there, mut here) = (split(&there), split(&here));
    there.sort_unstable();
    here.sort_unstable();
    there == here
}

/// Where the log says neither characters' sets nor which numbers have no sign, the target's columns decide what the bytes mean.
fn meanings(
    look: &Look<'_>,
    seen: &[SeenTable],
    charsets: &[(String, String)],
    source: Option<&HashMap<String, &str>>,
) -> Finding {
    let code = "table.column-meaning";
    let Some(source) = source else {
        return Finding::not_checked(code, NO_FACTS);
    };
    let told: HashMap<String, &str> = look.told("meanings");
    let mut other = Vec::new();
    for table in seen {
        let name = look.folded(&table.quoted());
        let same_names = source
            .get(&name)
            .is_some_and(|there| there.to_lowercase() == table.columns.to_lowercase());
        let Some(there) = told.get(&name).filter(|_| same_names) else {
            continue;
        };
        let pairs = there.split(',').zip(table.meanings.split(','));
        let columns = split(&table.columns).into_iter().zip(pairs);
        other.extend(columns.filter(|(_, (there, here))| there != here).map(
            |(column, (there, here))| {
                let shown = |meaning: &str| {
                    if meaning.is_empty() {
                        "neither"
                    } else {
                        meaning
                    }
                    .to_owned()
                };
                format!(
                    "{}.{column} ({}, here {})",
                    table.quoted(),
                    shown(there),
                    shown(here)
                )
            },
        ));
    }
    let told: HashMap<String, &str> = look.told("schema-charset");
    for (schema, here) in charsets {
        let schema = quote_identifier(schema);
        if let Some(there) = told
            .get(&look.folded(&schema))
            .filter(|there| *there != here)
        {
            other.push(format!("new tables of {schema} ({there}, here {here})"));
        }
    }
    if other.is_empty() {
        return Finding::passed(
            code,
            "the log says it, or the target's columns have the same",
        );
    }
    Finding::about(
        code,
        Severity::Fatal,
        format!("the source's log says neither character sets nor signs, and these differ: {}", list(&other)),
    )
    .remedy("ALTER TABLE … CONVERT TO CHARACTER SET …, ALTER TABLE … MODIFY …, ALTER SCHEMA … CHARACTER SET … on the target, before it has rows; change them after the cutover")
    .subjects(other)
}

fn column_order(look: &Look<'_>, other: &[(&SeenTable, &str)], all: usize) -> Finding {
    let code = "table.column-order";
    if other.is_empty() {
        return Finding::passed(code, format!("the same in all of {all} tables"));
    }
    let names: Vec<String> = other.iter().map(|(table, _)| table.quoted()).collect();
    let message = format!(
        "the same columns stand in another order in {}",
        list(&names)
    );
    let mut steps: Vec<String> = other
        .iter()
        .map(|(table, there)| reorder(table, there))
        .collect();
    // The target may be about to get the ALTER that the source has had. Nobody but a person can tell: the log names no columns, so values of a table that was
    // made in another order would go into wrong ones in silence.
    if look.facts.value("pending") != Some("no") {
        steps.push(
            "-- or, only if the source has changed the order itself and the stream is still to bring that ALTER TABLE: [check] allow = [\"column-order\"] in the configuration until it has"
                .to_owned(),
        );
    }
    Finding::about(code, Severity::Fatal, message)
        .remedy(steps.join("\n"))
        .subjects(names)
}

/// MODIFY wants the whole definition, which SHOW CREATE TABLE has.
fn reorder(table: &SeenTable, there: &str) -> String {
    let here: Vec<String> = split(&table.columns)
        .iter()
        .map(|c| c.to_lowercase())
        .collect();
    let order = split(there);
    let first = order
        .iter()
        .zip(&here)
        .position(|(a, b)| a.to_lowercase() != *b)
        .unwrap_or(0);
    let place = match first.checked_sub(1).and_then(|before| order.get(before)) {
        Some(before) => format!("AFTER {before}"),
        None => "FIRST".to_owned(),
    };
    format!(
        "ALTER TABLE {} MODIFY {} … {place}; -- with its definition; the source's order is {there}",
        table.quoted(),
        order.get(first).copied().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted_list(names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| quote_identifier(name)).collect();
        names.join(",")
    }

    #[test]
    fn only_the_same_names_in_another_order_count() {
        let check = |there: &[&str], here: &[&str], expected: bool| {
            assert_eq!(
                other_order(&quoted_list(there), &quoted_list(here)),
                expected,
                "{there:?} {here:?}"
            );
        };
        check(&["a", "b"], &["a", "b"], false);
        check(&["a", "B"], &["A", "b"], false);
        check(&["a", "b"], &["b", "a"], true);
        check(&["a", "b"], &["b", "c"], false);
        check(&["a", "b"], &["a", "b", "c"], false);
        check(&["a,b", "c`"], &["c`", "a,b"], true);
    }
}
