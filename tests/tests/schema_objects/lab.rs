//! Servers, the way of a list from one to the other, and what each server says of all it has.

use std::collections::BTreeMap;

use datain_apply::objects::{Done, make};
use datain_contract::types::{Error, Severity};
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{
    ConnectOptions, Outcome, Session, Stream, TlsPolicy, append_string, quote_identifier,
};
use datain_schema_objects::plan::{Abilities, Choices, Plan, plan};
use datain_schema_objects::read::{Reading, read};
use datain_schema_objects::{Object, Phase};
use datain_tests::native::session;
use datain_throwaway_servers::{Flavor, Server};

/// All phases, in order.
pub const PHASES: [Phase; 3] = [Phase::BeforeRows, Phase::AfterRows, Phase::HeldBack];

/// A server whose event scheduler sleeps, so that no event is gone when its time has come; with the accounts that views are seen through.
pub fn server() -> Server {
    let server = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("event_scheduler=OFF")
        .start()
        .expect("a server");
    let accounts = ["uü", "u中誤", "uжя"].map(|user| {
        format!("CREATE USER '{user}'@'%' ACCOUNT LOCK; GRANT ALL ON *.* TO '{user}'@'%';")
    });
    server
        .sql(&format!("SET NAMES utf8mb4; {}", accounts.concat()))
        .unwrap();
    server
}

/// Both files of statements, and what is written in other character sets.
pub fn fill(source: &Server) {
    for sql in [include_str!("cinema.sql"), include_str!("odd.sql")] {
        source.sql(sql).unwrap();
    }
    let mut session = session(source);
    // The server cannot read its own text of a view with a character whose second byte is a backslash.
    for sql in [
        &b"SET NAMES gbk"[..],
        b"USE moved",
        b"CREATE VIEW broken_text AS SELECT '\xd5\x5c' AS x",
    ] {
        block_on(session.exec(sql)).unwrap();
    }
    // A name and a text in each. In gbk the name has a character whose second byte is a backtick.
    for (charset, name, text) in [
        ("latin1", &b"\xfc"[..], &b"\xe4"[..]),
        ("gbk", b"\xd6\xd0\xd5\x60", b"\xd5\x53\xd6\xd0"),
        ("cp1251", b"\xe6\xff", b"\xd6"),
    ] {
        block_on(
            session
                .exec(format!("CREATE DATABASE `in_{charset}` CHARACTER SET {charset}").as_bytes()),
        )
        .unwrap();
        block_on(session.exec(format!("USE in_{charset}").as_bytes())).unwrap();
        block_on(session.exec(format!("SET NAMES {charset}").as_bytes())).unwrap();
        for statement in [
            &b"CREATE TABLE `t#`(n VARCHAR(20) DEFAULT '~', `s#` VARCHAR(10), PRIMARY KEY (`s#`)) COMMENT '#'"[..],
            b"CREATE FUNCTION `f#`(`p#` ENUM('~','b')) RETURNS ENUM('~','b') CHARSET utf8mb4 DETERMINISTIC COMMENT '#' RETURN concat(`p#`,'~~')",
            b"CREATE DEFINER=`u#`@`%` PROCEDURE `p#`(IN `p#` ENUM('~','b')) COMMENT '#' SELECT concat(`p#`,'~~') AS `x#`",
            b"CREATE DEFINER=`u#`@`%` TRIGGER `tr#` BEFORE INSERT ON `t#` FOR EACH ROW SET NEW.n = CONCAT(NEW.n, '~', NEW.`s#`)",
            b"CREATE DEFINER=`u#`@`%` EVENT `e#` ON SCHEDULE EVERY 1 DAY DISABLE COMMENT '#' DO SELECT '~' AS `x#`",
            b"CREATE DEFINER=`u#`@`%` VIEW `b#` AS SELECT n AS `x#`, '#' AS b FROM `t#`",
            b"CREATE VIEW `a#` AS SELECT `x#`, CONCAT(b, '~') AS f FROM `b#`",
        ] {
            let mut sql = Vec::new();
            for &byte in statement {
                match byte {
                    b'#' => sql.extend_from_slice(name),
                    b'~' => sql.extend_from_slice(text),
                    other => sql.push(other),
                }
            }
            block_on(session.exec(&sql)).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&sql)));
        }
    }
}

/// What a source's account sees of these schemas.
pub fn read_as(mut session: Session<impl Stream>, include: &[&str]) -> Result<Reading, Error> {
    let include: Vec<String> = include.iter().map(|&pattern| pattern.to_owned()).collect();
    let filter = datain_server_facts::filter(&include, &[], false)?;
    block_on(read(&mut session, &filter))
}

/// Reads as root, and plans for the target.
pub fn planned(source: &Server, target: &Server, include: &[&str], choices: Choices) -> Plan {
    let reading = read_as(session(source), include).unwrap();
    for finding in &reading.findings {
        assert_ne!(finding.severity, Severity::Fatal, "{finding:?}");
    }
    let abilities = block_on(Abilities::ask(&mut session(target))).unwrap();
    plan(reading, &abilities, choices)
}

