//! The crates `capture` and `apply` natively, without components: scenarios are run on a real source, read through the one and written through the other to
//! a real target. What fails here fails for a reason that has nothing to do with WebAssembly or the host.

use std::hash::RandomState;
use std::path::Path;

use datain_apply::engine::Engine;
use datain_capture::reader::{Reader, Settings};
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session};
use datain_tests::compare;
use datain_throwaway_servers::{Flavor, ROOT_PASSWORD, Server};

fn session(server: &Server) -> Session<BlockingStream> {
    let stream = BlockingStream::unix(server.socket()).expect("the server's socket");
    let mut options = ConnectOptions::new("root").with_password(ROOT_PASSWORD);
    options.found_rows = true;
    options.multi_statements = true;
    block_on(Session::connect(stream, &options)).expect("a login")
}

fn settings(start: &str) -> Settings {
    serde_json::from_str(&format!(
        r#"{{"stream":"native","server_id":77,"start":{start}}}"#
    ))
    .expect("settings")
}

/// Replicates until everything that the source has now is on the target.
fn replicate(source: &Server, target: &Server, settings: &Settings) -> Result<Checkpoint, Error> {
    block_on(async {
        let (mut engine, resume) =
            Engine::<_, RandomState>::open(session(target), &settings.stream).await?;
        let mut reader = Reader::open(session(source), settings, resume.as_ref()).await?;
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
    let (source, target) = pair();
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    for (name, schema) in [("types.sql", "types"), ("ddl.sql", "shop")] {
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
