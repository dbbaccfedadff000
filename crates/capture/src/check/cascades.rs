//! Cascades that the source does not log, and that come from tables outside the filter.
//!
//! Before MySQL 9.6, or with `innodb_native_foreign_keys = ON`, a source logs only the change of a parent's row; what its foreign keys do to other tables happens on the target
//! again, when that change is applied. If it is not, since the parent is outside the filter, the rows of a replicated child change on the source and not on the target, and
//! nothing in the log tells. The same is true in the middle of a chain: of three tables, of which the second is outside the filter, the third is lost.
//!
//! So each foreign key with an action is a finding whose parent is outside the filter and whose child is inside. What mends it is worked out over the whole chain, since a parent
//! that is taken in may be some other table's child, and a child that is left out some other's parent.

use std::collections::BTreeSet;

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{ServerVersion, Session, Stream, quote_identifier};
use datain_server_facts::{Variables, list, tables::quoted};
use datain_sql_statement::TableFilter;

const CODE: &str = "source.unlogged-cascades";

/// Foreign keys that change their child. An account sees those of the tables on which it has any privilege; the parent may be unseen.
const QUERY: &[u8] = b"SELECT UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE \
    FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT')";

/// Schema and name.
type Table = (String, String);

/// A foreign key that changes its child.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    parent: Table,
    child: Table,
    name: String,
    /// `ON DELETE CASCADE`, and the like.
    actions: String,
}

/// Whether the source logs what foreign keys do to other tables.
///
/// # Errors
/// Errors of the server.
pub(crate) async fn are_logged<S: Stream>(session: &mut Session<S>) -> Result<bool, Error> {
    // Servers that do not know the variable leave cascades to InnoDB, which logs none.
    let variables = Variables::ask(session, &["innodb_native_foreign_keys"]).await?;
    let setting = variables.get("innodb_native_foreign_keys");
    Ok(setting.is_some() && !variables.is_on("innodb_native_foreign_keys"))
}

pub(super) async fn finding<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    variables: &Variables,
    version: &ServerVersion,
) -> Result<Finding, Error> {
    // Servers that do not know the variable leave cascades to InnoDB, which logs none.
    let setting = variables.get("innodb_native_foreign_keys");
    if setting.is_some() && !variables.is_on("innodb_native_foreign_keys") {
        return Ok(Finding::passed(
            CODE,
            "the source logs what cascades change (innodb_native_foreign_keys is OFF)",
        ));
    }
    let mut links: Vec<Link> = session
        .query_rows(QUERY)
        .await?
        .into_iter()
        .filter_map(link)
        .collect();
    links.sort_by(|a, b| (&a.parent, &a.child, &a.name).cmp(&(&b.parent, &b.child, &b.name)));
    let why = if setting.is_some() {
        "innodb_native_foreign_keys is ON".to_owned()
    } else {
        format!("no server before MySQL 9.6 does, and it is {version}")
    };
    let is_inside = |table: &Table| filter.matches(&table.0, &table.1);
    Ok(judge(&links, &why, setting.is_some(), is_inside))
}

fn link(row: Vec<Option<String>>) -> Option<Link> {
    let [
        Some(parent_schema),
        Some(parent),
        Some(child_schema),
        Some(child),
        Some(name),
        delete,
        update,
    ] = <[Option<String>; 7]>::try_from(row).ok()?
    else {
        return None;
    };
    let action = |when: &str, rule: Option<String>| {
        let rule = rule.filter(|rule| rule != "NO ACTION" && rule != "RESTRICT")?;
        Some(format!("ON {when} {rule}"))
    };
    let actions: Vec<String> = [action("DELETE", delete), action("UPDATE", update)]
        .into_iter()
        .flatten()
        .collect();
    Some(Link {
        parent: (parent_schema, parent),
        child: (child_schema, child),
        name,
        actions: actions.join(" "),
    })
}

