//! What is said where a newer server cannot do as the old one did.

use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::native::{self, replicate, settings};
use datain_tests::pipeline_run::{LIMIT, server, value};
use datain_tests::servers::run;
use datain_throwaway_servers::Server;

use crate::{ANY_VERSION, old, started};

const FROM_START: &str = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n";

fn until_caught_up(
    folder: &TempDir,
    source: &Server,
    target: &Server,
) -> (std::path::PathBuf, Exit) {
    let extra = format!("{FROM_START}{ANY_VERSION}");
    let config = Host::config(folder, "old", source, target, &extra).expect("a configuration");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    (config, exit)
}

/// fidelity: mysql-5.6 → mysql-9.7: statement | of MySQL 5.6, in syntax that the target knows no more: YEAR(2), ALTER IGNORE, the mode MAXDB | stops: the server's error with what to do; `ddl.mode-gone`
#[test]
fn a_statement_that_the_target_cannot_read_is_left_out_by_hand() {
    let source = started(old());
    let target = server();
    let folder = TempDir::new().expect("a folder");
    run(
        &source,
        "CREATE DATABASE d; USE d; CREATE TABLE y (id INT PRIMARY KEY, y YEAR(2)); INSERT INTO y VALUES (1, 99)",
    );
    let (config, exit) = until_caught_up(&folder, &source, &target);
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("errno 1818"), "{exit}");
    assert!(exit.stderr.contains("datain skip"), "{exit}");
    // What the source has made of it.
    run(&target, "CREATE TABLE d.y (id INT PRIMARY KEY, y YEAR)");
    let config = config.to_str().expect("a path");
    let gtid = "SELECT CONCAT(@@server_uuid, ':2')";
    let gtid = value(&source, gtid).expect("a GTID");
    let skipped = Host::command(
        &[
            "skip", "-c", config, "--yes", "--gtid", &gtid, "--reason", "YEAR(2)",
        ],
        LIMIT,
    );
    let skipped = skipped.expect("it ends");
    assert_eq!(skipped.code, 0, "{skipped}");
    let (_, exit) = until_caught_up(&folder, &source, &target);
    assert_eq!(exit.code, 0, "{exit}");
    compare::assert_equal(&source, &target, &["d"]);
}

/// Each stands at the end of a log of its own.
///
/// fidelity: mysql-5.6 → mysql-9.7: statement | of MySQL 5.6, which MySQL 9.7 refuses: reserved words as names, foreign keys to keys that are not unique, partitions of MyISAM, AUTO_INCREMENT of FLOAT, GROUP BY … DESC, functions that are gone | stops with the server's error, the object's name and what to do
#[test]
fn what_stops_says_why() {
    let target = server();
    let source = started(old());
    let place = value(&source, "SELECT @@global.gtid_executed").unwrap_or_default();
    assert_eq!(place, "", "a fresh source");
    let mut number = 0;
    for (sql, code, part) in [
        (
            "CREATE TABLE t1 (id INT PRIMARY KEY, v INT); ALTER IGNORE TABLE t1 ADD UNIQUE (v)",
            "server.syntax",
            "datain skip",
        ),
        (
            "CREATE TABLE t2 (id INT PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=FIXED",
            "server.error",
            "innodb_strict_mode",
        ),
        (
            "SET sql_mode = 'MAXDB'; CREATE TABLE t3 (id INT PRIMARY KEY, t TIMESTAMP NULL)",
            "ddl.mode-gone",
            "MAXDB",
        ),
        // Words that are reserved now.
        (
            "CREATE TABLE t4 (id INT PRIMARY KEY, rank INT)",
            "server.syntax",
            "datain skip",
        ),
        // A foreign key that leads to an index that is not unique.
        (
            "CREATE TABLE t5 (id INT PRIMARY KEY, a INT, KEY (a)); CREATE TABLE t6 (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES t5 (a))",
            "server.error",
            "restrict_fk_on_non_standard_key",
        ),
        (
            "CREATE TABLE t7 (id INT PRIMARY KEY) ENGINE=MyISAM PARTITION BY HASH (id)",
            "server.error",
            "ENGINE = InnoDB",
        ),
        (
            "CREATE TABLE t8 (id FLOAT NOT NULL AUTO_INCREMENT PRIMARY KEY)",
            "server.error",
            "datain skip",
        ),
        (
            "CREATE VIEW v1 AS SELECT id FROM t1 GROUP BY id DESC",
            "server.syntax",
            "datain skip",
        ),
        (
            "CREATE VIEW v2 AS SELECT ENCODE('a', 'b') AS e",
            "server.error",
            "datain skip",
        ),
    ] {
        number += 1;
        // From behind everything that was before.
        let before = value(&source, "SELECT @@global.gtid_executed").unwrap_or_default();
        run(
            &source,
            &format!("CREATE DATABASE IF NOT EXISTS m; USE m; {sql}"),
        );
        run(
            &target,
            "CREATE DATABASE IF NOT EXISTS m CHARACTER SET latin1",
        );
        let start = format!(
            r#"{{"mode":"gtid","gtid_set":"{}"}}"#,
            before.replace('\n', "")
        );
        let mut settings = settings(&start);
        settings.stream = format!("m{number}");
        let error = replicate(&source, &target, &settings).expect_err(sql);
        assert_eq!(error.code, code, "{sql}: {error:?}");
        let said = format!("{} {}", error.message, error.hint.unwrap_or_default());
        assert!(said.contains(part), "{sql}: {said}");
        assert!(error.gtid.is_some() && error.position.is_some(), "{sql}");
        // The object, by name.
        let detail = error.detail.unwrap_or_default();
        assert!(
            code == "ddl.mode-gone" || detail.contains(" of `m`.`"),
            "{sql}: {detail}"
        );
    }
}

