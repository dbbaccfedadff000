//! Two servers in step, and `datain verify` on them.

use std::path::PathBuf;
use std::time::Duration;

use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::pipeline_run::FROM_THE_START;
use datain_tests::servers::server;
use datain_throwaway_servers::Server;
use serde_json::Value;

pub(crate) const LIMIT: Duration = Duration::from_secs(120);

pub(crate) struct Lab {
    pub(crate) source: Server,
    pub(crate) target: Server,
    pub(crate) config: PathBuf,
    pub(crate) folder: TempDir,
}

impl Lab {
    /// The target has what these statements have made on the source.
    pub(crate) fn with(sql: &str) -> Lab {
        let (source, target) = (server(), server());
        let folder = TempDir::new().expect("a folder");
        let config = Host::config(folder.path(), "v", &source, &target, FROM_THE_START)
            .expect("a configuration");
        source.sql(sql).expect("tables");
        let lab = Lab {
            source,
            target,
            config,
            folder,
        };
        lab.catch_up();
        lab
    }

    pub(crate) fn catch_up(&self) {
        let exit = Host::run(&self.config, &["--until-caught-up"], LIMIT).expect("the host ends");
        assert_eq!(exit.code, 0, "{exit}");
    }

    pub(crate) fn source(&self, sql: &str) {
        self.source.sql(sql).expect("the source takes it");
    }

    pub(crate) fn target(&self, sql: &str) {
        self.target.sql(sql).expect("the target takes it");
    }

    pub(crate) fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let config = self.config.to_str().expect("a path");
        [&["verify", "-c", config], more].concat()
    }

    /// Compares, and checks how it ends.
    pub(crate) fn verify(&self, more: &[&str], code: i32) -> Exit {
        let exit = Host::command(&self.arguments(more), LIMIT).expect("it ends");
        assert_eq!(exit.code, code, "{exit}");
        assert!(!exit.stderr.contains("panicked"), "{exit}");
        exit
    }

    /// The same as JSON.
    pub(crate) fn json(&self, more: &[&str], code: i32) -> Value {
        let exit = self.verify(&[more, &["--format", "json"]].concat(), code);
        serde_json::from_str(&exit.stdout).unwrap_or_else(|e| panic!("{e}: {exit}"))
    }
}

/// What was found, a line for each row: table, kind, key, columns, and whether it was repaired. Sorted.
pub(crate) fn rows(report: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for table in report["tables"].as_array().expect("tables") {
        for found in table["differences"].as_array().expect("differences") {
            let columns: Vec<&str> = found["columns"]
                .as_array()
                .expect("columns")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let mut line = format!(
                "{} {} {}",
                text(&table["table"]),
                text(&found["kind"]),
                text(&found["key"])
            );
            if !columns.is_empty() {
                line.push_str(&format!(": {}", columns.join(" ")));
            }
            if found["repaired"] == true {
                line.push_str(" (repaired)");
            }
            lines.push(line);
        }
    }
    lines.sort();
    lines
}
