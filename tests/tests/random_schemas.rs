//! Property tests with the server as the oracle: random schemas and changes on a source, replicated, and compared by the servers themselves.
//!
//! A part of the run is one schema: it is filled, changed and altered in random steps, and replicated in between with random batches, groups and
//! cuts. The seed is printed; `DATAIN_SEED=N` begins with the same schema again. When a part fails, its statements are left in a file.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use datain_capture::reader::Settings;
use datain_mysql_client::Session;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::native::{self, Fragile};
use datain_tests::random_schema::Schema;
use datain_tests::rough::{replicate_roughly, settings};
use datain_tests::seed::{Rng, chance, long, seed};
use datain_throwaway_servers::{Flavor, Server};

/// Schemas, and rows that are changed in each, at least.
const NORMAL: (u64, u64) = (10, 220);
const LONG: (u64, u64) = (200, 520);
/// Out of a hundred attempts to replicate, how many lose their connection.
const CUTS: u8 = 40;

/// What was done, and what the server made of it.
#[derive(Default)]
struct Tally {
    changes: u64,
    statements: u64,
    refused: BTreeMap<String, u64>,
    lost: u32,
}

/// A session on the source, and everything that it was told.
struct Writer {
    session: Session<Fragile>,
    told: String,
}

impl Writer {
    /// Rows that the statement changed; none when the server refused it, with the reason.
    fn run(&mut self, sql: &str) -> Result<u64, String> {
        self.told.push_str(sql);
        self.told.push_str(";\n");
        match block_on(self.session.exec(sql.as_bytes())) {
            Ok(ok) => Ok(ok.affected_rows),
            Err(error) => {
                self.told.push_str(&format!("-- refused: {error}\n"));
                let number = error.errno().unwrap_or_else(|| panic!("{error} at: {sql}"));
                Err(format!("{number} {}", error.code()))
            }
        }
    }
}

/// fidelity: type | random schemas: all types, keys, character sets, generated and invisible columns, partitions, odd names; the invalid ENUM; documents with values of every column type | equal, with random changes, ALTERs, batches, groups and lost connections
/// fidelity: type | bytes that stand for no character, though a column of their character set takes them (gbk, sjis, big5 and others) | equal
#[test]
fn random_schemas_arrive_as_they_are() {
    let (schemas, changes) = if long() { LONG } else { NORMAL };
    let start = || {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .start()
            .expect("a server")
    };
    let (source, target) = (start(), start());
    let settings = settings("random");
    let first = seed("random schemas");
    let begun = Instant::now();
    let mut tally = Tally::default();
    for number in 0..schemas {
        part(
            &source,
            &target,
            &settings,
            first + number,
            changes,
            &mut tally,
        );
        if long() && number % 20 == 19 {
            println!(
                "{} schemas, {} changes, {:.0} s",
                number + 1,
                tally.changes,
                begun.elapsed().as_secs_f64()
            );
        }
    }
    let refused: u64 = tally.refused.values().sum();
    println!(
        "{schemas} schemas, {} changes by {} statements of which {refused} were refused, {} connections lost, {:.1} s; refused: {:?}",
        tally.changes,
        tally.statements,
        tally.lost,
        begun.elapsed().as_secs_f64(),
        tally.refused
    );
    assert!(tally.changes >= schemas * changes, "{}", tally.changes);
    // Else the generator makes little but errors.
    assert!(
        refused * 2 < tally.statements,
        "{refused} of {}",
        tally.statements
    );
}

/// One schema from its beginning to its end.
fn part(
    source: &Server,
    target: &Server,
    settings: &Settings,
    seed: u64,
    changes: u64,
    tally: &mut Tally,
) {
    let mut rng = Rng::with_seed(seed);
    let (mut schema, beginning) = Schema::begin(&mut rng, seed);
    let mut writer = Writer {
        session: native::session(source),
        told: String::new(),
    };
    for sql in beginning {
        writer
            .run(&sql)
            .unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error}: {sql}"));
    }
    let (mut done, mut steps) = (0, 0);
    while done < changes {
        steps += 1;
        assert!(
            steps < 50 * changes,
            "DATAIN_SEED={seed}: nothing succeeds any more"
        );
        let most = if chance(&mut rng, 5) { 150 } else { 12 };
        let step = schema.step(&mut rng, most);
        tally.statements += 1;
        match writer.run(&step.sql) {
            Ok(rows) => {
                done += if step.changes_rows { rows } else { 0 };
                schema.done(step);
            }
            Err(why) => *tally.refused.entry(why).or_default() += 1,
        }
        if chance(&mut rng, 2) && schema.settle().is_none() {
            synchronise(
                source, target, settings, &mut rng, &schema, &writer, seed, tally,
            );
        }
    }
    if let Some(step) = schema.settle() {
        writer.run(&step.sql).expect("a commit");
        schema.done(step);
    }
    tally.changes += done;
    synchronise(
        source, target, settings, &mut rng, &schema, &writer, seed, tally,
    );
    let name = schema.name.as_str();
    let same = std::panic::catch_unwind(|| compare::assert_equal(source, target, &[name]));
    if let Err(panic) = same {
        leave(&writer, seed);
        std::panic::resume_unwind(panic);
    }
    writer.run(&schema.end()).expect("the schema ends");
}

#[allow(
    clippy::too_many_arguments,
    reason = "all of them are one part's state"
)]
fn synchronise(
    source: &Server,
    target: &Server,
    settings: &Settings,
    rng: &mut Rng,
    schema: &Schema,
    writer: &Writer,
    seed: u64,
    tally: &mut Tally,
) {
    match replicate_roughly(source, target, settings, rng, CUTS) {
        Ok(lost) => tally.lost += lost,
        Err(error) => {
            leave(writer, seed);
            panic!("DATAIN_SEED={seed}, schema {}: {error:#?}", schema.name);
        }
    }
}

/// Leaves the statements of a part that failed where they can be read.
fn leave(writer: &Writer, seed: u64) {
    let path = std::env::temp_dir().join(format!("datain-random-schemas-{seed}.sql"));
    match fs::write(&path, &writer.told) {
        Ok(()) => println!(
            "DATAIN_SEED={seed}: the statements are in {}",
            path.display()
        ),
        Err(error) => println!("DATAIN_SEED={seed}: the statements could not be kept: {error}"),
    }
}