/// Runs phases of a list on a target, over a session of root's, and says what became of each object.
pub fn run(
    mut session: Session<impl Stream>,
    objects: &[Object],
    phases: &[Phase],
    goes_on: bool,
) -> Result<Vec<(String, Done)>, Error> {
    let mut told = Vec::new();
    block_on(async {
        for phase in phases {
            make(&mut session, objects, *phase, goes_on, |object, done| {
                told.push((object.to_string(), done.clone()));
            })
            .await?;
        }
        Ok(told)
    })
}

/// A session of any account.
pub fn session_of(server: &Server, user: &str) -> Session<BlockingStream> {
    let stream = BlockingStream::unix(server.socket()).unwrap();
    let mut options = ConnectOptions::new(user).with_password("secret");
    options.tls = TlsPolicy::Disabled;
    block_on(Session::connect(stream, &options)).unwrap()
}

/// Everything that a server shows of what is in these schemas, as bytes: every cell of every SHOW CREATE but the time at which a trigger was made.
pub fn all_shown(server: &Server, schemas: &[String]) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut session = session(server);
    let mut ask = |sql: &[u8]| {
        let Some(Outcome::Rows(set)) = block_on(session.query(sql)).unwrap().pop() else {
            panic!("no rows");
        };
        set
    };
    let mut all = BTreeMap::new();
    let mut list = Vec::new();
    for schema in schemas {
        let mut literal = b"".to_vec();
        append_string(&mut literal, schema.as_bytes());
        let literal = String::from_utf8(literal).unwrap();
        let names = format!(
            "SELECT 'DATABASE', SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {literal} \
             UNION ALL SELECT IF(TABLE_TYPE = 'VIEW', 'VIEW', 'TABLE'), TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {literal} \
             UNION ALL SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {literal} \
             UNION ALL SELECT 'TRIGGER', TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {literal} \
             UNION ALL SELECT 'EVENT', EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {literal} \
             UNION ALL SELECT 'LIBRARY', LIBRARY_NAME FROM information_schema.LIBRARIES WHERE LIBRARY_SCHEMA = {literal} \
             UNION ALL SELECT 'ORDER', GROUP_CONCAT(TRIGGER_NAME ORDER BY EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {literal}"
        );
        for row in ask(names.as_bytes()).rows {
            let text = |cell: &Option<Vec<u8>>| {
                String::from_utf8(cell.clone().unwrap_or_default()).unwrap()
            };
            list.push((schema.clone(), text(&row[0]), text(&row[1])));
        }
    }
    ask(b"SELECT 1");
    for sql in [
        "SET NAMES utf8mb4",
        "SET character_set_results = NULL",
        "SET time_zone = '+00:00'",
        "USE information_schema",
    ] {
        block_on(session.exec(sql.as_bytes())).unwrap();
    }
    for (schema, kind, name) in list {
        let key = format!("{kind} {schema}.{name}");
        if kind == "ORDER" {
            all.insert(key, Vec::new());
            continue;
        }
        let object = match kind.as_str() {
            "DATABASE" => quote_identifier(&schema),
            _ => format!("{}.{}", quote_identifier(&schema), quote_identifier(&name)),
        };
        let sql = format!("SHOW CREATE {kind} {object}");
        let Some(Outcome::Rows(set)) = block_on(session.query(sql.as_bytes())).unwrap().pop()
        else {
            panic!("no rows");
        };
        let cells = set.columns.iter().zip(set.rows[0].clone());
        let cells = cells
            .filter(|(column, _)| column.name != "Created")
            .map(|(_, cell)| cell.unwrap_or_default());
        all.insert(key, cells.collect());
    }
    all
}

/// Panics with what differs.
pub fn assert_same_shown(source: &Server, target: &Server, schemas: &[String]) {
    let (left, right) = (all_shown(source, schemas), all_shown(target, schemas));
    let text = |cells: Option<&Vec<Vec<u8>>>| -> String {
        cells.map_or_else(
            || "(nothing)".to_owned(),
            |cells| {
                let cells: Vec<String> = cells
                    .iter()
                    .map(|c| c.escape_ascii().to_string().replace("\\n", "\n"))
                    .collect();
                cells.join("\n")
            },
        )
    };
    let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let different: Vec<String> = keys
        .into_iter()
        .filter(|key| left.get(*key) != right.get(*key))
        .map(|key| {
            format!(
                "{key}\nsource: {}\ntarget: {}",
                text(left.get(key)),
                text(right.get(key))
            )
        })
        .collect();
    assert!(
        different.is_empty(),
        "{} differ:\n{}",
        different.len(),
        different.join("\n\n")
    );
    assert!(!left.is_empty());
}
