//! `datain remove`, and another place in `[start]`.

use datain_tests::host::{Host, TempDir};

use crate::lab::{FROM_THE_BEGINNING, LIMIT, Lab, caught_up, datain, done, refused, status, until};

#[test]
fn a_removed_pipeline_leaves_no_trace() {
    let lab = Lab::new();
    let (one, other) = (
        lab.config("one", FROM_THE_BEGINNING),
        lab.config("other", "mode = \"now\""),
    );
    let unknown = done(datain("remove", &one, &["--yes"]));
    assert!(
        unknown.stdout.contains("knows no pipeline"),
        "{}",
        unknown.stdout
    );
    lab.source("CREATE TRIGGER d.g BEFORE INSERT ON d.t FOR EACH ROW SET NEW.v = 1");
    done(caught_up(&one));
    done(caught_up(&other));
    let asked = datain("remove", &one, &[]);
    refused(&asked, "usage.not-confirmed", 2);
    assert!(
        asked.stdout.contains("held back   1 definitions"),
        "{}",
        asked.stdout
    );
    assert_eq!(lab.one("SELECT COUNT(*) FROM datain.checkpoints"), "2");
    done(datain("remove", &one, &["--yes"]));
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(stream) FROM datain.checkpoints"),
        "other"
    );
    assert_eq!(lab.one("SELECT COUNT(*) FROM datain.held_back"), "0");
    let last = done(datain("remove", &other, &["--yes"]));
    assert!(
        last.stdout.contains("the schema `datain` is gone"),
        "{}",
        last.stdout
    );
    assert_eq!(
        lab.one("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'datain'"),
        "0"
    );
    assert_eq!(
        lab.one("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'"),
        "1",
        "the data stay"
    );
}

#[test]
fn another_place_in_start_needs_a_word() {
    let lab = Lab::new();
    let place = || {
        let row = lab
            .source
            .query("SHOW BINARY LOG STATUS")
            .expect("the position");
        let cell = |at: usize| row[0][at].clone().expect("a value");
        format!(
            "mode = \"position\"\nfile = \"{}\"\nposition = {}",
            cell(0),
            cell(1)
        )
    };
    lab.target
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
        .expect("the same");
    let first = place();
    let config = lab.config("moves", &first);
    lab.source("INSERT INTO d.t VALUES (1, 1)");
    done(caught_up(&config));
    lab.source("INSERT INTO d.t VALUES (2, 2)");
    let second = place();
    lab.source("INSERT INTO d.t VALUES (3, 3)");

    // The changed place is refused, with both named; nothing is applied meanwhile.
    lab.config("moves", &second);
    let exit = caught_up(&config);
    refused(&exit, "config.start-changed", 2);
    let offset = |start: &str| start.rsplit(' ').next().expect("an offset").to_owned();
    for place in [offset(&first), offset(&second)] {
        assert!(exit.stderr.contains(&place), "{place} in\n{}", exit.stderr);
    }
    assert!(
        exit.stderr.contains("the checkpoint is "),
        "{}",
        exit.stderr
    );
    assert_eq!(lab.rows(), 1);
    let exit =
        Host::run(&config, &["--until-caught-up", "--set-position"], LIMIT).expect("it ends");
    done(exit);
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(id ORDER BY id) FROM d.t"),
        "1,3",
        "what lies between is left out, as ordered"
    );
    // It has become the beginning: neither the same place again nor the option moves anything.
    lab.source("INSERT INTO d.t VALUES (4, 4)");
    let again =
        done(Host::run(&config, &["--until-caught-up", "--set-position"], LIMIT).expect("it ends"));
    assert!(
        again.stderr.contains("--set-position moves nothing"),
        "{}",
        again.stderr
    );
    lab.source("INSERT INTO d.t VALUES (5, 5)");
    done(caught_up(&config));
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(id ORDER BY id) FROM d.t"),
        "1,3,4,5"
    );
    // A mode that names no place says nothing against a checkpoint, and gives the option nothing to go to.
    lab.config("moves", "mode = \"now\"");
    done(caught_up(&config));
    refused(
        &Host::run(&config, &["--set-position"], LIMIT).expect("it ends"),
        "usage.set-position",
        2,
    );

    // Another account, address and TLS mode are taken at the next start.
    lab.source("CREATE USER 'second'@'%' IDENTIFIED BY 'secret-2'; GRANT ALL ON *.* TO 'second'@'%'; INSERT INTO d.t VALUES (6, 6)");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let (source, rest) = text.split_once("[target]").expect("two sections");
    let source = source
        .replace(
            "host = \"127.0.0.1\"",
            "host = \"localhost\"\ntls = \"required\"",
        )
        .replace("user = \"root\"", "user = \"second\"")
        .lines()
        .map(|line| {
            if line.starts_with("password") {
                "password = \"secret-2\""
            } else {
                line
            }
        })
        .collect::<Vec<_>>()
        .join("\n");
    std::fs::write(&config, format!("{source}\n[target]{rest}")).expect("the configuration");
    done(caught_up(&config));
    assert_eq!(lab.one("SELECT COUNT(*) FROM d.t WHERE id = 6"), "1");
}

