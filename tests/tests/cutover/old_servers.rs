//! Sources that have `read_only` alone: it is set and taken back, and whoever it does not stop is named.

use datain_capture::cutover::{end, held_back, numbers, writes};
use datain_contract::types::{Finding, Severity};
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session, TlsPolicy};
use datain_schema_objects::plan::Definer;
use datain_tests::native::session;
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

fn connected(server: &Server, user: &str) -> Session<BlockingStream> {
    let stream = BlockingStream::unix(server.socket()).expect("the socket");
    let mut options = ConnectOptions::new(user).with_password("secret");
    options.tls = TlsPolicy::Disabled;
    block_on(Session::connect(stream, &options)).expect("a login")
}

fn looked(server: &Server) -> writes::LookOut {
    block_on(writes::look(&mut session(server), true)).expect("a look")
}

fn fatal(found: &[Finding]) -> Vec<&str> {
    let fatal = found.iter().filter(|f| f.severity == Severity::Fatal);
    fatal.map(|finding| finding.message.as_str()).collect()
}

fn check(flavor: Flavor, several_triggers: bool) {
    let source = Server::builder(flavor).start().expect("a server");
    run(
        &source,
        "CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT); INSERT INTO d.t (v) VALUES (1), (2); \
         CREATE USER admin@localhost IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO admin@localhost; \
         CREATE USER app@localhost IDENTIFIED BY 'secret'; GRANT ALL ON d.* TO app@localhost; \
         CREATE TRIGGER d.zz BEFORE INSERT ON d.t FOR EACH ROW SET NEW.v = NEW.v + 1",
    );
    if several_triggers {
        run(
            &source,
            "CREATE TRIGGER d.aa BEFORE INSERT ON d.t FOR EACH ROW FOLLOWS zz SET NEW.v = NEW.v * 2",
        );
    }
    let filter = datain_server_facts::filter(&["d.*".to_owned()], &[], false).expect("a filter");
    let definitions = block_on(held_back::definitions(
        &mut session(&source),
        &filter,
        Definer::Keep,
    ));
    let names: Vec<String> = definitions
        .expect("definitions")
        .into_iter()
        .filter(|definition| definition.kind == "trigger")
        .map(|definition| definition.name)
        .collect();
    let expected: &[&str] = if several_triggers {
        &["zz", "aa"]
    } else {
        &["zz"]
    };
    assert_eq!(names, expected, "{flavor:?}");
    let next = block_on(numbers::next(&mut session(&source), &filter)).expect("numbers");
    assert_eq!(next[0].number, 3);

    let look = looked(&source);
    assert!(!look.writes_stopped);
    assert_eq!(fatal(&look.findings), [""; 0]);
    // An account that read_only does not stop: its session, then its event.
    let admin = connected(&source, "admin");
    let messages = looked(&source).findings;
    let messages = fatal(&messages);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("admin from localhost"), "{messages:?}");
    drop(admin);
    run(
        &source,
        "SET GLOBAL event_scheduler = ON; CREATE DEFINER = admin@localhost EVENT d.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM d.t",
    );
    let named = || {
        let messages = looked(&source).findings;
        fatal(&messages).concat().contains("`d`.`e`")
    };
    assert!(named());
    run(&source, "SET GLOBAL event_scheduler = OFF");
    assert!(!named());

    let begun = block_on(end::of_log(&mut session(&source))).expect("the end");
    let mut app = connected(&source, "app");
    block_on(writes::stop(&mut session(&source))).expect("a stop");
    let refused = block_on(app.exec(b"INSERT INTO d.t (v) VALUES (3)")).expect_err("read-only");
    assert_eq!(refused.errno(), Some(1290));
    assert!(looked(&source).writes_stopped);
    // A new file without a transaction in it is no further on; a transaction is.
    run(&source, "FLUSH LOGS; FLUSH LOGS");
    let covers = |checkpoint| {
        let end = block_on(end::of_log(&mut session(&source))).expect("the end");
        block_on(end::has_passed(&mut session(&source), checkpoint, &end)).expect("an answer")
    };
    assert!(covers(&begun), "{flavor:?}");
    block_on(writes::allow(&mut session(&source), &look.settings)).expect("writes");
    assert!(!looked(&source).writes_stopped);
    block_on(app.exec(b"INSERT INTO d.t (v) VALUES (3)")).expect("a row");
    assert!(!covers(&begun), "{flavor:?}");
}

#[test]
fn mysql_5_6_has_read_only_alone() {
    check(Flavor::Mysql56, false);
}

#[test]
fn mariadb_has_read_only_alone() {
    check(Flavor::Mariadb118, true);
}
