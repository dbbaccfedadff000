//! The stream and the first copy from 5.6 to 5.6: statements of the forms that it knows.

use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_tests::rough::replicate_roughly;
use datain_tests::scenarios;
use datain_tests::seed::{Rng, seed};
use datain_tests::servers::run;
use datain_throwaway_servers::Flavor;

use crate::copy::{OBJECTS, TABLES, load};
use crate::stream::{BY_GTID, arrive};
use crate::{old, started};

/// scenarios: mysql-5.6 → mysql-5.6
/// fidelity: mysql-5.6 → mysql-5.6: event | the log of MySQL 5.6, by GTID, with checksums and whole images | equal
#[test]
fn scenarios_arrive_on_5_6() {
    let (source, target) = (started(old()), started(old()));
    let list = scenarios::between(Flavor::Mysql56, Flavor::Mysql56);
    arrive(&list.expect("the scenarios"), &source, &target, BY_GTID);
}

/// The target has no GTIDs, and logs statements unless told otherwise; rows come over several connections, which are lost.
///
/// fidelity: mysql-5.6 → mysql-5.6: statement | the first copy from MySQL 5.6, with definitions as its SHOW CREATE has them | equal; triggers and events are held back
#[test]
fn a_copy_and_a_stream_that_changes_arrive_on_5_6() {
    let seed = seed("old to old");
    let mut rng = Rng::with_seed(seed);
    let source = started(old());
    let target = started(old().without_gtid().option("binlog_format=STATEMENT"));
    run(&source, OBJECTS);
    run(&source, TABLES);
    let settings = settings(r#"{"mode":"snapshot"}"#);
    replicate(&source, &target, &settings).unwrap_or_else(|error| panic!("{error:?}"));
    let _ = load(60).run(&source, rng.u64(..));
    let lost = replicate_roughly(&source, &target, &settings, &mut rng, 40);
    lost.unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error:?}"));
    compare::assert_equal(&source, &target, &["cinema", "moving"]);
}
