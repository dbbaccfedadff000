//! `datain skip`.

use std::io::Write as _;

use datain_tests::host::{Host, program};
use datain_tests::proxy::Proxy;
use datain_throwaway_servers::{Flavor, Server};

use crate::lab::{FROM_THE_BEGINNING, LIMIT, Lab, caught_up, datain, done, refused, status, until};

#[test]
fn exactly_the_transaction_that_fails_is_skipped() {
    let lab = Lab::new();
    let config = lab.config("skips", FROM_THE_BEGINNING);
    let early = datain("skip", &config, &["--yes"]);
    refused(&early, "skip.nothing", 3);
    done(caught_up(&config));
    refused(&datain("skip", &config, &["--yes"]), "skip.nothing", 3);

    // A row that is there already fails the 17th of 30 transactions, which come in one group.
    lab.target
        .sql("INSERT INTO d.t VALUES (17, -1)")
        .expect("a stranger's row");
    for n in 1..=30 {
        lab.source(&format!("INSERT INTO d.t VALUES ({n}, {n})"));
    }
    let failed = caught_up(&config);
    refused(&failed, "server.duplicate-key", 3);
    assert_eq!(lab.rows(), 17, "what came before it is applied");
    let gtid = failed
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("gtid: "))
        .expect("the error names the GTID")
        .to_owned();
    let report = status(&config);
    assert_eq!(
        report["last_error"]["code"], "server.duplicate-key",
        "{report}"
    );
    assert_eq!(report["last_error"]["gtid"], gtid.as_str());
    assert!(
        report["last_error_at_micros"]
            .as_u64()
            .is_some_and(|at| at > 0)
    );

    // It is shown, and not done before it is confirmed.
    let asked = datain("skip", &config, &[]);
    refused(&asked, "usage.not-confirmed", 2);
    for shown in [
        gtid.as_str(),
        "d.t: 1 inserted",
        "position",
        "about this transaction",
        "server.duplicate-key",
    ] {
        assert!(
            asked.stdout.contains(shown),
            "{shown:?} in\n{}",
            asked.stdout
        );
    }
    assert!(!asked.stdout.contains("NOT about"), "{}", asked.stdout);
    refused(&caught_up(&config), "server.duplicate-key", 3);
    done(datain(
        "skip",
        &config,
        &["--yes", "--reason", "it's \"known\""],
    ));
    let record = lab.target.query("SELECT identity, reason, description, skipped_at > NOW() - INTERVAL 1 MINUTE FROM datain.skipped").expect("the record");
    assert_eq!(record.len(), 1);
    assert_eq!(record[0][0].as_deref(), Some(gtid.as_str()));
    assert_eq!(record[0][1].as_deref(), Some("it's \"known\""));
    assert!(
        record[0][2]
            .as_ref()
            .is_some_and(|text| text.contains("d.t: 1 inserted")),
        "{record:?}"
    );
    assert_eq!(record[0][3].as_deref(), Some("1"));
    done(caught_up(&config));
    assert_eq!(lab.rows(), 30);
    assert_eq!(lab.one("SELECT v FROM d.t WHERE id = 17"), "-1");
    assert_eq!(status(&config)["skipped"], 1);

    // A yes from standard input counts, too; the statement of DDL is shown. It is one transaction.
    lab.target
        .sql("CREATE TABLE d.u (id INT PRIMARY KEY)")
        .expect("a stranger's table");
    lab.source("CREATE TABLE d.u (id INT PRIMARY KEY); INSERT INTO d.u VALUES (5)");
    refused(&caught_up(&config), "server.error", 3);
    let exit = Host::command_with_input(
        &["skip", "-c", config.to_str().expect("a path")],
        "y\n",
        LIMIT,
    )
    .expect("it ends");
    let exit = done(exit);
    assert!(
        exit.stdout
            .contains("CREATE TABLE d.u (id INT PRIMARY KEY)"),
        "{}",
        exit.stdout
    );
    done(caught_up(&config));
    assert_eq!(lab.one("SELECT COUNT(*) FROM d.u"), "1");

    // What the source side refuses: the rows before it are applied, and it can be skipped although it is not understood.
    lab.source("INSERT INTO d.t VALUES (101, 1); SET SESSION binlog_format = STATEMENT; INSERT INTO d.t VALUES (102, 1); SET SESSION binlog_format = ROW; INSERT INTO d.t VALUES (103, 1)");
    refused(&caught_up(&config), "source.statement-format", 3);
    assert_eq!(lab.one("SELECT COUNT(*) FROM d.t WHERE id = 101"), "1");
    let logged = done(datain("skip", &config, &["--yes"]));
    assert!(
        logged.stdout.contains("INSERT INTO d.t VALUES (102, 1)"),
        "{}",
        logged.stdout
    );
    done(caught_up(&config));
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(id) FROM d.t WHERE id > 100"),
        "101,103"
    );
}

