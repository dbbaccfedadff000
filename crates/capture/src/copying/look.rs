//! What there is to copy, and whether it can be.

use std::collections::{BTreeSet, VecDeque};

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Statement};
use datain_mysql_client::{Session, Stream};
use datain_server_facts::tables::{self as seen, SeenTable};
use datain_sql_statement::TableFilter;
use datain_table_scan::{ListedTable, prepare, tables};

use super::families::{Families, Links};
use super::mariadb;
use super::place::Place;
use super::window::{Name, changed_meanwhile, no_key};
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
    /// What adds indexes behind the rows, and how many such statements were handed on; none before all rows are.
    pub(super) indexes: Option<(VecDeque<Statement>, u64)>,
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
    /// It has no key, or seems to have none: it is begun when no other table is being read.
    pub(super) is_keyless: bool,
    /// It is begun together with the others of which this table is the first.
    pub(super) circle: Option<Name>,
}

/// Reads which rows there are to copy; the session is then one for reading tables. Tables come in the order in which they are begun: of their names, but parents first where that counts ([`super::families`]).
///
/// Where tables are added to others, `all` takes those too, whose foreign keys count.
///
/// # Errors
/// What cannot be copied, with table; errors of the server.
pub(super) async fn look<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    all: Option<&TableFilter>,
    place: &Place,
    takes_keyless: bool,
) -> Result<Todo, Error> {
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
        let mut related: BTreeSet<Name> = names.iter().map(|(name, _)| name.clone()).collect();
        if let Some(all) = all {
            let all = tables(session, all).await?.into_iter();
            related.extend(all.map(|table| (table.schema, table.name)));
        }
        Families::ask(session, &related).await?
    };
    let keyless = keyless(session, filter).await?;
    let refused = |name: &&Name| !takes_keyless || families.follows(name) || families.leads(name);
    if let Some(first) = keyless.iter().find(refused) {
        let all = keyless.iter().filter(refused);
        let all: Vec<String> = all
            .map(|(schema, name)| seen::quoted(schema, name))
            .collect();
        return Err(no_key()
            .detail(format!("without a key: {}", all.join(", ")))
            .in_table(&first.0, &first.1));
    }
    // What is read in one go comes last, each by itself.
    names.sort_by_cached_key(|(name, _)| {
        let first = families.circle(name).unwrap_or(name);
        let level = families.level(name);
        (keyless.contains(name), level, first.clone(), name.clone())
    });
    let open = place.open();
    let is_open = |name: &Name| open.iter().any(|o| o.schema == name.0 && o.name == name.1);
    // In this order they were begun.
    let begun = match place.begun() {
        None if matches!(place, Place::Indexes { .. }) => names.len(),
        None => 0,
        Some(begun) => {
            let is_it = |(name, _): &(Name, u64)| (name.0.as_str(), name.1.as_str()) == begun;
            names.iter().position(is_it).ok_or_else(changed_meanwhile)? + 1
        }
    };
    Ok(Todo {
        statements: VecDeque::new(),
        definitions: 0,
        indexes: None,
        tables: names
            .into_iter()
            .enumerate()
            .filter(|(at, (name, _))| *at >= begun || is_open(name))
            .map(|(_, (name, row_bytes))| Waiting {
                level: families.level(&name),
                follows: families.follows(&name),
                circle: families.circle(&name).cloned(),
                is_keyless: keyless.contains(&name),
                name,
                row_bytes,
            })
            .collect(),
        links: families.into_links(),
        listed,
    })
}

/// The tables without a key by which they could be read in chunks, in the order of their names.
async fn keyless<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<BTreeSet<Name>, Error> {
    let tables = seen::tables(session, filter).await?;
    let lacks_key = |table: &SeenTable| !table.primary_key && table.unique_key.is_none();
    let keyless = tables.into_iter().filter(lacks_key);
    Ok(keyless.map(|table| (table.schema, table.name)).collect())
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
