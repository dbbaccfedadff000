//! The two compiled plugins of a pipeline, and the configuration that their instances follow.
//!
//! A pipeline that rests may be given a changed configuration: when a person lets it go on, it is read anew, as at the start of a host.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::copying::ThrottleOrders;
use super::lane::{Pace, Plugins, Reader, Standing, Writer};
use super::preflight;
use crate::bindings::Resumption;
use crate::config::{Config, Throttle, ThrottleChange};
use crate::engine::{Engine, Role};
use crate::error::{Error, Result};
use crate::plugin::{
    Plugin, Purpose, SinkInstance, SourceInstance, TransformInstance, Transformed, negotiate,
};
use crate::transport::Waker;

/// Reads the configuration anew.
pub(super) type Reload = Box<dyn Fn() -> Result<Config> + Send + Sync>;

/// See the module.
pub(super) struct Components {
    engine: Engine,
    loaded: RwLock<Arc<Loaded>>,
    reload: OnceLock<Reload>,
    throttle: ThrottleOrders,
}

/// Plugins, and what their instances are configured with.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) source: Arc<Plugin>,
    pub(super) sink: Arc<Plugin>,
    /// What rows pass through on their way from the one to the other, in this order.
    pub(super) transforms: Vec<Arc<Plugin>>,
    pub(super) config: Arc<Config>,
}

impl std::fmt::Debug for Components {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Components")
            .field("loaded", &self.loaded())
            .finish_non_exhaustive()
    }
}

impl Loaded {
    fn new(engine: &Engine, config: Config) -> Result<Self> {
        let config = Arc::new(config);
        let source = Arc::new(Plugin::load(engine, Role::Source, &config)?);
        let sink = Arc::new(Plugin::load(engine, Role::Sink, &config)?);
        let transforms: Vec<_> = config
            .transforms
            .iter()
            .map(|transform| Plugin::load_transform(engine, &config, transform).map(Arc::new))
            .collect::<Result<_>>()?;
        negotiate::row_block_version(&source, &transforms, &sink)?;
        Ok(Self {
            source,
            sink,
            transforms,
            config,
        })
    }
}

impl Components {
    /// Finds and compiles the plugins.
    ///
    /// # Errors
    /// `plugin.*` for components that are not there or cannot be used.
    pub(super) fn load(engine: &Engine, config: Config) -> Result<Self> {
        Ok(Self {
            engine: engine.clone(),
            loaded: RwLock::new(Arc::new(Loaded::new(engine, config)?)),
            reload: OnceLock::new(),
            throttle: ThrottleOrders::default(),
        })
    }

    /// Where to read the configuration anew; the first call counts.
    pub(super) fn reload_with(&self, reload: Reload) {
        let _ = self.reload.set(reload);
    }

    /// Other limits for a first copy, as long as the host lives. Returns all of them.
    pub(super) fn change_throttle(&self, change: ThrottleChange) -> Throttle {
        self.throttle.add(change).of(self.loaded().config.throttle)
    }

    /// The plugins as of now.
    pub(super) fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A source instance for one question.
    pub(super) fn source(&self) -> Result<SourceInstance> {
        SourceInstance::new(&self.loaded().source, Arc::new(Waker::new()?))
    }

    /// A sink instance for one question or order.
    pub(super) fn sink(&self) -> Result<SinkInstance> {
        self.sink_under(&Arc::new(Waker::new()?))
    }

    /// The same, which `waker` can end early.
    fn sink_under(&self, waker: &Arc<Waker>) -> Result<SinkInstance> {
        SinkInstance::new(&self.loaded().sink, Arc::clone(waker))
    }
}

impl Plugins for Components {
    fn preflight(&self, waker: &Arc<Waker>) -> Result<()> {
        let loaded = self.loaded();
        preflight::require(&loaded.source, &loaded.sink, &loaded.config, waker)
    }

    fn open_source(
        &self,
        waker: &Arc<Waker>,
        from: &Resumption,
        pace: Pace,
    ) -> Result<Box<dyn Reader>> {
        let loaded = self.loaded();
        // First, so that a transform that cannot do what it was told is known before the source is asked for anything.
        let mut transforms = Vec::new();
        for plugin in &loaded.transforms {
            let mut transform = TransformInstance::new(plugin, Arc::clone(waker))?;
            transform.open()?;
            transforms.push(transform);
        }
        let mut instance = SourceInstance::new(&loaded.source, Arc::clone(waker))?;
        instance.open(from, purpose(pace))?;
        instance.follow(self.throttle.clone());
        if transforms.is_empty() {
            return Ok(Box::new(instance));
        }
        Ok(Box::new(Transformed::new(Box::new(instance), transforms)))
    }

    fn open_sink(
        &self,
        waker: &Arc<Waker>,
        pace: Pace,
        known: bool,
    ) -> Result<(Box<dyn Writer>, Resumption)> {
        let mut instance = self.sink_under(waker)?;
        let resumption = instance.open(purpose(pace), known)?;
        Ok((Box::new(instance), resumption))
    }

    fn standing(&self, waker: &Arc<Waker>) -> Result<Standing> {
        let found = self.sink_under(waker)?.inspect()?;
        Ok(match found.stopped_at_micros {
            Some(_) => Standing::Stopped,
            // Each open counts one up, and so does a stop: a row that is there has a number.
            None if found.epoch == 0 => Standing::Gone,
            None => Standing::MayRun,
        })
    }

    fn record_stop(&self, waker: &Arc<Waker>) -> Result<()> {
        self.sink_under(waker)?.set_stopped(true)
    }

    fn refresh(&self) -> Result<()> {
        let Some(reload) = self.reload.get() else {
            return Ok(());
        };
        let before = self.loaded();
        let mut config = reload()?;
        same_pipeline(&before.config, &config)?;
        config.set_position = before.config.set_position;
        let loaded = Arc::new(Loaded::new(&self.engine, config)?);
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    fn note_error(&self, report: &str, waker: &Arc<Waker>) -> Result<()> {
        self.sink_under(waker)?.note_error(report)
    }
}

/// What a host cannot change while it lives: under which name it is known, where its checkpoint is, and where it takes orders.
fn same_pipeline(before: &Config, after: &Config) -> Result<()> {
    let what = if before.name != after.name {
        "name"
    } else if before.target_address() != after.target_address() {
        "[target]"
    } else if before.control_socket != after.control_socket {
        "[control] socket"
    } else {
        return Ok(());
    };
    Err(Error::config(
        "config.other-pipeline",
        format!("the configuration has another {what} than the one with which this host runs"),
    )
    .hint("end the host and start it again"))
}

fn purpose(pace: Pace) -> Purpose {
    match pace {
        Pace::Groups => Purpose::Replicate,
        Pace::OneByOne { .. } => Purpose::OneByOne,
    }
}