#[test]
fn the_same_gtid_set_in_other_words_is_the_same_place() {
    let lab = Lab::new();
    lab.target
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
        .expect("the same");
    let uuid = lab.source.query("SELECT @@server_uuid").expect("a uuid")[0][0]
        .clone()
        .expect("a uuid");
    let start = |set: &str| lab.config("words", &format!("mode = \"gtid\"\ngtid_set = \"{set}\""));
    lab.source("INSERT INTO d.t VALUES (1, 1)");
    let config = start(&format!("{uuid}:2,{uuid}:1"));
    done(caught_up(&config));
    lab.source("INSERT INTO d.t VALUES (2, 2)");
    for same in [
        format!("{uuid}:1-2"),
        format!("{}:1:2", uuid.to_ascii_uppercase()),
        format!(" {uuid}:1-1, {uuid}:1-2"),
    ] {
        start(&same);
        done(caught_up(&config));
    }
    assert_eq!(lab.rows(), 2);
    start(&format!("{uuid}:1-3"));
    refused(&caught_up(&config), "config.start-changed", 2);
}

#[test]
fn a_host_elsewhere_does_not_bring_a_removed_pipeline_back() {
    let lab = Lab::new();
    let config = lab.config("gone", FROM_THE_BEGINNING);
    let elsewhere = TempDir::new().expect("a folder");
    let there = elsewhere.path().join("gone.toml");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let socket = lab.socket().display().to_string();
    let other = elsewhere.path().join("e.sock").display().to_string();
    std::fs::write(&there, text.replace(&socket, &other)).expect("a configuration");
    let removed = |mut host: Host| {
        done(datain("remove", &config, &["--yes"]));
        let exit = host.wait(LIMIT).expect("it ends");
        assert_eq!(exit.code, 3, "{}", host.stderr());
        assert!(
            host.stderr().contains("error[checkpoint.removed]"),
            "{}",
            host.stderr()
        );
        assert_eq!(
            lab.one(
                "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'datain'"
            ),
            "0"
        );
    };
    // One that runs, and has nothing to write.
    let host = Host::start(&there, &[]).expect("a host");
    until("it streams", || status(&there)["state"] == "streaming");
    removed(host);
    // One that is about to write.
    lab.target.sql("DROP DATABASE d").expect("to begin anew");
    let host = Host::start(&there, &[]).expect("a host");
    until("it streams", || status(&there)["state"] == "streaming");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 1..200 {
                lab.source(&format!("INSERT INTO d.t VALUES ({n}, {n})"));
            }
        });
        until("rows arrive", || lab.rows() > 0);
        removed(host);
        writer.join().expect("the load");
    });
    lab.target.sql("DROP DATABASE d").expect("to begin anew");
    // One that was started while the pipeline was stopped, and rests. The source is away, which does not matter to it.
    done(caught_up(&config));
    done(datain("stop", &config, &[]));
    let away = std::fs::read_to_string(&there)
        .expect("the configuration")
        .replace(&format!("port = {}", lab.source.port()), "port = 1");
    std::fs::write(&there, away).expect("a configuration");
    let host = Host::start(&there, &[]).expect("a host");
    until("it rests", || status(&there)["state"] == "stopped");
    removed(host);
}

#[test]
fn a_removal_and_a_beginning_wait_for_each_other() {
    let lab = Lab::new();
    let config = lab.config("turns", FROM_THE_BEGINNING);
    let held = |order: &dyn Fn()| {
        std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                lab.target
                    .sql("DO GET_LOCK('datain.layout', 10); DO SLEEP(3); DO RELEASE_LOCK('datain.layout')")
                    .expect("the lock");
            });
            while lab.one("SELECT IS_FREE_LOCK('datain.layout')") == "1" {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            order();
            assert_eq!(
                lab.one("SELECT IS_FREE_LOCK('datain.layout')"),
                "1",
                "it did not wait"
            );
            holder.join().expect("the holder");
        });
    };
    held(&|| {
        done(caught_up(&config));
    });
    held(&|| {
        done(datain("remove", &config, &["--yes"]));
    });
    assert_eq!(
        lab.one("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'datain'"),
        "0"
    );
}
