//! What a MariaDB's replicated tables have that not every target does: collations and types of its own.

use std::collections::{BTreeMap, BTreeSet};

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream, quote_identifier};
use datain_server_facts::tables::{in_schemas, quoted, schemas};
use datain_sql_statement::TableFilter;

use super::Survey;

/// Tells the sink of them; what they mean for the pair it judges. Of a MySQL there is nothing to tell.
pub(super) async fn tell<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    survey: &mut Survey,
) -> Result<(), Error> {
    if !session.server_version().is_mariadb() {
        return Ok(());
    }
    let schemas = schemas(session, filter).await?;
    let mut sql = b"SELECT TABLE_SCHEMA, TABLE_NAME, '', '', TABLE_TYPE, TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_TYPE <> 'VIEW' AND "
        .to_vec();
    sql.extend_from_slice(&in_schemas("TABLE_SCHEMA", &schemas));
    sql.extend_from_slice(
        b" UNION ALL SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, IF(COLUMN_TYPE LIKE '%COMPRESSED%', 'COMPRESSED', ''), COLLATION_NAME \
          FROM information_schema.COLUMNS WHERE (COLLATION_NAME IS NOT NULL OR DATA_TYPE IN ('uuid', 'inet4', 'inet6') OR COLUMN_TYPE LIKE '%COMPRESSED%') AND ",
    );
    sql.extend_from_slice(&in_schemas("TABLE_SCHEMA", &schemas));
    let mut collations = BTreeSet::new();
    let mut own: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in session.query_rows(&sql).await? {
        let [
            Some(schema),
            Some(table),
            Some(column),
            Some(kind),
            Some(more),
            collation,
        ] = row.as_slice()
        else {
            continue;
        };
        if !filter.matches(schema, table) {
            continue;
        }
        collations.extend(collation.clone());
        let what = match (kind.as_str(), more.as_str()) {
            ("uuid" | "inet4" | "inet6", _) => kind.to_uppercase(),
            (_, "COMPRESSED" | "SYSTEM VERSIONED" | "SEQUENCE") => more.clone(),
            _ => continue,
        };
        let what = if column.is_empty() {
            what
        } else {
            format!("{what} {}", quote_identifier(column))
        };
        own.entry(quoted(schema, table)).or_default().insert(what);
    }
    for collation in collations {
        survey.tell("collation", collation);
    }
    for (table, list) in own {
        for what in list {
            survey.tell_of("mariadb-only", Some(table.clone()), what);
        }
    }
    Ok(())
}
