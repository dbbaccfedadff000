//! From what a plugin or the engine reports to an [`Error`].

use super::state::{PluginState, Stopped};
use crate::bindings::types;
use crate::config::{Address, ServerConfig};
use crate::engine::Role;
use crate::error::{Error, Kind};

/// An error that a plugin returned.
pub(super) fn reported(error: types::Error, role: Role, server: &ServerConfig) -> Error {
    let kind = match error.disposition {
        // What the plugin finds wrong in its configuration is the configuration file's error.
        types::Disposition::Reconfigure if error.code.starts_with("config.") => Kind::Config,
        types::Disposition::Retry => Kind::Retry,
        types::Disposition::Reconfigure => Kind::Reconfigure,
        types::Disposition::Resnapshot => Kind::Resnapshot,
        types::Disposition::Fatal => Kind::Fatal,
    };
    let mut about = format!("{} {}", role.endpoint(), server.address);
    if let Some(errno) = error.server_errno {
        about.push_str(&format!(", errno {errno}"));
    }
    if let Some(state) = &error.sqlstate {
        about.push_str(&format!(", SQLSTATE {state}"));
    }
    let mut result = Error::new(kind, error.code, error.message);
    // The position names the file already.
    if !matches!(server.address, Address::Files(_) | Address::Output(_)) && role != Role::Transform
    {
        result = result.server(about);
    }
    let report = result.report_mut();
    report.detail = error.detail;
    report.hint = error.hint;
    report.position = error.position;
    report.gtid = error.gtid;
    report.table = error.table;
    report.errno = error.server_errno;
    report.sqlstate = error.sqlstate;
    result
}

/// A call that did not come back: a trap, or the host's own stop.
pub(super) fn trapped(error: &wasmtime::Error, role: Role, state: &PluginState) -> Error {
    let trap = |code: &str, message: String| Error::new(Kind::Retry, code, message);
    match error.downcast_ref::<Stopped>() {
        Some(Stopped::Killed) => interrupted(),
        Some(Stopped::CpuLimit) => trap("plugin.cpu-limit", format!("the {role} plugin used up the processor time of one call"))
            .hint("limits.call_cpu_seconds sets the limit; a plugin that needs more has most likely lost its way"),
        None if state.memory.refused => trap("plugin.memory-limit", format!("the {role} plugin needed more memory than it may have"))
            .detail(format!("{error:#}"))
            .hint("limits.memory_mib sets the limit"),
        None => trap("plugin.trap", format!("the {role} plugin crashed"))
            .detail(format!("{error:#}"))
            .hint("a plugin must never do so: please report it, with the log lines before it"),
    }
}

/// The plugin slept longer than the call may take.
pub(super) fn overdue(role: Role) -> Error {
    Error::new(
        Kind::Retry,
        "plugin.deadline",
        format!("a call into the {role} plugin did not return in time"),
    )
}

/// The instance ended since the host wanted it.
pub(crate) fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "host.interrupted", "interrupted")
}
