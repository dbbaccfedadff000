//! SHOW GRANTS of real servers.

#![allow(clippy::disallowed_methods, reason = "native test")]

use datain_privileges::{Account, Grants};
use datain_throwaway_servers::{Flavor, Server};

fn lines(server: &Server, account: &str) -> Vec<String> {
    let rows = server
        .query(&format!("SHOW GRANTS FOR {account}"))
        .expect("grants");
    rows.into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .collect()
}

fn grants(server: &Server, account: &str, literal_names: bool) -> Grants {
    let lines = lines(server, account);
    Grants::read(lines.iter().map(String::as_str), literal_names)
}

/// An account of every kind of privilege, under names that need quotes.
fn check(server: &Server) {
    let account = Account::parse("o'`app@%");
    server
        .sql(&format!(
            "CREATE DATABASE `we``ird.db`; CREATE TABLE `we``ird.db`.`t ON *.*` (a INT, `b,c` INT); \
             CREATE USER {account}; GRANT REPLICATION SLAVE, SELECT ON *.* TO {account}; \
             GRANT INSERT, DELETE ON `order\\_items`.* TO {account}; GRANT ALL ON `tmp%`.* TO {account}; \
             GRANT SELECT (a, `b,c`), UPDATE ON `we``ird.db`.`t ON *.*` TO {account}"
        ))
        .expect("an account");
    let grants = grants(server, &account.to_string(), false);
    assert!(grants.globally("REPLICATION SLAVE") && grants.without_exception("SELECT"));
    assert!(!grants.globally("REPLICATION CLIENT"));
    assert!(grants.on_schema("INSERT", "order_items"));
    assert!(!grants.on_schema("INSERT", "orderXitems"));
    assert!(!grants.on_schema("UPDATE", "order_items"));
    assert!(grants.on_schema("TRIGGER", "tmp_1") && !grants.on_schema("TRIGGER", "tm"));
    assert!(grants.on_table("UPDATE", "we`ird.db", "t ON *.*"));
    assert!(!grants.on_table("DELETE", "we`ird.db", "t ON *.*"));
}

fn started(flavor: Flavor) -> Server {
    Server::builder(flavor).relaxed().start().expect("a server")
}

#[test]
fn privileges_mysql_9_7() {
    let server = started(Flavor::Mysql97);
    check(&server);
    // Roles: named, and their privileges shown where they are asked for as the session's own SHOW GRANTS does.
    server
        .sql("CREATE ROLE writer; GRANT INSERT ON shop.* TO writer; CREATE USER u@'%'; GRANT writer TO u@'%'")
        .expect("a role");
    assert_eq!(grants(&server, "u@'%'", false).roles(), ["writer@%"]);
    assert!(!grants(&server, "u@'%'", false).on_schema("INSERT", "shop"));
    assert!(grants(&server, "u@'%' USING writer", false).on_schema("INSERT", "shop"));
    // Partial revokes.
    server
        .sql("SET PERSIST partial_revokes = ON; GRANT SELECT, REPLICATION_APPLIER ON *.* TO u@'%'; REVOKE SELECT ON mysql.* FROM u@'%'")
        .expect("a partial revoke");
    let u = grants(&server, "u@'%'", true);
    assert!(u.on_schema("SELECT", "shop") && !u.on_schema("SELECT", "mysql"));
    assert!(u.globally("SELECT") && !u.without_exception("SELECT"));
    assert!(u.globally("REPLICATION_APPLIER"));
}

#[test]
fn privileges_mysql_5_6() {
    check(&started(Flavor::Mysql56));
}

#[test]
fn privileges_mariadb_10_11() {
    check(&started(Flavor::Mariadb1011));
}

#[test]
fn privileges_mariadb_11_8() {
    check(&started(Flavor::Mariadb118));
}
