//! An engine with two groups of which the older one waits, so that the younger one may go ahead; what it holds is said transaction by transaction.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::RandomState;
use std::rc::Rc;

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::{Collector, Done, Engine, More, Opened};
use datain_capture::reader::{Reader, Settings};
use datain_capture::start::Start;
use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error, Transaction};
use datain_mysql_client::Session;
use datain_mysql_client::blocking::block_on;
use datain_tests::native::{self, Fragile};
use datain_tests::rough::settings;
use datain_tests::servers::{cell, loading_pair};
use datain_throwaway_servers::Server;

use super::lab::{TABLES, WARM, number};

/// Groups that are in the target beyond the checkpoint.
pub const AHEAD: &str = "SELECT COUNT(*) FROM datain.ahead WHERE ordinal > 0";

/// The code of the error by which a race is given up, as by a kill.
pub const KILLED: &str = "test.killed";

/// So often the engine is given time before one looks whether a group went ahead.
const LOOKS: u32 = 40;

/// A transaction record, with its batch's rows.
type Record = (Transaction, Rc<Vec<u8>>);

/// Two servers with the tables, and how the newest transactions are made groups.
pub struct Race {
    pub servers: [Server; 2],
    pub settings: Settings,
    pub beginning: Beginning,
    /// How many transactions are in the older group; those before are committed each by itself.
    pub older: usize,
    /// How many are in the younger one.
    pub younger: usize,
    /// What another client of the target has changed, so that the older group gets no further.
    pub locks: &'static str,
    /// Each of the younger transactions is a group of its own.
    pub apart: bool,
}

