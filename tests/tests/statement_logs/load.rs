//! LOAD DATA that was logged as a statement, with its file.

use datain_capture::reader::Settings;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::native::{replicate, session};
use datain_tests::pipeline_run::value;
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

use crate::stream::replaying;

const TABLES: &str = "CREATE DATABASE st CHARACTER SET latin1; USE st; CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(60) CHARACTER SET utf8, n INT NOT NULL DEFAULT 0); \
    CREATE TABLE other (id INT PRIMARY KEY)";

/// A server that reads files, and logs statements.
fn source(flavor: Flavor) -> Server {
    Server::builder(flavor)
        .relaxed()
        .option("secure_file_priv=")
        .option("local_infile=1")
        .option("binlog_format=STATEMENT")
        .start()
        .expect("a server")
}

fn target(flavor: Flavor) -> Server {
    Server::builder(flavor)
        .relaxed()
        .option("local_infile=1")
        .start()
        .expect("a server")
}

/// Loads bytes over a session of its own.
fn load(source: &Server, sql: &str, file: &[u8]) {
    let mut session = session(source);
    block_on(session.exec(b"USE st")).expect("a schema");
    block_on(session.load_local(sql.as_bytes(), file)).expect(sql);
}

fn arrives(source: &Server, target: &Server) {
    run(
        source,
        &format!(
            "{TABLES}; INSERT INTO t (id, v) VALUES (1, 'a;b'), (2, NULL), (3, 'c\\\\d'), (4, 'quote\\'s'); SELECT id, v FROM t INTO OUTFILE 'loaded.txt' FIELDS TERMINATED BY ';'; DELETE FROM t; \
             LOAD DATA INFILE 'loaded.txt' INTO TABLE t FIELDS TERMINATED BY ';' (id, @v) SET v = CONCAT(@v, ' loaded'), n = (SELECT COUNT(*) FROM other); \
             LOAD DATA INFILE 'loaded.txt' REPLACE INTO TABLE t FIELDS TERMINATED BY ';' (id, v); LOAD DATA INFILE 'loaded.txt' IGNORE INTO TABLE t FIELDS TERMINATED BY ';' IGNORE 1 LINES (id, v); \
             BEGIN; INSERT INTO other VALUES (5); LOAD DATA INFILE 'loaded.txt' INTO TABLE st.t FIELDS TERMINATED BY ';' (@id, v); UPDATE t SET n = n + 1; COMMIT"
        ),
    );
    // In the schema's character set, and in one that the statement names.
    load(
        source,
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE t (v)",
        b"gr\xfc\xdfe\n",
    );
    load(
        source,
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE t CHARACTER SET utf8 FIELDS TERMINATED BY ',' LINES STARTING BY '>' (n, v)",
        "no\n>7,grüße\n".as_bytes(),
    );
    // In many blocks, and larger than a batch.
    let many: String = (0..40_000)
        .map(|n| format!("{n}\tthe value of line {n}\n"))
        .collect();
    load(
        source,
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE t (n, v)",
        many.as_bytes(),
    );
    load(
        source,
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE t (n, v)",
        b"",
    );
    replicate(source, target, &replaying()).expect("the files");
    compare::assert_equal(source, target, &["st"]);
    let umlauts = value(
        target,
        "SELECT COUNT(*) FROM st.t WHERE HEX(CONVERT(v USING utf8)) = '6772C3BCC39F65'",
    );
    assert_eq!(umlauts.as_deref(), Some("2"));
    assert_eq!(
        value(target, "SELECT COUNT(*) > 40000 FROM st.t").as_deref(),
        Some("1")
    );
}

/// fidelity: event | `Begin_load_query`, `Append_block`, `Execute_load_query` of MySQL 9.7, with `statements = "replay"`: LOAD DATA as a statement with its file, with REPLACE, IGNORE, SET, several character sets | equal
#[test]
fn files_arrive() {
    arrives(&source(Flavor::Mysql97), &target(Flavor::Mysql97));
}

/// fidelity: event | the same of MySQL 5.6 | equal on MySQL 9.7
#[test]
fn files_of_5_6_arrive() {
    arrives(&source(Flavor::Mysql56), &target(Flavor::Mysql97));
}

