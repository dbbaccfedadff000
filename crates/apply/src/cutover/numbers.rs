//! The number that each table's next row gets: never less than on the source.

use std::collections::HashMap;

use datain_contract::types::{Error, NextNumber};
use datain_mysql_client::{Session, Stream};
use datain_server_facts::tables::quoted;

use crate::settings;

/// Those of the target, by schema and table.
pub(super) struct Numbers {
    by_table: HashMap<(String, String), u64>,
    insensitive: bool,
}

impl Numbers {
    /// Asks the server, past its statistics, which may be a day old.
    ///
    /// # Errors
    /// Errors of the server.
    pub(super) async fn ask<S: Stream>(session: &mut Session<S>) -> Result<Numbers, Error> {
        match session
            .exec(b"SET SESSION information_schema_stats_expiry = 0")
            .await
        {
            Err(e) if e.errno() != Some(settings::UNKNOWN_VARIABLE) => return Err(e.into()),
            _ => {}
        }
        let insensitive = session
            .query_first(b"SELECT @@lower_case_table_names")
            .await?
            .and_then(|row| row.into_iter().next().flatten())
            .is_some_and(|value| value != "0");
        let mut numbers = Numbers {
            by_table: HashMap::new(),
            insensitive,
        };
        let rows = session
            .query_rows(
                b"SELECT TABLE_SCHEMA, TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES \
                  WHERE TABLE_TYPE = 'BASE TABLE' AND AUTO_INCREMENT IS NOT NULL",
            )
            .await?;
        for row in rows {
            if let Ok([Some(schema), Some(table), Some(number)]) = <[_; 3]>::try_from(row)
                && let Ok(number) = number.parse()
            {
                let key = numbers.key(&schema, &table);
                numbers.by_table.insert(key, number);
            }
        }
        Ok(numbers)
    }

    fn key(&self, schema: &str, table: &str) -> (String, String) {
        if self.insensitive {
            (schema.to_lowercase(), table.to_lowercase())
        } else {
            (schema.to_owned(), table.to_owned())
        }
    }

    /// None for a table that numbers no rows here, or is not here.
    pub(super) fn of(&self, wanted: &NextNumber) -> Option<u64> {
        self.by_table
            .get(&self.key(&wanted.schema, &wanted.table))
            .copied()
    }
}

/// Raises what is lower than wanted, and says of which tables it was.
///
/// # Errors
/// Errors of the server, with the table.
pub async fn raise<S: Stream>(
    session: &mut Session<S>,
    wanted: &[NextNumber],
) -> Result<Vec<String>, Error> {
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    let numbers = Numbers::ask(session).await?;
    let mut raised = Vec::new();
    for one in wanted {
        if numbers.of(one).is_none_or(|number| number >= one.number) {
            continue;
        }
        let name = quoted(&one.schema, &one.table);
        let sql = format!("ALTER TABLE {name} AUTO_INCREMENT = {}", one.number);
        session.exec(sql.as_bytes()).await.map_err(|e| {
            let mut error = Error::from(e);
            error.table = Some(format!("{}.{}", one.schema, one.table));
            error
        })?;
        raised.push(name);
    }
    Ok(raised)
}
