//! Who reads, and from where.

use std::time::{Duration, Instant};

use datain_tests::host::Host;
use datain_throwaway_servers::ROOT_PASSWORD;

use crate::pair::{LIMIT, NOW, Pair, check, server};

#[test]
fn server_ids() {
    let pair = Pair::start();
    let own = format!("server_id = {}", pair.source.port());
    let finding = pair
        .check_with(&own, "", NOW)
        .is("server.replica-id-in-use", "fatal", 1)
        .clone();
    let free = finding["remedy"]
        .as_str()
        .and_then(|r| r.split(" in [source]").next())
        .expect("a free id")
        .to_owned();
    pair.check_with(&free, "", NOW)
        .is("server.replica-id-in-use", "passed", 0);
    // Another pipeline reads under the id.
    let other = pair.config("other", "server_id = 4711", "", NOW);
    let mut running = Host::start(&other, &[]).expect("a host");
    let deadline = Instant::now() + LIMIT;
    while pair
        .source
        .query("SHOW REPLICAS")
        .expect("replicas")
        .is_empty()
    {
        assert!(
            Instant::now() < deadline && running.is_running().expect("a process"),
            "{}",
            running.stderr()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let finding = pair
        .check_with("server_id = 4711", "", NOW)
        .is("server.replica-id-in-use", "fatal", 1)
        .clone();
    assert!(
        finding["remedy"].to_string().contains("server_id = 4712"),
        "{finding:#}"
    );
    // The pipeline itself, which may be started anew at any time.
    let own = check(&other, &[]);
    assert!(
        own.is("server.replica-id-in-use", "note", 0)["message"]
            .to_string()
            .contains("serves this pipeline already")
    );
}

#[test]
fn the_place_to_go_on_from() {
    let pair = Pair::start();
    let gtid = |set: &str| format!("[start]\nmode = \"gtid\"\ngtid_set = \"{set}\"\n");
    let stranger = gtid("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1-5");
    pair.check_with("", "", &stranger)
        .is("source.diverged", "fatal", 1);
    pair.source
        .sql("FLUSH BINARY LOGS; PURGE BINARY LOGS TO 'binlog.000002'")
        .expect("purge");
    let finding = pair
        .check_with("", "", &gtid(""))
        .is("source.binlog-purged", "fatal", 1)
        .clone();
    assert!(
        finding["message"]
            .to_string()
            .contains("needed and purged: "),
        "{finding:#}"
    );
    // A checkpoint by file, then another server.
    let by_file = "[start]\nmode = \"position\"\nfile = \"binlog.000002\"\n";
    let config = pair.config("files", "", "", by_file);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    check(&config, &[]).is("source.other-server", "passed", 0);
    let elsewhere = server();
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let there = text
        .replace(
            &format!("port = {}", pair.source.port()),
            &format!("port = {}", elsewhere.port()),
        )
        .replace(
            "user = \"repl\"\npassword = \"repl-secret\"",
            &format!("user = \"root\"\npassword = \"{ROOT_PASSWORD}\""),
        );
    std::fs::write(&config, there).expect("the configuration");
    check(&config, &[]).is("source.other-server", "fatal", 1);
}
