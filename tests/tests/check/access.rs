//! Accounts, and the way to the servers.

use crate::pair::{NOW, Pair, check};

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

/// A clock that is wrong is a warning, which stops nothing unless all warnings do.
#[test]
fn clocks_that_differ() {
    let with_clock = |seconds: i64| {
        datain_throwaway_servers::Server::builder(datain_throwaway_servers::Flavor::Mysql97)
            .clock_shift(seconds)
            .start()
            .expect("a server with a clock of its own")
    };
    let pair = Pair::of(with_clock(90), with_clock(-90));
    let config = pair.config("check", "", "", NOW);
    let checked = check(&config, &[]);
    for (code, said) in [
        ("source.clock-skew", "s ahead of datain's"),
        ("target.clock-skew", "s behind datain's"),
    ] {
        let finding = checked.is(code, "warning", 0);
        let message = finding["message"].as_str().expect("a message");
        assert!(message.contains(said), "{finding:#}");
        let seconds: f64 = message
            .split_whitespace()
            .find_map(|word| word.parse().ok())
            .expect("the seconds");
        assert!((88.0..92.0).contains(&seconds), "{message}");
        assert!(
            finding["remedy"]
                .as_str()
                .is_some_and(|remedy| remedy.contains("NTP")),
            "{finding:#}"
        );
    }
    check(&config, &["--strict"]).is("source.clock-skew", "warning", 1);
}