#[test]
fn a_skip_whose_answer_is_lost_is_done_once() {
    let lab = Lab::new();
    let proxy = Proxy::start(lab.target.port(), |_| {}).expect("a proxy");
    let config = lab.config("doubt", FROM_THE_BEGINNING);
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let direct = format!("port = {}", lab.target.port());
    assert!(text.contains(&direct), "{text}");
    std::fs::write(
        &config,
        text.replace(
            &direct,
            &format!(
                "port = {}\ntls = \"disabled\"\nget_server_public_key = true",
                proxy.port()
            ),
        ),
    )
    .expect("the configuration");
    done(caught_up(&config));
    lab.target
        .sql("INSERT INTO d.t VALUES (1, -1)")
        .expect("a stranger's row");
    lab.source("INSERT INTO d.t VALUES (1, 1); INSERT INTO d.t VALUES (2, 2)");
    refused(&caught_up(&config), "server.duplicate-key", 3);
    // The commit arrives, its answer does not: the command asks, and knows.
    // COM_QUERY, and the whole statement: a session's isolation level begins with the same letters.
    proxy.cut_behind(b"\x03COMMIT");
    done(datain("skip", &config, &["--yes"]));
    assert_eq!(lab.one("SELECT COUNT(*) FROM datain.skipped"), "1");
    // What was not committed is an error, and nothing was skipped.
    lab.target
        .sql("INSERT INTO d.t VALUES (3, -3)")
        .expect("a stranger's row");
    lab.source("INSERT INTO d.t VALUES (3, 3); INSERT INTO d.t VALUES (4, 4)");
    refused(&caught_up(&config), "server.duplicate-key", 3);
    proxy.cut_behind(b"INSERT INTO datain.skipped");
    let exit = datain("skip", &config, &["--yes"]);
    assert_eq!(exit.code, 3, "{}", exit.stderr);
    assert_eq!(lab.one("SELECT COUNT(*) FROM datain.skipped"), "1");
    done(datain("skip", &config, &["--yes"]));
    done(caught_up(&config));
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(v ORDER BY id) FROM d.t"),
        "-1,2,-3,4"
    );
}

/// A pipeline by file and position, whose transactions have no GTIDs.
#[test]
fn without_gtids_and_by_name() {
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .without_gtid()
        .start()
        .expect("a server");
    let lab = Lab::of(source);
    lab.source("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1), (2, 2), (3, 3), (4, 4)");
    let config = lab.config(
        "places",
        "mode = \"position\"\nfile = \"binlog.000001\"\nposition = 4",
    );
    done(caught_up(&config));
    lab.target
        .sql("DELETE FROM d.t WHERE id = 4")
        .expect("a stranger's change");
    lab.source(
        "START TRANSACTION; UPDATE d.t SET v = v + 10 WHERE id <= 2; DELETE FROM d.t WHERE id >= 3; COMMIT; INSERT INTO d.t VALUES (5, 5)",
    );
    let failed = caught_up(&config);
    refused(&failed, "row.missing", 3);
    let position = failed
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("position: "))
        .expect("the error names the position")
        .to_owned();
    let asked = datain("skip", &config, &[]);
    for shown in [
        "d.t: 2 updated, 2 deleted",
        &format!("position    {position}"),
        "gtid        none",
        "about this transaction",
    ] {
        assert!(
            asked.stdout.contains(shown),
            "{shown:?} in\n{}",
            asked.stdout
        );
    }
    assert!(!asked.stdout.contains("NOT about"), "{}", asked.stdout);
    // A script names the transaction that it means.
    for wrong in [
        ["--position", "binlog.000001:4"],
        ["--gtid", "aaaaaaaa-0000-8000-8000-000000000001:1"],
    ] {
        let exit = datain("skip", &config, &[wrong[0], wrong[1], "--yes"]);
        refused(&exit, "skip.other-transaction", 3);
    }
    assert_eq!(lab.one("SELECT COUNT(*) FROM datain.skipped"), "0");
    done(datain("skip", &config, &["--position", &position, "--yes"]));
    // Given once more, it does not skip the next one.
    let again = datain("skip", &config, &["--position", &position, "--yes"]);
    refused(&again, "skip.other-transaction", 3);
    done(caught_up(&config));
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(id, '=', v ORDER BY id) FROM d.t"),
        "1=1,2=2,3=3,5=5"
    );
    assert_eq!(
        lab.one("SELECT identity FROM datain.skipped"),
        position,
        "what was skipped is named by its place"
    );
}

