//! The program between two servers with two tables, over two connections; and another client of the target.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use datain_mysql_client::Session;
use datain_mysql_client::blocking::block_on;
use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::native::{self, Fragile};
use datain_tests::servers::loading_pair;
use datain_throwaway_servers::Server;

pub const LIMIT: Duration = Duration::from_secs(60);

/// Makes both tables known.
pub const WARM: &str = "UPDATE d.a SET v = v + 1; UPDATE d.b SET v = v + 1";

pub const TABLES: &str = "CREATE DATABASE d; CREATE TABLE d.a (id INT PRIMARY KEY, v INT); CREATE TABLE d.b LIKE d.a; CREATE TABLE d.digit (n INT PRIMARY KEY); \
    INSERT INTO d.digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9); INSERT INTO d.a SELECT n, 0 FROM d.digit; INSERT INTO d.b SELECT n, 0 FROM d.digit";

pub fn number(server: &Server, sql: &str) -> u64 {
    let rows = server.query(sql).expect("an answer");
    let cell = rows[0][0].as_deref().unwrap_or("0");
    cell.parse().expect("a number")
}

/// The program between two servers, over two connections.
pub struct Pipeline {
    pub source: Server,
    pub target: Server,
    pub config: PathBuf,
    folder: TempDir,
}

impl Pipeline {
    /// With the tables on both sides, and a host that runs and keeps the source's order.
    pub fn start() -> (Self, Host) {
        let start = "mode = \"gtid\"\ngtid_set = \"\"";
        Self::start_between(loading_pair(), start, "")
    }

    /// The same between these servers, beginning there, with these settings for the apply engine.
    pub fn start_between([source, target]: [Server; 2], start: &str, apply: &str) -> (Self, Host) {
        source.sql(TABLES).expect("tables");
        let folder = TempDir::new().expect("a folder");
        let more = Self::more(start, apply);
        let config = Host::config(folder.path(), "order", &source, &target, &more);
        let pipeline = Self {
            source,
            target,
            config: config.expect("a configuration"),
            folder,
        };
        let host = Host::start(&pipeline.config, &[]).expect("a host");
        pipeline.source(WARM);
        until("both tables are there", || {
            let sum = "SELECT SUM(v) FROM d.b";
            pipeline.target.query(sum).is_ok() && number(&pipeline.target, sum) == 10
        });
        (pipeline, host)
    }

    /// What follows the servers in the configuration.
    pub fn more(start: &str, apply: &str) -> String {
        format!("[start]\n{start}\n[apply]\nconnections = 2\n{apply}\n")
    }

    /// Where the configuration is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn source(&self, sql: &str) {
        self.source.sql(sql).expect("a change");
    }

    /// Another client of the target, which has changed this.
    pub fn holder(&self, sql: &str) -> Holder {
        let mut holder = Holder(native::session(&self.target));
        holder.tell("START TRANSACTION");
        holder.tell(sql);
        holder
    }

    /// Changes a row on the source, and waits until the target's row is waited for.
    pub fn waits(&self, sql: &str, statement: &str) {
        self.source(sql);
        let waiting = format!(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%{statement}%' AND ID <> CONNECTION_ID()"
        );
        until("the group waits", || number(&self.target, &waiting) > 0);
    }

    pub fn ends_equal(&self, mut host: Host) -> Exit {
        let executed = "SELECT SUM(v) + COUNT(*) FROM (SELECT * FROM d.a UNION ALL SELECT * FROM d.b) AS both_tables";
        let all = number(&self.source, executed);
        until("all of it arrives", || {
            number(&self.target, executed) == all
        });
        host.terminate();
        let exit = host.wait(LIMIT).expect("it ends");
        assert_eq!(exit.code, 130, "{exit}");
        assert!(!exit.stderr.contains("lock-wait-timeout"), "{exit}");
        exit
    }
}

pub struct Holder(Session<Fragile>);

impl Holder {
    pub fn tell(&mut self, sql: &str) {
        block_on(self.0.exec(sql.as_bytes())).expect("an answer");
    }
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
