//! The first copy from 5.6 to 9.7.

use std::thread;

use datain_capture::reader::Settings;
use datain_tests::compare;
use datain_tests::load::Load;
use datain_tests::native::{self, replicate};
use datain_tests::pipeline_run::server;
use datain_tests::rough::replicate_roughly;
use datain_tests::scenarios;
use datain_tests::seed::{Rng, long, seed};
use datain_tests::servers::{cell, run};
use datain_throwaway_servers::{Flavor, Server};

use crate::{old, started};

fn settings(stream: &str) -> Settings {
    let mut settings = native::settings(r#"{"mode":"snapshot"}"#);
    stream.clone_into(&mut settings.stream);
    settings
}

pub(crate) const OBJECTS: &str = "
CREATE DATABASE cinema DEFAULT CHARSET utf8; USE cinema;
CREATE TABLE language (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name CHAR(20) NOT NULL, KEY (name)) COMMENT='languages';
CREATE TABLE film (id INT(5) UNSIGNED ZEROFILL NOT NULL AUTO_INCREMENT, title VARCHAR(255) NOT NULL, y YEAR(4), language INT UNSIGNED, rating ENUM('G', 'PG', 'R') DEFAULT 'G',
  made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, z DATE NOT NULL DEFAULT '0000-00-00', b BIT(3) DEFAULT b'101', tx TEXT CHARACTER SET latin1, PRIMARY KEY (id),
  KEY (title(20)), CONSTRAINT fk FOREIGN KEY (language) REFERENCES language (id) ON UPDATE RESTRICT, FULLTEXT KEY ft (tx)) ROW_FORMAT=COMPACT;
INSERT INTO language VALUES (1, 'English'), (2, 'čeština');
INSERT INTO film (id, title, y, language, tx) VALUES (1, 'A', 1999, 1, 'x'), (2, 'Ä', 2155, 2, 'é');
INSERT INTO film (id, title, rating) VALUES (3, 'bad', 'nope');
CREATE TABLE parted (a BIGINT UNSIGNED NOT NULL, b VARBINARY(20) NOT NULL, c VARCHAR(30) COLLATE utf8_general_mysql500_ci NOT NULL, PRIMARY KEY (a, b, c)) PARTITION BY HASH (a) PARTITIONS 3;
INSERT INTO parted VALUES (18446744073709551615, x'00ff', 'a'), (1, 'x', 'B');
CREATE TABLE mb4 (id INT PRIMARY KEY, v VARCHAR(100), g GEOMETRY) CHARSET utf8mb4;
INSERT INTO mb4 VALUES (1, '😀', POINT(1, 2));
CREATE VIEW films AS SELECT film.id, title, language.name FROM film JOIN language ON film.language = language.id;
CREATE FUNCTION one_more (a INT) RETURNS INT DETERMINISTIC RETURN a + 1;
CREATE PROCEDURE nothing () SELECT 1;
CREATE TRIGGER trimmed BEFORE INSERT ON language FOR EACH ROW SET NEW.name = TRIM(NEW.name);
CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO SELECT 1;
";

/// fidelity: mysql-5.6 → mysql-9.7: statement | the first copy from MySQL 5.6, with definitions as its SHOW CREATE has them | equal; triggers and events are held back
#[test]
fn definitions_and_rows_of_5_6_arrive() {
    let source = started(old());
    let target = server();
    run(&source, OBJECTS);
    // The cascade there would be refused: 5.6 does not log it.
    let list = scenarios::all().expect("the scenarios");
    let types = list.iter().find(|s| s.name == "old_types.sql");
    let types = types.expect("the old types");
    run(&source, &types.sql);
    native::replicate(&source, &target, &settings("quiet")).expect("a copy");
    let mut schemas = types.schemas();
    schemas.push("cinema");
    compare::assert_equal(&source, &target, &schemas);
    assert_eq!(cell(&target, "SELECT COUNT(*) FROM cinema.films"), "2");
    assert_eq!(cell(&target, "SELECT cinema.one_more(1)"), "2");
    assert_eq!(cell(&target, "SELECT COUNT(*) FROM datain.held_back"), "2");
    run(
        &source,
        "USE cinema; UPDATE film SET title = CONCAT(title, '+'), made = '2020-01-01'; INSERT INTO language VALUES (3, ' x '); DELETE FROM parted WHERE a = 1; ALTER TABLE mb4 ADD COLUMN w CHAR(3) CHARACTER SET utf8mb4",
    );
    native::replicate(&source, &target, &settings("quiet")).expect("changes");
    compare::assert_equal(&source, &target, &schemas);
}

pub(crate) const TABLES: &str = "
CREATE DATABASE moving; USE moving;
CREATE TABLE digit (d INT PRIMARY KEY); INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE numbers (id INT UNSIGNED PRIMARY KEY, a INT NOT NULL UNIQUE, b VARCHAR(9) CHARACTER SET utf8 UNIQUE, v VARCHAR(30));
CREATE TABLE letters (k VARCHAR(9) NOT NULL, n SMALLINT UNSIGNED NOT NULL, v INT, PRIMARY KEY (k, n));
CREATE TABLE stamps (at DATETIME(3) NOT NULL, d DECIMAL(6,2) NOT NULL, v INT, changed TIMESTAMP NULL, PRIMARY KEY (at, d));
INSERT INTO numbers SELECT 100 + a.d * 100 + b.d * 10 + c.d, 1000 + a.d * 100 + b.d * 10 + c.d, NULL, 'r' FROM digit a, digit b, digit c WHERE a.d < 4;
INSERT INTO letters SELECT CHAR(97 + a.d), 100 + b.d, 0 FROM digit a, digit b;
INSERT INTO stamps SELECT '2020-01-01' + INTERVAL a.d * 100 + b.d * 10 + c.d MINUTE, b.d, 0, NULL FROM digit a, digit b, digit c WHERE a.d < 2;
";

/// Every row is changed all the time, keys and unique values wander.
pub(crate) fn load(transactions: u32) -> Load {
    let groups: [&[&str]; 3] = [
        &[
            "INSERT IGNORE INTO moving.numbers VALUES (?, ?, '$', '$'), (?, ?, NULL, 'n')",
            "REPLACE INTO moving.numbers VALUES (?, ?, '$', 'again')",
            "UPDATE moving.numbers SET v = CONCAT(LEFT(v, 20), '$') WHERE id % 12 = ?",
            "UPDATE moving.numbers SET a = a + 1 ORDER BY a DESC LIMIT 20",
            "UPDATE moving.numbers SET id = id + 1000 WHERE id > 100 AND id < 1000 LIMIT 3",
            "UPDATE IGNORE moving.numbers SET id = id - 1000 WHERE id > 1000 LIMIT 3",
            "DELETE FROM moving.numbers WHERE id = ?",
        ],
        &[
            "INSERT IGNORE INTO moving.letters VALUES ('$', ?, ?)",
            "UPDATE moving.letters SET v = v + 1 WHERE n % 12 = ?",
            "UPDATE IGNORE moving.letters SET k = '$' WHERE n = 100 + ? LIMIT 2",
            "DELETE FROM moving.letters WHERE k = '$' AND n < 12",
        ],
        &[
            "UPDATE moving.stamps SET v = v + 1, changed = NOW() WHERE d = ?",
            "UPDATE IGNORE moving.stamps SET at = at + INTERVAL ? HOUR WHERE d = ? LIMIT 4",
            "DELETE FROM moving.stamps WHERE d = ? LIMIT 1",
        ],
    ];
    Load {
        groups: groups
            .map(|group| group.iter().map(|sql| (*sql).to_owned()).collect())
            .to_vec(),
        sessions: 4,
        transactions,
        settings: vec!["SET SESSION sql_mode = ''".to_owned()],
        between: vec!["DO 1".to_owned()],
        gives_up: false,
        reset: "DO 1".to_owned(),
    }
}

/// Without locks by GTID, where what is executed cannot always be seen; with shared locks by place. The source is durable: its log is written long before its rows can be seen.
#[test]
fn rows_that_change_meanwhile_arrive_from_5_6() {
    let seed = seed("old copy");
    let mut rng = Rng::with_seed(seed);
    for round in 0..if long() { 10 } else { 2 } {
        let builder = Server::builder(Flavor::Mysql56);
        let source = started(if round % 2 == 0 {
            builder
        } else {
            builder.without_gtid()
        });
        let target = server();
        run(&source, TABLES);
        let load = load(if long() { 300 } else { 40 });
        let mut settings = settings("busy");
        settings.chunk_rows = [1, 3, 10, 100][rng.usize(0..4)];
        thread::scope(|scope| {
            let (load, source, load_seed) = (&load, &source, rng.u64(..));
            let changes = scope.spawn(move || load.run(source, load_seed));
            let lost = replicate_roughly(source, &target, &settings, &mut rng, 50);
            let _ = changes.join().expect("the load ends");
            lost.unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error:?}"))
        });
        replicate(&source, &target, &settings).expect("the rest");
        compare::assert_equal(&source, &target, &["moving"]);
    }
}
