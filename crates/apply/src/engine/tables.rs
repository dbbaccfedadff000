//! Tables of the source and of the target: what the target says of them, and how the two are paired.

use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Table};
use datain_mysql_client::Stream;

use super::Engine;
use crate::mapping::Mapping;
use crate::target_table::{TargetTable, columns_query, keys_query, table_query};

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// The target's definition of a table; none when there is no such base table. No reply may be on the way.
    pub(super) async fn target_table(
        &mut self,
        schema: &str,
        name: &str,
    ) -> Result<Option<TargetTable>, Error> {
        let version = self.lane.session.server_version().clone();
        let table = self
            .lane
            .session
            .query_first(&table_query(schema, name))
            .await?;
        let columns = self
            .lane
            .session
            .query_rows(&columns_query(schema, name, &version))
            .await?;
        let keys = self
            .lane
            .session
            .query_rows(&keys_query(schema, name))
            .await?;
        Ok(TargetTable::from_answers(
            schema,
            name,
            table.as_ref(),
            &columns,
            &keys,
        ))
    }

    /// How rows of a table record are written.
    pub(super) async fn mapping(&mut self, id: u32) -> Result<Rc<Mapping>, Error> {
        if let Some(mapping) = self.open.mappings.get(&id) {
            return Ok(Rc::clone(mapping));
        }
        let Some(source) = self.open.tables.get(&id).cloned() else {
            return Err(Error::fatal(
                "sink.contract",
                format!("rows of table {id}, which no table record announced"),
            ));
        };
        let mapping = self.map_table(&source).await?;
        // A table that is being copied has one record for its chunks and another for its changes, which go into the same group.
        let mut known = self.open.mappings.values();
        let mapping = known
            .find(|known| ***known == *mapping)
            .cloned()
            .unwrap_or(mapping);
        self.open.mappings.insert(id, Rc::clone(&mapping));
        Ok(mapping)
    }

    /// Compares a table record with the target's table of now.
    pub(super) async fn map_table(&mut self, source: &Table) -> Result<Rc<Mapping>, Error> {
        let (schema, name) = (source.schema.as_str(), source.name.as_str());
        // While this is asked nobody would look after other groups.
        self.settle().await?;
        // Replies that are on the way come first on this session.
        self.lane.send_packet().await?;
        self.lane.read_replies().await?;
        let target = self.target_table(schema, name).await?.ok_or_else(|| {
            Error::reconfigure("table.missing", "the target has no such table")
                .in_table(schema, name)
                .hint("create the table on the target as it was at this position, or exclude it; for a first copy start from a dump's position")
        })?;
        let pair = if self.open.may_lack_keys {
            Mapping::with_or_without_key
        } else {
            Mapping::new
        };
        Ok(Rc::new(pair(source, target, &self.collations)?))
    }
}
