//! Settings of both servers.

use datain_throwaway_servers::{Flavor, Server};

use crate::pair::{NOW, Pair, check};

#[test]
fn settings_of_the_source() {
    let pair = Pair::start();
    let on = |break_it: &str, code: &str, severity: &str| {
        pair.provoke(&pair.source, break_it, code, severity);
    };
    on(
        "SET GLOBAL binlog_format = STATEMENT",
        "source.format-not-row",
        "fatal",
    );
    on(
        "SET GLOBAL binlog_row_image = MINIMAL",
        "source.row-image",
        "note",
    );
    on(
        "SET GLOBAL server_id = 0",
        "source.server-id-unset",
        "fatal",
    );
    on(
        "SET GLOBAL binlog_checksum = NONE",
        "source.checksum-off",
        "warning",
    );
    on(
        "SET GLOBAL binlog_expire_logs_seconds = 3600",
        "source.retention",
        "warning",
    );
    on(
        "SET GLOBAL gtid_mode = ON_PERMISSIVE",
        "source.gtid-off",
        "warning",
    );
    let by_gtid = format!(
        "[start]\nmode = \"gtid\"\ngtid_set = \"{}\"\n",
        pair.source.query("SELECT @@gtid_executed").expect("gtids")[0][0]
            .clone()
            .expect("gtids")
            .replace('\n', "")
    );
    pair.provoke_with(
        &pair.source,
        "SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = OFF_PERMISSIVE; SET GLOBAL gtid_mode = OFF; SET GLOBAL enforce_gtid_consistency = OFF",
        "source.gtid-off",
        "fatal",
        &by_gtid,
    );
    on(
        "SET GLOBAL sync_binlog = 0",
        "source.sync-binlog",
        "warning",
    );
    // A warning is a failure only with --strict.
    pair.source
        .sql("SET GLOBAL sync_binlog = 0")
        .expect("a setting");
    let config = pair.config("check", "", "", NOW);
    check(&config, &["--strict"]).is("source.sync-binlog", "warning", 1);
}

#[test]
fn settings_of_the_target() {
    let pair = Pair::start();
    let on = |break_it: &str, code: &str, severity: &str| {
        pair.provoke(&pair.target, break_it, code, severity);
    };
    on(
        "SET GLOBAL gtid_mode = ON_PERMISSIVE",
        "target.gtid-off",
        "warning",
    );
    on(
        "SET GLOBAL max_allowed_packet = 1048576",
        "pair.max-packet",
        "warning",
    );
    on("SET GLOBAL read_only = ON", "target.read-only", "fatal");
    on(
        "SET GLOBAL super_read_only = ON",
        "target.read-only",
        "fatal",
    );
    // An account that read_only does not stop.
    pair.target
        .sql("GRANT CONNECTION_ADMIN ON *.* TO datain@'%'; SET GLOBAL read_only = ON")
        .expect("a setting");
    pair.check().is("target.read-only", "passed", 0);
    pair.target
        .sql("SET GLOBAL super_read_only = ON")
        .expect("a setting");
    pair.check().is("target.read-only", "fatal", 1);
    pair.target
        .sql("SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF; SET GLOBAL offline_mode = ON")
        .expect("a setting");
    pair.check().is("target.read-only", "passed", 0);
    pair.target
        .sql("REVOKE CONNECTION_ADMIN ON *.* FROM datain@'%'")
        .expect("a privilege");
    pair.check().is("server.going-away", "fatal", 1);
}

#[test]
fn what_only_a_restart_can_change() {
    let pair = Pair::of(
        Server::builder(Flavor::Mysql97)
            .without_gtid()
            .option("skip-log-bin")
            .start()
            .expect("a server"),
        Server::builder(Flavor::Mysql97)
            .option("lower_case_table_names=1")
            .start()
            .expect("a server"),
    );
    let checked = pair.check();
    checked.is("source.log-bin-off", "fatal", 1);
    let finding = checked.is("pair.lower-case-names", "fatal", 1);
    assert!(
        finding["message"]
            .to_string()
            .contains("0 on the source, 1 on the target"),
        "{finding:#}"
    );
}
