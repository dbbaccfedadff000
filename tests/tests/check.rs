//! `datain check`, requirement by requirement: each is broken on real servers, found, mended by the very statements that the finding gives, and found to hold.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use datain_tests::host::{Exit, Host, TempDir};
use datain_throwaway_servers::{Flavor, ROOT_PASSWORD, Server};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const NOW: &str = "[start]\nmode = \"now\"\n";

/// Two servers with one table on both, and the accounts of README.
struct Pair {
    source: Server,
    target: Server,
    folder: TempDir,
}

/// What one `datain check --format json` said.
struct Checked {
    exit: Exit,
    json: Value,
}

impl Checked {
    /// The one finding with this code.
    fn finding(&self, code: &str) -> &Value {
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

    fn is(&self, code: &str, severity: &str, status: i32) -> &Value {
        let finding = self.finding(code);
        assert_eq!(finding["severity"], severity, "{code}: {finding:#}");
        assert_eq!(
            self.exit.code, status,
            "{code}: {}\n{:#}",
            self.exit, self.json
        );
        finding
    }

    fn codes(&self, severity: &str) -> Vec<&str> {
        let findings = self.json["findings"].as_array().expect("findings");
        let of = findings.iter().filter(|f| f["severity"] == severity);
        of.filter_map(|f| f["code"].as_str()).collect()
    }
}

fn server() -> Server {
    Server::builder(Flavor::Mysql97).start().expect("a server")
}

impl Pair {
    fn of(source: Server, target: Server) -> Pair {
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

    fn start() -> Pair {
        Pair::of(server(), server())
    }

    /// The configuration of README, with `in_source` and `in_target` added to the two sections and `rest` at the end.
    fn config(&self, name: &str, in_source: &str, in_target: &str, rest: &str) -> PathBuf {
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

    fn check_with(&self, in_source: &str, in_target: &str, rest: &str) -> Checked {
        check(&self.config("check", in_source, in_target, rest), &[])
    }

    fn check(&self) -> Checked {
        self.check_with("", "", NOW)
    }

    /// `break_it` on `server`, the finding, its own remedy on the same server, and the finding is gone.
    fn provoke(&self, server: &Server, break_it: &str, code: &str, severity: &str) {
        self.provoke_with(server, break_it, code, severity, NOW);
    }

    fn provoke_with(
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

fn check(config: &std::path::Path, more: &[&str]) -> Checked {
    let path = config.to_str().expect("a path");
    let mut arguments = vec!["check", "-c", path, "--format", "json"];
    arguments.extend(more);
    let exit = Host::command(&arguments, LIMIT).expect("an end");
    let json = serde_json::from_str(&exit.stdout).unwrap_or_else(|e| panic!("{e}: {exit}"));
    Checked { exit, json }
}

/// With the accounts of README and nothing else, also before anything is on the target.
#[test]
fn a_good_pair() {
    let pair = Pair::start();
    let checked = pair.check();
    assert_eq!(checked.exit.code, 0, "{:#}", checked.json);
    assert_eq!(
        checked.codes("note"),
        ["pair.accounts"],
        "{:#}",
        checked.json
    );
    assert_eq!(checked.codes("warning"), [""; 0], "{:#}", checked.json);
    let page = include_str!("../../docs/checks.md");
    let listed = page
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches('|').count() == 4);
    let listed = listed.filter(|line| {
        line.contains(" | fatal | ")
            || line.contains(" | warning | ")
            || line.contains(" | note | ")
    });
    assert_eq!(
        checked.codes("passed").len() + 1,
        listed.count(),
        "one finding per requirement"
    );
    // Its shape.
    let json = &checked.json;
    assert_eq!(
        (&json["pipeline"], &json["ok"]),
        (&Value::from("check"), &Value::from(true))
    );
    assert_eq!(json["counts"]["passed"], checked.codes("passed").len());
    assert_eq!(
        (
            &json["counts"]["fatal"],
            &json["counts"]["warning"],
            &json["counts"]["note"]
        ),
        (&0.into(), &0.into(), &1.into())
    );
    for finding in json["findings"].as_array().expect("findings") {
        let mut keys: Vec<&String> = finding.as_object().expect("an object").keys().collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                "allowed", "code", "message", "reason", "remedy", "severity", "side", "subjects",
                "title"
            ]
        );
        for key in ["code", "message", "reason", "severity", "side", "title"] {
            assert!(
                finding[key].as_str().is_some_and(|text| !text.is_empty()),
                "{key} of {finding:#}"
            );
        }
        assert!(finding["subjects"].is_array() && finding["allowed"] == false);
    }
    // The text, and --strict.
    let config = pair.config("check", "", "", NOW);
    let exit = Host::command(
        &["check", "-c", config.to_str().expect("a path"), "--strict"],
        LIMIT,
    )
    .expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    assert!(
        exit.stdout
            .contains("\npassed[source.log-bin-off]: the source writes a binary log\n"),
        "{exit}"
    );
    let last = format!(
        "\n0 fatal, 0 warning, 1 note, {} passed\n",
        checked.codes("passed").len()
    );
    assert!(exit.stdout.ends_with(&last), "{}", exit.stdout);
    // An empty target, and everything still to come.
    pair.target
        .sql("DROP DATABASE shop")
        .expect("an empty target");
    let checked = pair.check_with("", "", "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n");
    assert_eq!(
        (checked.exit.code, checked.codes("note")),
        (0, vec!["pair.accounts"]),
        "{:#}",
        checked.json
    );
    // Nothing was changed.
    let schemas = pair
        .target
        .query("SHOW DATABASES LIKE 'datain'")
        .expect("schemas");
    assert!(schemas.is_empty());
}

#[test]
fn settings_of_the_source() {
    let pair = Pair::start();
    let on = |break_it: &str, code: &str, severity: &str| {
        pair.provoke(&pair.source, break_it, code, severity)
    };
    on(
        "SET GLOBAL binlog_format = STATEMENT",
        "source.format-not-row",
        "fatal",
    );
    on(
        "SET GLOBAL binlog_row_image = MINIMAL",
        "source.row-image",
        "fatal",
    );
    on(
        "SET GLOBAL binlog_row_value_options = PARTIAL_JSON",
        "source.partial-json",
        "fatal",
    );
    on(
        "SET GLOBAL binlog_transaction_compression = ON",
        "source.compressed-unsupported",
        "fatal",
    );
    on(
        "SET GLOBAL server_id = 0",
        "source.server-id-unset",
        "fatal",
    );
    on(
        "SET GLOBAL binlog_checksum = NONE",
        "source.checksum-off",
        "warning",
    );
    on(
        "SET GLOBAL binlog_expire_logs_seconds = 3600",
        "source.retention",
        "warning",
    );
    on(
        "SET GLOBAL gtid_mode = ON_PERMISSIVE",
        "source.gtid-off",
        "warning",
    );
    let by_gtid = format!(
        "[start]\nmode = \"gtid\"\ngtid_set = \"{}\"\n",
        pair.source.query("SELECT @@gtid_executed").expect("gtids")[0][0]
            .clone()
            .expect("gtids")
            .replace('\n', "")
    );
    pair.provoke_with(
        &pair.source,
        "SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = OFF_PERMISSIVE; SET GLOBAL gtid_mode = OFF; SET GLOBAL enforce_gtid_consistency = OFF",
        "source.gtid-off",
        "fatal",
        &by_gtid,
    );
    on(
        "SET GLOBAL sync_binlog = 0",
        "source.sync-binlog",
        "warning",
    );
    // A warning is a failure only with --strict.
    pair.source
        .sql("SET GLOBAL sync_binlog = 0")
        .expect("a setting");
    let config = pair.config("check", "", "", NOW);
    check(&config, &["--strict"]).is("source.sync-binlog", "warning", 1);
}

#[test]
fn settings_of_the_target() {
    let pair = Pair::start();
    let on = |break_it: &str, code: &str, severity: &str| {
        pair.provoke(&pair.target, break_it, code, severity)
    };
    on(
        "SET GLOBAL gtid_mode = ON_PERMISSIVE",
        "target.gtid-off",
        "warning",
    );
    on(
        "SET GLOBAL max_allowed_packet = 1048576",
        "pair.max-packet",
        "warning",
    );
    on("SET GLOBAL read_only = ON", "target.read-only", "fatal");
    on(
        "SET GLOBAL super_read_only = ON",
        "target.read-only",
        "fatal",
    );
    // An account that read_only does not stop.
    pair.target
        .sql("GRANT CONNECTION_ADMIN ON *.* TO datain@'%'; SET GLOBAL read_only = ON")
        .expect("a setting");
    pair.check().is("target.read-only", "passed", 0);
    pair.target
        .sql("SET GLOBAL super_read_only = ON")
        .expect("a setting");
    pair.check().is("target.read-only", "fatal", 1);
    pair.target
        .sql("SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF; SET GLOBAL offline_mode = ON")
        .expect("a setting");
    pair.check().is("target.read-only", "passed", 0);
    pair.target
        .sql("REVOKE CONNECTION_ADMIN ON *.* FROM datain@'%'")
        .expect("a privilege");
    pair.check().is("server.going-away", "fatal", 1);
}

#[test]
fn privileges() {
    let pair = Pair::start();
    let (source, target) = (&pair.source, &pair.target);
    pair.provoke(
        source,
        "REVOKE REPLICATION SLAVE ON *.* FROM repl@'%'",
        "source.privilege-missing",
        "fatal",
    );
    pair.provoke(
        source,
        "REVOKE REPLICATION CLIENT ON *.* FROM repl@'%'",
        "source.position-unknown",
        "warning",
    );
    let by_file = "[start]\nmode = \"position\"\nfile = \"binlog.000001\"\n";
    pair.provoke_with(
        source,
        "REVOKE REPLICATION CLIENT ON *.* FROM repl@'%'",
        "source.position-unknown",
        "fatal",
        by_file,
    );
    pair.provoke(
        source,
        "REVOKE SELECT ON shop.* FROM repl@'%'",
        "source.tables-unseen",
        "warning",
    );
    pair.provoke(
        target,
        "REVOKE INSERT, UPDATE ON shop.* FROM datain@'%'",
        "target.privilege-missing",
        "fatal",
    );
    pair.provoke(
        target,
        "REVOKE DELETE ON datain.* FROM datain@'%'",
        "target.privilege-missing",
        "fatal",
    );
    pair.provoke(
        target,
        "REVOKE ALTER, CREATE VIEW ON shop.* FROM datain@'%'",
        "target.ddl-privilege-missing",
        "warning",
    );
    pair.provoke(
        target,
        "REVOKE REPLICATION_APPLIER ON *.* FROM datain@'%'",
        "target.ddl-privilege-missing",
        "warning",
    );
    pair.provoke(
        target,
        "REVOKE TRIGGER ON shop.* FROM datain@'%'",
        "table.triggers-unseen",
        "fatal",
    );
    // Through a role: rows may come so, triggers may not.
    target
        .sql(
            "REVOKE TRIGGER, INSERT ON shop.* FROM datain@'%'; CREATE ROLE writer; GRANT TRIGGER, INSERT ON shop.* TO writer; \
             GRANT writer TO datain@'%'; SET DEFAULT ROLE ALL TO datain@'%'",
        )
        .expect("a role");
    let checked = pair.check();
    checked.is("target.privilege-missing", "passed", 1);
    let message = checked.is("table.triggers-unseen", "fatal", 1)["message"].to_string();
    assert!(
        message.contains("'datain'@'%' lacks TRIGGER on `shop`"),
        "{message}"
    );
    // All schemas, and an account for one.
    let all = format!("exclude = [\"x.y\"]\n{NOW}");
    let config = pair.config("check", "", "", &all);
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, text.replace("include = [\"shop.*\"]\n", ""))
        .expect("the configuration");
    let remedy = check(&config, &[]).is("source.tables-unseen", "warning", 1)["remedy"].clone();
    assert_eq!(remedy, "GRANT SELECT ON *.* TO 'repl'@'%';");
}

#[test]
fn tables() {
    let pair = Pair::start();
    let (source, target) = (&pair.source, &pair.target);
    pair.provoke(
        source,
        "CREATE TABLE shop.a (v INT)",
        "table.no-primary-key",
        "fatal",
    );
    pair.provoke(
        source,
        "CREATE TABLE shop.`b``b` (id INT, v INT NOT NULL UNIQUE)",
        "table.no-primary-key",
        "fatal",
    );
    pair.provoke(
        source,
        "CREATE TABLE shop.c (id INT PRIMARY KEY) ENGINE = MyISAM",
        "source.table-engine",
        "fatal",
    );
    pair.provoke(
        target,
        "ALTER TABLE shop.item ENGINE = MyISAM",
        "table.engine",
        "fatal",
    );
    pair.provoke(
        target,
        "CREATE TRIGGER shop.g BEFORE INSERT ON shop.item FOR EACH ROW SET NEW.name = 'x'",
        "table.triggers",
        "fatal",
    );
    // Allowed by name, and both sides named.
    source.sql("CREATE TABLE shop.d (v INT)").expect("a table");
    let fatal = pair.check();
    assert_eq!(
        fatal.is("table.no-primary-key", "fatal", 1)["subjects"],
        serde_json::json!(["`shop`.`d`"])
    );
    let allowed = pair.check_with(
        "",
        "",
        &format!("[check]\nallow = [\"no-primary-key\"]\n{NOW}"),
    );
    assert_eq!(
        allowed.is("table.no-primary-key", "note", 0)["allowed"],
        true
    );
    source.sql("DROP TABLE shop.d").expect("a table");
    target
        .sql("ALTER TABLE shop.item DROP PRIMARY KEY")
        .expect("no key");
    assert_eq!(
        pair.check().is("table.no-key", "fatal", 1)["side"],
        "target"
    );
    target
        .sql("ALTER TABLE shop.item MODIFY id INT NOT NULL, ADD UNIQUE (id)")
        .expect("a key");
    pair.check().is("table.no-key", "passed", 0);
    // Tables of the target that the source does not have are nobody's affair.
    target
        .sql("CREATE TABLE shop.own (v INT) ENGINE = MyISAM")
        .expect("a table");
    assert_eq!(pair.check().codes("fatal"), [""; 0]);
    // Another order of columns: fatal only when no ALTER can be on its way.
    target
        .sql("ALTER TABLE shop.item MODIFY n INT AFTER id")
        .expect("another order");
    let finding = pair.check().is("table.column-order", "fatal", 1).clone();
    assert!(
        finding["remedy"]
            .to_string()
            .contains("ALTER TABLE `shop`.`item` MODIFY `name` … AFTER `id`; "),
        "{finding:#}"
    );
    pair.check_with("", "", "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n")
        .is("table.column-order", "warning", 0);
    target
        .sql("ALTER TABLE shop.item MODIFY name VARCHAR(20) AFTER id")
        .expect("the source's order");
    pair.check().is("table.column-order", "passed", 0);
}

#[test]
fn definers() {
    let pair = Pair::start();
    pair.source
        .sql("CREATE USER app@'10.%'; GRANT SHOW_ROUTINE ON *.* TO repl@'%'; CREATE DEFINER = app@'10.%' SQL SECURITY INVOKER VIEW shop.v AS SELECT 1 AS one")
        .expect("a view");
    let checked = pair.check();
    let note = checked.is("pair.definers", "note", 0);
    assert!(
        note["message"]
            .to_string()
            .contains("may not read mysql.user"),
        "{note:#}"
    );
    let more = checked.is("target.ddl-privilege-missing", "warning", 0);
    assert_eq!(
        more["remedy"],
        "GRANT SET_ANY_DEFINER ON *.* TO 'datain'@'%';"
    );
    pair.target
        .sql(&format!("{}\n", note["remedy"].as_str().expect("a remedy")))
        .expect("a privilege");
    pair.provoke(&pair.target, "DO 0", "pair.definers", "warning");
    pair.source
        .sql("CREATE DEFINER = later@'%' PROCEDURE shop.p() SELECT 1")
        .expect("a routine");
    let finding = pair.check().is("pair.definers", "warning", 0).clone();
    assert_eq!(finding["subjects"], serde_json::json!(["'later'@'%'"]));
}

#[test]
fn connections() {
    let pair = Pair::start();
    let plain = "tls = \"disabled\"\nget_server_public_key = true";
    pair.check_with(plain, "", NOW)
        .is("source.unencrypted", "warning", 0);
    pair.check_with("", plain, NOW)
        .is("target.unencrypted", "warning", 0);
    pair.source
        .sql("SET GLOBAL require_secure_transport = ON")
        .expect("a setting");
    pair.check().is("source.unencrypted", "passed", 0);
    pair.check_with(plain, "", NOW)
        .is("server.tls-required", "fatal", 1);
    // A local socket needs none.
    let local = pair.config("check", "", "", NOW);
    let text = std::fs::read_to_string(&local).expect("the configuration");
    let port = format!("host = \"127.0.0.1\"\nport = {}\n", pair.target.port());
    let socket = format!("socket = \"{}\"\n", pair.target.socket().display());
    std::fs::write(&local, text.replace(&port, &socket)).expect("the configuration");
    check(&local, &[]).is("target.unencrypted", "passed", 0);
}

#[test]
fn servers_that_cannot_be_looked_at() {
    let pair = Pair::start();
    let port = format!("port = {}", pair.source.port());
    let config = pair.config("check", "", "", NOW);
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, text.replace(&port, "port = 1")).expect("the configuration");
    // The target is looked at all the same, and what would be compared is not passed.
    let checked = check(&config, &[]);
    assert_eq!(checked.is("net.refused", "fatal", 1)["side"], "source");
    checked.is("target.read-only", "passed", 1);
    checked.is("target.privilege-missing", "passed", 1);
    for code in [
        "pair.version",
        "pair.lower-case-names",
        "pair.max-packet",
        "pair.definers",
        "table.column-order",
    ] {
        let finding = checked.is(code, "note", 1);
        assert!(
            finding["message"].to_string().contains("not checked"),
            "{finding:#}"
        );
    }
    // The other way round, what hangs on the checkpoint is not passed.
    std::fs::write(&config, text.replace("apply-secret", "not-the-secret"))
        .expect("the configuration");
    let checked = check(&config, &[]);
    assert_eq!(
        checked.is("server.access-denied", "fatal", 1)["side"],
        "target"
    );
    checked.is("source.log-bin-off", "passed", 1);
    checked.is("source.binlog-purged", "note", 1);
    assert!(
        !checked.exit.stdout.contains("not-the-secret"),
        "no password is shown"
    );
    // A wrong configuration is none of this.
    for wrong in [
        "[check]\nallow = [\"versoin\"]\n",
        "[check]\nallowed = []\n",
    ] {
        let config = pair.config("check", "", "", &format!("{wrong}{NOW}"));
        let exit = Host::command(&["check", "-c", config.to_str().expect("a path")], LIMIT)
            .expect("an end");
        assert_eq!(exit.code, 2, "{exit}");
    }
    let config = pair.config(
        "check",
        "",
        "",
        &format!("[check]\nallow = [\"versoin\"]\n{NOW}"),
    );
    let exit =
        Host::command(&["check", "-c", config.to_str().expect("a path")], LIMIT).expect("an end");
    assert!(
        exit.stderr
            .contains("hint: it knows version, no-primary-key"),
        "{exit}"
    );
}