/// The log says neither signs nor character sets, so they must be the same before the first row.
#[test]
fn columns_that_mean_something_else_are_found() {
    let source = started(old());
    let target = server();
    run(
        &source,
        "CREATE DATABASE d; CREATE TABLE d.t (id INT UNSIGNED PRIMARY KEY, a VARCHAR(20), b VARCHAR(20) CHARACTER SET utf8); CREATE DATABASE e",
    );
    run(
        &target,
        "CREATE DATABASE d CHARACTER SET latin1; CREATE TABLE d.t (id INT PRIMARY KEY, a VARCHAR(20) CHARACTER SET utf8mb4, b VARCHAR(20) CHARACTER SET utf8mb3); CREATE DATABASE e CHARACTER SET utf8mb4",
    );
    let folder = TempDir::new().expect("a folder");
    let config = |extra: &str| {
        let extra = format!("[start]\nmode = \"now\"\n{extra}");
        Host::config(&folder, "old", &source, &target, &extra).expect("a configuration")
    };
    let exit = Host::run(&config(ANY_VERSION), &["--until-caught-up"], LIMIT).expect("it ends");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stderr.contains("error[table.column-meaning]"),
        "{exit}"
    );
    for part in [
        "`d`.`t`.`id` (unsigned, here neither)",
        "`a` (latin1, here utf8mb4)",
        "new tables of `e` (latin1, here utf8mb4)",
    ] {
        assert!(exit.stderr.contains(part), "{part}: {exit}");
    }
    assert!(!exit.stderr.contains("`b`"), "{exit}");
    run(
        &target,
        "ALTER TABLE d.t MODIFY id INT UNSIGNED, MODIFY a VARCHAR(20) CHARACTER SET latin1; ALTER DATABASE e CHARACTER SET latin1",
    );
    let exit = Host::run(&config(ANY_VERSION), &["--until-caught-up"], LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
}

/// 5.6 speaks TLS 1.0 at most, which nobody should trust any more.
#[test]
fn old_tls_is_named() {
    let target = server();
    let folder = TempDir::new().expect("a folder");
    // 5.6 reads keys only without the wrapping of PKCS #8, which takes 26 bytes before an RSA key of 2,048 bits.
    let wrapped = std::fs::read_to_string(target.datadir().join("server-key.pem"));
    let wrapped = wrapped.expect("the target's key");
    // The server ends the file with a zero byte.
    let lines = wrapped.lines().filter(|line| !line.starts_with("-----"));
    let body: String = lines
        .flat_map(str::chars)
        .filter(char::is_ascii_graphic)
        .collect();
    let bare = value(
        &target,
        &format!("SELECT TO_BASE64(SUBSTRING(FROM_BASE64('{body}'), 27))"),
    );
    let bare = bare.expect("a key");
    let key = folder.path().join("key.pem");
    let text = format!("-----BEGIN RSA PRIVATE KEY-----\n{bare}\n-----END RSA PRIVATE KEY-----\n");
    std::fs::write(&key, text).expect("the key");
    let pem = |name: &str| target.datadir().join(name).display().to_string();
    let source = old()
        .option(format!("ssl-ca={}", pem("ca.pem")))
        .option(format!("ssl-cert={}", pem("server-cert.pem")))
        .option(format!("ssl-key={}", key.display()));
    let source = started(source);
    // The distribution's client would try TLS too.
    let mut session = native::session(&source);
    let offers = block_on(session.query_first(b"SELECT @@have_ssl")).expect("an answer");
    let offers = offers.and_then(|row| row.into_iter().next().flatten());
    assert_eq!(offers.as_deref(), Some("YES"), "{}", source.error_log());
    let (config, exit) = until_caught_up(&folder, &source, &target);
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("error[tls.failed]"), "{exit}");
    assert!(exit.stderr.contains("TLS 1.2 or 1.3"), "{exit}");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let text = text.replacen("[target]", "tls = \"disabled\"\n[target]", 1);
    std::fs::write(&config, text).expect("the configuration");
    block_on(session.exec(b"CREATE DATABASE d CHARACTER SET latin1")).expect("a schema");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
}
