//! What a schema holds besides tables, as SHOW CREATE gives it.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use datain_throwaway_servers::Server;

use super::{quoted, text};

/// The definitions of a schema, its views and its routines, by kind and name. Triggers and events are not replicated.
pub(super) fn definitions(server: &Server, schema: &str) -> Result<BTreeMap<String, String>> {
    let mut list = vec![(
        "SCHEMA".to_owned(),
        schema.to_owned(),
        format!("SHOW CREATE SCHEMA {}", quoted(schema)),
    )];
    let names = server.query(&format!(
        "SELECT 'VIEW', TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {schema} \
         UNION ALL SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {schema}",
        schema = text(schema)
    ))?;
    for row in names {
        let [Some(kind), Some(name)] = row.as_slice() else {
            bail!("information_schema gave an object without a name");
        };
        let sql = format!("SHOW CREATE {kind} {}.{}", quoted(schema), quoted(name));
        list.push((kind.clone(), name.clone(), sql));
    }
    let show: Vec<&str> = list.iter().map(|(_, _, sql)| sql.as_str()).collect();
    let answer = server.query(&show.join(";"))?;
    ensure!(answer.len() == list.len(), "an object without a definition");
    Ok(list
        .iter()
        .zip(answer)
        .map(|((kind, name, _), row)| {
            let cells: Vec<String> = row.into_iter().flatten().collect();
            (format!("{kind} {name}"), cells.join("\n"))
        })
        .collect())
}