#[test]
fn server_ids() {
    let pair = Pair::start();
    let own = format!("server_id = {}", pair.source.port());
    let finding = pair
        .check_with(&own, "", NOW)
        .is("server.replica-id-in-use", "fatal", 1)
        .clone();
    let free = finding["remedy"]
        .as_str()
        .and_then(|r| r.split(" in [source]").next())
        .expect("a free id")
        .to_owned();
    pair.check_with(&free, "", NOW)
        .is("server.replica-id-in-use", "passed", 0);
    // Another pipeline reads under the id.
    let other = pair.config("other", "server_id = 4711", "", NOW);
    let mut running = Host::start(&other, &[]).expect("a host");
    let deadline = Instant::now() + LIMIT;
    while pair
        .source
        .query("SHOW REPLICAS")
        .expect("replicas")
        .is_empty()
    {
        assert!(
            Instant::now() < deadline && running.is_running().expect("a process"),
            "{}",
            running.stderr()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let finding = pair
        .check_with("server_id = 4711", "", NOW)
        .is("server.replica-id-in-use", "fatal", 1)
        .clone();
    assert!(
        finding["remedy"].to_string().contains("server_id = 4712"),
        "{finding:#}"
    );
    // The pipeline itself, which may be started anew at any time.
    let own = check(&other, &[]);
    assert!(
        own.is("server.replica-id-in-use", "note", 0)["message"]
            .to_string()
            .contains("reading already")
    );
}

#[test]
fn the_place_to_go_on_from() {
    let pair = Pair::start();
    let gtid = |set: &str| format!("[start]\nmode = \"gtid\"\ngtid_set = \"{set}\"\n");
    let stranger = gtid("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1-5");
    pair.check_with("", "", &stranger)
        .is("source.diverged", "fatal", 1);
    pair.source
        .sql("FLUSH BINARY LOGS; PURGE BINARY LOGS TO 'binlog.000002'")
        .expect("purge");
    let finding = pair
        .check_with("", "", &gtid(""))
        .is("source.binlog-purged", "fatal", 1)
        .clone();
    assert!(
        finding["message"]
            .to_string()
            .contains("needed and purged: "),
        "{finding:#}"
    );
    // A checkpoint by file, then another server.
    let by_file = "[start]\nmode = \"position\"\nfile = \"binlog.000002\"\n";
    let config = pair.config("files", "", "", by_file);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    check(&config, &[]).is("source.other-server", "passed", 0);
    let elsewhere = server();
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let there = text
        .replace(
            &format!("port = {}", pair.source.port()),
            &format!("port = {}", elsewhere.port()),
        )
        .replace(
            "user = \"repl\"\npassword = \"repl-secret\"",
            &format!("user = \"root\"\npassword = \"{ROOT_PASSWORD}\""),
        );
    std::fs::write(&config, there).expect("the configuration");
    check(&config, &[]).is("source.other-server", "fatal", 1);
}

#[test]
fn what_only_a_restart_can_change() {
    let pair = Pair::of(
        Server::builder(Flavor::Mysql97)
            .without_gtid()
            .option("skip-log-bin")
            .start()
            .expect("a server"),
        Server::builder(Flavor::Mysql97)
            .option("lower_case_table_names=1")
            .start()
            .expect("a server"),
    );
    let checked = pair.check();
    checked.is("source.log-bin-off", "fatal", 1);
    let finding = checked.is("pair.lower-case-names", "fatal", 1);
    assert!(
        finding["message"]
            .to_string()
            .contains("0 on the source, 1 on the target"),
        "{finding:#}"
    );
}

#[test]
fn a_run_begins_with_the_fatal_ones() {
    let pair = Pair::start();
    pair.source
        .sql("SET GLOBAL sync_binlog = 0; SET GLOBAL binlog_row_image = MINIMAL; CREATE TABLE shop.a (v INT)")
        .expect("settings");
    let config = pair.config("run", "", "", NOW);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stderr
            .contains("\nerror[source.row-image]: binlog_row_image is MINIMAL\n"),
        "{exit}"
    );
    assert!(exit.stderr.contains("table.no-primary-key (source): 1 of 2 replicated tables have no primary key: `shop`.`a`"), "{exit}");
    assert!(
        exit.stderr
            .contains("  hint: SET PERSIST binlog_row_image = FULL;"),
        "{exit}"
    );
    assert_eq!(
        exit.stderr.matches("sync_binlog is 0").count(),
        1,
        "a warning is logged once: {exit}"
    );
    let schemas = pair
        .target
        .query("SHOW DATABASES LIKE 'datain'")
        .expect("schemas");
    assert!(schemas.is_empty(), "nothing was begun");
    // What is allowed is tried, and the stream's own rule is the last word.
    pair.source
        .sql("SET GLOBAL binlog_row_image = FULL")
        .expect("a setting");
    pair.target
        .sql("CREATE TABLE shop.a (v INT)")
        .expect("a table");
    let config = pair.config(
        "run",
        "",
        "",
        &format!("[check]\nallow = [\"no-primary-key\"]\n{NOW}"),
    );
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    pair.source
        .sql("INSERT INTO shop.a VALUES (1)")
        .expect("a row");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stderr.contains("error[table.no-key]: ") && exit.stderr.contains("  gtid: "),
        "{exit}"
    );
}

