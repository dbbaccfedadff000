//! Sessions that change tables at the same time, by statements drawn at random.
//!
//! What is random comes from one seed, but how the sessions meet is up to the server: the same seed makes the same statements, not the same log.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use datain_mysql_client::blocking::block_on;
use datain_mysql_client::{ClientError, Session};
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
    /// A transaction of which a statement was refused is rolled back, not gone on with.
    pub gives_up: bool,
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
    /// Sessions that were lost with their server.
    pub lost: u64,
}

impl Load {
    /// Lets the sessions run, and waits for their end.
    ///
    /// # Panics
    /// When a session ends.
    #[must_use]
    pub fn run(&self, server: &Server, seed: u64) -> Tally {
        self.sessions(seed, |rng| {
            let mut client = Client::new(native::session(server));
            for _ in 0..self.transactions {
                self.transaction(rng, &mut |sql| client.run(sql));
            }
            client.tally
        })
    }

    /// The same until `stop`, however many transactions that are. The server behind the socket may be killed and come back meanwhile.
    #[must_use]
    pub fn run_until(&self, socket: &Path, seed: u64, stop: &AtomicBool) -> Tally {
        self.sessions(seed, |rng| {
            let mut client = LastingClient {
                socket,
                stop,
                client: None,
                whole: Tally::default(),
            };
            while !stop.load(Ordering::Relaxed) {
                self.transaction(rng, &mut |sql| client.run(sql));
            }
            client.end()
        })
    }

    fn sessions(&self, seed: u64, session: impl Fn(&mut Rng) -> Tally + Sync) -> Tally {
        let mut whole = Tally::default();
        let session = &session;
        thread::scope(|scope| {
            let running: Vec<_> = (0..self.sessions)
                .map(|number| scope.spawn(move || session(&mut Rng::with_seed(seed + number))))
                .collect();
            for one in running {
                whole.add(one.join().expect("a session"));
            }
        });
        whole
    }

    /// `run` says whether the server took the statement.
    fn transaction(&self, rng: &mut Rng, run: &mut dyn FnMut(&str) -> bool) {
        let group = &self.groups[rng.usize(0..self.groups.len())];
        if chance(rng, 10) {
            run(&pick(rng, &self.settings));
        }
        if chance(rng, 45) {
            run(&filled(rng, group));
        } else {
            run("BEGIN");
            for _ in 0..rng.u8(1..6) {
                if !run(&filled(rng, group)) && self.gives_up {
                    run("ROLLBACK");
                    break;
                }
                let sql = match rng.u8(0..12) {
                    0 => "SAVEPOINT here".to_owned(),
                    1 => "ROLLBACK TO SAVEPOINT here".to_owned(),
                    2 if !self.between.is_empty() => pick(rng, &self.between),
                    _ => continue,
                };
                run(&sql);
            }
            let end = if chance(rng, 85) {
                "COMMIT"
            } else {
                "ROLLBACK"
            };
            run(end);
        }
        run(&self.reset);
    }
}

/// A session and what it did.
struct Client {
    session: Session<native::Fragile>,
    tally: Tally,
}

impl Client {
    fn new(session: Session<native::Fragile>) -> Self {
        Self {
            session,
            tally: Tally::default(),
        }
    }

    fn run(&mut self, sql: &str) -> bool {
        self.attempt(sql)
            .unwrap_or_else(|error| panic!("{error} at: {sql}"))
    }

    /// Whether the server took it. The error is one of the connection.
    fn attempt(&mut self, sql: &str) -> Result<bool, ClientError> {
        let tally = &mut self.tally;
        tally.statements += 1;
        match block_on(self.session.exec(sql.as_bytes())) {
            Ok(ok) => {
                tally.rows += ok.affected_rows;
                Ok(true)
            }
            Err(error) => match error.errno() {
                Some(errno) => {
                    *tally.refused.entry(errno).or_default() += 1;
                    Ok(false)
                }
                None => Err(error),
            },
        }
    }
}

/// A session after the other.
struct LastingClient<'a> {
    socket: &'a Path,
    stop: &'a AtomicBool,
    client: Option<Client>,
    whole: Tally,
}

impl LastingClient<'_> {
    /// What a lost session leaves undone of its transaction, the next one goes on with, outside of any.
    fn run(&mut self, sql: &str) -> bool {
        while self.client.is_none() {
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            match native::session_at(self.socket) {
                Ok(session) => self.client = Some(Client::new(session)),
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        }
        let taken = self.client.as_mut().map(|client| client.attempt(sql));
        if matches!(taken, Some(Err(_))) {
            self.whole.lost += 1;
            self.leave();
        }
        matches!(taken, Some(Ok(true)))
    }

    fn leave(&mut self) {
        if let Some(client) = self.client.take() {
            self.whole.add(client.tally);
        }
    }

    fn end(mut self) -> Tally {
        self.leave();
        self.whole
    }
}

impl Tally {
    fn add(&mut self, more: Tally) {
        self.rows += more.rows;
        self.statements += more.statements;
        self.lost += more.lost;
        for (errno, count) in more.refused {
            *self.refused.entry(errno).or_default() += count;
        }
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
