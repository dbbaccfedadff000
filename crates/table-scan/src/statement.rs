//! The statements by which a table is read.

use datain_contract::types::Error;
use datain_mysql_client::quote_identifier;

use crate::condition::Condition;
use crate::key;
use crate::scan::{Reading, TableScan};
use crate::size::ChunkLimits;

/// Which rows of a table are read, by the order of its scan key. The default is all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stretch<'a> {
    /// Only those behind this key.
    pub after: Option<&'a [u8]>,
    /// Only those up to this key, itself included.
    pub up_to: Option<&'a [u8]>,
    /// Not the first ones of these; only with limits.
    pub skip: u64,
    /// Only those of which this SQL is true.
    pub only: Option<&'a str>,
    /// They are few by `only`: the server chooses the index by which it finds them.
    pub any_index: bool,
}

impl TableScan {
    /// The statement that [`open`](Self::open) sends.
    ///
    /// # Errors
    /// Those of the key.
    pub fn sql(
        &self,
        after: Option<&[u8]>,
        limits: Option<ChunkLimits>,
        reading: Reading,
    ) -> Result<String, Error> {
        let stretch = Stretch {
            after,
            ..Stretch::default()
        };
        self.stretch_sql(&stretch, limits, reading)
    }

    /// `FROM … WHERE …` for the rows of a stretch, of which nothing is skipped; the table's alias is `t`.
    ///
    /// # Errors
    /// Those of the keys.
    pub fn from_sql(&self, stretch: &Stretch<'_>) -> Result<String, Error> {
        self.from(stretch).map(|(sql, _)| sql)
    }

    /// The same, and ORDER BY.
    fn from(&self, stretch: &Stretch<'_>) -> Result<(String, Option<String>), Error> {
        let table = &self.table;
        let mut sql = self.of_table(stretch.any_index);
        let mut wanted = Vec::new();
        let mut ordered = None;
        if let Some(key) = &table.scan_key {
            let condition = Condition::between(table, key, stretch.after, stretch.up_to)?;
            wanted.extend(condition.after);
            ordered = Some(condition.order);
        }
        wanted.extend(stretch.only.map(str::to_owned));
        match wanted.as_slice() {
            [] => {}
            [one] => sql.push_str(&format!(" WHERE {one}")),
            several => sql.push_str(&format!(" WHERE ({})", several.join(") AND ("))),
        }
        Ok((sql, ordered))
    }

    fn of_table(&self, any_index: bool) -> String {
        let table = &self.table;
        let index = table.scan_key.as_ref().filter(|_| !any_index);
        let index = index.map(|key| &key.index);
        let index = index.map(|name| format!(" FORCE INDEX ({})", quote_identifier(name)));
        format!(
            "FROM {}.{} AS t{}",
            quote_identifier(&table.schema),
            quote_identifier(&table.name),
            index.unwrap_or_default()
        )
    }

    pub(crate) fn stretch_sql(
        &self,
        stretch: &Stretch<'_>,
        limits: Option<ChunkLimits>,
        reading: Reading,
    ) -> Result<String, Error> {
        let (from, order) = self.from(stretch)?;
        let mut sql = format!("SELECT {} {from}", self.select);
        if let (Some(order), Some(limits)) = (order, limits) {
            let skip = match stretch.skip {
                0 => String::new(),
                rows => format!("{rows}, "),
            };
            sql.push_str(&format!(" ORDER BY {order} LIMIT {skip}{}", limits.rows));
        }
        Ok(sql + locking(reading))
    }

    pub(crate) fn keys_sql(&self, keys: &[Vec<u8>], reading: Reading) -> Result<String, Error> {
        let table = &self.table;
        let Some(key) = &table.scan_key else {
            return Err(key::foreign());
        };
        let wanted = Condition::any_of(table, key, keys)?;
        let from = self.of_table(false);
        Ok(format!("SELECT {} {from} WHERE {wanted}", self.select) + locking(reading))
    }
}

fn locking(reading: Reading) -> &'static str {
    match reading {
        Reading::Consistent => "",
        Reading::Locking => " LOCK IN SHARE MODE",
    }
}
