//! The client against real servers of every flavour.

use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{
    ClientError, ConnectOptions, DUMP_NON_BLOCK, DUMP_THROUGH_GTID, DumpPacket, Outcome,
    ReplicaIdentity, Result, Session, TlsPolicy,
};
use datain_throwaway_servers::{Flavor, Server};

type Conn = Session<BlockingStream>;

fn start(flavor: Flavor) -> Server {
    let mut builder = Server::builder(flavor)
        .relaxed()
        .option("local_infile=ON")
        .option("max_allowed_packet=64M");
    if flavor == Flavor::Mysql56 {
        // Its redo log must hold ten times the largest value.
        builder = builder.option("innodb_log_file_size=256M");
    }
    builder.start().expect("a server")
}

fn options(user: &str, password: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(user).with_password(password);
    options.tls = TlsPolicy::Disabled;
    options.local_files = true;
    options.multi_statements = true;
    options.found_rows = true;
    options
}

async fn tcp(server: &Server, options: &ConnectOptions) -> Result<Conn> {
    let stream = BlockingStream::tcp(("127.0.0.1", server.port())).expect("the server listens");
    Session::connect(stream, options).await
}

async fn unix(server: &Server, options: &ConnectOptions) -> Result<Conn> {
    Session::connect(
        BlockingStream::unix(server.socket()).expect("the server listens"),
        options,
    )
    .await
}

fn error<T>(result: Result<T>) -> ClientError {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error,
    }
}

async fn statements(session: &mut Conn) -> Result<()> {
    session.exec(b"SET NAMES binary").await?;
    session.exec(b"CREATE DATABASE t").await?;
    session
        .exec(b"CREATE TABLE t.a (id INT PRIMARY KEY, b LONGBLOB) ENGINE=InnoDB")
        .await?;
    // Statements ahead of their results, one of them wrong.
    for i in 0..300 {
        session
            .send_query(format!("INSERT INTO t.a VALUES ({i}, NULL)").as_bytes())
            .await?;
    }
    session
        .send_query(b"INSERT INTO t.a VALUES (7, 'secret')")
        .await?;
    session
        .send_query(b"UPDATE t.a SET b = 'x' WHERE id < 10")
        .await?;
    for _ in 0..300 {
        let (outcome, more) = session.read_result().await?;
        assert_eq!(
            (outcome.ok().map(|ok| ok.affected_rows), more),
            (Some(1), false)
        );
    }
    assert_eq!(
        error(session.read_result().await).code(),
        "server.duplicate-key"
    );
    let (outcome, _) = session.read_result().await?;
    let ok = outcome.ok().expect("no rows");
    assert_eq!(
        (ok.affected_rows, ok.info.as_str()),
        (10, "Rows matched: 10  Changed: 10  Warnings: 0")
    );
    // CLIENT_FOUND_ROWS: matched, not changed.
    assert_eq!(
        session
            .exec(b"UPDATE t.a SET b = 'x' WHERE id < 10")
            .await?
            .affected_rows,
        10
    );

    let outcomes = session
        .query(b"SELECT 1, NULL, 'x'; DO 1; SELECT id FROM t.a WHERE id < 3")
        .await?;
    let [Outcome::Rows(first), Outcome::Ok(_), Outcome::Rows(last)] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(
        first.rows,
        [vec![Some(b"1".to_vec()), None, Some(b"x".to_vec())]]
    );
    assert_eq!(
        (last.rows.len(), last.columns[0].org_table.as_str()),
        (3, "a")
    );

    assert_eq!(
        session
            .open_rows(b"SELECT * FROM t.a ORDER BY id")
            .await?
            .len(),
        2
    );
    let mut count = 0;
    while let Some(row) = session.next_row().await? {
        assert_eq!(
            row.values().next().expect("a value")?,
            Some(count.to_string().as_bytes())
        );
        count += 1;
    }
    assert_eq!(count, 300);
    Ok(())
}

