//! Two servers with a shop in them, writers who are never still, and the proof that nothing was lost.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::native::session;
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::Server;
use serde_json::Value;

pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// Accounts are not replicated: both servers have them.
const ACCOUNTS: &str = "CREATE USER clerk@'%' ACCOUNT LOCK; GRANT ALL ON *.* TO clerk@'%';";

/// Triggers of one table that act in an order which their names do not tell, an event that runs and one that does not, both under odd modes.
const SHOP: &str = "
    CREATE DATABASE shop;
    USE shop;
    CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, writer INT NOT NULL, note VARCHAR(100) NOT NULL DEFAULT '');
    CREATE TABLE ticks (id INT AUTO_INCREMENT PRIMARY KEY, at DATETIME NOT NULL);
    CREATE TABLE log (id BIGINT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(200) NOT NULL);
    CREATE DEFINER = clerk@'%' VIEW newest AS SELECT MAX(id) AS id FROM orders;
    CREATE TRIGGER zz_first BEFORE INSERT ON orders FOR EACH ROW SET NEW.note = CONCAT(NEW.note, 'a');
    CREATE DEFINER = clerk@'%' TRIGGER aa_second BEFORE INSERT ON orders FOR EACH ROW FOLLOWS zz_first SET NEW.note = CONCAT(NEW.note, 'b');
    CREATE TRIGGER mm_zeroth BEFORE INSERT ON orders FOR EACH ROW PRECEDES zz_first SET NEW.note = CONCAT(NEW.note, '0');
    SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT';
    CREATE TRIGGER after_it AFTER INSERT ON orders FOR EACH ROW INSERT INTO \"log\" (what) VALUES ('order\\' || NEW.id);
    SET SESSION time_zone = '+05:30';
    CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO shop.ticks (at) VALUES (UTC_TIMESTAMP());
    CREATE EVENT asleep ON SCHEDULE EVERY 1 DAY STARTS '2040-01-01 00:00:00' DISABLE COMMENT 'it''s' DO DELETE FROM shop.log;
    SET SESSION sql_mode = DEFAULT, SESSION time_zone = DEFAULT;
    INSERT INTO orders (writer) VALUES (0), (0), (0);
    DELETE FROM orders WHERE id = 3;
";

pub(crate) struct Lab {
    pub(crate) source: Server,
    pub(crate) target: Server,
    pub(crate) folder: TempDir,
    pub(crate) config: PathBuf,
}

impl Lab {
    pub(crate) fn new() -> Lab {
        Self::of(
            server(),
            server(),
            "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n",
        )
    }

    pub(crate) fn of(source: Server, target: Server, extra: &str) -> Lab {
        for server in [&source, &target] {
            // They are no part of what is replicated.
            run(server, &format!("SET SESSION sql_log_bin = 0; {ACCOUNTS}"));
        }
        run(&source, SHOP);
        let folder = TempDir::new().expect("a folder");
        let config =
            Host::config(folder.path(), "move", &source, &target, extra).expect("a configuration");
        Lab {
            source,
            target,
            folder,
            config,
        }
    }

    /// Everything that is there now comes to the target.
    pub(crate) fn caught_up(&self) {
        let exit = Host::run(&self.config, &["--until-caught-up"], LIMIT).expect("an end");
        assert_eq!(exit.code, 0, "{exit}");
    }

    /// `datain cutover` with these arguments, to its end.
    pub(crate) fn cutover(&self, arguments: &[&str]) -> Exit {
        self.command("cutover", arguments)
    }

    pub(crate) fn command(&self, command: &str, arguments: &[&str]) -> Exit {
        let config = self.config.display().to_string();
        let all = [&[command, "-c", &config], arguments].concat();
        Host::command(&all, LIMIT).expect("an end")
    }

    /// The same, with a point at which it dies.
    pub(crate) fn dies_at(&self, point: &str, arguments: &[&str]) {
        let config = self.config.display().to_string();
        let folder = self.folder.path().display().to_string();
        let all = [&["cutover", "-c", &config], arguments].concat();
        let environment = [("DATAIN_FAILPOINT", point), ("XDG_RUNTIME_DIR", &folder)];
        let exit = Host::spawn_in(&all, &environment)
            .and_then(|mut host| host.wait(LIMIT))
            .expect("an end");
        assert_eq!(exit.code, -9, "it was to die at {point}:\n{exit}");
    }

