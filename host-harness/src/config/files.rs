//! The configuration for reading files of a binary log, which needs no file of its own.

use std::path::{Path, PathBuf};

use super::{Address, Config, Password};
use crate::error::Result;

/// What stands in place of a configuration file; its host is never connected to.
const DEFAULTS: &str = "name = \"files\"\n[source]\nhost = \"localhost\"\nuser = \"\"\n";

impl Config {
    /// Reads `files` in place of a server: with the name, filter and limits of `base`, or the defaults. No account goes with it.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn for_files(base: Option<&Config>, files: Vec<PathBuf>) -> Result<Config> {
        let mut config = match base {
            Some(base) => base.clone(),
            None => Config::parse_source(DEFAULTS, Path::new("-"))?,
        };
        let source = &mut config.source;
        source.address = Address::Files(files);
        source.user.clear();
        source.password = Password::None;
        Ok(config)
    }
}

/// The names of files in positions: their own, without folders, or, where two are the same, as they were given.
pub(crate) fn names(files: &[PathBuf]) -> Vec<String> {
    let short: Vec<String> = files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        })
        .collect();
    let differ = short
        .iter()
        .enumerate()
        .all(|(at, name)| !short[..at].contains(name));
    if differ {
        return short;
    }
    files
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_where_they_differ() {
        let check = |files: &[&str], expected: &[&str]| {
            let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
            assert_eq!(names(&files), expected);
        };
        check(
            &["/a/log.000001", "b/log.000002", "-"],
            &["log.000001", "log.000002", "-"],
        );
        check(
            &["a/log.000001", "b/log.000001"],
            &["a/log.000001", "b/log.000001"],
        );
    }

    #[test]
    fn a_configuration_for_files_holds_no_account() {
        let text = "name = \"orders\"\n[source]\nhost = \"h\"\nuser = \"u\"\npassword = \"p\"\n[limits]\nmax_row_mib = 7\n";
        let base = Config::parse_source(text, Path::new("x.toml")).unwrap();
        let config = Config::for_files(Some(&base), vec!["f".into()]).unwrap();
        assert_eq!(
            (config.name.as_str(), config.limits.max_row_mib),
            ("orders", 7)
        );
        assert_eq!(config.source.user, "");
        assert!(matches!(config.source.password, Password::None));
        assert_eq!(Config::for_files(None, Vec::new()).unwrap().name, "files");
    }
}
