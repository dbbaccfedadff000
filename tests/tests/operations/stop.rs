//! `datain stop` and `start`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};

use crate::lab::{FROM_THE_BEGINNING, LIMIT, Lab, caught_up, datain, done, refused, status, until};

#[test]
fn a_stop_holds_until_a_start() {
    let lab = Lab::new();
    let config = lab.config("stops", FROM_THE_BEGINNING);
    let mut host = Host::start(&config, &[]).expect("a host");
    until("the table is there", || {
        status(&config)["state"] == "streaming"
            && lab.one("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'")
                == "1"
    });
    // Only its owner can give orders, and there is one host.
    let mode = |path: &Path| {
        let meta = std::fs::metadata(path).expect("it is there");
        meta.permissions().mode() & 0o777
    };
    assert_eq!(mode(&lab.socket()), 0o600);
    refused(&caught_up(&config), "host.already-running", 3);
    refused(&datain("skip", &config, &["--yes"]), "host.running", 3);
    refused(&datain("remove", &config, &["--yes"]), "host.running", 3);

    // Under load, so that there is something to be in the middle of.
    let load: Vec<String> = (0..400)
        .map(|n| format!("INSERT INTO d.t VALUES ({n}, {n})"))
        .collect();
    let load = load.join("; ");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| lab.source(&load));
        until("rows arrive", || lab.rows() > 0);
        let exit = done(datain("stop", &config, &[]));
        assert!(exit.stdout.contains("is stopped at "), "{}", exit.stdout);
        let rows = lab.rows();
        writer.join().expect("the load");
        assert_eq!(
            lab.rows(),
            rows,
            "nothing is applied after a stop has returned"
        );
    });
    let report = status(&config);
    assert_eq!(report["state"], "stopped");
    assert!(report["stopped_at_micros"].is_u64(), "{report}");
    assert!(host.is_running().expect("its state"), "{}", host.stderr());
    // Once more is no error.
    done(datain("stop", &config, &[]));

    // Over a restart, and a kill.
    host.kill();
    let mut host = Host::start(&config, &[]).expect("a host");
    until("the new host rests", || {
        status(&config)["host"].is_object() && status(&config)["state"] == "stopped"
    });
    let rows = lab.rows();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(lab.rows(), rows);
    let exit = done(datain("start", &config, &[]));
    assert!(exit.stdout.contains("goes on"), "{}", exit.stdout);
    until("the rest arrives", || lab.rows() == 400);
    compare::assert_equal(&lab.source, &lab.target, &["d"]);

    host.terminate();
    assert_eq!(
        host.wait(LIMIT).expect("it ends").code,
        130,
        "{}",
        host.stderr()
    );
    assert!(!lab.socket().exists(), "the socket goes with its host");
}

#[test]
fn a_stop_without_a_host_here() {
    let lab = Lab::new();
    let config = lab.config("absent", FROM_THE_BEGINNING);
    // Before anything was replicated.
    done(datain("stop", &config, &[]));
    refused(&caught_up(&config), "sink.stopped", 3);
    assert_eq!(status(&config)["state"], "stopped");
    done(datain("start", &config, &[]));
    assert_eq!(status(&config)["state"], "not running");
    done(caught_up(&config));
    // A host elsewhere, whose socket cannot be reached from here: it is fenced, and rests.
    let elsewhere = TempDir::new().expect("a folder");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let there = elsewhere.path().join("absent.toml");
    let socket = lab.socket().display().to_string();
    std::fs::write(
        &there,
        text.replace(
            &socket,
            &elsewhere.path().join("e.sock").display().to_string(),
        ),
    )
    .expect("a configuration");
    let mut host = Host::start(&there, &[]).expect("a host");
    until("it streams", || status(&there)["state"] == "streaming");
    done(datain("stop", &config, &[]));
    // It has nothing to write, and notices all the same.
    until("it rests", || status(&there)["state"] == "stopped");
    lab.source("INSERT INTO d.t VALUES (1, 1)");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(lab.rows(), 0);
    done(datain("start", &config, &[]));
    until("it goes on by itself", || lab.rows() == 1);
    // Stopped and started while nothing was written, so that it heard of neither; then a start elsewhere that is refused.
    done(datain("stop", &config, &[]));
    done(datain("start", &config, &[]));
    lab.source("INSERT INTO d.t VALUES (2, 2)");
    until("it goes on after both", || lab.rows() == 2);
    lab.config(
        "absent",
        "mode = \"position\"\nfile = \"binlog.000001\"\nposition = 4",
    );
    refused(&caught_up(&config), "config.start-changed", 2);
    lab.source("INSERT INTO d.t VALUES (3, 3)");
    until("it was not disturbed", || lab.rows() == 3);
    assert!(host.is_running().expect("its state"), "{}", host.stderr());
    assert!(!host.stderr().contains("fenced"), "{}", host.stderr());
    host.interrupt();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
}

/// Holds up a statement on the target for some seconds, and hears of it when it is held.
fn held_up(lab: &Lab, seconds: u32, statement: &str, order: impl FnOnce()) {
    let waiting = || {
        lab.one("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata lock'") != "0"
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            lab.target
                .sql(&format!(
                    "START TRANSACTION; SELECT COUNT(*) FROM d.t; DO SLEEP({seconds}); COMMIT"
                ))
                .expect("a reader");
        });
        until("the reader reads", || {
            lab.one(
                "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'",
            ) == "1"
        });
        lab.source(statement);
        until("the statement waits", waiting);
        order();
        assert!(!waiting(), "the order did not wait for the statement's end");
        reader.join().expect("the reader");
    });
}

