//! Whether the target checks foreign keys and cascades by itself, row set by row set.

use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::types::{Error, Operation, RowFlags, RowSet};
use datain_mysql_client::Stream;

use super::replies::Count;
use super::{Engine, Place};
use crate::cascades::Graph;
use crate::mapping::Mapping;

/// The target's foreign keys, as far as this needs them.
#[derive(Debug, Default)]
pub(super) struct Cascades {
    /// None where InnoDB cascades by itself, and can be left to it.
    graph: Option<Rc<Graph>>,
}

/// The target does what the source did, and checks what the source checked.
fn left_to_the_target(flags: RowFlags) -> bool {
    !flags.contains(RowFlags::CASCADES_LOGGED) && !flags.contains(RowFlags::NO_FOREIGN_KEY_CHECKS)
}

impl<S: Stream, H: BuildHasher + Default> Engine<S, H> {
    /// Foreign keys as the row set asks: see CORRECTNESS, "Foreign keys". The source's unique_checks=0 is not followed: it would let a
    /// duplicate of a row that only the target has slip into a secondary unique key.
    pub(super) fn set_checks(
        &mut self,
        flags: RowFlags,
        cascades_are_written: bool,
        place: &Rc<Place>,
    ) {
        let foreign_keys = left_to_the_target(flags) && !cascades_are_written;
        if self.foreign_key_checks != foreign_keys {
            self.foreign_key_checks = foreign_keys;
            let sql = format!(
                "SET SESSION foreign_key_checks = {}",
                u8::from(foreign_keys)
            );
            self.push(sql.as_bytes(), Count::Any, None, place);
        }
    }

    /// The target's foreign keys, if cascades of this row set are to be written out: see [`crate::cascades`].
    pub(super) async fn further_cascades(
        &mut self,
        set: &RowSet,
        mapping: &Mapping,
    ) -> Result<Option<Rc<Graph>>, Error> {
        if set.operation == Operation::Insert || !left_to_the_target(set.flags) {
            return Ok(None);
        }
        let cascades = match &self.cascades {
            Some(cascades) => Rc::clone(cascades),
            None => {
                let asked = Rc::new(self.ask_cascades().await?);
                self.cascades = Some(Rc::clone(&asked));
                asked
            }
        };
        Ok(cascades
            .graph
            .as_ref()
            .filter(|graph| graph.leads_further(&mapping.target))
            .map(Rc::clone))
    }

    async fn ask_cascades(&mut self) -> Result<Cascades, Error> {
        // Replies that are on the way come first on this session.
        self.send_packet().await?;
        self.read_replies().await?;
        // Servers that do not know the variable leave cascades to InnoDB.
        let setting = self
            .session
            .query_first(b"SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'")
            .await?;
        let by_sql_layer = setting
            .and_then(|row| row.get(1).cloned().flatten())
            .is_some_and(|value| value.eq_ignore_ascii_case("OFF"));
        let graph = if by_sql_layer {
            Some(Rc::new(Graph::from_answer(
                &self.session.query_rows(Graph::QUERY).await?,
            )))
        } else {
            None
        };
        Ok(Cascades { graph })
    }
}
