//! The calls of the interfaces `source-cutover` and `sink-cutover`.

use super::change_sink::SinkGuest;
use super::instance::Time;
use super::plugin_config::Purpose;
use super::{SinkInstance, SourceInstance};
use crate::bindings::types::{Definition, Finding, NextNumber};
use crate::bindings::{
    Checkpoint, Consequences, CutoverProgress, End, KnownCutover, LookOut, Made, Place,
};
use crate::error::Result;

/// What a sink that only hands changes on is asked for in vain.
const CUTOVER: &str = "take part in a cutover";

/// What the source plugin reports is the error of each.
impl SourceInstance {
    /// Whether the server is written to, and what stands in the way of a cutover.
    pub(crate) fn look_at_writes(&mut self, stops_writes: bool) -> Result<LookOut> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_look(store, &config, stops_writes)
        })
    }

    /// Makes the server refuse changes of data.
    pub(crate) fn stop_writes(&mut self) -> Result<()> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_stop_writes(store, &config)
        })
    }

    /// Gives the server the settings back that it had.
    pub(crate) fn allow_writes(&mut self, settings: &[u8]) -> Result<()> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_allow_writes(store, &config, settings)
        })
    }

    /// Where the log ends.
    pub(crate) fn end_of_log(&mut self) -> Result<End> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_end_of_log(store, &config)
        })
    }

    /// Whether the checkpoint covers everything before the end.
    pub(crate) fn has_passed(&mut self, checkpoint: &Checkpoint, end: &End) -> Result<bool> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_has_passed(store, &config, checkpoint, end)
        })
    }

    /// What was held back until the cutover.
    pub(crate) fn held_back_definitions(&mut self) -> Result<Vec<Definition>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_definitions(store, &config)
        })
    }

    /// How the next row of each table would be numbered.
    pub(crate) fn next_numbers(&mut self) -> Result<Vec<NextNumber>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_next_numbers(store, &config)
        })
    }
}

/// What the sink plugin reports is the error of each.
impl SinkInstance {
    /// How far a cutover has come.
    pub(crate) fn known_cutover(&mut self) -> Result<Option<KnownCutover>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let SinkGuest::Whole(plugin) = &self.plugin else {
            return Ok(None);
        };
        let guest = plugin.datain_replication_sink_cutover();
        self.instance
            .try_call(Time::Long, false, |store| guest.call_known(store, &config))
    }

    /// Keeps how far it has come.
    pub(crate) fn set_cutover(
        &mut self,
        seen: u64,
        next: Option<&CutoverProgress>,
        consequences: Consequences,
    ) -> Result<u64> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self
            .plugin
            .whole(CUTOVER)?
            .datain_replication_sink_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_set_progress(store, &config, seen, next, consequences)
        })
    }

    /// What stands in the way on the target.
    pub(crate) fn look_at_cutover(
        &mut self,
        definitions: &[Definition],
        numbers: &[NextNumber],
    ) -> Result<Vec<Finding>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self
            .plugin
            .whole(CUTOVER)?
            .datain_replication_sink_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_look(store, &config, definitions, numbers)
        })
    }

    /// Makes the definitions of one kind.
    pub(crate) fn make(&mut self, definitions: &[Definition], kind: &str) -> Result<Vec<Made>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self
            .plugin
            .whole(CUTOVER)?
            .datain_replication_sink_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_make(store, &config, definitions, kind)
        })
    }

    /// Raises how the next row of each table is numbered.
    pub(crate) fn raise_next_numbers(&mut self, numbers: &[NextNumber]) -> Result<Vec<String>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self
            .plugin
            .whole(CUTOVER)?
            .datain_replication_sink_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_raise_next_numbers(store, &config, numbers)
        })
    }

    /// Where the target's own log ends.
    pub(crate) fn own_place(&mut self) -> Result<Option<Place>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self
            .plugin
            .whole(CUTOVER)?
            .datain_replication_sink_cutover();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_own_place(store, &config)
        })
    }
}
