//! From what a plugin reports to an error as people meet it: as the host's `plugin/failure.rs`.

use datain_standalone_config::config::Config;
use datain_standalone_config::engine::Role;
use datain_standalone_config::error::{Error, Kind};

use crate::bindings::datain::replication::types::{self, Disposition};

/// An error that the plugin of this side returned.
pub(crate) fn reported(error: types::Error, role: Role, config: &Config) -> Error {
    let kind = match error.disposition {
        // What the plugin finds wrong in its configuration is the configuration file's error.
        Disposition::Reconfigure if error.code.starts_with("config.") => Kind::Config,
        Disposition::Retry => Kind::Retry,
        Disposition::Reconfigure => Kind::Reconfigure,
        Disposition::Resnapshot => Kind::Resnapshot,
        Disposition::Fatal => Kind::Fatal,
    };
    let mut about = server(role, config);
    if let Some(errno) = error.server_errno {
        about.push_str(&format!(", errno {errno}"));
    }
    if let Some(state) = &error.sqlstate {
        about.push_str(&format!(", SQLSTATE {state}"));
    }
    let mut result = Error::new(kind, error.code, error.message).server(about);
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

/// Which server a side has to do with: `source 10.0.0.1:3306`.
pub(crate) fn server(role: Role, config: &Config) -> String {
    match role {
        Role::Source => format!("source {}", config.source.address),
        Role::Sink | Role::Transform => format!("target {}", config.target_address()),
    }
}