async fn large_packets(session: &mut Conn) -> Result<()> {
    // Around the size of a frame: command byte, statement and value make 0xfffffe, 0xffffff and 0x1000000 bytes.
    for len in [0xff_fffe, 0xff_ffff, 0x100_0000, 20 << 20] {
        let frame = b"\x03REPLACE INTO t.a VALUES (1000, '')".len();
        let mut sql = b"REPLACE INTO t.a VALUES (1000, '".to_vec();
        sql.resize(sql.len() + len - frame, b'y');
        sql.extend_from_slice(b"')");
        session.exec(&sql).await?;
        let set = session
            .query_rows(b"SELECT b FROM t.a WHERE id = 1000")
            .await?;
        let value = set[0][0].as_ref().expect("a value");
        assert_eq!(value.len(), len - frame);
        assert!(value.bytes().all(|b| b == b'y'));
    }
    // A row of exactly one full frame: four bytes of length and the value.
    let exact = session
        .query_rows(b"SELECT REPEAT('z', 0xffffff - 4)")
        .await?;
    assert_eq!(exact[0][0].as_ref().map(String::len), Some(0xff_ffff - 4));
    session.exec(b"DELETE FROM t.a WHERE id = 1000").await?;
    Ok(())
}

async fn load(session: &mut Conn) -> Result<()> {
    let data: Vec<u8> = (0..60_000)
        .flat_map(|i| format!("{}\tabc\n", 10_000 + i).into_bytes())
        .collect();
    let sql = b"LOAD DATA LOCAL INFILE 'datain' INTO TABLE t.a CHARACTER SET binary (id, b)";
    assert_eq!(session.load_local(sql, &data).await?.affected_rows, 60_000);
    assert_eq!(session.load_local(sql, b"").await?.affected_rows, 0);
    let missing = b"LOAD DATA LOCAL INFILE 'datain' INTO TABLE t.missing";
    assert_eq!(
        error(session.load_local(missing, b"1\t2\n").await).code(),
        "server.table-missing"
    );
    session.ping().await?;

    // What an INSERT would refuse is left out, which the number of rows tells, and in MySQL since 5.7 a warning too.
    let ok = session.load_local(sql, b"10000\tx\n9000\ty\n").await?;
    assert_eq!(ok.affected_rows, 1);
    if session.server_version().is_mysql_since(5, 7, 0) {
        assert_eq!(ok.warnings, 1);
    }
    let info = format!(
        "Records: 2  Deleted: 0  Skipped: 1  Warnings: {}",
        ok.warnings
    );
    assert_eq!(ok.info, info);

    // Where the server does not load, it says so before anything is sent, and the transaction goes on.
    session.exec(b"SET GLOBAL local_infile = OFF").await?;
    session.exec(b"START TRANSACTION").await?;
    session.exec(b"INSERT INTO t.a VALUES (9001, 'x')").await?;
    let disabled = error(session.load_local(sql, b"9002\ty\n").await);
    assert_eq!(disabled.code(), "server.local-infile-disabled");
    if session.server_version().is_mysql_since(8, 0, 0) {
        assert_eq!(disabled.errno(), Some(3948));
    }
    session.exec(b"COMMIT").await?;
    let rows = session
        .query_rows(b"SELECT id FROM t.a WHERE id BETWEEN 9000 AND 9999")
        .await?;
    assert_eq!(rows, [[Some("9000".to_owned())], [Some("9001".to_owned())]]);
    session.exec(b"SET GLOBAL local_infile = ON").await?;
    Ok(())
}

/// Reads the whole log; returns the number of events.
async fn read_dump(session: &mut Conn) -> Result<usize> {
    let (mut count, mut large, mut arrived) = (0, 0, 0);
    loop {
        match session.next_event().await? {
            DumpPacket::Event(event) => {
                // The common header says how long the event is.
                assert_eq!(event[9..13], (event.len() as u32).to_le_bytes());
                count += 1;
            }
            DumpPacket::Piece { bytes, first, last } => {
                if first {
                    large = bytes[9..13]
                        .iter()
                        .rev()
                        .fold(0, |n, b| n << 8 | usize::from(*b));
                    arrived = 0;
                }
                arrived += bytes.len();
                if last {
                    assert_eq!(arrived, large);
                    count += 1;
                }
            }
            DumpPacket::EndOfStream => return Ok(count),
        }
    }
}

