//! Two servers, and the commands that tests give.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::servers::server;
use datain_throwaway_servers::Server;
use serde_json::Value;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Two servers, a folder for configurations and for control sockets.
pub(crate) struct Lab {
    pub(crate) source: Server,
    pub(crate) target: Server,
    pub(crate) folder: TempDir,
}

impl Lab {
    /// With an empty table on the source.
    pub(crate) fn new() -> Lab {
        Self::with_source(server())
    }

    /// The same on this source.
    pub(crate) fn with_source(source: Server) -> Lab {
        let lab = Lab::of(source);
        lab.source
            .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
            .expect("a table");
        lab
    }

    /// With a source as it is.
    pub(crate) fn of(source: Server) -> Lab {
        Lab {
            source,
            target: server(),
            folder: TempDir::new().expect("a folder"),
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("c.sock")
    }

    /// A configuration whose control socket is the lab's own.
    pub(crate) fn config(&self, name: &str, start: &str) -> PathBuf {
        let extra = format!(
            "[start]\n{start}\n[control]\nsocket = \"{}\"\n",
            self.socket().display()
        );
        Host::config(self.folder.path(), name, &self.source, &self.target, &extra)
            .expect("a configuration")
    }

    pub(crate) fn source(&self, sql: &str) {
        self.source.sql(sql).expect("the source takes it");
    }

    pub(crate) fn one(&self, sql: &str) -> String {
        let rows = self.target.query(sql).expect("the target answers");
        rows[0][0].clone().unwrap_or_default()
    }

    pub(crate) fn rows(&self) -> u64 {
        let there =
            self.one("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'");
        if there == "0" {
            return 0;
        }
        self.one("SELECT COUNT(*) FROM d.t")
            .parse()
            .expect("a count")
    }
}

pub(crate) const FROM_THE_BEGINNING: &str = "mode = \"gtid\"\ngtid_set = \"\"";

pub(crate) fn datain(command: &str, config: &Path, more: &[&str]) -> Exit {
    let mut arguments = vec![command, "-c", config.to_str().expect("a path")];
    arguments.extend(more);
    Host::command(&arguments, LIMIT).expect("it ends")
}

pub(crate) fn done(exit: Exit) -> Exit {
    assert_eq!(exit.code, 0, "{}\n{}", exit.stdout, exit.stderr);
    exit
}

pub(crate) fn refused(exit: &Exit, code: &str, status: i32) {
    assert!(
        exit.stderr.contains(&format!("error[{code}]: ")) && exit.stderr.contains("  hint: "),
        "{code}:\n{}",
        exit.stderr
    );
    assert_eq!(exit.code, status, "{}", exit.stderr);
}

pub(crate) fn caught_up(config: &Path) -> Exit {
    Host::run(config, &["--until-caught-up"], LIMIT).expect("it ends")
}

pub(crate) fn status(config: &Path) -> Value {
    let exit = done(datain("status", config, &["--format", "json"]));
    serde_json::from_str(&exit.stdout).expect("JSON")
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// How many rows the largest open transaction of the target has changed.
///
/// InnoDB answers what it answered before for as long as it is asked more often than every 100 ms: each answer here takes longer.
pub(crate) fn rows_modified(lab: &Lab) -> u64 {
    std::thread::sleep(Duration::from_millis(150));
    lab.one("SELECT COALESCE(MAX(trx_rows_modified), 0) FROM information_schema.INNODB_TRX")
        .parse()
        .expect("a number")
}
