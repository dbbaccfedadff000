//! Rows of the target that another transaction has locked for longer than a statement may wait: that of a host that was killed and is still being rolled back,
//! or another client's.

use std::sync::mpsc::channel;

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_throwaway_servers::{Flavor, Server};

use crate::lab::{FROM_THE_BEGINNING, LIMIT, Lab, caught_up, done, rows_modified, until};

/// A target on which a statement waits for a lock for one second.
fn impatient() -> Lab {
    let start = |options: &[&str]| -> Server {
        let mut builder = Server::builder(Flavor::Mysql97).relaxed();
        for option in options {
            builder = builder.option(*option);
        }
        builder.start().expect("a server")
    };
    let lab = Lab {
        source: start(&[]),
        target: start(&["innodb_lock_wait_timeout=1"]),
        folder: TempDir::new().expect("a folder"),
    };
    lab.source("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1), (2, 2)");
    lab
}

/// A transaction of another client, open until it is dropped.
struct Holder<'a> {
    lab: &'a Lab,
    connection: String,
    ended: std::sync::mpsc::Receiver<()>,
}

impl<'a> Holder<'a> {
    fn of(lab: &'a Lab, scope: &'a std::thread::Scope<'a, '_>, sql: &str) -> Self {
        let (end, ended) = channel();
        let whole = format!("START TRANSACTION; {sql}; DO SLEEP(600)");
        let target = &lab.target;
        scope.spawn(move || {
            // It is ended by KILL.
            let _ = target.sql(&whole);
            let _ = end.send(());
        });
        let asleep = "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'";
        let mut connection = String::new();
        until("the rows are locked", || {
            let rows = target.query(asleep).expect("the list");
            connection = rows
                .first()
                .and_then(|row| row[0].clone())
                .unwrap_or_default();
            !connection.is_empty()
        });
        Holder {
            lab,
            connection,
            ended,
        }
    }

    fn let_go(self) {
        self.lab
            .target
            .sql(&format!("KILL {}", self.connection))
            .expect("a kill");
        self.ended.recv_timeout(LIMIT).expect("it ends");
    }
}

/// What is said of the lock, whichever it is.
fn says_who(host: &Host, connection: &str) {
    until(
        "it has tried several times and says who is in the way",
        || {
            let said = host.stderr();
            said.matches("server.lock-wait-timeout").count() >= 2
                && said.contains(&format!("connection {connection} has an open transaction"))
        },
    );
    let said = host.stderr();
    assert!(
        said.contains("rolled back for about as long as it had been at work"),
        "{said}"
    );
    assert!(
        !said.contains("rows differ"),
        "nothing is wrong with the rows: {said}"
    );
}

/// fidelity: event | any, while the target's rows are locked by another transaction, as after a kill in a large one | waits and tries again; says who has the locks
#[test]
fn rows_that_another_transaction_has_locked() {
    let lab = impatient();
    let config = lab.config("locked", FROM_THE_BEGINNING);
    done(caught_up(&config));
    lab.source("START TRANSACTION; UPDATE d.t SET v = v + 10; INSERT INTO d.t VALUES (3, 3); COMMIT; INSERT INTO d.t VALUES (4, 4)");
    std::thread::scope(|scope| {
        let holder = Holder::of(&lab, scope, "UPDATE d.t SET v = 0 WHERE id = 2");
        // It begins while the rows are locked, as after a kill of the host before.
        let mut host = Host::start(&config, &[]).expect("a host");
        says_who(&host, &holder.connection);
        assert!(host.is_running().expect("its state"), "{}", host.stderr());
        assert_eq!(
            lab.one("SELECT COUNT(*) FROM d.t"),
            "2",
            "nothing of it is committed"
        );
        holder.let_go();
        until("it goes on", || lab.one("SELECT COUNT(*) FROM d.t") == "4");
        host.terminate();
        assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
    });
    compare::assert_equal(&lab.source, &lab.target, &["d"]);
}

#[test]
fn a_checkpoint_that_another_transaction_has_locked() {
    let lab = impatient();
    let config = lab.config("locked_checkpoint", FROM_THE_BEGINNING);
    done(caught_up(&config));
    lab.source("INSERT INTO d.t VALUES (3, 3)");
    std::thread::scope(|scope| {
        let holder = Holder::of(
            &lab,
            scope,
            "UPDATE datain.checkpoints SET ordinal = ordinal + 1000",
        );
        let mut host = Host::start(&config, &["--until-caught-up"]).expect("a host");
        says_who(&host, &holder.connection);
        holder.let_go();
        done(host.wait(LIMIT).expect("it ends"));
    });
    compare::assert_equal(&lab.source, &lab.target, &["d"]);
}

#[test]
fn a_large_transaction_is_rolled_back_while_the_next_host_begins() {
    let lab = impatient();
    let config = lab.config("rolled_back", FROM_THE_BEGINNING);
    lab.source(
        "DELETE FROM d.t; ALTER TABLE d.t ADD p CHAR(200) NOT NULL DEFAULT 'p', ADD INDEX (p, v)",
    );
    lab.source("SET SESSION cte_max_recursion_depth = 300000; INSERT INTO d.t (id, v) WITH RECURSIVE q (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 300000) SELECT n, n FROM q");
    for part in [80_000, 160_000] {
        let mut host = Host::start(&config, &[]).expect("a host");
        until("it is in the midst of the transaction", || {
            rows_modified(&lab) > part
        });
        host.kill();
    }
    done(Host::run(&config, &["--until-caught-up"], LIMIT * 3).expect("it ends"));
    compare::assert_equal(&lab.source, &lab.target, &["d"]);
}