/// A host that rests lets a person skip, and goes on after it.
#[test]
fn stop_skip_and_start_under_a_resting_host() {
    let lab = Lab::new();
    let config = lab.config("rests", FROM_THE_BEGINNING);
    let mut host = Host::start(&config, &[]).expect("a host");
    until("it streams", || status(&config)["state"] == "streaming");
    done(datain("stop", &config, &[]));
    lab.source("INSERT INTO d.t VALUES (1, 1); INSERT INTO d.t VALUES (2, 2)");
    let gtid = |n: usize| {
        let executed = lab.source.query("SELECT @@gtid_executed").expect("a set");
        let set = executed[0][0].clone().expect("a set");
        let (uuid, numbers) = set.split_once(':').expect("one source");
        let last: usize = numbers
            .rsplit('-')
            .next()
            .and_then(|last| last.parse().ok())
            .expect("a number");
        format!("{uuid}:{}", last - n)
    };
    refused(
        &datain("skip", &config, &["--gtid", &gtid(0), "--yes"]),
        "skip.other-transaction",
        3,
    );
    done(datain("skip", &config, &["--gtid", &gtid(1), "--yes"]));
    assert_eq!(status(&config)["state"], "stopped");
    assert_eq!(lab.rows(), 0);
    done(datain("start", &config, &[]));
    until("the second row arrives", || lab.rows() == 1);
    assert_eq!(lab.one("SELECT id FROM d.t"), "2");
    host.terminate();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
}

#[test]
fn of_two_who_skip_one_is_told_that_the_checkpoint_has_moved() {
    let lab = Lab::new();
    let config = lab.config("moved", FROM_THE_BEGINNING);
    done(caught_up(&config));
    lab.source("INSERT INTO d.t VALUES (1, 1); INSERT INTO d.t VALUES (2, 2)");
    let (answer, mut person) = std::io::pipe().expect("a pipe");
    let path = config.to_str().expect("a path");
    let mut slow = Host::spawn_command_with_pipe(&["skip", "-c", path], answer).expect("a command");
    until("it asks", || slow.stderr().contains("[y/N]"));
    done(datain("skip", &config, &["--yes"]));
    person.write_all(b"y\n").expect("an answer");
    let exit = slow.wait(LIMIT).expect("it ends");
    assert!(
        exit.stderr.contains("error[checkpoint.moved]: ") && exit.code == 3,
        "{exit}"
    );
    assert_eq!(lab.one("SELECT COUNT(*) FROM datain.skipped"), "1");
    done(caught_up(&config));
    assert_eq!(lab.one("SELECT GROUP_CONCAT(id) FROM d.t"), "2");
}

/// Too large a row can be skipped, and who reads only the first line learns all the same that it was done.
#[test]
fn what_cannot_be_held_in_memory_can_be_skipped() {
    let lab = Lab::new();
    lab.source("CREATE TABLE d.blobs (id INT PRIMARY KEY, v LONGBLOB)");
    let config = lab.config("large", FROM_THE_BEGINNING);
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(
        &config,
        format!("{text}\n[limits]\nmemory_mib = 32\nmax_row_mib = 4\n"),
    )
    .expect("the configuration");
    done(caught_up(&config));
    lab.source("INSERT INTO d.blobs VALUES (1, REPEAT('secret', 7 << 20)); INSERT INTO d.blobs VALUES (2, 'small')");
    let failed = caught_up(&config);
    assert_eq!(failed.code, 3, "{failed}");
    let exit = std::process::Command::new("bash")
        .args([
            "-c",
            "set -o pipefail; \"$0\" skip -c \"$1\" --yes | head -n 1",
        ])
        .arg(program().expect("the program"))
        .arg(&config)
        .output()
        .expect("a shell");
    assert!(
        exit.status.success(),
        "{}",
        String::from_utf8_lossy(&exit.stderr)
    );
    let record = lab.one("SELECT description FROM datain.skipped");
    assert!(
        record.contains("not everything is counted, since one of its events is too large")
            && !record.contains("secretsecret"),
        "{record}"
    );
    done(caught_up(&config));
    assert_eq!(lab.one("SELECT GROUP_CONCAT(id) FROM d.blobs"), "2");
}
