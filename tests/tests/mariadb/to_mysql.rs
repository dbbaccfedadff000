//! From MariaDB 11.8 to MySQL 9.7: what both know arrives, and what MySQL lacks is named.

use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_tests::pipeline_run;
use datain_tests::servers::run;
use datain_throwaway_servers::Flavor;

use super::{own_scenarios, server};

/// Runs what both know in one stream that begins so, and compares after each scenario.
fn arrive(of_source: &[&str], start: &str) {
    let (source, target) = (
        server(Flavor::Mariadb118, of_source),
        pipeline_run::server(),
    );
    let settings = settings(start);
    for scenario in own_scenarios() {
        if scenario.name.starts_with("own_") {
            continue;
        }
        run(&source, &scenario.sql);
        replicate(&source, &target, &settings)
            .unwrap_or_else(|error| panic!("{}: {error:?}", scenario.name));
        compare::assert_equal(&source, &target, &scenario.schemas());
    }
}

/// fidelity: event | the log of MariaDB 11.8, by GTID and by file | equal on MySQL 9.7, for the types and statements that both know
#[test]
fn by_domain_gtids_to_mysql_9_7() {
    arrive(&[], r#"{"mode":"gtid","gtid_set":""}"#);
}
