//! A pipeline's TOML file.

use std::path::Path;

use crate::error::{Error, Kind};
use crate::host_config::{Address, Config};

/// Reads a file in both ways; an error names a place within it.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let path = Path::new("folder/pipeline.toml");
    let with_target = Config::parse(text, path);
    match Config::parse_source(text, path) {
        Ok(config) => {
            check(&config);
            assert_eq!(config.target.is_some(), with_target.is_ok());
        }
        Err(error) => {
            named(&error, text);
            let other = with_target.expect_err("it needs more");
            assert_eq!(error, other);
        }
    }
}

fn check(config: &Config) {
    assert!((1..=64).contains(&config.name.len()));
    assert!(config.server_id != 0);
    for server in std::iter::once(&config.source).chain(&config.target) {
        if let Address::Tcp { host, port } = &server.address {
            assert!(!host.trim().is_empty() && *port != 0);
        }
        assert!(server.connect_timeout.as_secs() > 0);
    }
    assert!((16..=4096).contains(&config.limits.memory_mib));
    // It is logged: it must not print a password that stands in the file.
    let _ = (format!("{config:?}"), config.target_address());
}

/// `file:line:column`, both from 1, and there is such a line.
fn named(error: &Error, text: &str) {
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.code().starts_with("config."));
    let position = error.report().position.as_deref().expect("a place");
    let mut parts = position.rsplitn(3, ':');
    let mut number = || parts.next().and_then(|n| n.parse::<usize>().ok());
    let (column, line) = (number().expect("a column"), number().expect("a line"));
    assert!(
        line >= 1 && line <= text.matches('\n').count() + 1,
        "{position}"
    );
    let length = text
        .split('\n')
        .nth(line - 1)
        .map_or(0, |l| l.chars().count());
    assert!(column >= 1 && column <= length + 1, "{position}");
    let _ = error.to_text();
}
