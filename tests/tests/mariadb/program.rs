//! The program itself, with its plugins, between two servers of the same version.

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, wait_for};
use datain_tests::servers::{cell, run};
use datain_throwaway_servers::Flavor;

use super::server;

/// By an account with no more rights than are asked for; copied, killed while it streams, verified by the servers' own word.
#[test]
fn the_program_copies_and_streams_and_is_killed_mariadb_11_8() {
    let (source, target) = (
        server(Flavor::Mariadb118, &[]),
        server(Flavor::Mariadb118, &[]),
    );
    run(
        &source,
        "CREATE USER 'repl'@'%' IDENTIFIED BY 'a password'; GRANT REPLICATION SLAVE, BINLOG MONITOR, SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO 'repl'@'%'; \
         CREATE DATABASE shop; CREATE TABLE shop.t (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100)); INSERT INTO shop.t (v) SELECT 'copied' FROM shop.seq_1_to_60",
    );
    let folder = TempDir::new().expect("a folder");
    let config = Host::config(
        &folder,
        "maria",
        &source,
        &target,
        "[start]\nmode = \"snapshot\"\n",
    )
    .expect("a configuration");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let (head, tail) = text.split_once("[target]").expect("a target");
    let root = format!("password = \"{}\"", datain_throwaway_servers::ROOT_PASSWORD);
    let head = head
        .replace("user = \"root\"", "user = \"repl\"")
        .replace(&root, "password = \"a password\"");
    std::fs::write(&config, format!("{head}[target]{tail}")).expect("the configuration");
    let mut host = Host::start(&config, &[]).expect("the host");
    for round in 0..2 {
        for _ in 0..10 {
            run(
                &source,
                "INSERT INTO shop.t (v) SELECT 'ä' UNION ALL SELECT 'b' UNION ALL SELECT 'c'; UPDATE shop.t SET v = CONCAT(LEFT(v, 20), '+') ORDER BY id DESC LIMIT 2",
            );
        }
        if round == 0 {
            wait_for(&mut host, "a first row", |_| {
                let rows = target.query("SELECT id FROM shop.t LIMIT 1").ok()?;
                rows.first().map(|_| ())
            });
            host.kill();
            host = Host::start(&config, &[]).expect("the host");
        }
    }
    wait_for(&mut host, "all rows", |_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        (target.query("SELECT COUNT(*) FROM shop.t").ok()?[0][0].as_deref() == Some("120"))
            .then_some(())
    });
    host.interrupt();
    host.wait(LIMIT).expect("the host ends");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(cell(&source, "SELECT COUNT(*) FROM shop.t"), "120");
    compare::assert_equal(&source, &target, &["shop"]);
}
