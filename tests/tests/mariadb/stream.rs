//! Streams between two servers of the same version: by GTID and by file, in each way in which MariaDB can log.

use datain_contract::types::Error;
use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_throwaway_servers::{Flavor, Server};

use super::{own_scenarios, server};

/// Runs the scenarios one after the other in one stream that begins so, and compares after each.
fn arrive(flavor: Flavor, of_source: &[&str], start: &str) {
    let (source, target) = (server(flavor, of_source), server(flavor, &[]));
    let settings = settings(start);
    for scenario in own_scenarios() {
        if let Err(error) = source.sql(&scenario.sql) {
            panic!("{} does not run on the source: {error}", scenario.name);
        }
        through(&source, &target, &settings)
            .unwrap_or_else(|error| panic!("{}: {error:?}", scenario.name));
        compare::assert_equal(&source, &target, &scenario.schemas());
    }
}

fn through(
    source: &Server,
    target: &Server,
    settings: &datain_capture::reader::Settings,
) -> Result<(), Error> {
    replicate(source, target, settings).map(|_| ())
}

#[test]
fn by_domain_gtids_mariadb_11_8() {
    arrive(Flavor::Mariadb118, &[], r#"{"mode":"gtid","gtid_set":""}"#);
}

#[test]
fn by_file_with_compressed_events_and_names_mariadb_11_8() {
    arrive(
        Flavor::Mariadb118,
        &[
            "log_bin_compress=ON",
            "log_bin_compress_min_len=10",
            "binlog_row_metadata=FULL",
        ],
        r#"{"mode":"position","file":"binlog.000001","position":4}"#,
    );
}