/// A connection on which the server may dump events with checksums.
async fn replica(server: &Server, flavor: Flavor, root: &ConnectOptions) -> Result<Conn> {
    let mut session = unix(server, root).await?;
    session
        .exec(b"SET @master_binlog_checksum = @@global.binlog_checksum")
        .await?;
    session
        .exec(b"SET @source_binlog_checksum = @@global.binlog_checksum")
        .await?;
    if flavor.is_mariadb() {
        session.exec(b"SET @mariadb_slave_capability = 4").await?;
    }
    let identity = ReplicaIdentity {
        server_id: 4711,
        hostname: "datain".to_owned(),
        ..ReplicaIdentity::default()
    };
    session.register_replica(&identity).await?;
    Ok(session)
}

async fn dump(server: &Server, flavor: Flavor, root: &ConnectOptions) -> Result<()> {
    let mut session = replica(server, flavor, root).await?;
    let log = session
        .query_first(b"SHOW BINARY LOGS")
        .await?
        .expect("a log");
    let file = log[0].clone().expect("a name");
    session.binlog_dump(4711, &file, 4, DUMP_NON_BLOCK).await?;
    let count = read_dump(&mut session).await?;
    assert!(count > 600, "sequence ids wrap: {count}");
    assert_eq!(error(session.ping().await).code(), "session.dump-ended");
    if !flavor.is_mariadb() {
        // The empty set: no source ids.
        let mut session = replica(server, flavor, root).await?;
        session
            .binlog_dump_gtid(4711, DUMP_NON_BLOCK | DUMP_THROUGH_GTID, "", 4, &[0; 8])
            .await?;
        assert!(read_dump(&mut session).await? >= count);
    }
    let mut session = replica(server, flavor, root).await?;
    session
        .binlog_dump(4711, "nosuch.000001", 4, DUMP_NON_BLOCK)
        .await?;
    let missing = error(read_dump(&mut session).await);
    assert_eq!(
        (missing.errno(), missing.code()),
        (Some(1236), "server.binlog-purged")
    );
    Ok(())
}

async fn everything(server: &Server, flavor: Flavor) -> Result<()> {
    let root = options("root", datain_throwaway_servers::ROOT_PASSWORD);
    let mut session = unix(server, &root).await?;
    assert_eq!(session.server_version().is_mariadb(), flavor.is_mariadb());
    statements(&mut session).await?;
    large_packets(&mut session).await?;
    load(&mut session).await?;
    match session.reset_connection().await {
        Err(error) if flavor == Flavor::Mysql56 => assert_eq!(error.errno(), Some(1047)),
        other => other?,
    }
    let id = session
        .query_first(b"SELECT CONNECTION_ID()")
        .await?
        .expect("a row");
    assert_eq!(
        id[0].as_deref(),
        Some(session.connection_id().to_string().as_str())
    );
    dump(server, flavor, &root).await?;

    session
        .exec(b"CREATE USER app@'127.0.0.1' IDENTIFIED BY 'pa''ss'")
        .await?;
    session.exec(b"CREATE USER nobody@'127.0.0.1'").await?;
    session.quit().await?;
    logins(server, flavor).await
}

