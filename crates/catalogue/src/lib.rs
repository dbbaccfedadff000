//! What datain checks before it replicates ([`checks`]), and every code that an error can have ([`errors`]).
//!
//! These lists are the one place where a requirement's reason and an error's advice are written. The checks of both plugins take their reasons from here,
//! the host takes titles and the names that `[check] allow` knows, and `cargo xtask docs` writes docs/checks.md and docs/errors.md ([`docs`]). The crate has
//! no dependencies and no behaviour, so everything may depend on it: plugins, host and developer commands.

pub mod checks;
pub mod docs;
pub mod errors;

pub use checks::{CHECKS, Check, Severity, Side, allow_names, check};
pub use errors::{ERRORS, ErrorEntry, Section};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_stands_once() {
        let mut seen = HashSet::new();
        for check in CHECKS {
            assert!(seen.insert(check.code), "{} stands twice", check.code);
        }
        let mut seen = HashSet::new();
        for code in ERRORS.iter().flat_map(|s| s.entries).flat_map(|e| e.codes) {
            assert!(seen.insert(code), "{code} stands twice");
        }
    }

    #[test]
    fn what_can_be_allowed_is_fatal() {
        for check in CHECKS.iter().filter(|c| c.allow.is_some()) {
            assert_eq!(check.worst, Severity::Fatal, "{}", check.code);
        }
        assert_eq!(
            allow_names(),
            [
                "version",
                "mariadb-only",
                "no-primary-key",
                "unlogged-cascades",
                "zoned-column",
                "column-order",
                "column-meaning"
            ]
        );
    }

    #[test]
    fn the_pages_are_tables_of_three_columns() {
        for page in [docs::checks(), docs::errors()] {
            for row in page.lines().filter(|line| line.starts_with("| `")) {
                assert_eq!(row.matches(" | ").count(), 2, "{row}");
            }
        }
    }
}
