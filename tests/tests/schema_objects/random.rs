//! Random tables, with every type, key and default: what the server shows of them is the same on the other side.

use datain_mysql_client::blocking::block_on;
use datain_schema_objects::plan::Choices;
use datain_tests::native::session;
use datain_tests::random_schema::Schema;
use datain_tests::seed::{Rng, long, seed};

use crate::lab;

#[test]
fn random_tables_arrive_as_they_are() {
    let (source, target) = (lab::server(), lab::server());
    let first = seed("random tables");
    let mut tables = 0;
    for number in first..first + if long() { 100 } else { 6 } {
        let mut rng = Rng::with_seed(number);
        let mut writer = session(&source);
        let (mut schema, begin) = Schema::begin(&mut rng, number);
        for sql in begin {
            block_on(writer.exec(sql.as_bytes())).unwrap();
        }
        for _ in 0..150 {
            let step = schema.step(&mut rng, 5);
            if block_on(writer.exec(step.sql.as_bytes())).is_ok() {
                schema.done(step);
            }
        }
        if let Some(step) = schema.settle() {
            block_on(writer.exec(step.sql.as_bytes())).unwrap();
        }
        drop(writer);
        // Either all that can be set aside is, or nothing.
        let choices = Choices {
            indexes_after: number.is_multiple_of(2).then_some(0),
            ..Choices::default()
        };
        let plan = lab::planned(&source, &target, &[], choices);
        tables += plan.objects.len();
        if let Err(error) = lab::run(session(&target), &plan.objects, &lab::PHASES, false) {
            panic!("DATAIN_SEED={number}: {error:?}");
        }
        println!("DATAIN_SEED={number}");
        lab::assert_same_shown(&source, &target, std::slice::from_ref(&schema.name));
        for server in [&source, &target] {
            block_on(session(server).exec(schema.end().as_bytes())).unwrap();
        }
    }
    println!("{tables} tables and sets of indexes");
}
