//! Instances that compare tables: the examiners of wit/source.wit and wit/sink.wit. The contract of each call is there.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceAny;

use super::Plugin;
use super::change_sink::SinkGuest;
use super::instance::{Instance, Time};
use super::plugin_config::{Purpose, Seen};
use super::state::SharedWaker;
use crate::bindings::sink::SinkPlugin;
use crate::bindings::source::SourcePlugin;
use crate::bindings::{
    Checkpoint, ComparedShape, ComparedTable, Difference, KeyRange, TableDigest, TablePart,
    TableRows, TableShape,
};
use crate::error::Result;

/// How long one call waits for a digest before it is asked again.
const DIGEST_WAIT: Duration = Duration::from_secs(10);

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// Reads the source.
pub(crate) struct SourceExaminer {
    instance: Instance,
    plugin: SourcePlugin,
    examiner: ResourceAny,
}

/// Reads the target, and repairs it.
pub(crate) struct SinkExaminer {
    instance: Instance,
    plugin: SinkPlugin,
    examiner: ResourceAny,
}

/// A method that only hands a call on. `$guest` is how the plugin's interface is found.
macro_rules! calls {
    ($guest:ident: $($(#[$doc:meta])* $name:ident = $call:ident($($arg:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(
            $(#[$doc])*
            pub(crate) fn $name(&mut self, $($arg: $kind),*) -> Result<$answer> {
                let (guest, examiner) = (self.plugin.$guest(), self.examiner);
                self.instance.try_call(Time::Long, false, |store| {
                    guest.examiner().$call(store, examiner, $($arg),*)
                })
            }
        )*
    };
}

/// The digest of a range, however long it takes: a plugin that has not got it when its time is over is asked again.
macro_rules! digest {
    ($guest:ident) => {
        pub(crate) fn digest(&mut self, range: &KeyRange) -> Result<TableDigest> {
            let (guest, examiner) = (self.plugin.$guest(), self.examiner);
            loop {
                let digest = self
                    .instance
                    .try_call(Time::Waits(DIGEST_WAIT), false, |store| {
                        guest
                            .examiner()
                            .call_digest(store, examiner, range, millis(DIGEST_WAIT))
                    })?;
                if let Some(digest) = digest {
                    return Ok(digest);
                }
            }
        }
    };
}

impl SourceExaminer {
    /// Instantiates the plugin and connects; `only`: see the configuration's table.
    pub(crate) fn open(plugin: &Arc<Plugin>, waker: SharedWaker, only: &[String]) -> Result<Self> {
        let mut instance = Instance::new(plugin, waker)?;
        let plugin = instance.instantiate(|store, plugin| {
            SourcePlugin::instantiate(store, &plugin.component, plugin.engine.linker())
        })?;
        let seen = Seen {
            only,
            ..Seen::default()
        };
        let config = instance.config_json_of(Purpose::Replicate, seen);
        let guest = plugin.datain_replication_source();
        let examiner = instance.try_call(Time::Long, false, |store| {
            guest.examiner().call_open(store, &config)
        })?;
        Ok(Self {
            instance,
            plugin,
            examiner,
        })
    }

    digest!(datain_replication_source);

    calls! {
        datain_replication_source:
        tables = call_tables() -> Vec<ComparedTable>;
        begin = call_begin(schema: &str, name: &str, strong: bool) -> Option<TableShape>;
        boundary = call_boundary(after: Option<&[u8]>, rows: u32) -> Option<Vec<u8>>;
        buckets = call_buckets(count: u32) -> Vec<TableDigest>;
        read = call_read(range: &KeyRange, max_bytes: u32) -> TablePart;
        read_keys = call_read_keys(keys: &[Vec<u8>], hold: bool) -> TableRows;
        release = call_release() -> ();
        mark = call_mark() -> Vec<u8>;
        covers = call_covers(checkpoint: &Checkpoint, mark: &[u8]) -> bool;
    }
}

impl SinkExaminer {
    /// As [`SourceExaminer::open`].
    pub(crate) fn open(plugin: &Arc<Plugin>, waker: SharedWaker, only: &[String]) -> Result<Self> {
        let mut instance = Instance::new(plugin, waker)?;
        let plugin = instance.instantiate(SinkGuest::instantiate)?;
        let plugin = plugin.into_whole("be compared with the source")?;
        let seen = Seen {
            only,
            ..Seen::default()
        };
        let config = instance.config_json_of(Purpose::Replicate, seen);
        let guest = plugin.datain_replication_sink();
        let examiner = instance.try_call(Time::Long, false, |store| {
            guest.examiner().call_open(store, &config)
        })?;
        Ok(Self {
            instance,
            plugin,
            examiner,
        })
    }

    digest!(datain_replication_sink);

    calls! {
        datain_replication_sink:
        checkpoint = call_checkpoint() -> Option<Checkpoint>;
        tables = call_tables(schemas: &[String]) -> Vec<(String, String)>;
        begin = call_begin(schema: &str, name: &str, shape: &[u8]) -> ComparedShape;
        boundary = call_boundary(after: Option<&[u8]>, rows: u32) -> Option<Vec<u8>>;
        buckets = call_buckets(count: u32) -> Vec<TableDigest>;
        compare = call_compare(range: &KeyRange, rows: &TableRows, values: bool) -> Vec<Difference>;
        compare_keys = call_compare_keys(keys: &[Vec<u8>], rows: &TableRows, values: bool) -> Vec<Difference>;
        repair = call_repair(keys: &[Vec<u8>], rows: &TableRows) -> u32;
        keep = call_keep(report: &str) -> ();
    }
}
