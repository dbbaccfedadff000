//! Statements that make, change or drop temporary tables ([`TemporaryTables`]).

use datain_binlog::QueryEvent;
use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Statement, TemporaryTables as Step};
use datain_sql_statement::{
    Charset, DataChange, Dialect, Kind, ObjectName, Options, TableAction, TableFilter, Tokens,
    Verdict, classify, created_from, data_change,
};

use super::{Name, Standing};
use crate::statement::statement;
use crate::temporary::{Owner, TemporaryTables, owner};

/// What is done with a statement that is about temporary tables.
#[derive(Debug, PartialEq)]
pub enum Definition {
    /// It is about others.
    Other,
    /// It is left out.
    Nothing,
    /// It is handed on.
    Change(Box<Statement>),
}

/// Reads a statement that may define temporary tables, and notes what it does.
///
/// # Errors
/// `source.temporary-table` for what cannot be followed; `filter.unreadable-statement`.
pub fn define(
    found: &datain_sql_statement::Statement,
    query: &QueryEvent<'_>,
    timestamp: u32,
    options: &Options,
    standing: Standing,
    filter: &TableFilter,
    tables: &mut TemporaryTables,
) -> Result<Definition, Error> {
    let session = owner(standing.server_id, query.thread_id);
    let Kind::Table(action) = found.kind else {
        return Ok(Definition::Other);
    };
    let name = |table: &ObjectName| named(table, options.charset, query.schema, filter);
    let mut step = Step::Further;
    match action {
        TableAction::Create if found.temporary => {
            let Some(made) = found.targets.first().and_then(name) else {
                return Err(super::unreadable());
            };
            if is_only_if_missing(query.sql, options) && tables.find(session, &made).is_some() {
                return Ok(Definition::Nothing);
            }
            let there =
                !standing.copying && can_be_had(found, query, options, filter, tables, session);
            tables.remove(session, &made);
            let there = there && !tables.has_namesake(session);
            if there && tables.is_none_there() {
                // What the target may still have is of sessions that are gone.
                step = Step::First;
            }
            tables.put(session, made, there);
            if !there {
                return Ok(Definition::Nothing);
            }
        }
        TableAction::Drop if found.temporary => {
            // The target may have one that has become useless since it was made, and would show it in place of another table of its name. Where it is to have none, all go with the next one that is made.
            let may_be_there = !tables.is_none_there();
            let dropped = found.targets.iter().filter_map(name);
            let known = dropped.filter(|name| tables.remove(session, name).is_some());
            if known.count() == 0 || !may_be_there {
                return Ok(Definition::Nothing);
            }
            return handed_on(query, timestamp, Some(query.thread_id), step, standing);
        }
        TableAction::Alter
        | TableAction::Truncate
        | TableAction::CreateIndex
        | TableAction::DropIndex => {
            let table = found.targets.first().and_then(name);
            match table.and_then(|table| tables.find(session, &table)) {
                None => return Ok(Definition::Other),
                Some(_) if found.targets.len() > 1 => return Err(renamed()),
                Some(false) => return Ok(Definition::Nothing),
                Some(true) => {}
            }
        }
        TableAction::Rename => {
            let mut names = found.targets.iter().filter_map(name);
            if names.any(|name| tables.find(session, &name).is_some()) {
                return Err(renamed());
            }
            return Ok(Definition::Other);
        }
        TableAction::Create => {
            let like = found.like.as_ref().and_then(name);
            let is_temporary = |name: &Name| tables.find(session, name).is_some();
            if let Some((schema, name)) = like.filter(is_temporary)
                && filter.judge(found, query.schema, options.charset) != Verdict::Out
            {
                return Err(made_like().in_table(&schema, &name));
            }
            return Ok(Definition::Other);
        }
        TableAction::Drop => return Ok(Definition::Other),
    }
    handed_on(query, timestamp, tables.session(session), step, standing)
}

fn handed_on(
    query: &QueryEvent<'_>,
    timestamp: u32,
    session: Option<u32>,
    temporary: Step,
    standing: Standing,
) -> Result<Definition, Error> {
    if standing.in_branch {
        return Err(super::at_a_wrong_place());
    }
    Ok(Definition::Change(Box::new(Statement {
        session,
        temporary,
        ..statement(query, timestamp)
    })))
}

/// Whether the target can have the temporary table: it is one that would be replicated, and so is all that it is made of.
fn can_be_had(
    found: &datain_sql_statement::Statement,
    query: &QueryEvent<'_>,
    options: &Options,
    filter: &TableFilter,
    tables: &TemporaryTables,
    session: Owner,
) -> bool {
    let charset = options.charset;
    if filter.judge(found, query.schema, charset) != Verdict::In {
        return false;
    }
    let there = |table: &ObjectName| match named(table, charset, query.schema, filter) {
        None => false,
        Some(name) => match tables.find(session, &name) {
            Some(there) => there,
            None => is_replicated(table, query, charset, filter),
        },
    };
    if let Some(like) = &found.like {
        return there(like);
    }
    if !found.from_select {
        return true;
    }
    created_from(query.sql, options)
        .is_some_and(|read: DataChange| read.complete && read.reads.iter().all(there))
}

