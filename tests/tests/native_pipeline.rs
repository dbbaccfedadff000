//! The crates `capture` and `apply` natively, without components: scenarios are run on a real source, read through the one and written through the other to
//! a real target. What fails here fails for a reason that has nothing to do with WebAssembly or the host.

use std::cell::Cell;
use std::hash::RandomState;
use std::path::Path;

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::Engine;
use datain_capture::reader::{Reader, Settings};
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session, Stream, StreamError};
use datain_tests::compare;
use datain_throwaway_servers::{Flavor, ROOT_PASSWORD, Server};

/// A connection that is lost after so many writes: at every second time before the last of them left, else after it, so that the server carries out
/// what nobody hears of.
struct Fragile {
    inner: BlockingStream,
    writes_left: Cell<u32>,
    sends_the_last: bool,
}

fn lost() -> StreamError {
    StreamError::new("net.reset", "the test has cut the connection")
}

impl Stream for Fragile {
    async fn read(&mut self, buf: &mut Vec<u8>) -> Result<usize, StreamError> {
        if self.writes_left.get() == 0 {
            return Err(lost());
        }
        self.inner.read(buf).await
    }

    async fn write_all(&mut self, data: &[u8]) -> Result<(), StreamError> {
        let left = self.writes_left.get().saturating_sub(1);
        self.writes_left.set(left);
        if left > 0 || self.sends_the_last {
            self.inner.write_all(data).await?;
        }
        if left == 0 { Err(lost()) } else { Ok(()) }
    }

    async fn start_tls(&mut self) -> Result<(), StreamError> {
        self.inner.start_tls().await
    }

    fn secure(&self) -> bool {
        self.inner.secure()
    }

    fn random(&mut self, buf: &mut [u8]) {
        self.inner.random(buf);
    }
}

fn session(server: &Server) -> Session<Fragile> {
    fragile(server, u32::MAX).expect("a login")
}

fn fragile(server: &Server, writes: u32) -> Result<Session<Fragile>, Error> {
    let stream = Fragile {
        inner: BlockingStream::unix(server.socket()).expect("the server's socket"),
        writes_left: Cell::new(writes),
        sends_the_last: writes.is_multiple_of(2),
    };
    let mut options = ConnectOptions::new("root").with_password(ROOT_PASSWORD);
    options.found_rows = true;
    options.multi_statements = true;
    Ok(block_on(Session::connect(stream, &options))?)
}

fn settings(start: &str) -> Settings {
    serde_json::from_str(&format!(
        r#"{{"stream":"native","server_id":77,"start":{start}}}"#
    ))
    .expect("settings")
}

/// Replicates until everything that the source has now is on the target.
fn replicate(source: &Server, target: &Server, settings: &Settings) -> Result<Checkpoint, Error> {
    replicate_into(source, session(target), settings)
}

fn replicate_into(
    source: &Server,
    target: Session<Fragile>,
    settings: &Settings,
) -> Result<Checkpoint, Error> {
    block_on(async {
        let opened =
            Engine::<_, RandomState>::open(target, &settings.stream, &Beginning::default()).await?;
        let (mut engine, resume) = (opened.engine, opened.checkpoint);
        let mut reader = Reader::open(session(source), settings, resume.as_ref(), false).await?;
        let mut newest = resume;
        while !reader.progress().reached_head
            || newest
                .as_ref()
                .is_none_or(|c| c.ordinal < reader.progress().ordinal)
        {
            let batch = reader.next_batch(64 << 10, |_| {}).await?;
            engine.add_tables(batch.tables);
            for transaction in batch.transactions {
                newest = engine.apply(transaction, &batch.rows).await?.or(newest);
            }
            if engine.can_commit() {
                newest = Some(engine.commit().await?);
            }
        }
        Ok(newest.expect("something was replicated"))
    })
}

fn scenario(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name);
    std::fs::read_to_string(path).expect("the scenario's file")
}

fn pair() -> (Server, Server) {
    let start = || {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .start()
            .expect("a server")
    };
    (start(), start())
}

#[test]
fn scenarios_arrive_as_they_were() {
    scenarios("binlog_row_metadata=MINIMAL");
}

#[test]
fn scenarios_arrive_with_names_and_keys_in_the_log() {
    scenarios("binlog_row_metadata=FULL");
}

