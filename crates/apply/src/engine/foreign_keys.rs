//! Whether the target checks foreign keys and cascades by itself, row set by row set.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::types::{Error, Operation, RowFlags, RowSet};
use datain_mysql_client::Stream;

use super::Engine;
use crate::cascades::{self, Graph, Plans};
use crate::mapping::Mapping;
use crate::target_table::TargetTable;

/// The target's foreign keys, as far as this needs them.
#[derive(Debug, Default)]
pub(super) struct Cascades {
    /// None where InnoDB cascades by itself, and can be left to it.
    graph: Option<Rc<Graph>>,
    /// Tables that have a foreign key, or to which one refers, in lower case.
    joined: HashSet<(String, String)>,
}

impl Cascades {
    /// Whether the table has a foreign key, or one refers to it.
    pub(super) fn joins(&self, table: &TargetTable) -> bool {
        // Spelled as the source spells it; to take another table for this one does no harm.
        self.joined
            .contains(&(table.schema.to_lowercase(), table.name.to_lowercase()))
    }
}

/// The query for [`Cascades::joined`].
const JOINED_QUERY: &[u8] = b"SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL \
    UNION SELECT REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL";

/// The target does what the source did, and checks what the source checked.
pub(super) fn left_to_the_target(flags: RowFlags) -> bool {
    !flags.contains(RowFlags::CASCADES_LOGGED) && !flags.contains(RowFlags::NO_FOREIGN_KEY_CHECKS)
}

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// Whether rows with these flags may be collected, and written in another order than the source's.
    pub(super) async fn may_reduce(
        &mut self,
        flags: RowFlags,
        mapping: &Mapping,
    ) -> Result<bool, Error> {
        if let Some(known) = self.open.may_reduce(flags, mapping) {
            return Ok(known);
        }
        Ok(!self.cascades().await?.joins(&mapping.target))
    }

    /// The cascades of this row set, row by row, if they are to be written out: see [`crate::cascades`].
    pub(super) async fn written_cascades(
        &mut self,
        set: &RowSet,
        block: &[u8],
        mapping: &Mapping,
    ) -> Result<Option<Plans>, Error> {
        if set.operation == Operation::Insert || !left_to_the_target(set.flags) {
            return Ok(None);
        }
        let cascades = self.cascades().await?;
        let Some(graph) = &cascades.graph else {
            return Ok(None);
        };
        let further = graph.leads_further(&mapping.target);
        let follows = set.operation == Operation::Update && graph.follows_updates(&mapping.target);
        if !further && !follows {
            return Ok(None);
        }
        let plans = cascades::plan(graph, set, block, mapping)?;
        // Most updates leave the columns alone that foreign keys refer to.
        let any = plans.iter().any(|plan| !plan.is_empty());
        Ok((further || any).then_some(plans))
    }

    async fn cascades(&mut self) -> Result<Rc<Cascades>, Error> {
        if let Some(cascades) = &self.open.cascades {
            return Ok(Rc::clone(cascades));
        }
        let asked = Rc::new(self.ask_cascades().await?);
        self.open.cascades = Some(Rc::clone(&asked));
        Ok(asked)
    }

    async fn ask_cascades(&mut self) -> Result<Cascades, Error> {
        // While this is asked nobody would look after other groups.
        self.settle().await?;
        // Replies that are on the way come first on this session.
        self.lane.send_packet().await?;
        self.lane.read_replies().await?;
        // Servers that do not know the variable leave cascades to InnoDB.
        let setting = self
            .lane
            .session
            .query_first(b"SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'")
            .await?;
        let by_sql_layer = setting
            .and_then(|row| row.get(1).cloned().flatten())
            .is_some_and(|value| value.eq_ignore_ascii_case("OFF"));
        let graph = if by_sql_layer {
            let keys = self.lane.session.query_rows(Graph::QUERY).await?;
            let stamped = self.lane.session.query_rows(Graph::STAMPED_QUERY).await?;
            Some(Rc::new(Graph::from_answers(&keys, &stamped)))
        } else {
            None
        };
        let joined = self.lane.session.query_rows(JOINED_QUERY).await?;
        let place = |row: &Vec<Option<String>>| match row.as_slice() {
            [Some(schema), Some(name)] => Some((schema.to_lowercase(), name.to_lowercase())),
            _ => None,
        };
        Ok(Cascades {
            graph,
            joined: joined.iter().filter_map(place).collect(),
        })
    }
}