/// Notes that a statement is left out: what it makes, changes or drops is on the target not what the session has.
pub fn left_out(
    tables: &mut TemporaryTables,
    query: &QueryEvent<'_>,
    server_id: u32,
    filter: &TableFilter,
    dialect: Dialect,
) {
    let options = crate::statement::options(query, dialect);
    let found = classify(query.sql, &options);
    let session = owner(server_id, query.thread_id);
    let changed = match found.kind {
        Kind::Table(_) => found.targets,
        Kind::Dml => match data_change(query.sql, &options).filter(|change| change.complete) {
            Some(change) => change.writes,
            None => return tables.doubt_of(session),
        },
        _ => return,
    };
    let makes = found.temporary && found.kind == Kind::Table(TableAction::Create);
    for table in &changed {
        if let Some(name) = named(table, options.charset, query.schema, filter)
            && (makes || tables.find(session, &name).is_some())
        {
            tables.put(session, name, false);
        }
    }
}

/// Schema and name of a table, as names are compared on the source.
fn named(
    table: &ObjectName,
    charset: Charset,
    default_schema: &str,
    filter: &TableFilter,
) -> Option<Name> {
    let name = table.decode(charset, default_schema);
    name.map(|(schema, name)| (filter.folded(&schema), filter.folded(&name)))
}

/// Whether a table that is no temporary one is replicated.
pub(super) fn is_replicated(
    table: &ObjectName,
    query: &QueryEvent<'_>,
    charset: Charset,
    filter: &TableFilter,
) -> bool {
    let name = table.decode(charset, query.schema);
    name.is_some_and(|(schema, name)| filter.matches(&schema, &name))
}

/// Whether the statement says IF NOT EXISTS.
fn is_only_if_missing(sql: &[u8], options: &Options) -> bool {
    // CREATE OR REPLACE TEMPORARY TABLE IF NOT EXISTS.
    let words: Vec<_> = Tokens::new(sql, options).take(7).collect();
    words.windows(3).any(|three| {
        three[0].is_word("IF") && three[1].is_word("NOT") && three[2].is_word("EXISTS")
    })
}

/// What a statement that changes rows has to do with temporary tables.
#[derive(Debug, PartialEq, Eq)]
pub enum Use {
    /// It names none.
    None,
    /// It changes only such that the target does not have.
    Nothing,
    /// It changes only such that the target has.
    Only,
    /// It changes others, with the help of some that the target has: what is left of it without them.
    Also(DataChange),
}

/// Reads which temporary tables a statement names. What changes one by means that the target does not have makes that one a table that the target does not have either.
///
/// # Errors
/// `source.temporary-table` where it needs one that the target does not have.
pub fn used(
    change: &DataChange,
    query: &QueryEvent<'_>,
    server_id: u32,
    charset: Charset,
    filter: &TableFilter,
    tables: &mut TemporaryTables,
) -> Result<Use, Error> {
    if tables.is_empty() {
        return Ok(Use::None);
    }
    let session = owner(server_id, query.thread_id);
    let find = |tables: &TemporaryTables, table: &ObjectName| {
        let name = named(table, charset, query.schema, filter)?;
        tables.find(session, &name).map(|there| (name, there))
    };
    let written: Vec<_> = change.writes.iter().map(|t| find(tables, t)).collect();
    let read: Vec<_> = change.reads.iter().map(|t| find(tables, t)).collect();
    let named: Vec<&(Name, bool)> = written.iter().chain(&read).flatten().collect();
    if named.is_empty() {
        return Ok(Use::None);
    }
    let missing = named.iter().find(|(_, there)| !there);
    if let Some(written) = written.iter().cloned().collect::<Option<Vec<_>>>() {
        if written.iter().all(|(_, there)| !there) {
            return Ok(Use::Nothing);
        }
        let others_are_replicated =
            change.reads.iter().zip(&read).all(|(table, found)| {
                found.is_some() || is_replicated(table, query, charset, filter)
            });
        if missing.is_none() && others_are_replicated {
            return Ok(Use::Only);
        }
        for (name, _) in written {
            tables.put(session, name, false);
        }
        return Ok(Use::Nothing);
    }
    if let Some(((schema, name), _)) = missing {
        return Err(not_there().in_table(schema, name));
    }
    let rest = |tables: &[ObjectName], found: &[Option<(Name, bool)>]| {
        let others = tables.iter().zip(found).filter(|(_, f)| f.is_none());
        others.map(|(table, _)| table.clone()).collect()
    };
    Ok(Use::Also(DataChange {
        writes: rest(&change.writes, &written),
        reads: rest(&change.reads, &read),
        ..change.clone()
    }))
}

fn not_there() -> Error {
    Error::fatal(
        "source.temporary-table",
        "the statement needs a temporary table of its session, which the target does not have, since it was made of what is not replicated, or may have been lost in a restart of the source",
    )
    .hint("let the session log rows (SET SESSION binlog_format = ROW, or MIXED since 8.0, before it makes the table); here, apply the statement's effect to the target by hand, then skip the transaction")
}

fn made_like() -> Error {
    Error::fatal(
        "source.temporary-table",
        "the source logged a CREATE TABLE … LIKE with a temporary table of its session, whose definition is not in the log",
    )
    .hint("make the table on the target by hand as it is on the source, then skip the transaction; with binlog_format = ROW on the source such a statement holds the definition")
}

fn renamed() -> Error {
    Error::fatal(
        "source.temporary-table",
        "the source logged a statement that renames a temporary table, which cannot be followed",
    )
    .hint("let the session log rows; here, skip the transaction, and then apply by hand what the session's next statements do to other tables")
}
