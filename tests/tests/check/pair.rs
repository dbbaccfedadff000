//! Two servers that fit each other, and what a check says of them.

use std::path::PathBuf;
use std::time::Duration;

use datain_tests::host::{Exit, Host, TempDir};
use datain_throwaway_servers::{Flavor, Server};
use serde_json::Value;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);
pub(crate) const NOW: &str = "[start]\nmode = \"now\"\n";

/// Two servers with one table on both, and the accounts of README.
pub(crate) struct Pair {
    pub(crate) source: Server,
    pub(crate) target: Server,
    pub(crate) folder: TempDir,
}

/// What one `datain check --format json` said.
pub(crate) struct Checked {
    pub(crate) exit: Exit,
    pub(crate) json: Value,
}

impl Checked {
    /// The one finding with this code.
    pub(crate) fn finding(&self, code: &str) -> &Value {
        let findings = self.json["findings"].as_array().expect("findings");
        let mut with_code = findings.iter().filter(|f| f["code"] == code);
        let found = with_code
            .next()
            .unwrap_or_else(|| panic!("{code} is not in\n{:#}", self.json));
        assert!(
            with_code.next().is_none(),
            "{code} stands twice in\n{:#}",
            self.json
        );
        found
    }

    pub(crate) fn is(&self, code: &str, severity: &str, status: i32) -> &Value {
        let finding = self.finding(code);
        assert_eq!(finding["severity"], severity, "{code}: {finding:#}");
        assert_eq!(
            self.exit.code, status,
            "{code}: {}\n{:#}",
            self.exit, self.json
        );
        finding
    }

    pub(crate) fn codes(&self, severity: &str) -> Vec<&str> {
        let findings = self.json["findings"].as_array().expect("findings");
        let of = findings.iter().filter(|f| f["severity"] == severity);
        of.filter_map(|f| f["code"].as_str()).collect()
    }
}

pub(crate) fn server() -> Server {
    Server::builder(Flavor::Mysql97).start().expect("a server")
}

impl Pair {
    pub(crate) fn of(source: Server, target: Server) -> Pair {
        source
            .sql(
                "CREATE USER 'repl'@'%' IDENTIFIED BY 'repl-secret'; GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'repl'@'%'; \
                 GRANT SELECT ON shop.* TO 'repl'@'%'; CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(20), n INT)",
            )
            .expect("a source");
        target
            .sql(
                "CREATE USER 'datain'@'%' IDENTIFIED BY 'apply-secret'; \
                 GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW, CREATE ROUTINE, ALTER ROUTINE \
                 ON shop.* TO 'datain'@'%'; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP ON datain.* TO 'datain'@'%'; \
                 GRANT REPLICATION_APPLIER ON *.* TO 'datain'@'%'; \
                 CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(20), n INT)",
            )
            .expect("a target");
        Pair {
            source,
            target,
            folder: TempDir::new().expect("a folder"),
        }
    }

    pub(crate) fn start() -> Pair {
        Pair::of(server(), server())
    }

    /// The source's account may see whose routines, triggers and events there are, too.
    pub(crate) fn sees_everything(&self) {
        self.source
            .sql("GRANT SHOW_ROUTINE, XA_RECOVER_ADMIN ON *.* TO 'repl'@'%'; GRANT TRIGGER, EVENT ON shop.* TO 'repl'@'%'")
            .expect("the privileges");
    }

    /// The configuration of README, with `in_source` and `in_target` added to the two sections and `rest` at the end.
    pub(crate) fn config(
        &self,
        name: &str,
        in_source: &str,
        in_target: &str,
        rest: &str,
    ) -> PathBuf {
        let text = format!(
            "name = \"{name}\"\n[source]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"repl\"\npassword = \"repl-secret\"\n{in_source}\n\
             [target]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"datain\"\npassword = \"apply-secret\"\n{in_target}\n\
             [replicate]\ninclude = [\"shop.*\"]\n{rest}",
            self.source.port(),
            self.target.port()
        );
        let path = self.folder.path().join(format!("{name}.toml"));
        std::fs::write(&path, text).expect("the configuration");
        path
    }

    pub(crate) fn check_with(&self, in_source: &str, in_target: &str, rest: &str) -> Checked {
        check(&self.config("check", in_source, in_target, rest), &[])
    }

    pub(crate) fn check(&self) -> Checked {
        self.check_with("", "", NOW)
    }

    /// `break_it` on `server`, the finding, its own remedy on the same server, and the finding is gone.
    pub(crate) fn provoke(&self, server: &Server, break_it: &str, code: &str, severity: &str) {
        self.provoke_with(server, break_it, code, severity, NOW);
    }

    pub(crate) fn provoke_with(
        &self,
        server: &Server,
        break_it: &str,
        code: &str,
        severity: &str,
        rest: &str,
    ) {
        server
            .sql(break_it)
            .unwrap_or_else(|e| panic!("{break_it}: {e}"));
        let checked = self.check_with("", "", rest);
        let status = i32::from(severity == "fatal");
        let remedy = checked.is(code, severity, status)["remedy"]
            .as_str()
            .unwrap_or_else(|| panic!("{code} has no remedy"))
            .to_owned();
        assert!(
            remedy.ends_with(';') || remedy.contains("; -- "),
            "{code}: {remedy:?} is no SQL"
        );
        server
            .sql(&format!("{remedy}\n"))
            .unwrap_or_else(|e| panic!("{remedy}: {e}"));
        self.check_with("", "", rest).is(code, "passed", 0);
    }
}

pub(crate) fn check(config: &std::path::Path, more: &[&str]) -> Checked {
    let path = config.to_str().expect("a path");
    let mut arguments = vec!["check", "-c", path, "--format", "json"];
    arguments.extend(more);
    let exit = Host::command(&arguments, LIMIT).expect("an end");
    let json = serde_json::from_str(&exit.stdout).unwrap_or_else(|e| panic!("{e}: {exit}"));
    Checked { exit, json }
}
