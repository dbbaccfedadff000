//! From what a plugin or the engine reports to an [`Error`].

use std::path::Path;

use super::state::{PluginState, Stopped};
use super::text;
use crate::bindings::types;
use crate::config::{Address, ServerConfig};
use crate::engine::Role;
use crate::error::{Error, Kind};

/// Bytes of a text that a plugin may add to an error.
const TEXT_MAX: usize = 64 << 10;

/// An error that a plugin returned. Its words are the plugin's own, so they are cut to what a person can be shown.
pub(super) fn reported(error: types::Error, role: Role, server: &ServerConfig) -> Error {
    if !is_code(&error.code) {
        return Error::new(
            Kind::Fatal,
            "plugin.error-code",
            format!("the {role} plugin reported an error whose code is not one of its own"),
        )
        .detail(text::line(&format!("{}: {}", error.code, error.message), TEXT_MAX))
        .hint("a code is up to 64 small letters, digits, dots and hyphens, and does not begin with `plugin.` or `host.`");
    }
    let short = |text: String| text::line(&text, TEXT_MAX);
    let long = |text: String| text::lines(&text, TEXT_MAX);
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
        about.push_str(&format!(", SQLSTATE {}", text::line(state, 16)));
    }
    let mut result = Error::new(kind, error.code, short(error.message));
    // The position names the file already.
    if !matches!(server.address, Address::Files(_) | Address::Output(_)) && role != Role::Transform
    {
        result = result.server(about);
    }
    let report = result.report_mut();
    report.detail = error.detail.map(long);
    report.hint = error.hint.map(long).or_else(|| contract_hint(&report.code));
    report.position = error.position.map(short);
    report.gtid = error.gtid.map(short);
    report.table = error.table.map(short);
    report.errno = error.server_errno;
    report.sqlstate = error.sqlstate.map(|state| text::line(&state, 16));
    result
}

/// What one plugin has found wrong with the other one's batches, it knows no remedy for.
fn contract_hint(code: &str) -> Option<String> {
    (code.starts_with("row-block.") || code == "sink.contract").then(|| {
        "the other plugin hands over what none may: are both of the same release, and from a place that you trust?".to_owned()
    })
}

/// The host counts crashes by codes of its own, so no plugin may use them.
fn is_code(code: &str) -> bool {
    let own = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'.' || c == b'-';
    (1..=64).contains(&code.len())
        && code.bytes().all(own)
        && !code.starts_with("plugin.")
        && !code.starts_with("host.")
}

/// A call that did not come back: a trap, or the host's own stop.
pub(super) fn trapped(error: &wasmtime::Error, role: Role, state: &PluginState) -> Error {
    let trap = |code: &str, message: String| Error::new(Kind::Retry, code, message);
    match error.downcast_ref::<Stopped>() {
        Some(Stopped::Killed) => interrupted(),
        Some(Stopped::CpuLimit) => trap("plugin.cpu-limit", format!("the {role} plugin used up the processor time of one call"))
            .hint("limits.call_cpu_seconds sets the limit; a plugin that needs more has most likely lost its way"),
        Some(Stopped::Deadline) => overdue(role),
        None if is_too_much(error) => trap("plugin.call-limit", format!("the {role} plugin handed more to the host in one call than it may"))
            .hint("limits.call_mib sets the limit; datain's own plugins need no more than two of the largest rows (limits.max_row_mib) and a little beside"),
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
    .hint("limits.call_seconds sets the limit; is the server that the plugin waits for very slow?")
}

/// wasmtime counts what is lifted out of a plugin as "fuel for hostcalls", and has no type of its own for its end. A test holds this word.
fn is_too_much(error: &wasmtime::Error) -> bool {
    format!("{error:#}").contains("fuel allocated for hostcalls has been exhausted")
}

/// The instance ended since the host wanted it.
pub(crate) fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "host.interrupted", "interrupted")
}

/// Whether a component could not be instantiated because a function of it has other types than the contract's. The engine looks at them only then.
pub(super) fn is_of_other_types(error: &wasmtime::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.to_string().starts_with("type mismatch"))
}

/// A component whose imports or exports are not those of the contract.
pub(super) fn contract(error: &wasmtime::Error, role: Role, path: &Path) -> Error {
    Error::config(
        "plugin.contract",
        format!(
            "the {role} component {} does not keep to the contract",
            path.display()
        ),
    )
    .detail(format!("{error:#}"))
    .hint("was it built from the same version of wit/ as this host?")
}