    pub(crate) fn done(&self, arguments: &[&str]) -> Value {
        let exit = self.cutover(&[arguments, &["--format", "json"]].concat());
        assert_eq!(exit.code, 0, "{exit}");
        serde_json::from_str(&exit.stdout).expect("JSON")
    }

    /// What `datain status` says of the cutover.
    pub(crate) fn stage(&self) -> Value {
        let exit = self.command("status", &["--format", "json"]);
        assert_eq!(exit.code, 0, "{exit}");
        let status: Value = serde_json::from_str(&exit.stdout).expect("JSON");
        status["cutover"]["stage"].clone()
    }

    pub(crate) fn is_read_only(&self) -> bool {
        cell(
            &self.source,
            "SELECT @@global.super_read_only + @@global.read_only",
        ) == "2"
    }

    pub(crate) fn is_writable(&self) -> bool {
        cell(
            &self.source,
            "SELECT @@global.super_read_only + @@global.read_only",
        ) == "0"
    }

    /// The target is as the source, with its triggers in their order, its events as they were, and numbers that go on.
    pub(crate) fn assert_moved(&self) {
        let shop = &["shop"];
        // The target's own event goes on.
        run(&self.target, "SET GLOBAL event_scheduler = OFF");
        let ticks = cell(&self.source, "SELECT COALESCE(MAX(id), 0) FROM shop.ticks");
        run(
            &self.target,
            &format!("DELETE FROM shop.ticks WHERE id > {ticks}"),
        );
        let tables = compare::tables(&self.source, &self.target, shop).expect("both answer");
        assert_eq!(tables.len(), 3);
        assert!(
            tables.iter().all(compare::Table::is_equal),
            "they differ: {tables:#?}"
        );
        for sql in [
            "SELECT GROUP_CONCAT(TRIGGER_NAME, ACTION_TIMING, ACTION_ORDER, DEFINER, SQL_MODE, ACTION_STATEMENT ORDER BY TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop'",
            "SELECT GROUP_CONCAT(EVENT_NAME, STATUS, DEFINER, SQL_MODE, TIME_ZONE, EVENT_DEFINITION, EVENT_COMMENT ORDER BY EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop'",
        ] {
            let sql = format!("SET SESSION group_concat_max_len = 100000; {sql}");
            let found = cell(&self.target, &sql);
            assert!(!found.is_empty());
            assert_eq!(cell(&self.source, &sql), found);
        }
        let next = "SET SESSION information_schema_stats_expiry = 0; SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders'";
        assert!(number(&cell(&self.target, next)) >= number(&cell(&self.source, next)));
        assert_eq!(
            cell(&self.target, "SELECT COUNT(*) FROM datain.held_back"),
            "0"
        );
        assert_eq!(self.stage(), "done");
        let start = self.command("start", &[]);
        assert_eq!(start.code, 3, "{start}");
        assert!(start.stderr.contains("error[cutover.under-way]"), "{start}");
    }
}

pub(crate) fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// Writes orders, as root, whom super_read_only refuses too, until the server refuses or `stop` is set. Says how many were taken.
pub(crate) fn write(server: &Server, writer: u64, stop: &AtomicBool, taken: &AtomicU64) {
    let mut session = session(server);
    let insert = format!("INSERT INTO shop.orders (writer) VALUES ({writer})");
    while !stop.load(Ordering::Relaxed) {
        match block_on(session.exec(insert.as_bytes())) {
            Ok(_) => taken.fetch_add(1, Ordering::Relaxed),
            // Read-only.
            Err(error) => {
                assert_eq!(error.errno(), Some(1290), "{error}");
                return;
            }
        };
    }
}

/// The file of the way back.
pub(crate) fn reverse(config: &Path) -> PathBuf {
    config.with_extension("reverse.toml")
}
