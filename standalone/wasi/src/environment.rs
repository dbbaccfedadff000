//! Arguments and variables.

use crate::bindings::wasi::cli::environment;

/// What stands behind the program's name on its command line.
#[must_use]
pub fn arguments() -> Vec<String> {
    environment::get_arguments().into_iter().skip(1).collect()
}

/// The value of a variable.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    environment::get_environment()
        .into_iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value)
}