fn scenarios(option: &str) {
    let start = |option: &str| {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .option(option)
            .start()
            .expect("a server")
    };
    let (source, target) = (start(option), start("binlog_row_metadata=MINIMAL"));
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    for (name, schema) in [
        ("types.sql", "types"),
        ("ddl.sql", "shop"),
        ("found.sql", "found"),
    ] {
        source
            .sql(&scenario(name))
            .expect("the scenario runs on the source");
        replicate(&source, &target, &settings).expect("replication");
        compare::assert_equal(&source, &target, &[schema]);
    }
    // Accounts stay at home; triggers are kept for later.
    let users = target
        .query("SELECT user FROM mysql.user WHERE user = 'outsider'")
        .expect("users");
    assert!(users.is_empty(), "{users:?}");
    let held = target
        .query("SELECT COUNT(*) FROM datain.held_back")
        .expect("held back");
    assert_eq!(held[0][0].as_deref(), Some("2"));
}

#[test]
fn a_cut_at_any_step_neither_loses_nor_repeats() {
    let (source, target) = pair();
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    source
        .sql(&scenario("ddl.sql"))
        .expect("the scenario runs on the source");
    // Each attempt lives for a few writes more than the one before, and ends in another step: login, claim, rows, intent, DDL, checkpoint, commit.
    let mut cuts = 0;
    for writes in 1.. {
        match fragile(&target, writes)
            .and_then(|session| replicate_into(&source, session, &settings))
        {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code, "net.reset", "after {writes} writes: {error:?}"),
        }
        cuts += 1;
    }
    assert!(cuts > 20, "{cuts}");
    compare::assert_equal(&source, &target, &["shop"]);
}

#[test]
fn an_older_writer_can_commit_nothing() {
    let (source, target) = pair();
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)")
        .expect("data");
    replicate(&source, &target, &settings).expect("replication");
    block_on(async {
        let open = || async {
            Engine::<_, RandomState>::open(session(&target), "native", &Beginning::default())
                .await
                .expect("a writer")
        };
        let opened = open().await;
        let (mut older, resume) = (opened.engine, opened.checkpoint);
        let _newer = open().await;
        source.sql("INSERT INTO d.t VALUES (1)").expect("a row");
        let mut reader = Reader::open(session(&source), &settings, resume.as_ref(), false)
            .await
            .expect("the reader");
        let batch = reader.next_batch(1 << 20, |_| {}).await.expect("a batch");
        older.add_tables(batch.tables);
        for transaction in batch.transactions {
            older
                .apply(transaction, &batch.rows)
                .await
                .expect("rows can be sent");
        }
        assert_eq!(
            older.commit().await.expect_err("the fence").code,
            "checkpoint.fenced"
        );
    });
    let rows = target.query("SELECT COUNT(*) FROM d.t").expect("rows");
    assert_eq!(
        rows[0][0].as_deref(),
        Some("0"),
        "the older writer's rows are not there"
    );
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn what_would_bend_or_renumber_or_drop_too_much_is_refused() {
    let (source, target) = pair();
    let all = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    let refused = |settings: &Settings, code: &str| {
        let error = replicate(&source, &target, settings).expect_err(code);
        assert_eq!(error.code, code, "{error:?}");
    };
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, at DATETIME(6))")
        .expect("data");
    replicate(&source, &target, &all).expect("replication");
    // The server rounds fractions of a second without a warning.
    target
        .sql("ALTER TABLE d.t MODIFY at DATETIME")
        .expect("a stranger's change");
    source
        .sql("INSERT INTO d.t VALUES (1, '2020-01-01 00:00:00.75')")
        .expect("a row");
    refused(&all, "table.column-type");
    target
        .sql("ALTER TABLE d.t MODIFY at DATETIME(6)")
        .expect("mended");
    replicate(&source, &target, &all).expect("replication");
    // Rows that no log has numbered.
    for server in [&source, &target] {
        server
            .sql("SET sql_log_bin = 0; CREATE TABLE d.k (a INT); INSERT INTO d.k VALUES (1), (2)")
            .expect("a table without a key");
    }
    source
        .sql("ALTER TABLE d.k ADD id INT AUTO_INCREMENT PRIMARY KEY")
        .expect("DDL");
    refused(&all, "ddl.numbers-rows");
    let columns = target.query("SHOW COLUMNS FROM d.k").expect("columns");
    assert_eq!(columns.len(), 1, "the target's table is as it was");
    // A schema of which only one table is replicated.
    let status = source
        .query("SELECT @@global.gtid_executed")
        .expect("gtids");
    let executed = status[0][0].clone().expect("gtids").replace('\n', "");
    source.sql("DROP DATABASE d").expect("DDL");
    let part: Settings = serde_json::from_str(&format!(
        r#"{{"stream":"part","server_id":78,"include":["d.t"],"start":{{"mode":"gtid","gtid_set":"{executed}"}}}}"#
    ))
    .expect("settings");
    refused(&part, "filter.mixed-statement");
}
