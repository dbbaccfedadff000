//! The names of everything, from information_schema.
//!
//! Only columns that MySQL 5.6 has too are asked for, but for the triggers' order (5.7) and libraries (9.2).

use std::collections::HashMap;

use datain_contract::types::Error;
use datain_mysql_client::{Outcome, Session, Stream};
use datain_privileges::Account;
use datain_server_facts::tables::in_schemas;
use datain_sql_statement::TableFilter;

use super::unexpected;
use crate::Kind;

/// Something that exists.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub kind: Kind,
    pub schema: String,
    pub name: String,
    pub definer: Option<String>,
    pub bytes: u64,
}

/// Everything that exists.
pub(super) struct Names {
    pub wanted: Vec<Name>,
    pub others: Vec<(String, String)>,
}

/// Rows of text; NULL is empty.
async fn rows<S: Stream, const N: usize>(
    session: &mut Session<S>,
    sql: &[u8],
) -> Result<Vec<[String; N]>, Error> {
    let Some(Outcome::Rows(set)) = session.query(sql).await?.pop() else {
        return Err(unexpected("information_schema returned no rows"));
    };
    set.rows
        .into_iter()
        .map(|row| {
            let cells: Result<Vec<String>, _> = row
                .into_iter()
                .map(|cell| String::from_utf8(cell.unwrap_or_default()))
                .collect();
            cells
                .ok()
                .and_then(|cells| <[String; N]>::try_from(cells).ok())
                .ok_or_else(|| unexpected("a name in information_schema is no UTF-8"))
        })
        .collect()
}

pub(super) async fn all<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Names, Error> {
    let schemas = schemas(session, filter).await?;
    let whole: Vec<String> = schemas
        .iter()
        .filter(|schema| filter.takes_schema_itself(schema))
        .cloned()
        .collect();
    let mut names = Names {
        wanted: whole
            .iter()
            .map(|schema| named(Kind::Schema, schema, schema))
            .collect(),
        others: Vec::new(),
    };
    let version = session.server_version().clone();
    if version.is_mysql_since(9, 2, 0) {
        let sql = "SELECT LIBRARY_SCHEMA, LIBRARY_NAME FROM information_schema.LIBRARIES WHERE {schemas} ORDER BY 1, 2";
        for [schema, name] in rows(session, &within(sql, "LIBRARY_SCHEMA", &whole)).await? {
            if !whole.contains(&schema) {
                continue;
            }
            names.wanted.push(named(Kind::Library, &schema, &name));
        }
    }
    let (tables, views) = tables(session, filter, &mut names.others).await?;
    names.wanted.extend(tables);
    names.wanted.extend(routines(session, &whole).await?);
    names.wanted.extend(views);
    names
        .wanted
        .extend(triggers_and_events(session, filter, &schemas).await?);
    Ok(names)
}

/// What is made at the cutover alone, behind the schemas that it is in.
pub(super) async fn held_back<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Vec<Name>, Error> {
    let schemas = schemas(session, filter).await?;
    let mut names: Vec<Name> = schemas
        .iter()
        .map(|schema| named(Kind::Schema, schema, schema))
        .collect();
    names.extend(triggers_and_events(session, filter, &schemas).await?);
    Ok(names)
}

/// Schemas of which something is wanted.
async fn schemas<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Vec<String>, Error> {
    let schemas = rows::<_, 1>(
        session,
        b"SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME",
    )
    .await?;
    Ok(schemas
        .into_iter()
        .map(|[name]| name)
        .filter(|name| filter.matches_schema(name))
        .collect())
}

async fn triggers_and_events<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    schemas: &[String],
) -> Result<Vec<Name>, Error> {
    let version = session.server_version();
    // Before 5.7.2 a table has one trigger of a kind at most; every MariaDB that is supported tells the order.
    let ordered = version.is_mariadb() || version.is_mysql_since(5, 7, 2);
    let mut names = triggers(session, filter, schemas, ordered).await?;
    let sql = "SELECT EVENT_SCHEMA, EVENT_NAME, DEFINER FROM information_schema.EVENTS WHERE {schemas} ORDER BY 1, 2";
    for [schema, name, definer] in rows(session, &within(sql, "EVENT_SCHEMA", schemas)).await? {
        if !schemas.contains(&schema) {
            continue;
        }
        names.push(Name {
            definer: account(&definer),
            ..named(Kind::Event, &schema, &name)
        });
    }
    Ok(names)
}