/// A start behind these transactions.
pub fn behind(gtid_set: &str) -> Start {
    let start = format!(r#"{{"mode":"gtid","gtid_set":"{gtid_set}"}}"#);
    serde_json::from_str(&start).expect("a start")
}

impl Race {
    /// With the tables on both sides, and both made known to the next engine.
    pub fn new() -> Self {
        let race = Self::between(loading_pair());
        race.source(WARM);
        race
    }

    /// With the tables on both sides.
    pub fn between(servers: [Server; 2]) -> Self {
        let mut settings = settings("ahead");
        settings.one_by_one = true;
        let purged = cell(&servers[0], "SELECT @@gtid_purged").replace('\n', "");
        settings.start = behind(&purged);
        let race = Self {
            servers,
            settings,
            beginning: Beginning::default(),
            older: 1,
            younger: 1,
            locks: "DO 0",
            apart: false,
        };
        race.source(TABLES);
        native::replicate(&race.servers[0], race.target(), &race.settings).expect("replication");
        race
    }

    pub fn source(&self, sql: &str) {
        self.servers[0].sql(sql).expect("a change");
    }

    pub fn target(&self) -> &Server {
        &self.servers[1]
    }

    pub fn ahead(&self) -> u64 {
        number(self.target(), AHEAD)
    }

    pub fn open(&self) -> Result<Opened<Fragile, RandomState>, Error> {
        let session = native::session(self.target());
        block_on(Engine::open(
            session,
            &self.settings.stream,
            &self.beginning,
        ))
    }

    /// Applies everything; returns how many groups were ahead of the older one, after `meanwhile` was done while both were under way.
    pub fn run(&self, mut meanwhile: impl FnMut()) -> Result<u64, Error> {
        let mut ahead = 0;
        self.go(|look| {
            match look {
                0 => meanwhile(),
                LOOKS => ahead = self.ahead(),
                _ => {}
            }
            Ok(look == LOOKS)
        })?;
        Ok(ahead)
    }

    /// The same up to a kill that leaves the younger group ahead.
    pub fn run_to_a_kill(&self) {
        let killed = self.go(|look| {
            assert!(look <= LOOKS, "the younger group goes ahead");
            if self.ahead() > 0 {
                return Err(Error::fatal(KILLED, "as by kill -9"));
            }
            Ok(false)
        });
        assert_eq!(killed.expect_err("killed").code, KILLED);
    }

    /// Applies this many transactions, each in a group of its own, and then nothing more.
    pub fn pass(&self, most: usize) -> Result<(), Error> {
        let opened = self.open()?;
        let mut engine = opened.engine;
        let mut transactions = self.read(&mut engine, opened.checkpoint.as_ref(), false)?;
        transactions.truncate(most);
        block_on(async {
            for (transaction, rows) in transactions {
                engine.apply(transaction, &rows).await?;
                if engine.can_commit() {
                    engine.commit().await?;
                }
            }
            Ok(())
        })
    }

    fn read(
        &self,
        engine: &mut Engine<Fragile, RandomState>,
        from: Option<&Checkpoint>,
        set_position: bool,
    ) -> Result<VecDeque<Record>, Error> {
        block_on(async {
            let session = native::session(&self.servers[0]);
            let mut reader = Reader::open(session, &self.settings, from, set_position).await?;
            let mut transactions = VecDeque::new();
            while !reader.progress().reached_head {
                let batch = reader.next_batch(1 << 20, |_| {}).await?;
                engine.add_tables(batch.tables);
                let rows = Rc::new(batch.rows);
                let batch = batch.transactions.into_iter();
                transactions.extend(batch.map(|t| (t, Rc::clone(&rows))));
            }
            Ok(transactions)
        })
    }

    /// `look` is asked, with a number that counts up, whether the older group may go on.
    fn go(&self, mut look: impl FnMut(u32) -> Result<bool, Error>) -> Result<(), Error> {
        let opened = self.open()?;
        let mut engine = opened.engine;
        let from = opened.checkpoint.as_ref();
        let mut transactions = self.read(&mut engine, from, opened.set_position)?;
        // One that comes in pieces has one number.
        let mut numbers: Vec<u64> = transactions.iter().map(|(one, _)| one.ordinal).collect();
        numbers.dedup();
        let younger = numbers[numbers.len() - self.younger];
        let older = transactions.partition_point(|(one, _)| one.ordinal < younger);
        let younger_ones = transactions.split_off(older);
        let mut younger_ones = younger_ones.into_iter();
        let alone = transactions.len() - self.older.min(transactions.len());
        let held = Rc::new(Cell::new(false));
        for lane in 0..2 {
            let mut further = native::session(self.target());
            // The two take turns.
            if lane == alone % 2 {
                further.stream_mut().hold(Rc::clone(&held));
            }
            block_on(engine.add_connection(further))?;
        }
        engine.commit_in_any_order();
        block_on(async {
            for (done, (transaction, rows)) in transactions.into_iter().enumerate() {
                if done <= alone && engine.can_commit() {
                    engine.commit().await?;
                }
                engine.apply(transaction, &rows).await?;
            }
            held.set(true);
            let mut holder = client(self);
            holder.exec(b"START TRANSACTION").await?;
            holder.exec(self.locks.as_bytes()).await?;
            let mut looks = 0;
            let mut more = |next: &mut Collector<RandomState>| -> Result<More, Error> {
                if self.apart && next.can_commit() {
                    return Ok(More::Full);
                }
                if let Some((transaction, rows)) = younger_ones.next() {
                    assert!(next.collect(&transaction, &rows, &mut Done::default())?);
                    return Ok(More::Added);
                }
                if held.get() && look(looks)? {
                    held.set(false);
                    block_on(holder.exec(b"ROLLBACK"))?;
                }
                looks += 1;
                Ok(More::Full)
            };
            engine.commit_while(&mut more).await?;
            while engine.is_flying() {
                engine.go_on_while(&mut more).await?;
            }
            // What was not asked for meanwhile.
            held.set(false);
            for (transaction, rows) in younger_ones {
                engine.apply(transaction, &rows).await?;
            }
            if engine.can_commit() {
                engine.commit().await?;
            }
            Ok(())
        })
    }
}

/// A session of another client of the target.
pub fn client(race: &Race) -> Session<Fragile> {
    native::session(race.target())
}
