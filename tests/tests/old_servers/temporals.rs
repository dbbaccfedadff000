//! TIME, DATETIME and TIMESTAMP as MySQL before 5.6.4 stored them. A table that has not been rebuilt since keeps them, and the log has them as they are.

use datain_tests::host::Host;
use datain_tests::native::{replicate, settings};
use datain_tests::pipeline_run::{LIMIT, server};
use datain_tests::servers::{cell, run};
use datain_throwaway_servers::Server;

use crate::{old, started};

/// Codes of column types: INT, BIGINT, and the old and new forms of three.
const INT: u8 = 3;
const BIGINT: u8 = 8;
const OLD_DATETIME: u8 = 12;
const OLD_TIME: u8 = 11;
const OLD_TIMESTAMP: u8 = 7;
const TIME: u8 = 19;
const TIMESTAMP: u8 = 17;
/// Bytes of a column in a .frm file.
const STRIDE: usize = 17;

/// fidelity: mysql-5.6 → mysql-9.7: type | TIME, DATETIME and TIMESTAMP in the form of MySQL before 5.6.4 | equal; shown from files too
#[test]
fn times_of_the_old_form_arrive() {
    let (source, target) = (started(old()), server());
    // 5.6 makes no such table, but reads one that 5.5 has left. The new TIME and TIMESTAMP take as many bytes as the old, and a BIGINT as many as the old DATETIME: so only their types
    // have to be changed in the table's definition, which MyISAM keeps in this file only.
    run(
        &source,
        "CREATE DATABASE d; SET SESSION sql_log_bin = 0; \
         CREATE TABLE d.t (id INT NOT NULL PRIMARY KEY, dt BIGINT UNSIGNED NOT NULL, t TIME NOT NULL, ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=MyISAM; FLUSH LOCAL TABLES",
    );
    let file = source.datadir().join("d").join("t.frm");
    let mut frm = std::fs::read(&file).expect("the definition");
    let types = |at: &usize| [0, 1, 2, 3].map(|n| frm.get(at + n * STRIDE).copied().unwrap_or(0));
    let place = (0..frm.len()).find(|at| types(at) == [INT, BIGINT, TIME, TIMESTAMP]);
    let place = place.expect("the columns");
    for (n, kind) in [(1, OLD_DATETIME), (2, OLD_TIME), (3, OLD_TIMESTAMP)] {
        frm[place + n * STRIDE] = kind;
    }
    std::fs::write(&file, frm).expect("the definition");
    run(
        &source,
        "SET SESSION time_zone = '+00:00'; \
         INSERT INTO d.t VALUES (1, '2020-02-29 10:11:12', '-838:59:59', '2038-01-19 03:14:07'), (2, '0000-00-00', '838:59:59', '0000-00-00 00:00:00'), \
           (3, '9999-12-31 23:59:59', '00:00:01', '1970-01-01 00:00:01'), (4, '2020-10-00', 0, '2000-01-01'); \
         UPDATE d.t SET t = '-00:00:01', dt = '1000-01-01 00:00:01' WHERE id = 3; DELETE FROM d.t WHERE id = 4",
    );
    run(
        &target,
        "CREATE DATABASE d CHARACTER SET latin1; CREATE TABLE d.t (id INT NOT NULL PRIMARY KEY, dt DATETIME NOT NULL, t TIME NOT NULL, ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    );
    // Behind the statement that makes the schema.
    let uuid = cell(&source, "SELECT @@server_uuid");
    let start = format!(r#"{{"mode":"gtid","gtid_set":"{uuid}:1"}}"#);
    replicate(&source, &target, &settings(&start)).unwrap_or_else(|e| panic!("{e:?}"));
    // The file of the log says the same, without a server.
    let file = source.datadir().join("binlog.000001");
    let file = file.to_str().expect("a path");
    let exit = Host::command(&["tail", "--file", file], LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    for value in [
        "2020-02-29",
        "-838:59:59",
        "2038-01-19T03:14:07Z",
        "0000-00-00",
        "-00:00:01",
        "1000-01-01",
    ] {
        assert!(exit.stdout.contains(value), "{value}: {exit}");
    }
    // The engines differ, so that only rows can be compared.
    let rows = "SET SESSION time_zone = '+00:00'; SELECT * FROM d.t ORDER BY id";
    let of = |server: &Server| server.query(rows).expect("rows");
    assert_eq!(of(&source), of(&target));
    assert_eq!(of(&target).len(), 3);
}
