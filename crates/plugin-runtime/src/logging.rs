//! Log lines to the host.

use datain_contract::log::{self, Level};

fn rank(level: Level) -> u8 {
    match level {
        Level::Trace => 0,
        Level::Debug => 1,
        Level::Info => 2,
        Level::Warn => 3,
        Level::Error => 4,
    }
}

/// Writes a line with fields, if the host keeps lines of that level. Never hand row values or secrets to it.
pub fn line(level: Level, message: &str, fields: &[(&str, String)]) {
    if rank(level) < rank(log::threshold()) {
        return;
    }
    let fields: Vec<(String, String)> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    log::log(level, message, &fields);
}

/// A line for operators.
pub fn info(message: &str, fields: &[(&str, String)]) {
    line(Level::Info, message, fields);
}

/// Something that a person should look at.
pub fn warn(message: &str, fields: &[(&str, String)]) {
    line(Level::Warn, message, fields);
}

/// A line for developers.
pub fn debug(message: &str, fields: &[(&str, String)]) {
    line(Level::Debug, message, fields);
}
