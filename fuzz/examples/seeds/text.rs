//! Seeds that are text, and numbers.

use datain_binlog::GtidSet;
use datain_capture::checkpoint::State;
use datain_capture::position::Position;

use crate::{Seeds, chunk, file};

fn text(path: &str) -> String {
    String::from_utf8(file(path)).expect("text")
}

/// Numbers at their limits, in columns of every split of their digits.
pub fn decimal() {
    let mut seeds = Seeds::of("decimal", 100);
    for (precision, scale) in [
        (1, 0),
        (1, 1),
        (8, 0),
        (9, 0),
        (14, 4),
        (18, 9),
        (30, 30),
        (65, 0),
        (65, 30),
    ] {
        let (before, after) = (usize::from(precision - scale), usize::from(scale));
        for digit in ["0", "9", "1"] {
            for negative in [false, true] {
                let (whole, fraction) = (digit.repeat(before), digit.repeat(after));
                let whole = if digit == "0" { "0" } else { &whole };
                let stored =
                    datain_fuzz::decimal::write(negative, whole, &fraction, precision, scale);
                seeds.add([&[precision, scale], &stored[..]].concat());
            }
        }
    }
}

/// Sets as servers write them, in both forms, with tags and without.
pub fn gtid_set() {
    const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    let mut seeds = Seeds::of("gtid_set", 400);
    let mut sets = vec![
        String::new(),
        format!("{UUID}:1-5:11-18"),
        format!("{UUID}:1-77:blue:1:red_2:3-4:9223372036854775806"),
        format!("{UUID}:1-3,\n {UUID}:4 , 4e11fa47-71ca-11e1-9e33-c80aa9429562:5-0"),
    ];
    for name in ["full-metadata-next", "no-checksum-next"] {
        sets.push(text(&format!("crates/binlog/tests/data/{name}.gtids.txt")));
    }
    for set in sets {
        if let Ok(parsed) = set.trim().parse::<GtidSet>() {
            seeds.add([&[0], &parsed.encode()[..]].concat());
        }
        seeds.add([b"\x01", set.as_bytes()].concat());
    }
    seeds.add(format!("\x02{UUID}:77").into_bytes());
    seeds.add(format!("\x02{UUID}:blue:77").into_bytes());
    seeds.add(b"\x03\0\x01\x05\x01\x02\x05\x02\x03\x05\x08\x01\x09\x84\x03\x02".to_vec());
}

/// The examples of the documentation, and a file with every key.
pub fn config() {
    let mut seeds = Seeds::of("config", 3000);
    for path in [
        "README.md",
        "docs/configuration.md",
        "docs/status.md",
        "docs/tail.md",
    ] {
        let text = text(path);
        for block in text
            .split("```")
            .skip(1)
            .step_by(2)
            .chain(indented(&text).iter().map(String::as_str))
        {
            if block.contains("[source]") {
                seeds.add(block.trim_start_matches("toml").as_bytes().to_vec());
            }
        }
    }
    seeds.add(ALL_KEYS.into());
    seeds.add("name = \"orders\"\n[source]\nhost = \"127.0.0.1\"\nuser = \"repl\"\npassword_file = \"secret.txt\"\n[target]\nsocket = \"run/target.sock\"\nuser = \"apply\"\n[start]\nmode = \"gtid\"\ngtid_set = \"\"\n".into());
}

const ALL_KEYS: &str = r#"name = "all_keys-1"
[source]
host = "db.example"
port = 3307
user = "repl"
password_env = "SECRET"
tls = "verify-identity"
ca = "ca.pem"
cert = "client.pem"
key = "client.pem"
server_id = 77
connect_timeout_seconds = 30
get_server_public_key = true
server_public_key = "key.pem"
[target]
socket = "/run/mysqld/mysqld.sock"
user = "apply"
password = "inline"
[replicate]
include = ["shop.*", "a\\_b.c%"]
exclude = ["shop.log_%"]
[start]
mode = "position"
file = "binlog.000003"
position = 5000000000
[check]
allow = ["version", "no-primary-key"]
[apply]
group_max_rows = 100
group_linger_ms = 0
connections = 2
[limits]
memory_mib = 512
max_row_mib = 8
queue_mib = 4
call_cpu_seconds = 9
connections = 3
[control]
socket = "control.sock"
[plugins]
source = "source.wasm"
sink = "sink.wasm"
cache = false
"#;

/// Blocks of indented lines.
fn indented(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        match line.strip_prefix("    ") {
            Some(line) => {
                let block = blocks.last_mut().expect("never empty");
                block.push_str(line);
                block.push('\n');
            }
            None if line.is_empty() => blocks.last_mut().expect("never empty").push('\n'),
            None => blocks.push(String::new()),
        }
    }
    blocks
}

