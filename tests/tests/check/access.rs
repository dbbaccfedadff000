//! Accounts, and the way to the servers.

use crate::pair::{NOW, Pair, check};

#[test]
fn privileges() {
    let pair = Pair::start();
    let (source, target) = (&pair.source, &pair.target);
    pair.sees_everything();
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

/// What an account may not see is not there for it: that must never count as "there is none".
#[test]
fn definers() {
    let pair = Pair::start();
    pair.source
        .sql(
            "CREATE USER app@'10.%', runs@'%', fires@'%', ticks@'%'; \
             CREATE DEFINER = app@'10.%' SQL SECURITY INVOKER VIEW shop.v AS SELECT 1 AS one; \
             CREATE DEFINER = runs@'%' PROCEDURE shop.p() SELECT 1; \
             CREATE DEFINER = fires@'%' TRIGGER shop.g BEFORE INSERT ON shop.item FOR EACH ROW SET NEW.n = 1; \
             CREATE DEFINER = ticks@'%' EVENT shop.e ON SCHEDULE EVERY 1 YEAR DO DO 0",
        )
        .expect("what runs as somebody");
    pair.target
        .sql("GRANT SELECT ON mysql.user TO datain@'%'; CREATE USER app@'10.%'; GRANT SET_ANY_DEFINER ON *.* TO datain@'%'")
        .expect("what is seen is there");
    // With README's account of the source, which sees the view only.
    let checked = pair.check();
    let note = checked.is("pair.definers", "note", 0);
    assert_eq!(
        note["message"],
        "the target has all 1; not checked: the source's account may not see all routines, triggers, events"
    );
    assert_eq!(
        note["remedy"],
        "GRANT SHOW_ROUTINE ON *.* TO 'repl'@'%';\nGRANT TRIGGER ON `shop`.* TO 'repl'@'%';\nGRANT EVENT ON `shop`.* TO 'repl'@'%';"
    );
    // Nobody is missing as far as it sees; the one who has SET_ANY_DEFINER needs to know no more.
    checked.is("target.ddl-privilege-missing", "passed", 0);
    pair.target
        .sql("REVOKE SET_ANY_DEFINER ON *.* FROM datain@'%'; DROP USER app@'10.%'")
        .expect("less");
    let checked = pair.check();
    let finding = checked.is("pair.definers", "warning", 0);
    assert_eq!(
        finding["subjects"],
        serde_json::json!(["'app'@'10.%'"]),
        "{finding:#}"
    );
    let remedy = finding["remedy"].to_string();
    assert!(
        remedy.contains("-- on the source: GRANT SHOW_ROUTINE ON *.*"),
        "{remedy}"
    );
    // The view is seen, so that the privilege is known to be missing.
    let more = checked.is("target.ddl-privilege-missing", "warning", 0);
    assert_eq!(
        more["remedy"],
        "GRANT SET_ANY_DEFINER ON *.* TO 'datain'@'%';"
    );
    pair.source.sql("DROP VIEW shop.v").expect("no view");
    let checked = pair.check();
    assert_eq!(
        checked.is("pair.definers", "note", 0)["message"],
        "none is seen on the source; not checked: the source's account may not see all routines, triggers, events"
    );
    let more = checked.is("target.ddl-privilege-missing", "note", 0);
    assert!(
        more["message"].to_string().contains(
            "not checked, whether it needs SET_ANY_DEFINER for a DEFINER: the source's account may not see all routines"
        ),
        "{more:#}"
    );
    // The remedies show more, kind by kind.
    pair.source
        .sql(more["remedy"].as_str().expect("a remedy"))
        .expect("a privilege");
    let checked = pair.check();
    assert_eq!(
        checked.is("pair.definers", "warning", 0)["subjects"],
        serde_json::json!(["'runs'@'%'"])
    );
    let more = checked.is("target.ddl-privilege-missing", "warning", 0);
    assert_eq!(
        more["remedy"],
        "GRANT SET_ANY_DEFINER ON *.* TO 'datain'@'%';"
    );
    pair.sees_everything();
    assert_eq!(
        pair.check().is("pair.definers", "warning", 0)["subjects"],
        serde_json::json!(["'fires'@'%'", "'runs'@'%'", "'ticks'@'%'"])
    );
    pair.provoke(&pair.target, "DO 0", "pair.definers", "warning");
    // Triggers and events are held back: their definers alone ask for no privilege.
    pair.source
        .sql("DROP PROCEDURE shop.p")
        .expect("no routine");
    pair.check().is("target.ddl-privilege-missing", "passed", 0);
    // Where the target's accounts may not be read, that is said.
    pair.target
        .sql("REVOKE SELECT ON mysql.user FROM datain@'%'")
        .expect("less");
    let checked = pair.check();
    let note = checked.is("pair.definers", "note", 0);
    assert!(
        note["message"]
            .to_string()
            .contains("may not read mysql.user"),
        "{note:#}"
    );
    assert_eq!(
        note["remedy"],
        "GRANT SELECT ON mysql.user TO 'datain'@'%';"
    );
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

#[test]
fn prepared_branches_that_the_account_may_not_see() {
    let pair = Pair::start();
    pair.sees_everything();
    let revoke = "REVOKE XA_RECOVER_ADMIN ON *.* FROM repl@'%'";
    pair.provoke(&pair.source, revoke, "source.xa-prepared", "note");
    pair.source.sql(revoke).expect("the privilege is taken");
    let checked = pair.check();
    let finding = checked.is("source.xa-prepared", "note", 0);
    let told = finding["message"].to_string();
    assert!(
        told.contains("not checked") && told.contains("may not ask which branches are prepared"),
        "{told}"
    );
    assert!(
        finding["remedy"]
            .to_string()
            .contains("GRANT XA_RECOVER_ADMIN"),
        "{finding:#}"
    );
}