#[test]
fn another_version_mysql_5_6() {
    let source = Server::builder(Flavor::Mysql56).start().expect("a server");
    let target = server();
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
        .expect("data");
    let with = |extra: &str| {
        Host::config(folder.path(), "old", &source, &target, extra).expect("a configuration")
    };
    let checked = check(&with(NOW), &[]);
    let finding = checked.is("pair.version", "fatal", 1);
    assert!(
        finding["message"]
            .to_string()
            .contains("the source is MySQL 5.6."),
        "{finding:#}"
    );
    assert_eq!(checked.codes("fatal"), ["pair.version"]);
    let allowed = check(
        &with(&format!("[check]\nallow = [\"version\"]\n{NOW}")),
        &[],
    );
    assert_eq!(allowed.is("pair.version", "note", 0)["allowed"], true);
    // The other way round.
    let reverse =
        Host::config(folder.path(), "old", &target, &source, NOW).expect("a configuration");
    check(&reverse, &[]).is("sink.flavour-unsupported", "fatal", 1);
}

#[test]
fn another_flavour_mariadb_11_8() {
    let maria = Server::builder(Flavor::Mariadb118)
        .start()
        .expect("a server");
    let mysql = server();
    let folder = TempDir::new().expect("a folder");
    let config =
        Host::config(folder.path(), "maria", &maria, &mysql, NOW).expect("a configuration");
    let checked = check(&config, &[]);
    checked.is("source.flavour-unsupported", "fatal", 1);
    checked.is("pair.version", "fatal", 1);
    let config =
        Host::config(folder.path(), "maria", &mysql, &maria, NOW).expect("a configuration");
    check(&config, &[]).is("sink.flavour-unsupported", "fatal", 1);
}