/// Statements of the scenarios and of the recorded logs, and forms that only the log or another server has.
pub fn sql() {
    let mut seeds = Seeds::of("sql", 500);
    let mut add = |choice: u8, sql: &str| {
        seeds.add([&[choice][..], &chunk(b"shop.o%"), sql.trim().as_bytes()].concat());
    };
    for path in [
        "tests/scenarios/ddl.sql",
        "crates/binlog/tests/data/types-2-update.sql",
        "crates/binlog/tests/data/types-3-ddl.sql",
    ] {
        text(path).split(";\n").for_each(|sql| add(0, sql));
    }
    for (choice, sql) in [
        (0, "XA START X'74657374',X'',1"),
        (0, "XA COMMIT X'74657374',X'',1 ONE PHASE"),
        (0, "ROLLBACK TO `s1`"),
        (
            0,
            "CREATE DEFINER=`a`@`%` TRIGGER t BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.a = 'b\\'c'",
        ),
        (0, "DROP TABLE IF EXISTS `a`.`b` /* generated by server */"),
        (
            0,
            "/*!80000 CREATE TABLE a (b INT) */ /*!50100 PARTITION BY HASH (b) */",
        ),
        (1, "RENAME TABLE \"a\".\"b\" TO \"a\".\"c\", d TO e.f"),
        (2, "ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b -- '\\'"),
        (
            4,
            "SET STATEMENT max_statement_time=1 FOR CREATE OR REPLACE TABLE a.b SELECT 1 /*M!100100 x */",
        ),
        (4, "CREATE SEQUENCE IF NOT EXISTS s START WITH 1"),
        (0, "CREATE TABLE t (a INT) START TRANSACTION"),
        (5 << 3, "DROP TABLE `\u{8868}`, a"),
        (0, "SET PASSWORD FOR 'a'@'%' = 'x'"),
        (
            0,
            "ALTER EVENT e ON SCHEDULE EVERY 1 DAY RENAME TO f DO SELECT 1",
        ),
    ] {
        add(choice, sql);
    }
}

/// What datain writes, by file and by GTID.
pub fn checkpoint() {
    let mut seeds = Seeds::of("checkpoint", 1000);
    for set in [
        None,
        Some(""),
        Some(
            "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77:99,4e11fa47-71ca-11e1-9e33-c80aa9429562:1:blue:2-3",
        ),
    ] {
        let state = State {
            server_uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562".to_owned(),
            position: Position {
                file: "binlog.000003".to_owned(),
                offset: 5_000_000_000,
            },
            gtids: set.map(|set| datain_capture::gtids::Gtids::Set(set.parse().expect("a set"))),
            copy: None,
            aside: None,
            scope: None,
            temporary: datain_capture::temporary::TemporaryTables::default(),
            file_began: None,
        };
        seeds.add(state.checkpoint(7).data);
    }
    seeds.add(br#"{"v":2,"server_uuid":"","file":"","offset":0,"gtid_set":null}"#.to_vec());
}

/// Lines as MySQL 9.7, 5.6 and MariaDB print them.
pub fn grants() {
    let mut seeds = Seeds::of("grants", 1000);
    let lines = "GRANT SELECT, RELOAD, REPLICATION SLAVE ON *.* TO `u`@`%` WITH GRANT OPTION
GRANT REPLICATION_APPLIER,SET_ANY_DEFINER ON *.* TO `u`@`%`
GRANT ALL PRIVILEGES ON `shop`.* TO 'u'@'%' IDENTIFIED BY PASSWORD '*FF'
GRANT INSERT ON `tmp\\_%`.* TO `u`@`%`
REVOKE SELECT ON `secret`.* FROM `u`@`%`
GRANT UPDATE, DELETE (`c`, `d``e`) ON \"other\".\"t\" TO \"u\"@\"%\"
GRANT `r`@`%`,`s`@`%` TO `u`@`%`
GRANT EXECUTE ON PROCEDURE `s`.`p` TO `u`@`%`
GRANT PROXY ON ``@`` TO `u`@`%` WITH GRANT OPTION";
    for (literal, schema, table) in [
        (0, "tmp_1", "t"),
        (1, "tmp\\_%", "o'x@%"),
        (0, "a`_\\%", ""),
    ] {
        let head = [
            &[literal][..],
            &chunk(schema.as_bytes()),
            &chunk(table.as_bytes()),
        ]
        .concat();
        seeds.add([&head[..], lines.as_bytes()].concat());
        for line in lines.lines() {
            seeds.add([&head[..], line.as_bytes()].concat());
        }
    }
}