#[test]
fn a_stop_waits_for_a_statement_under_way() {
    let lab = Lab::new();
    let config = lab.config("waits", FROM_THE_BEGINNING);
    let mut host = Host::start(&config, &[]).expect("a host");
    let columns = || {
        lab.one("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'd' AND TABLE_NAME = 't'")
    };
    until("the table is there", || columns() == "2");
    held_up(
        &lab,
        20,
        "ALTER TABLE d.t ADD w INT; INSERT INTO d.t VALUES (1, 1, 1)",
        || {
            let exit = done(datain("stop", &config, &[]));
            // It had said what it was waiting for.
            assert!(exit.stderr.contains("under way"), "{}", exit.stderr);
        },
    );
    assert_eq!(columns(), "3", "what had been accepted is done");
    let intents =
        || lab.one("SELECT COUNT(*) FROM datain.checkpoints WHERE ddl_identity IS NOT NULL");
    assert_eq!(intents(), "0");
    done(datain("start", &config, &[]));
    until("the rest arrives", || lab.rows() == 1);

    // The host cannot be told from here: the order waits on the target all the same, also for what a killed host has left running.
    let elsewhere = TempDir::new().expect("a folder");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let socket = lab.socket().display().to_string();
    let there = elsewhere.path().join("waits.toml");
    let other = elsewhere.path().join("e.sock").display().to_string();
    std::fs::write(&there, text.replace(&socket, &other)).expect("a configuration");
    held_up(&lab, 6, "ALTER TABLE d.t ADD x INT", || {
        host.kill();
        done(datain("stop", &there, &[]));
    });
    assert_eq!(columns(), "4");
    // It was run, and its checkpoint was not written: it is recognised.
    assert_eq!(intents(), "1");
    done(datain("start", &there, &[]));
    lab.source("INSERT INTO d.t VALUES (2, 2, 2, 2)");
    done(crate::lab::caught_up(&there));
    assert_eq!(lab.rows(), 2);
    compare::assert_equal(&lab.source, &lab.target, &["d"]);
}

#[test]
fn a_start_takes_the_configuration_anew() {
    let lab = Lab::new();
    let config = lab.config("anew", FROM_THE_BEGINNING);
    let mut host = Host::start(&config, &[]).expect("a host");
    until("it streams", || status(&config)["state"] == "streaming");
    done(datain("stop", &config, &[]));
    lab.source("CREATE USER 'second'@'%' IDENTIFIED BY 'secret-2'; GRANT ALL ON *.* TO 'second'@'%'; INSERT INTO d.t VALUES (1, 1)");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let (source, rest) = text.split_once("[target]").expect("two sections");
    let changed: Vec<&str> = source
        .lines()
        .map(|line| match line.split(' ').next() {
            Some("user") => "user = \"second\"",
            Some("password") => "password = \"secret-2\"",
            _ => line,
        })
        .collect();
    let changed = format!("{}\n[target]{rest}", changed.join("\n"));
    // What cannot be used is refused, and the pipeline rests; so is another pipeline's name.
    for (wrong, code) in [
        ("name = \"anew\"".to_owned(), "config.missing-key"),
        (
            changed.replace("name = \"anew\"", "name = \"other\""),
            "config.other-pipeline",
        ),
    ] {
        // The command itself reads a good one; the host reads its own file.
        let good = lab.folder.path().join("good.toml");
        std::fs::write(&good, &text).expect("a configuration");
        std::fs::write(&config, wrong).expect("a configuration");
        let exit = datain("start", &good, &[]);
        assert!(
            exit.code != 0 && exit.stderr.contains(&format!("error[{code}]")),
            "{}",
            exit.stderr
        );
        assert_eq!(status(&good)["state"], "stopped");
    }
    std::fs::write(&config, &changed).expect("the configuration");
    done(datain("start", &config, &[]));
    until("the row arrives", || lab.rows() == 1);
    let users = lab
        .source
        .query("SELECT DISTINCT USER FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'")
        .expect("the sessions");
    assert_eq!(users, [[Some("second".to_owned())]]);
    host.terminate();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
}

/// A service manager gives its services another environment than a login has.
#[test]
fn a_host_is_found_from_another_environment_of_its_user() {
    let lab = Lab::new();
    let config = lab.config("elsewhere", FROM_THE_BEGINNING);
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let (text, _) = text.split_once("[control]").expect("the last section");
    std::fs::write(&config, text).expect("the configuration");
    let path = config.to_str().expect("a path");
    let bare = [("XDG_RUNTIME_DIR", ""), ("TMPDIR", "")];
    let mut host = Host::spawn_in(&["run", "-c", path], &bare).expect("a host");
    // These are given XDG_RUNTIME_DIR.
    until("it streams", || {
        status(&config)["host"].is_object() && status(&config)["state"] == "streaming"
    });
    refused(&caught_up(&config), "host.already-running", 3);
    let exit = done(datain("stop", &config, &[]));
    assert!(exit.stdout.contains("its host (process"), "{}", exit.stdout);
    let start = Host::spawn_in(
        &["start", "-c", path],
        &[("XDG_RUNTIME_DIR", ""), ("TMPDIR", path)],
    );
    let exit = done(start.expect("a start").wait(LIMIT).expect("it ends"));
    assert!(
        exit.stdout.contains("goes on in its host"),
        "{}",
        exit.stdout
    );
    host.terminate();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
}
