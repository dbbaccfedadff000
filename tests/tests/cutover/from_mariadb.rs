//! From a MariaDB to a MySQL: what is held back is made in MySQL's words.

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::{Flavor, Server};
use serde_json::Value;

use crate::lab::LIMIT;

const SHOP: &str = "
    CREATE DATABASE shop; USE shop;
    CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(100) NOT NULL DEFAULT '', at DATETIME);
    CREATE TRIGGER b_first BEFORE INSERT ON orders FOR EACH ROW SET NEW.note = CONCAT(NEW.note, 'a'), NEW.at = '2001-01-01 00:00:00.9';
    SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_AUTO_CREATE_USER,TIME_ROUND_FRACTIONAL';
    CREATE TRIGGER a_second BEFORE INSERT ON orders FOR EACH ROW FOLLOWS b_first
        SET NEW.note = NEW.note || IF('A' = 'a' COLLATE utf8mb4_uca1400_as_cs, 'same', 'other');
    CREATE EVENT asleep ON SCHEDULE EVERY 1 DAY STARTS '2040-01-01 00:00:00' DISABLE COMMENT 'it''s' DO DELETE FROM shop.orders;
    INSERT INTO orders VALUES (), ();
";

/// fidelity: mariadb-11.8 → mysql-9.7: statement | triggers and events, at the cutover | made with their modes and with stand-ins for MariaDB's collations
#[test]
fn triggers_and_events_of_mariadb_act_on_mysql() {
    let source = Server::builder(Flavor::Mariadb118)
        .relaxed()
        .start()
        .expect("a server");
    let target = server();
    run(&source, SHOP);
    let folder = TempDir::new().expect("a folder");
    let extra = "[check]\nallow = [\"version\"]\n[start]\nmode = \"gtid\"\ngtid_set = \"\"\n";
    let config = Host::config(folder.path(), "move", &source, &target, extra).expect("a file");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    let path = config.to_str().expect("a path");
    let cutover = [
        "cutover",
        "-c",
        path,
        "--set-source-read-only",
        "--format",
        "json",
    ];
    for again in [false, true] {
        let exit = Host::command(&cutover, LIMIT).expect("an end");
        assert_eq!(exit.code, 0, "{exit}");
        let report: Value = serde_json::from_str(&exit.stdout).expect("JSON");
        assert_eq!(report["made"].as_array().map(Vec::len), Some(3), "{report}");
        assert_eq!(report["was_done"], again);
    }
    compare::assert_equal(&source, &target, &["shop"]);
    run(&target, "INSERT INTO shop.orders VALUES ()");
    let newest = "SELECT CONCAT(id, ' ', note, ' ', at) FROM shop.orders ORDER BY id DESC LIMIT 1";
    assert_eq!(cell(&target, newest), "3 aother 2001-01-01 00:00:00");
    let modes = "SELECT GROUP_CONCAT(SQL_MODE ORDER BY ACTION_ORDER SEPARATOR ' ') FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop'";
    let modes = cell(&target, modes);
    assert_eq!(
        modes.matches("TIME_TRUNCATE_FRACTIONAL").count(),
        1,
        "{modes}"
    );
    assert!(modes.contains("ANSI_QUOTES"), "{modes}");
    let event = "SELECT CONCAT(STATUS, ' ', EVENT_COMMENT) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop'";
    assert_eq!(cell(&target, event), "DISABLED it's");
}
