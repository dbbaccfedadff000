//! Every flavour, for real: fetched if it is not in the cache, started, asked, stopped.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a failed test")]

use std::{panic, path::Path, process::Command, thread};

use datain_throwaway_servers::{Error, Flavor, Server, is_running_with};

fn starts_and_answers(flavor: Flavor, version: &str) {
    let mut server = Server::builder(flavor).start().unwrap();
    let rows = server
        .query("SELECT VERSION(), @@server_id, @@log_bin, @@binlog_format")
        .unwrap();
    let row: Vec<_> = rows[0].iter().flatten().map(String::as_str).collect();
    assert!(row[0].starts_with(version), "{row:?}");
    assert_eq!(row[1..], [server.port().to_string().as_str(), "1", "ROW"]);
    // Over TCP too, with the same account and password.
    let tcp = Command::new(server.client_script())
        .args([
            "--protocol=tcp",
            "--host=127.0.0.1",
            "--batch",
            "--skip-column-names",
        ])
        .args([
            format!("--port={}", server.port()),
            "--execute=SELECT CURRENT_USER()".to_owned(),
        ])
        .output()
        .unwrap();
    let (said, complained) = (
        String::from_utf8_lossy(&tcp.stdout),
        String::from_utf8_lossy(&tcp.stderr),
    );
    assert_eq!(said.trim(), "root@127.0.0.1", "{complained}");
    server.stop().unwrap();
    assert_eq!(server.pid(), None);
}

#[test]
fn mysql_9_7_starts_and_answers() {
    starts_and_answers(Flavor::Mysql97, "9.");
}

#[test]
fn a_clock_is_ahead_and_stays_so_over_a_restart() {
    let mut server = Server::builder(Flavor::Mysql97)
        .clock_shift(90)
        .start()
        .unwrap();
    let own = Server::builder(Flavor::Mysql97).start().unwrap();
    let seconds = |server: &Server| -> f64 {
        let rows = server.query("SELECT UNIX_TIMESTAMP(SYSDATE(6))").unwrap();
        rows[0][0].as_deref().unwrap().parse().unwrap()
    };
    for _ in 0..2 {
        let ahead = seconds(&server) - seconds(&own);
        assert!((85.0..=95.0).contains(&ahead), "{ahead}");
        server.restart().unwrap();
    }
}

#[test]
fn mysql_5_6_starts_and_answers() {
    starts_and_answers(Flavor::Mysql56, "5.6.");
}

#[test]
fn mariadb_10_11_starts_and_answers() {
    starts_and_answers(Flavor::Mariadb1011, "10.11.");
}

#[test]
fn mariadb_11_8_starts_and_answers() {
    starts_and_answers(Flavor::Mariadb118, "11.8.");
}

#[test]
fn two_mysql_9_7_have_different_uuids_and_gtids_unless_turned_off() {
    let ask = "SELECT @@server_uuid, @@gtid_mode, @@sync_binlog";
    let one = Server::builder(Flavor::Mysql97).start().unwrap();
    let two = Server::builder(Flavor::Mysql97)
        .without_gtid()
        .relaxed()
        .start()
        .unwrap();
    let (one, two) = (one.query(ask).unwrap(), two.query(ask).unwrap());
    assert_ne!(one[0][0], two[0][0]);
    assert_eq!(one[0][1..], [Some("ON".to_owned()), Some("1".to_owned())]);
    assert_eq!(two[0][1..], [Some("OFF".to_owned()), Some("0".to_owned())]);
}

#[test]
fn mysql_9_7_is_gone_after_drop_and_after_panic() {
    let gone = |pid: u32, datadir: &Path| {
        let folder = datadir.parent().unwrap();
        let argument = format!("--defaults-file={}", folder.join("my.cnf").display());
        assert!(!is_running_with(pid, &argument) && !folder.exists());
    };
    let server = Server::builder(Flavor::Mysql97).start().unwrap();
    let (pid, datadir) = (server.pid().unwrap(), server.datadir());
    let argument = format!(
        "--defaults-file={}",
        datadir.parent().unwrap().join("my.cnf").display()
    );
    assert!(is_running_with(pid, &argument) && datadir.exists());
    drop(server);
    gone(pid, &datadir);

    let (sender, receiver) = std::sync::mpsc::channel();
    let panicked = panic::catch_unwind(move || {
        let server = Server::builder(Flavor::Mysql97).start().unwrap();
        sender
            .send((server.pid().unwrap(), server.datadir()))
            .unwrap();
        panic!("as a failing test does");
    });
    assert!(panicked.is_err());
    let (pid, datadir) = receiver.recv().unwrap();
    gone(pid, &datadir);
}

#[test]
fn mysql_9_7_outlives_the_thread_that_started_it_and_a_kill() {
    let mut server = thread::spawn(|| Server::builder(Flavor::Mysql97).start().unwrap())
        .join()
        .unwrap();
    server
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v TEXT)")
        .unwrap();
    server
        .sql("INSERT INTO d.t VALUES (1, NULL), (2, 'NULL'), (3, ''), (4, 'a\\t<&>\\n\"b')")
        .unwrap();
    let port = server.port();
    server.kill();
    assert!(matches!(server.sql("SELECT 1"), Err(Error::Sql { .. })));
    server.restart().unwrap();
    assert_eq!(server.port(), port);
    let values: Vec<_> = server
        .query("SELECT v FROM d.t ORDER BY id")
        .unwrap()
        .concat();
    let text = |value: &str| Some(value.to_owned());
    assert_eq!(values, [None, text("NULL"), text(""), text("a\t<&>\n\"b")]);
}

#[test]
fn mysql_9_7_sessions_stay_open_until_a_statement_fails() {
    let server = Server::builder(Flavor::Mysql97).relaxed().start().unwrap();
    server
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)")
        .unwrap();
    let mut client = server.client();
    client.execute("BEGIN; INSERT INTO d.t VALUES (1)").unwrap();
    assert_eq!(
        client.execute("SELECT COUNT(*) AS n FROM d.t;").unwrap(),
        "n\n1\n"
    );
    assert_eq!(
        server.sql("SELECT COUNT(*) AS n FROM d.t").unwrap(),
        "n\n0\n"
    );
    client.execute("COMMIT").unwrap();
    let error = client
        .execute("INSERT INTO d.t VALUES (1)")
        .unwrap_err()
        .to_string();
    assert!(error.contains("ERROR 1062 (23000)"), "{error}");
    assert_eq!(
        client.execute("SELECT COUNT(*) AS n FROM d.t").unwrap(),
        "n\n1\n"
    );
}

#[test]
fn mysql_9_7_offers_tls_with_its_own_authority() {
    let shared = Server::builder(Flavor::Mysql97).start().unwrap();
    let own = Server::builder(Flavor::Mysql97)
        .own_certificates()
        .start()
        .unwrap();
    let read = |server: &Server| std::fs::read(server.ca_file().unwrap()).unwrap();
    assert_ne!(read(&shared), read(&own));
    let rows = own
        .query("SHOW GLOBAL STATUS LIKE 'Ssl_server_not_after'")
        .unwrap();
    assert!(
        rows[0][1].as_ref().is_some_and(|date| !date.is_empty()),
        "{rows:?}"
    );
}

#[test]
fn mysql_9_7_says_why_it_does_not_start() {
    let error = Server::builder(Flavor::Mysql97)
        .option("no_such_option=1")
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("no_such_option"), "{error}");
}
