//! Which part this instance plays, and the configuration that goes with it.

use std::cell::OnceCell;
use std::rc::Rc;

use datain_standalone_config::command::{self, Command, Options};
use datain_standalone_config::config::{Config, ServerConfig};
use datain_standalone_config::engine::Role;
use datain_standalone_config::error::{Error, Result};
use datain_standalone_wasi::panics;

use crate::bindings::datain::standalone::role;

thread_local! {
    static PART: OnceCell<Rc<Part>> = const { OnceCell::new() };
    static OPTIONS: OnceCell<Option<Options>> = const { OnceCell::new() };
}

/// The endpoint that is served.
pub(crate) struct Part {
    pub(crate) role: Role,
    config: Config,
}

impl Part {
    pub(crate) fn server(&self) -> &ServerConfig {
        match (self.role, &self.config.target) {
            (Role::Sink, Some(target)) => target,
            // A configuration without a target is refused when it is read.
            _ => &self.config.source,
        }
    }

    /// How many connections may be open at once.
    pub(crate) fn connections(&self) -> usize {
        self.config.limits.connections as usize
    }
}

/// Which side this instance serves: known without a configuration.
pub(crate) fn role() -> Role {
    // Nothing is done before the role is asked for.
    panics::install("adapter");
    if role::serves_source() {
        Role::Source
    } else {
        Role::Sink
    }
}

/// The command line's options, where they can be read.
pub(crate) fn options() -> Option<Options> {
    OPTIONS.with(|options| {
        let read = || match command::read() {
            Ok(Command::Run(options)) => Some(options),
            Ok(Command::Help) | Err(_) => None,
        };
        options.get_or_init(read).clone()
    })
}

/// The part, with the configuration as it was when this was first asked.
///
/// # Errors
/// `config.*`.
pub(crate) fn part() -> Result<Rc<Part>> {
    PART.with(|part| {
        if let Some(part) = part.get() {
            return Ok(Rc::clone(part));
        }
        let options = options()
            .ok_or_else(|| Error::config("usage.arguments", "the command line cannot be read"))?;
        let config = datain_standalone_config::load(&options.config)?;
        let made = Rc::new(Part {
            role: role(),
            config,
        });
        Ok(Rc::clone(part.get_or_init(|| made)))
    })
}