fn named(kind: Kind, schema: &str, name: &str) -> Name {
    Name {
        kind,
        schema: schema.to_owned(),
        name: name.to_owned(),
        definer: None,
        bytes: 0,
    }
}

fn account(definer: &str) -> Option<String> {
    (!definer.is_empty()).then(|| Account::parse(definer).to_string())
}

/// The statement with a condition in place of `{schemas}`.
fn within(sql: &str, column: &str, schemas: &[String]) -> Vec<u8> {
    let (head, tail) = sql.split_once("{schemas}").unwrap_or((sql, ""));
    let mut out = head.as_bytes().to_vec();
    out.extend_from_slice(&in_schemas(column, schemas));
    out.extend_from_slice(tail.as_bytes());
    out
}

/// Tables and views that are replicated, and the names of all others.
async fn tables<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    others: &mut Vec<(String, String)>,
) -> Result<(Vec<Name>, Vec<Name>), Error> {
    let definers = rows::<_, 3>(
        session,
        b"SELECT TABLE_SCHEMA, TABLE_NAME, DEFINER FROM information_schema.VIEWS",
    )
    .await?;
    let definers: HashMap<(String, String), String> = definers
        .into_iter()
        .map(|[schema, name, definer]| ((schema, name), definer))
        .collect();
    let all = rows::<_, 4>(
        session,
        b"SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, DATA_LENGTH FROM information_schema.TABLES \
          WHERE TABLE_TYPE <> 'SYSTEM VIEW' ORDER BY 1, 2",
    )
    .await?;
    let (mut tables, mut views) = (Vec::new(), Vec::new());
    for [schema, name, kind, bytes] in all {
        if !filter.matches(&schema, &name) {
            // What a running pipeline has already is there for what is added to it.
            if !filter.matches_before_or_now(&schema, &name) {
                others.push((schema, name));
            }
        } else if kind == "VIEW" {
            let definer = definers.get(&(schema.clone(), name.clone()));
            views.push(Name {
                definer: definer.and_then(|definer| account(definer)),
                ..named(Kind::View, &schema, &name)
            });
        } else {
            tables.push(Name {
                bytes: bytes.parse().unwrap_or(0),
                ..named(Kind::Table, &schema, &name)
            });
        }
    }
    Ok((tables, views))
}

async fn routines<S: Stream>(
    session: &mut Session<S>,
    schemas: &[String],
) -> Result<Vec<Name>, Error> {
    let sql = "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, DEFINER FROM information_schema.ROUTINES WHERE {schemas} ORDER BY 3, 1, 2";
    let all = rows(session, &within(sql, "ROUTINE_SCHEMA", schemas)).await?;
    all.into_iter()
        // MariaDB's packages are told of by themselves.
        .filter(|[_, _, kind, _]| !matches!(kind.as_str(), "LIBRARY" | "PACKAGE" | "PACKAGE BODY"))
        // A long list of schemas is not in the question.
        .filter(|[schema, ..]| schemas.contains(schema))
        .map(|[schema, name, kind, definer]| {
            let kind = match kind.as_str() {
                "FUNCTION" => Kind::Function,
                "PROCEDURE" => Kind::Procedure,
                other => return Err(unexpected(&format!("a routine of the kind {other}"))),
            };
            Ok(Name {
                definer: account(&definer),
                ..named(kind, &schema, &name)
            })
        })
        .collect()
}

/// Triggers of replicated tables: of one table in the order in which they are activated, which no statement of theirs tells.
async fn triggers<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    schemas: &[String],
    ordered: bool,
) -> Result<Vec<Name>, Error> {
    let sql = format!(
        "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, DEFINER FROM information_schema.TRIGGERS WHERE {{schemas}} \
         ORDER BY TRIGGER_SCHEMA, EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, {}",
        if ordered {
            "ACTION_ORDER"
        } else {
            "TRIGGER_NAME"
        }
    );
    let all = rows(session, &within(&sql, "TRIGGER_SCHEMA", schemas)).await?;
    Ok(all
        .into_iter()
        .filter(|[schema, _, table, _]| filter.matches(schema, table))
        .map(|[schema, name, _, definer]| Name {
            definer: account(&definer),
            ..named(Kind::Trigger, &schema, &name)
        })
        .collect())
}