/// fidelity: event | the same of MariaDB 10.11 | equal on MariaDB 10.11
#[test]
fn files_of_mariadb_arrive() {
    arrives(&source(Flavor::Mariadb1011), &target(Flavor::Mariadb1011));
}

/// LOCAL makes warnings of errors: what the source has loaded must not be left out, or bent, in silence.
#[test]
fn what_the_target_would_load_otherwise_stops() {
    let (source, target) = (source(Flavor::Mysql97), target(Flavor::Mysql97));
    run(&source, TABLES);
    replicate(&source, &target, &replaying()).expect("the tables");
    let stops = |settings: &Settings, code: &str| {
        let error = replicate(&source, &target, settings).expect_err(code);
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.hint.is_some() && error.gtid.is_some(), "{error:?}");
        assert_eq!(
            value(&target, "SELECT COUNT(*) FROM st.t WHERE v = 'x'").as_deref(),
            Some("0")
        );
    };
    run(
        &source,
        "USE st; INSERT INTO other VALUES (1); SELECT 8, 'x', 70000 INTO OUTFILE 'eight.txt'; LOAD DATA INFILE 'eight.txt' INTO TABLE t (id, v, n)",
    );
    run(&target, "INSERT INTO st.t (id, v) VALUES (8, 'in the way')");
    stops(&replaying(), "statement.load-differs");
    run(
        &target,
        "DELETE FROM st.t; ALTER TABLE st.t MODIFY n SMALLINT NOT NULL",
    );
    stops(&replaying(), "statement.load-differs");
    run(
        &target,
        "ALTER TABLE st.t MODIFY n INT NOT NULL DEFAULT 0; SET GLOBAL local_infile = 0",
    );
    stops(&replaying(), "server.local-infile-disabled");
    run(&target, "SET GLOBAL local_infile = 1");
    let small = Settings {
        max_row_bytes: 4,
        ..replaying()
    };
    stops(&small, "source.load-data");
    replicate(&source, &target, &replaying()).expect("mended");
    compare::assert_equal(&source, &target, &["st"]);
}

/// What breaks a constraint that the source has not, or does not keep, is left out by LOCAL without being counted; and what is only told of must not hide it.
fn constraints(flavor: Flavor) {
    let (source, target) = (source(flavor), target(flavor));
    run(&source, TABLES);
    replicate(&source, &target, &replaying()).expect("the tables");
    let stops = |of: &str| {
        let error = replicate(&source, &target, &replaying()).expect_err(of);
        assert_eq!(error.code, "statement.load-differs", "{of}: {error:?}");
        assert_eq!(
            value(&target, "SELECT COUNT(*) FROM st.t").as_deref(),
            Some("0"),
            "{of}"
        );
    };
    run(
        &source,
        "USE st; SELECT 1, 'x', 70000 UNION SELECT 2, 'y', 5 INTO OUTFILE 'two.txt'; SET SESSION sql_mode = ''; LOAD DATA INFILE 'two.txt' INTO TABLE t (id, v, n)",
    );
    run(
        &target,
        "ALTER TABLE st.t ADD CONSTRAINT low CHECK (n < 10)",
    );
    stops("a constraint");
    run(&target, "ALTER TABLE st.t DROP CONSTRAINT low");
    replicate(&source, &target, &replaying()).expect("mended");
    compare::assert_equal(&source, &target, &["st"]);
    // Digits that are cut are told of in notes, more than a server keeps by itself.
    run(
        &source,
        "DELETE FROM st.t; ALTER TABLE st.t ADD m DECIMAL(10, 1)",
    );
    replicate(&source, &target, &replaying()).expect("a column");
    run(&target, "ALTER TABLE st.t MODIFY n SMALLINT NOT NULL");
    let lines: String = (0..2000).map(|line| format!("{line}\t1.23\n")).collect();
    std::fs::write(
        source.datadir().join("st/many.txt"),
        lines + "70000\t1.23\n",
    )
    .expect("a file");
    run(
        &source,
        "USE st; LOAD DATA INFILE 'many.txt' INTO TABLE t (n, m)",
    );
    stops("many notes");
}

#[test]
fn what_the_target_leaves_out_without_counting_it_stops() {
    constraints(Flavor::Mysql97);
    constraints(Flavor::Mariadb1011);
}
