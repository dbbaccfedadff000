//! What the crate `capture` does with a real source besides reading its log: who else reads under the same id, and what is in the next transaction.

use std::future::{pending, ready};

use datain_capture::neighbours::Registration;
use datain_capture::reader::{Reader, Settings};
use datain_capture::upcoming::{self, Upcoming};
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, ReplicaIdentity, Session};
use datain_tests::servers::server;
use datain_throwaway_servers::{ROOT_PASSWORD, Server};

fn session(server: &Server) -> Session<BlockingStream> {
    let stream = BlockingStream::unix(server.socket()).expect("the server's socket");
    let options = ConnectOptions::new("root").with_password(ROOT_PASSWORD);
    block_on(Session::connect(stream, &options)).expect("a login")
}

fn settings(stream: &str, server_id: u32) -> Settings {
    serde_json::from_str(&format!(
        r#"{{"stream":"{stream}","server_id":{server_id},"start":{{"mode":"gtid","gtid_set":""}}}}"#
    ))
    .expect("settings")
}

fn open(server: &Server, settings: &Settings) -> Result<Reader<BlockingStream>, Error> {
    block_on(Reader::open(session(server), settings, None, false))
}

/// The list of the source: host and uuid under the id.
fn listed(server: &Server) -> Option<(String, String)> {
    let rows = server.query("SHOW REPLICAS").expect("the list");
    let row = rows.iter().find(|row| row[0].as_deref() == Some("4711"))?;
    let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    Some((cell(1), cell(row.len() - 1)))
}

fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("{what}");
}

#[test]
fn two_pipelines_with_one_server_id_are_both_told() {
    let source = server();
    let (one, two) = (settings("one", 4711), settings("two", 4711));
    let still = |settings: &Settings| {
        let mut looking = session(&source);
        block_on(Registration::of(settings).still_holds(&mut looking)).expect("a look")
    };
    let first = open(&source, &one).expect("the first reader");
    assert!(first.is_listed() && !first.replaces_another());
    assert_eq!(still(&one), None);

    // Nor may it be the source's own.
    let own = settings("own", 1);
    source.sql("SET GLOBAL server_id = 1").expect("an id");
    let refused = open(&source, &own).err().expect("an error");
    assert_eq!(refused.code, "server.replica-id-in-use");

    // The second one is refused, and both are named.
    let uuid = listed(&source).expect("the first reader").1;
    let refused = open(&source, &two).err().expect("an error");
    assert_eq!(refused.code, "server.replica-id-in-use");
    let detail = refused.detail.expect("a detail");
    for named in ["\"datain:one\"", &uuid, "\"datain:two\""] {
        assert!(detail.contains(named), "{named} in {detail}");
    }
    // The first one learns of it, also when the other is gone, and is listed again afterwards.
    let told = still(&one).expect("it is told");
    assert_eq!(told.code, "server.replica-displaced");
    until("the refused one leaves the list", || {
        listed(&source).is_none()
    });
    assert_eq!(
        still(&one).expect("it is told").code,
        "server.replica-displaced"
    );
    drop(first);
    let first = open(&source, &one).expect("the first reader again");
    assert!(first.is_listed());
    assert_eq!(still(&one), None);
    drop(first);
    until("nobody is listed", || listed(&source).is_none());

    // Two that registered at the same moment: who finds the other ends, and tells it so.
    let mut stranger = session(&source);
    let mut register = |host: &str, uuid: &str| {
        block_on(async {
            stranger
                .exec(format!("SET @replica_uuid = '{uuid}'").as_bytes())
                .await?;
            let identity = ReplicaIdentity {
                server_id: 4711,
                hostname: host.to_owned(),
                ..ReplicaIdentity::default()
            };
            stranger.register_replica(&identity).await
        })
        .expect("a stranger");
    };
    let first = open(&source, &one).expect("the first reader");
    register("datain:two", "aaaaaaaa-0000-8000-8000-000000000001");
    let told = still(&one).expect("it is told");
    assert_eq!(told.code, "server.replica-id-in-use");
    assert!(told.detail.expect("a detail").contains("\"datain:two\""));
    assert_ne!(
        listed(&source).map(|(host, _)| host).as_deref(),
        Some("datain:two"),
        "the other one sees that it was pushed from the list"
    );
    drop(first);

    // A card is nobody who reads: it keeps no pipeline from reading.
    register("refused-datain:two", "aaaaaaaa-0000-8000-8000-000000000001");
    let first = open(&source, &one).expect("the first reader");
    assert!(first.is_listed());
    assert_eq!(still(&one), None);

    // A replica of another make is named, and stays in the list.
    register("replica-3", "aaaaaaaa-0000-8000-8000-000000000002");
    let told = still(&one).expect("it is told");
    assert_eq!(told.code, "server.replica-id-in-use");
    assert!(told.detail.expect("a detail").contains("\"replica-3\""));
    assert_eq!(
        listed(&source).map(|(host, _)| host).as_deref(),
        Some("replica-3")
    );
}

