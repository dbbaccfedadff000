//! Another source: a replica of the old one takes its place, with a certificate of its own.

use datain_tests::compare;
use datain_tests::host::Host;
use datain_throwaway_servers::{Flavor, ROOT_PASSWORD, Server};

use crate::lab::{FROM_THE_BEGINNING, LIMIT, Lab, caught_up, datain, done, until};

fn candidate(id: u32) -> Server {
    Server::builder(Flavor::Mysql97)
        .relaxed()
        .own_certificates()
        .option(format!("server_id={id}"))
        .start()
        .expect("a server")
}

/// MySQL's own replication from `source` to `replica`, by GTID.
fn replicate(source: &Server, replica: &Server) {
    replica
        .sql(&format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {}, SOURCE_USER = 'root', SOURCE_PASSWORD = '{ROOT_PASSWORD}', \
             SOURCE_AUTO_POSITION = 1, SOURCE_SSL = 1; START REPLICA",
            source.port()
        ))
        .expect("a replica");
}

#[test]
fn a_replica_of_the_source_takes_its_place() {
    let mut lab = Lab::of(candidate(11));
    let new = candidate(12);
    let config = lab.config("failover", FROM_THE_BEGINNING);
    let of = |source: &Server, ca: &Server| {
        let text = std::fs::read_to_string(&config).expect("the configuration");
        let (_, rest) = text.split_once("[target]").expect("two sections");
        let ca = ca.ca_file().expect("a certificate authority");
        let text = format!(
            "name = \"failover\"\n[source]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"root\"\npassword = \"{ROOT_PASSWORD}\"\n\
             tls = \"verify-ca\"\nca = \"{}\"\n[target]{rest}",
            source.port(),
            ca.display()
        );
        std::fs::write(&config, text).expect("the configuration");
    };
    lab.source("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)");
    replicate(&lab.source, &new);
    of(&lab.source, &lab.source);
    let mut host = Host::start(&config, &[]).expect("a host");
    lab.source("INSERT INTO d.t VALUES (1, 1); INSERT INTO d.t VALUES (2, 2)");
    until("the rows are there", || lab.rows() == 2);
    let count = || {
        new.query("SELECT COUNT(*) FROM d.t")
            .ok()
            .map(|rows| rows[0][0].clone())
    };
    until("the replica has them, too", || {
        count() == Some(Some("2".to_owned()))
    });

    // The old one dies with the pipeline stopped; the new one goes on, with another file and other offsets.
    done(datain("stop", &config, &[]));
    lab.source("UPDATE d.t SET v = 20 WHERE id = 2");
    until("the replica has the last change", || {
        new.query("SELECT v FROM d.t WHERE id = 2")
            .is_ok_and(|rows| rows[0][0].as_deref() == Some("20"))
    });
    lab.source.stop().expect("the old source ends");
    new.sql("STOP REPLICA; RESET REPLICA ALL; FLUSH BINARY LOGS; INSERT INTO d.t VALUES (3, 3); DELETE FROM d.t WHERE id = 1")
        .expect("changes");

    // Another server is not trusted because of the old one's authority: the host ends with that, and nothing is lost.
    of(&new, &lab.source);
    done(datain("start", &config, &[]));
    let exit = host.wait(LIMIT).expect("it ends");
    assert!(
        exit.code == 3 && exit.stderr.contains("error[tls.untrusted-certificate]"),
        "{exit}"
    );
    of(&new, &new);
    let mut host = Host::start(&config, &[]).expect("a host");
    until("the new source's changes arrive", || {
        lab.one("SELECT GROUP_CONCAT(id, '=', v ORDER BY id) FROM d.t") == "2=20,3=3"
    });
    // The certificate is changed under a resting host.
    done(datain("stop", &config, &[]));
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, text.replace("verify-ca", "required")).expect("the configuration");
    new.sql("INSERT INTO d.t VALUES (5, 5)").expect("a row");
    done(datain("start", &config, &[]));
    until("it goes on", || lab.rows() == 3);
    host.terminate();
    assert_eq!(
        host.wait(LIMIT).expect("it ends").code,
        130,
        "{}",
        host.stderr()
    );
    // A host that is started anew goes on there, too.
    new.sql("INSERT INTO d.t VALUES (4, 4)").expect("a row");
    done(caught_up(&config));
    compare::assert_equal(&new, &lab.target, &["d"]);
}
