//! What there is to copy, and whether it can be.

use std::collections::VecDeque;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Severity, Statement};
use datain_mysql_client::{Session, Stream};
use datain_schema_objects::plan::Choices;
use datain_schema_objects::{plan, read};
use datain_sql_statement::TableFilter;
use datain_table_scan::{ListedTable, prepare, tables};

use super::families::{Families, Links};
use super::place::Place;
use super::window::{Name, changed_meanwhile};
use super::{abilities, mariadb, statements};
use crate::check::cascades;
use crate::facts;

/// What is left to do, the next thing first.
#[derive(Default)]
pub(super) struct Todo {
    pub(super) statements: VecDeque<Statement>,
    /// Of all, with those that are done.
    pub(super) definitions: u64,
    pub(super) tables: VecDeque<Waiting>,
    /// What changes rows without a word in the log.
    pub(super) links: Links,
    /// What people should read.
    pub(super) notices: Vec<String>,
    /// All tables, also those that are whole.
    pub(super) listed: Vec<ListedTable>,
}

/// A table that has not been begun by this reader.
pub(super) struct Waiting {
    pub(super) name: Name,
    /// Bytes of a row on average, about.
    pub(super) row_bytes: u64,
    /// Tables of a lower one must be whole before it is begun.
    pub(super) level: usize,
    /// Its rows change with a parent's, which the source does not log.
    pub(super) follows: bool,
    /// It is begun together with the others of which this table is the first.
    pub(super) circle: Option<Name>,
}

/// Reads what there is to copy; the session is then one for reading tables. Tables come in the order in which they are begun: of their names, but parents first where that counts ([`super::families`]).
///
/// # Errors
/// What cannot be copied, with table; errors of the server.
pub(super) async fn look<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    place: &Place,
) -> Result<Todo, Error> {
    let mut notices = Vec::new();
    let mut statements = VecDeque::new();
    let mut definitions = 0;
    if let Place::Definitions { done, .. } = place {
        let reading = read::read(session, filter).await?;
        statements::must_be_readable(&reading)?;
        let findings = reading.findings.clone();
        let plan = plan::plan(reading, &abilities(), Choices::default());
        let noted = findings.iter().chain(&plan.findings);
        notices.extend(
            noted
                .filter(|finding| finding.severity != Severity::Passed)
                .map(|finding| format!("{}: {}", finding.message, finding.subjects.join(", "))),
        );
        let (objects, refused): (Vec<_>, Vec<_>) = plan
            .objects
            .into_iter()
            .partition(|object| object.excuse.is_none());
        notices.extend(refused.iter().map(|object| {
            let why = object.excuse.as_deref().unwrap_or_default();
            format!("{} is left out of the first copy: {why}", object.quoted())
        }));
        let all = statements::of(session, objects).await?;
        definitions = all.len() as u64;
        statements = all
            .into_iter()
            .skip(usize::try_from(*done).unwrap_or(usize::MAX))
            .collect();
    }
    prepare(session).await?;
    let listed = tables(session, filter).await?;
    if let Some(other) = listed
        .iter()
        .find(|table| !table.engine.eq_ignore_ascii_case("InnoDB"))
    {
        return Err(Error::reconfigure(
            "snapshot.engine",
            format!(
                "a table is kept by {}, which cannot be read while it changes",
                other.engine
            ),
        )
        .hint("ALTER TABLE … ENGINE = InnoDB on the source, or exclude it")
        .in_table(&other.schema, &other.name));
    }
    mariadb::must_be_plain(session, filter).await?;
    let mut names: Vec<(Name, u64)> = listed
        .iter()
        .map(|table| ((table.schema.clone(), table.name.clone()), table.row_bytes))
        .collect();
    let families = if cascades::are_logged(session).await? {
        Families::default()
    } else {
        let names = names.iter().map(|(name, _)| name.clone()).collect();
        Families::ask(session, &names).await?
    };
    names.sort_by_cached_key(|(name, _)| {
        let first = families.circle(name).unwrap_or(name);
        (families.level(name), first.clone(), name.clone())
    });
    let open = place.open();
    let is_open = |name: &Name| open.iter().any(|o| o.schema == name.0 && o.name == name.1);
    // In this order they were begun.
    let begun = match place.begun() {
        None => 0,
        Some(begun) => {
            let is_it = |(name, _): &(Name, u64)| (name.0.as_str(), name.1.as_str()) == begun;
            names.iter().position(is_it).ok_or_else(changed_meanwhile)? + 1
        }
    };
    Ok(Todo {
        statements,
        definitions,
        tables: names
            .into_iter()
            .enumerate()
            .filter(|(at, (name, _))| *at >= begun || is_open(name))
            .map(|(_, (name, row_bytes))| Waiting {
                level: families.level(&name),
                follows: families.follows(&name),
                circle: families.circle(&name).cloned(),
                name,
                row_bytes,
            })
            .collect(),
        links: families.into_links(),
        notices,
        listed,
    })
}

/// Whoever is at the other end must be the server whose log is read: positions mean nothing on another one.
///
/// # Errors
/// `snapshot.other-server`; errors of the server.
pub(super) async fn must_be<S: Stream>(
    session: &mut Session<S>,
    server_uuid: &str,
) -> Result<(), Error> {
    let found = facts::identity(session).await?;
    if found.as_deref() == Some(server_uuid) {
        return Ok(());
    }
    Err(Error::retry(
        "snapshot.other-server",
        "the source's address leads to one server for the log, and to another one for the first copy",
    ))
}