fn judge(links: &[Link], why: &str, can_log: bool, is_inside: impl Fn(&Table) -> bool) -> Finding {
    let lost: Vec<&Link> = links
        .iter()
        .filter(|link| !is_inside(&link.parent) && is_inside(&link.child))
        .collect();
    if lost.is_empty() {
        return Finding::passed(
            CODE,
            format!(
                "the source does not log what cascades change ({why}), and none leads from a table outside the filter to a replicated one"
            ),
        );
    }
    let named: Vec<String> = lost
        .iter()
        .map(|link| {
            format!(
                "{} of {}, which refers to {} {}",
                quote_identifier(&link.name),
                name(&link.child),
                name(&link.parent),
                link.actions
            )
        })
        .collect();
    let message = format!(
        "the source does not log what cascades change ({why}), and the filter leaves out parents of replicated tables; by the foreign {} {} their rows would change on the source only",
        if lost.len() == 1 { "key" } else { "keys" },
        list(&named)
    );
    // Everything outside from which cascades lead to the lost children.
    let mut above: BTreeSet<&Table> = lost.iter().map(|link| &link.parent).collect();
    spread(&mut above, |known| {
        let further = links.iter().filter(|link| known.contains(&link.child));
        further
            .map(|link| &link.parent)
            .filter(|t| !is_inside(t))
            .collect()
    });
    // Everything inside that cascades from these would be lost as well.
    let mut below: BTreeSet<&Table> = lost.iter().map(|link| &link.child).collect();
    spread(&mut below, |known| {
        let further = links.iter().filter(|link| known.contains(&link.parent));
        further
            .map(|link| &link.child)
            .filter(|t| is_inside(t))
            .collect()
    });
    let mut remedy = vec![
        format!("replicate the parents too ([replicate]): {}", names(&above)),
        format!("or leave out the children as well: {}", names(&below)),
    ];
    if can_log {
        remedy.push(
            "or let the source log cascades: innodb_native_foreign_keys = OFF in its option file, then a restart"
                .to_owned(),
        );
    }
    remedy.push(
        "or, if no row of the parents is ever deleted and no key of theirs changed: [check] allow = [\"unlogged-cascades\"]"
            .to_owned(),
    );
    let mut subjects: Vec<String> = lost.iter().map(|link| name(&link.child)).collect();
    subjects.dedup();
    Finding::about(CODE, Severity::Fatal, message)
        .remedy(remedy.join("\n"))
        .subjects(subjects)
}

/// Adds what follows from what is known, until nothing does.
fn spread<'a>(
    known: &mut BTreeSet<&'a Table>,
    further: impl Fn(&BTreeSet<&'a Table>) -> Vec<&'a Table>,
) {
    loop {
        let before = known.len();
        known.extend(further(known));
        if known.len() == before {
            return;
        }
    }
}

fn name(table: &Table) -> String {
    quoted(&table.0, &table.1)
}

fn names(tables: &BTreeSet<&Table>) -> String {
    let names: Vec<String> = tables.iter().map(|table| name(table)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Links as `parent>child`, tables outside the filter in capitals; what must be added, and what left out.
    fn check(links: &[&str], expected: Option<(&str, &str)>) {
        let table = |name: &str| ("d".to_owned(), name.to_owned());
        let links: Vec<Link> = links
            .iter()
            .map(|link| {
                let (parent, child) = link.split_once('>').unwrap();
                Link {
                    parent: table(parent),
                    child: table(child),
                    name: format!("{parent}_{child}"),
                    actions: "ON DELETE CASCADE".to_owned(),
                }
            })
            .collect();
        let found = judge(&links, "why", true, |t| t.1.chars().all(char::is_lowercase));
        let Some((above, below)) = expected else {
            assert_eq!(found.severity, Severity::Passed, "{found:?}");
            return;
        };
        assert_eq!(found.severity, Severity::Fatal);
        let remedy = found.remedy.unwrap();
        let tables = |line: usize| {
            let line = remedy.lines().nth(line).unwrap();
            let names = line.rsplit(": ").next().unwrap();
            names.replace("`d`.", "").replace('`', "")
        };
        assert_eq!((&*tables(0), &*tables(1)), (above, below));
    }

    #[test]
    fn chains_are_followed_to_their_ends() {
        check(&[], None);
        check(&["a>b", "b>c", "b>B", "B>C"], None);
        check(&["A>b"], Some(("A", "b")));
        // Whose parent is outside as well, and which has a replicated parent above that.
        check(&["A>B", "a>A", "B>b"], Some(("A, B", "b")));
        // What cascades from the child would be lost with it.
        check(&["A>b", "b>c", "c>C", "x>y"], Some(("A", "b, c")));
        // The middle of a chain; circles.
        check(&["a>B", "B>c"], Some(("B", "c")));
        check(&["A>B", "B>A", "A>c", "c>d", "d>c"], Some(("A, B", "c, d")));
    }
}
