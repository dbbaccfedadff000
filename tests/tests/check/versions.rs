//! Servers of other versions and flavours.

use datain_tests::host::{Host, TempDir};
use datain_throwaway_servers::{Flavor, Server};

use crate::pair::{NOW, check, server};

#[test]
fn another_version_mysql_5_6() {
    let source = Server::builder(Flavor::Mysql56).start().expect("a server");
    let target = server();
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
        .expect("data");
    let with = |extra: &str| {
        Host::config(folder.path(), "old", &source, &target, extra).expect("a configuration")
    };
    let checked = check(&with(NOW), &[]);
    let finding = checked.is("pair.version", "fatal", 1);
    assert!(
        finding["message"]
            .to_string()
            .contains("the source is MySQL 5.6."),
        "{finding:#}"
    );
    assert_eq!(checked.codes("fatal"), ["pair.version"]);
    let allowed = check(
        &with(&format!("[check]\nallow = [\"version\"]\n{NOW}")),
        &[],
    );
    assert_eq!(allowed.is("pair.version", "note", 0)["allowed"], true);
    // It logs no cascades, and has no setting for them.
    source
        .sql("CREATE TABLE d.p (id INT PRIMARY KEY); CREATE TABLE d.c (id INT PRIMARY KEY, p INT, CONSTRAINT up FOREIGN KEY (p) REFERENCES d.p (id) ON UPDATE CASCADE)")
        .expect("tables");
    let filtered = check(
        &with(&format!("[replicate]\nexclude = [\"d.p\"]\n{NOW}")),
        &[],
    );
    let finding = filtered.is("source.unlogged-cascades", "fatal", 1);
    assert!(
        finding["message"]
            .to_string()
            .contains("`up` of `d`.`c`, which refers to `d`.`p` ON UPDATE CASCADE")
            && !finding["remedy"]
                .to_string()
                .contains("innodb_native_foreign_keys"),
        "{finding:#}"
    );
    // The other way round.
    let reverse =
        Host::config(folder.path(), "old", &target, &source, NOW).expect("a configuration");
    let reversed = check(&reverse, &[]);
    reversed.is("sink.flavour-unsupported", "passed", 1);
    reversed.is("pair.version", "fatal", 1);
    reversed.is("pair.timestamp-defaults", "passed", 1);
}

#[test]
fn another_flavour_mariadb_11_8() {
    let maria = Server::builder(Flavor::Mariadb118)
        .start()
        .expect("a server");
    let mysql = server();
    let folder = TempDir::new().expect("a folder");
    let config =
        Host::config(folder.path(), "maria", &maria, &mysql, NOW).expect("a configuration");
    let checked = check(&config, &[]);
    checked.is("source.flavour-unsupported", "passed", 1);
    checked.is("source.gtid-off", "passed", 1);
    checked.is("pair.version", "fatal", 1);
    checked.is("pair.mariadb-only", "passed", 1);
    checked.is("pair.collations", "passed", 1);
    maria
        .sql("CREATE DATABASE d; USE d; CREATE TABLE t (id UUID PRIMARY KEY, a INET6, b VARCHAR(9) COLLATE utf8mb4_general_nopad_ci, c TEXT COMPRESSED); CREATE SEQUENCE s; \
              CREATE TABLE h (id INT PRIMARY KEY) WITH SYSTEM VERSIONING")
        .expect("tables");
    let checked = check(&config, &[]);
    let own = checked.is("pair.mariadb-only", "fatal", 1)["message"].to_string();
    for what in [
        "`d`.`t` (UUID `id`)",
        "`d`.`t` (INET6 `a`)",
        "`d`.`t` (COMPRESSED `c`)",
        "`d`.`s` (SEQUENCE)",
        "`d`.`h` (SYSTEM VERSIONED)",
    ] {
        assert!(own.contains(what), "{what} in {own}");
    }
    let collations = checked.is("pair.collations", "warning", 1)["message"].to_string();
    for what in [
        "utf8mb4_uca1400_ai_ci (here utf8mb4_0900_ai_ci)",
        "utf8mb4_general_nopad_ci (here none)",
    ] {
        assert!(collations.contains(what), "{what} in {collations}");
    }
    let config =
        Host::config(folder.path(), "maria", &mysql, &maria, NOW).expect("a configuration");
    let reversed = check(&config, &[]);
    reversed.is("sink.flavour-unsupported", "passed", 1);
    reversed.is("target.gtid-off", "note", 1);
    reversed.is("pair.version", "fatal", 1);
}