async fn logins(server: &Server, flavor: Flavor) -> Result<()> {
    let mut app = options("app", "pa'ss");
    if flavor == Flavor::Mysql97 {
        assert_eq!(
            error(tcp(server, &app).await).code(),
            "auth.rsa-key-required"
        );
        let key = std::fs::read(server.datadir().join("public_key.pem")).expect("the server's key");
        app.server_public_key = Some(key);
        tcp(server, &app).await?.quit().await?;
        // The server now knows the password: no key is needed until it forgets.
        app.server_public_key = None;
        tcp(server, &app).await?.quit().await?;
        let root = options("root", datain_throwaway_servers::ROOT_PASSWORD);
        unix(server, &root).await?.exec(b"FLUSH PRIVILEGES").await?;
        app.get_server_public_key = true;
    }
    let mut session = tcp(server, &app).await?;
    assert_eq!(
        session.query_first(b"SELECT USER()").await?,
        Some(vec![Some("app@127.0.0.1".to_owned())])
    );
    assert_eq!(
        error(session.exec(b"CREATE DATABASE no").await).code(),
        "server.privilege-missing"
    );
    session.quit().await?;

    if matches!(flavor, Flavor::Mariadb1011 | Flavor::Mariadb118) {
        signed(server).await?;
    }
    if flavor == Flavor::Mysql56 {
        old_password(server).await?;
    }
    tcp(server, &options("nobody", "")).await?.quit().await?;
    app.password = Some("wrong".into());
    let denied = error(tcp(server, &app).await);
    assert_eq!(
        (denied.code(), denied.sqlstate()),
        ("server.access-denied", Some("28000"))
    );
    let mut database = options("nobody", "");
    database.database = Some("t".to_owned());
    let refused = error(tcp(server, &database).await);
    assert_eq!(
        (refused.errno(), refused.code()),
        (Some(1044), "server.privilege-missing")
    );

    // Where the server has no certificate, required TLS is refused on this side; elsewhere the driver here has no TLS.
    app.tls = TlsPolicy::Required;
    let no_tls = error(tcp(server, &app).await);
    assert!(
        matches!(no_tls.code(), "tls.not-offered" | "tls.unavailable"),
        "{no_tls}"
    );
    Ok(())
}

/// Accounts of MariaDB's that log in by Ed25519.
async fn signed(server: &Server) -> Result<()> {
    let root = options("root", datain_throwaway_servers::ROOT_PASSWORD);
    let mut session = unix(server, &root).await?;
    session.exec(b"INSTALL SONAME 'auth_ed25519'").await?;
    session
        .exec(
            "CREATE USER signed@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('pä\\'ss')"
                .as_bytes(),
        )
        .await?;
    session.quit().await?;
    // The nonce is another one each time, and any bytes.
    for _ in 0..20 {
        let login = tcp(server, &options("signed", "pä'ss")).await?;
        login.quit().await?;
    }
    for wrong in ["pä'sS", ""] {
        let denied = error(tcp(server, &options("signed", wrong)).await);
        assert_eq!(denied.code(), "server.access-denied", "{denied}");
    }
    Ok(())
}

/// An account whose password is of before 4.1.
async fn old_password(server: &Server) -> Result<()> {
    let root = options("root", datain_throwaway_servers::ROOT_PASSWORD);
    let mut session = unix(server, &root).await?;
    session
        .exec(b"CREATE USER old@'127.0.0.1' IDENTIFIED WITH mysql_old_password")
        .await?;
    session.exec(b"SET SESSION old_passwords = 1").await?;
    session
        .exec(b"SET PASSWORD FOR old@'127.0.0.1' = PASSWORD('pass')")
        .await?;
    for secure in [
        &b"SET GLOBAL secure_auth = 0"[..],
        b"SET GLOBAL secure_auth = 1",
    ] {
        session.exec(secure).await?;
        let refused = error(tcp(server, &options("old", "pass")).await);
        assert_eq!(refused.code(), "auth.plugin-unsupported", "{refused}");
        let hint = refused.hint().unwrap_or_default();
        assert!(hint.contains("SET PASSWORD"), "{hint}");
    }
    // What the hint says to do.
    for sql in [
        &b"UPDATE mysql.user SET plugin = 'mysql_native_password', password = '' WHERE user = 'old'"[..],
        b"FLUSH PRIVILEGES",
        b"SET SESSION old_passwords = 0",
        b"SET PASSWORD FOR old@'127.0.0.1' = PASSWORD('pass')",
    ] {
        session.exec(sql).await?;
    }
    tcp(server, &options("old", "pass")).await?.quit().await?;
    session.exec(b"SET GLOBAL secure_auth = DEFAULT").await?;
    session.quit().await
}

fn check(flavor: Flavor) {
    let server = start(flavor);
    if let Err(error) = block_on(everything(&server, flavor)) {
        panic!("{error} ({})\n{}", error.code(), server.error_log());
    }
}

#[test]
fn mysql_9_7() {
    check(Flavor::Mysql97);
}

#[test]
fn mysql_5_6() {
    check(Flavor::Mysql56);
}

#[test]
fn mariadb_10_11() {
    check(Flavor::Mariadb1011);
}

#[test]
fn mariadb_11_8() {
    check(Flavor::Mariadb118);
}
