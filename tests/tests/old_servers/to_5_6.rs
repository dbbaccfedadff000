//! The stream and the first copy from 5.6 to 5.6: statements of the forms that it knows.

use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_tests::rough::replicate_roughly;
use datain_tests::seed::{Rng, seed};
use datain_tests::servers::run;

use crate::copy::{OBJECTS, TABLES, load};
use crate::stream::{BY_GTID, arrive};
use crate::{old, started};

/// fidelity: event | from MySQL 5.6 to 5.6, with GTIDs on both | equal
#[test]
fn scenarios_arrive_on_5_6() {
    let (source, target) = (started(old()), started(old()));
    arrive(&source, &target, BY_GTID);
}

/// The target has no GTIDs, and logs statements unless told otherwise; rows come over several connections, which are lost.
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