/// The checkpoint after everything that the source has now.
fn head(source: &Server) -> Checkpoint {
    block_on(async {
        let mut reader =
            Reader::open(session(source), &settings("head", 1001), None, false).await?;
        let mut newest = None;
        while !reader.progress().reached_head {
            let batch = reader.next_batch(1 << 20, |_| {}).await?;
            newest = batch
                .transactions
                .into_iter()
                .filter_map(|t| t.checkpoint)
                .next_back()
                .or(newest);
        }
        Ok::<_, Error>(newest.expect("a checkpoint"))
    })
    .expect("the head")
}

fn next(source: &Server, after: &Checkpoint, max_row_bytes: u64) -> Upcoming {
    let mut settings = settings("look", 1002);
    settings.max_row_bytes = max_row_bytes;
    let found = upcoming::after(session(source), &settings, after, pending());
    block_on(found).expect("a look").expect("a transaction")
}

#[test]
fn a_transaction_that_is_too_large_to_be_counted_has_an_end_all_the_same() {
    let source = server();
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v LONGBLOB)")
        .expect("a table");
    let before = head(&source);
    source
        .sql(
            "START TRANSACTION; INSERT INTO d.t VALUES (1, 'x'), (2, 'y'); INSERT INTO d.t VALUES (3, REPEAT('z', 8 << 20)); \
             INSERT INTO d.t VALUES (4, 'x'); UPDATE d.t SET v = 'w' WHERE id < 3; DELETE FROM d.t WHERE id = 4; COMMIT; \
             INSERT INTO d.t VALUES (9, 'after')",
        )
        .expect("a large transaction and a small one");
    let whole = next(&source, &before, 1 << 30);
    let changes = whole.tables["d.t"];
    assert_eq!(
        (changes.inserted, changes.updated, changes.deleted),
        (4, 2, 1)
    );
    assert_eq!(whole.unreadable, None);
    let after = whole.after.checkpoint(before.ordinal + 1);
    let small = next(&source, &after, 1 << 30);
    assert_eq!(small.tables["d.t"].inserted, 1);

    // A row that cannot be held: what is before and behind it is counted.
    let cut = next(&source, &before, 1 << 20);
    let changes = cut.tables["d.t"];
    assert_eq!(
        (changes.inserted, changes.updated, changes.deleted),
        (3, 2, 1)
    );
    assert_eq!(
        cut.unreadable.as_deref(),
        Some("not everything is counted, since one of its rows is too large")
    );
    let look = settings("look", 1002);
    // The time is over before anything is read.
    let now = upcoming::after(session(&source), &look, &before, ready(()));
    let now = block_on(now).expect("a look").expect("a transaction");
    assert!(now.tables.is_empty());
    assert_eq!(
        now.unreadable.as_deref(),
        Some("not everything is counted, since it takes long to read")
    );
    for found in [&cut, &now] {
        assert_eq!(
            (&found.gtid, &found.begins, &found.after, found.bytes),
            (&whole.gtid, &whole.begins, &whole.after, whole.bytes)
        );
    }
}

/// No row values and no secrets, neither on the screen nor in the target's record.
#[test]
fn statements_that_hold_values_are_shown_by_their_first_words() {
    let source = server();
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20))")
        .expect("a table");
    let check = |sql: &str, expected: &[&str]| {
        let before = head(&source);
        source.sql(sql).expect("the source takes it");
        let found = next(&source, &before, 1 << 30);
        assert_eq!(found.statements, expected, "{sql}");
    };
    check(
        "CREATE USER u@'%' IDENTIFIED BY 'secret-1'",
        &["CREATE USER …"],
    );
    check(
        "ALTER USER u@'%' IDENTIFIED BY 'secret-2'",
        &["ALTER USER …"],
    );
    check("GRANT SELECT ON d.* TO u@'%'", &["GRANT SELECT ON TO …"]);
    check(
        "ALTER TABLE d.t ADD w INT DEFAULT 5",
        &["ALTER TABLE d.t ADD w INT DEFAULT 5"],
    );
    // Last, since the reader of the head does not take it.
    check(
        "SET SESSION binlog_format = STATEMENT; INSERT INTO d.t VALUES (1, 'secret-3', 6)",
        &["INSERT INTO d t VALUES …"],
    );
}
