//! Sessions that change tables at the same time, by statements drawn at random.
//!
//! What is random comes from one seed, but how the sessions meet is up to the server: the same seed makes the same statements, not the same log.

use std::collections::BTreeMap;
use std::thread;

use datain_mysql_client::blocking::block_on;
use datain_throwaway_servers::Server;

use crate::native;
use crate::seed::{Rng, chance, pick};

/// Numbers in statements are at most this.
const NUMBERS: u8 = 12;

/// Statements that belong together, `?` standing for a number from 1 to 12 and `$` for letters that collations compare in their own way.
pub type Group = Vec<String>;

/// What the sessions run.
pub struct Load {
    /// Each transaction draws its statements from one of them.
    pub groups: Vec<Group>,
    /// How many sessions.
    pub sessions: u64,
    /// How many transactions each runs.
    pub transactions: u32,
    /// Of which a session runs one before some of its transactions.
    pub settings: Vec<String>,
    /// Of which one may come in the middle of a transaction.
    pub between: Vec<String>,
    /// Takes all these settings back, after each transaction.
    pub reset: String,
}

/// What a load did.
#[derive(Debug, Default)]
pub struct Tally {
    /// Rows that statements changed, without what cascades changed.
    pub rows: u64,
    /// Statements.
    pub statements: u64,
    /// Statements that the server refused, by errno.
    pub refused: BTreeMap<u16, u64>,
}

impl Load {
    /// Lets the sessions run, and waits for their end.
    ///
    /// # Panics
    /// When a session ends.
    #[must_use]
    pub fn run(&self, server: &Server, seed: u64) -> Tally {
        let mut whole = Tally::default();
        thread::scope(|scope| {
            let running: Vec<_> = (0..self.sessions)
                .map(|number| {
                    scope.spawn(move || self.session(server, Rng::with_seed(seed + number)))
                })
                .collect();
            for one in running {
                let tally = one.join().expect("a session");
                whole.rows += tally.rows;
                whole.statements += tally.statements;
                for (errno, count) in tally.refused {
                    *whole.refused.entry(errno).or_default() += count;
                }
            }
        });
        whole
    }

    fn session(&self, server: &Server, mut rng: Rng) -> Tally {
        let mut session = native::session(server);
        let mut tally = Tally::default();
        let mut run = |sql: &str| {
            tally.statements += 1;
            match block_on(session.exec(sql.as_bytes())) {
                Ok(ok) => tally.rows += ok.affected_rows,
                Err(error) => {
                    let errno = error.errno().unwrap_or_else(|| panic!("{error} at: {sql}"));
                    *tally.refused.entry(errno).or_default() += 1;
                }
            }
        };
        for _ in 0..self.transactions {
            let group = &self.groups[rng.usize(0..self.groups.len())];
            if chance(&mut rng, 10) {
                run(&pick(&mut rng, &self.settings));
            }
            if chance(&mut rng, 45) {
                run(&filled(&mut rng, group));
            } else {
                run("BEGIN");
                for _ in 0..rng.u8(1..6) {
                    run(&filled(&mut rng, group));
                    match rng.u8(0..12) {
                        0 => run("SAVEPOINT here"),
                        1 => run("ROLLBACK TO SAVEPOINT here"),
                        2 if !self.between.is_empty() => run(&pick(&mut rng, &self.between)),
                        _ => {}
                    }
                }
                run(if chance(&mut rng, 85) {
                    "COMMIT"
                } else {
                    "ROLLBACK"
                });
            }
            run(&self.reset);
        }
        tally
    }
}

fn filled(rng: &mut Rng, group: &Group) -> String {
    let mut sql = String::new();
    for part in pick(rng, group).chars() {
        match part {
            '?' => sql.push_str(&rng.u8(1..=NUMBERS).to_string()),
            '$' => sql.push_str(pick(rng, &["a", "A", "á", "b", "B", "ß", "ss"])),
            other => sql.push(other),
        }
    }
    sql
}
