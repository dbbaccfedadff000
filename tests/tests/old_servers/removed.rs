//! What newer servers know no more, and what is said of it, or done with it, before it stops anything.

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::native::{replicate, settings};
use datain_tests::pipeline_run::{LIMIT, server, value};
use datain_tests::servers::run;
use serde_json::Value;

use crate::{ANY_VERSION, old, started};

/// fidelity: mysql-5.6 → mysql-9.7: statement | views, routines, triggers and events with functions, words and syntax that MySQL 8.0 has no more | `datain check` names them before the first copy: `source.removed-syntax`
/// fidelity: mysql-5.6 → mysql-9.7: event | an account of datain's own with a password of MySQL 4.0's form (`mysql_old_password`) | refused: `auth.plugin-unsupported`
/// fidelity: mysql-5.6 → mysql-9.7: statement | statements about caches and other things of the server's own that are gone (`FLUSH QUERY CACHE`, `FLUSH DES_KEY_FILE`, `FLUSH HOSTS`) | left out
#[test]
fn what_is_removed_is_found_before_or_left_out() {
    let source = started(old().option("performance_schema=OFF"));
    let target = server();
    let folder = TempDir::new().expect("a folder");
    // It was removed before 5.6 already, so no log of 5.6 holds it.
    let refused = source.sql("CREATE TABLE test.t (id INT) TYPE=InnoDB");
    assert!(refused.is_err_and(|error| error.to_string().contains("1064")));
    run(
        &source,
        "CREATE DATABASE g; USE g; CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)) DEFAULT CHARSET=latin1; \
         CREATE VIEW old_order AS SELECT v FROM t GROUP BY v DESC; CREATE VIEW old_functions AS SELECT PASSWORD(v) AS p, ENCODE(v, 'x') AS e FROM t; \
         CREATE VIEW fine AS SELECT v AS rank, COUNT(*) AS system FROM t GROUP BY v ORDER BY v DESC; \
         CREATE PROCEDURE words () SELECT AsText(POINT(1, 2)) AS rank; CREATE FUNCTION digest (s VARCHAR(20)) RETURNS CHAR(32) DETERMINISTIC RETURN MD5(s); \
         CREATE TRIGGER fine_too BEFORE INSERT ON t FOR EACH ROW SET NEW.v = UPPER(NEW.v); CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO SELECT SQL_CACHE 1",
    );
    let config = Host::config(&folder, "old", &source, &target, ANY_VERSION);
    let config = config.expect("a configuration");
    let config = config.to_str().expect("a path");
    let exit = Host::command(&["check", "-c", config, "--format", "json"], LIMIT);
    let exit = exit.expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    let report: Value = serde_json::from_str(&exit.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    let finding = findings
        .iter()
        .find(|f| f["code"] == "source.removed-syntax");
    let finding = finding.expect("the finding");
    assert_eq!(finding["severity"], "warning", "{finding}");
    let message = finding["message"].as_str().expect("a message");
    for part in [
        "`g`.`old_order`: GROUP BY … ASC or DESC",
        "`g`.`old_functions`: PASSWORD(), ENCODE()",
        "`g`.`words`: ASTEXT(), the reserved word RANK",
        "`g`.`digest`: MD5()",
        "`g`.`nightly`: SQL_CACHE",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("fine"), "{message}");

    // From behind all that. The second table has the old default of its charset, and a column of each thing that strict modes refuse.
    let done = value(&source, "SELECT @@global.gtid_executed").expect("a set");
    run(&target, "CREATE DATABASE g CHARACTER SET latin1");
    run(
        &source,
        "FLUSH QUERY CACHE; FLUSH HOSTS; FLUSH DES_KEY_FILE; FLUSH USER_RESOURCES; FLUSH STATUS; SET SESSION sql_mode = ''; USE g; \
         CREATE TABLE last (id INT(10) UNSIGNED ZEROFILL NOT NULL, d DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', y YEAR(4), u VARCHAR(20), n INT(3), PRIMARY KEY (id)) DEFAULT CHARSET=utf8; \
         INSERT INTO last (id, y, u, n) VALUES (7, 0, 'ž', 70000); UPDATE last SET d = '2020-00-00', u = 'far more than twenty characters'",
    );
    let start = serde_json::json!({"mode": "gtid", "gtid_set": done}).to_string();
    replicate(&source, &target, &settings(&start)).unwrap_or_else(|error| panic!("{error:?}"));
    run(
        &source,
        "SET SESSION sql_log_bin = 0; DROP TRIGGER g.fine_too; DROP VIEW g.old_order; DROP VIEW g.old_functions; DROP VIEW g.fine; DROP TABLE g.t; DROP PROCEDURE g.words; DROP FUNCTION g.digest; DROP EVENT g.nightly",
    );
    compare::assert_equal(&source, &target, &["g"]);

    // An account whose password has the form of 4.0.
    run(
        &source,
        "CREATE USER 'ancient'@'%' IDENTIFIED WITH mysql_old_password; SET SESSION old_passwords = 1; SET PASSWORD FOR 'ancient'@'%' = PASSWORD('secret'); SET GLOBAL secure_auth = OFF",
    );
    let text = std::fs::read_to_string(config).expect("the configuration");
    let text = text.replacen("user = \"root\"", "user = \"ancient\"", 1);
    std::fs::write(config, text).expect("the configuration");
    let exit = Host::command(&["check", "-c", config], LIMIT);
    let exit = exit.expect("it ends");
    assert_eq!(exit.code, 1, "{exit}");
    for part in [
        "fatal[auth.plugin-unsupported]",
        "mysql_old_password",
        "UPDATE mysql.user SET plugin = 'mysql_native_password'",
    ] {
        assert!(exit.stdout.contains(part), "{part}: {exit}");
    }
}
