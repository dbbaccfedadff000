//! How far the first copy is, for people: table by table, and as a whole.
//!
//! What a table will come to is the server's estimate (information_schema) until it is whole. The time that is left follows from the estimated bytes on disk: of each table the part of
//! them that its rows are of its estimated rows counts as done, and what was done in the last seconds says how fast it goes on.
//!
//! The totals are part of the checkpoint ([`Place`]), so a restart knows them: of the tables at hand, and of all that are whole together. Of a single table that was whole before the
//! restart only the estimate is known then.

use std::collections::VecDeque;

use datain_table_scan::ListedTable;
use serde::{Deserialize, Serialize};

use super::Place;
use super::throttle::Why;

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Rows.
    pub rows: u64,
    /// Bytes of their images.
    pub bytes: u64,
    /// Chunks in which they were read.
    pub chunks: u64,
}

impl Totals {
    /// Nothing was copied, or nobody has counted.
    #[must_use]
    pub fn are_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn plus(self, more: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(more.rows),
            bytes: self.bytes.saturating_add(more.bytes),
            chunks: self.chunks.saturating_add(more.chunks),
        }
    }
}

/// What is done with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableState {
    /// It is still to be copied.
    Waiting,
    /// Its rows are being read.
    Copying,
    /// All of its rows were handed on.
    Whole,
}

impl TableState {
    /// The contract's word.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Copying => "copying",
            Self::Whole => "whole",
        }
    }
}

/// How far a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableProgress {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What is done with it.
    pub state: TableState,
    /// What was handed on.
    pub copied: Totals,
    /// What it will come to; what it has come to when it is whole. A table that was whole before a restart has the server's estimate.
    pub estimated: (u64, u64),
    /// About so many bytes it has on the source's disk.
    on_disk: u64,
    /// The order in which they became whole.
    finished: u64,
}

impl TableProgress {
    /// How much of it is done, in bytes on the source's disk.
    fn done(&self) -> u64 {
        match self.state {
            TableState::Waiting => 0,
            TableState::Whole => self.on_disk,
            TableState::Copying => {
                let of = u128::from(self.estimated.0.max(1));
                let rows = u128::from(self.copied.rows).min(of);
                u64::try_from(u128::from(self.on_disk) * rows / of).unwrap_or(self.on_disk)
            }
        }
    }
}

/// The whole copy at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Definitions handed on, and of how many.
    pub definitions: (u64, u64),
    /// Tables that are whole, and of how many.
    pub tables: (u64, u64),
    /// What was handed on.
    pub copied: Totals,
    /// Rows and bytes that it will come to, about.
    pub estimated: (u64, u64),
    /// Rows and bytes a second, over the last seconds.
    pub per_second: (u64, u64),
    /// About so many seconds are left, where that can be told.
    pub seconds_left: Option<u64>,
    /// Everything was handed on.
    pub complete: bool,
    /// Why the copy rests just now.
    pub resting: Option<&'static str>,
    /// Some of the tables: the one at hand, the newest that are whole, and the largest of those that wait.
    pub listed: Vec<TableProgress>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Progress {
    definitions: (u64, u64),
    /// In the order of their names.
    tables: Vec<TableProgress>,
    /// Of the tables that were whole before this run.
    before: Totals,
    /// Of all tables that are whole, and of all tables. Sums are kept, for there may be very many tables.
    whole: Totals,
    copied: Totals,
    /// How many are whole, and what is done of all in bytes on the source's disk.
    tables_whole: u64,
    done: u64,
    finished: u64,
    speed: Speed,
    resting: Option<Why>,
    complete: bool,
}

/// So many tables are listed at most.
const LISTED: usize = 50;
/// And so many of those that are whole.
const LISTED_WHOLE: usize = 8;

impl Progress {
    /// What there is to copy, as the source lists it, and how far an earlier run came.
    pub fn begin(&mut self, listed: &[ListedTable], place: &Place, now: u64) {
        self.tables = listed
            .iter()
            .map(|table| TableProgress {
                schema: table.schema.clone(),
                name: table.name.clone(),
                state: if place.has(&table.schema, &table.name) {
                    TableState::Whole
                } else {
                    TableState::Waiting
                },
                copied: Totals::default(),
                estimated: (table.estimated_rows, table.data_bytes),
                on_disk: table.data_bytes.max(1),
                finished: 0,
            })
            .collect();
        let is_whole = |table: &&TableProgress| table.state == TableState::Whole;
        let whole = self.tables.iter().filter(is_whole);
        (self.tables_whole, self.done) = whole.fold((0, 0), |(count, done), table| {
            (count + 1, table.on_disk.saturating_add(done))
        });
        self.before = place.whole();
        self.whole = self.before;
        self.copied = self.before;
        for open in place.open() {
            self.copied = self.copied.plus(open.copied);
            self.change(&open.schema, &open.name, |table| table.copied = open.copied);
        }
        self.note(now);
    }

    /// So many definitions were handed on.
    pub fn definitions(&mut self, done: u64, of: u64) {
        self.definitions = (done, of);
    }

    /// A table's rows are read from now on.
    pub fn begin_table(&mut self, schema: &str, name: &str) {
        self.change(schema, name, |table| table.state = TableState::Copying);
    }

    /// A chunk was handed on.
    pub fn handed_on(&mut self, schema: &str, name: &str, chunk: Totals, now: u64) {
        self.resting = None;
        self.change(schema, name, |table| {
            table.copied = table.copied.plus(chunk);
        });
        self.copied = self.copied.plus(chunk);
        self.note(now);
    }

    /// What was copied of all tables that are whole.
    #[must_use]
    pub fn whole(&self) -> Totals {
        self.whole
    }

    /// All rows of a table were handed on; says what it has come to.
    pub fn end_table(&mut self, schema: &str, name: &str, now: u64) -> Totals {
        self.finished += 1;
        self.tables_whole += 1;
        let finished = self.finished;
        let mut copied = Totals::default();
        self.change(schema, name, |table| {
            table.state = TableState::Whole;
            table.estimated = (table.copied.rows, table.copied.bytes);
            table.finished = finished;
            copied = table.copied;
        });
        self.whole = self.whole.plus(copied);
        self.note(now);
        copied
    }

    /// The copy rests, or does not any more.
    pub fn rests(&mut self, why: Option<Why>) {
        self.resting = why;
    }

    /// Everything was handed on.
    pub fn complete(&mut self) {
        self.complete = true;
        self.resting = None;
    }

    /// How many tables are whole, and how many there are.
    #[must_use]
    pub fn tables(&self) -> (u64, u64) {
        (self.tables_whole, self.tables.len() as u64)
    }

    /// How far it is.
    #[must_use]
    pub fn summary(&self, now: u64) -> Summary {
        let mut estimated = (self.before.rows, self.before.bytes);
        let mut all = 0_u64;
        for table in &self.tables {
            all = all.saturating_add(table.on_disk);
            if !self.was_whole_before(table) {
                estimated.0 += table.estimated.0.max(table.copied.rows);
                estimated.1 += table.estimated.1.max(table.copied.bytes);
            }
        }
        let rate = self.speed.per_second(now);
        let left = all.saturating_sub(self.done);
        Summary {
            definitions: self.definitions,
            tables: self.tables(),
            copied: self.copied,
            estimated,
            per_second: (rate[0], rate[1]),
            seconds_left: match (self.complete, rate[2]) {
                (true, _) => Some(0),
                (false, 0) => None,
                (false, rate) => Some(left.div_ceil(rate)),
            },
            complete: self.complete,
            resting: self.resting.map(Why::code),
            listed: self.listed(),
        }
    }

    fn change(&mut self, schema: &str, name: &str, change: impl FnOnce(&mut TableProgress)) {
        let key = |table: &TableProgress| {
            (table.schema.as_str(), table.name.as_str()).cmp(&(schema, name))
        };
        if let Ok(at) = self.tables.binary_search_by(key)
            && let Some(table) = self.tables.get_mut(at)
        {
            let before = table.done();
            change(table);
            self.done = self
                .done
                .saturating_sub(before)
                .saturating_add(table.done());
        }
    }

    fn was_whole_before(&self, table: &TableProgress) -> bool {
        table.state == TableState::Whole && table.finished == 0
    }

    fn note(&mut self, now: u64) {
        let Totals { rows, bytes, .. } = self.copied;
        self.speed.note(now, [rows, bytes, self.done]);
    }

    fn listed(&self) -> Vec<TableProgress> {
        let of = |state| {
            let is = move |table: &&TableProgress| table.state == state;
            self.tables.iter().filter(is).collect::<Vec<_>>()
        };
        let waiting = of(TableState::Waiting);
        let few = if waiting.is_empty() {
            LISTED
        } else {
            LISTED_WHOLE
        };
        let mut listed = of(TableState::Copying);
        listed.extend(first(of(TableState::Whole), few, |table| {
            (table.finished, table.on_disk)
        }));
        listed.extend(first(waiting, LISTED, |table| (table.on_disk, 0)));
        listed.into_iter().take(LISTED).cloned().collect()
    }
}

/// The tables that are first by this measure, the largest one first.
fn first(
    mut tables: Vec<&TableProgress>,
    count: usize,
    by: impl Fn(&TableProgress) -> (u64, u64),
) -> Vec<&TableProgress> {
    let key = |table: &&TableProgress| std::cmp::Reverse(by(table));
    if tables.len() > count {
        tables.select_nth_unstable_by_key(count, key);
        tables.truncate(count);
    }
    tables.sort_by_key(key);
    tables
}

/// How fast three counters grow, over the last seconds.
#[derive(Debug, Default)]
struct Speed(VecDeque<(u64, [u64; 3])>);

/// How far back it looks, and how far its looks are apart, in microseconds.
const WINDOW: u64 = 20_000_000;
const STEP: u64 = 500_000;

impl Speed {
    fn note(&mut self, now: u64, counters: [u64; 3]) {
        // The newest one stands for now; those before it are apart.
        let crowded = self.0.len() > 1
            && self
                .0
                .get(self.0.len() - 2)
                .is_some_and(|(at, _)| now.saturating_sub(*at) < STEP);
        if crowded {
            self.0.pop_back();
        }
        self.0.push_back((now, counters));
        while self.0.len() > 2
            && self
                .0
                .get(1)
                .is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW)
        {
            self.0.pop_front();
        }
    }

    fn per_second(&self, now: u64) -> [u64; 3] {
        let (Some((from, before)), Some((_, after))) = (self.0.front(), self.0.back()) else {
            return [0; 3];
        };
        let elapsed = u128::from(now.saturating_sub(*from).max(STEP));
        let rate = |index: usize| {
            let grown = u128::from(after[index].saturating_sub(before[index]));
            u64::try_from(grown * 1_000_000 / elapsed).unwrap_or(u64::MAX)
        };
        [rate(0), rate(1), rate(2)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copying::OpenTable;

    const SECOND: u64 = 1_000_000;

    fn listed(name: &str, rows: u64) -> ListedTable {
        ListedTable {
            schema: "s".to_owned(),
            name: name.to_owned(),
            engine: "InnoDB".to_owned(),
            estimated_rows: rows,
            data_bytes: rows * 100,
            row_bytes: 100,
        }
    }

    fn chunk(rows: u64) -> Totals {
        Totals {
            rows,
            bytes: rows * 50,
            chunks: 1,
        }
    }

    #[test]
    fn the_time_left_follows_from_what_was_done() {
        let mut progress = Progress::default();
        let tables = [listed("a", 1000), listed("b", 3000)];
        progress.begin(&tables, &Place::BEGINNING, 0);
        assert_eq!(progress.summary(0).seconds_left, None);
        progress.begin_table("s", "a");
        progress.handed_on("s", "a", chunk(500), SECOND);
        let summary = progress.summary(SECOND);
        assert_eq!(summary.per_second, (500, 25_000));
        assert_eq!(summary.seconds_left, Some(7));
        assert_eq!(summary.estimated, (4000, 400_000));
        progress.handed_on("s", "a", chunk(700), 2 * SECOND);
        assert_eq!(progress.end_table("s", "a", 2 * SECOND).chunks, 2);
        let summary = progress.summary(2 * SECOND);
        assert_eq!(summary.tables, (1, 2));
        assert_eq!(summary.estimated.0, 4200, "exact when whole");
        assert_eq!(summary.seconds_left, Some(6));
        assert_eq!(summary.listed[0].state, TableState::Whole);
        // Nothing goes on.
        assert_eq!(progress.summary(4 * SECOND).seconds_left, Some(12));
        progress.begin_table("s", "b");
        progress.handed_on("s", "b", chunk(3000), 5 * SECOND);
        assert_eq!(progress.whole().rows, 1200);
        progress.end_table("s", "b", 5 * SECOND);
        progress.complete();
        let summary = progress.summary(5 * SECOND);
        assert_eq!((summary.complete, summary.seconds_left), (true, Some(0)));
        assert_eq!(summary.copied.rows, summary.estimated.0);
    }

    #[test]
    fn a_restart_knows_the_totals() {
        let tables = [listed("a", 90), listed("b", 20), listed("c", 5)];
        let open = OpenTable {
            schema: "s".to_owned(),
            name: "a".to_owned(),
            after: None,
            copied: chunk(10),
            moved: false,
        };
        let check = |open: Vec<OpenTable>, whole: u64, rows: u64, estimated: u64| {
            let place = Place::Tables {
                begun: ("s".to_owned(), "b".to_owned()),
                open,
                filter: "*".to_owned(),
                whole: chunk(25),
            };
            let mut progress = Progress::default();
            progress.begin(&tables, &place, 0);
            let summary = progress.summary(0);
            assert_eq!(summary.tables, (whole, 3));
            assert_eq!(summary.copied.rows, rows);
            assert_eq!(summary.estimated.0, estimated);
        };
        check(vec![open], 1, 35, 25 + 90 + 5);
        check(Vec::new(), 2, 25, 25 + 5);
    }

    #[test]
    fn the_list_is_bounded() {
        let tables: Vec<_> = (0..200).map(|n| listed(&format!("t{n:03}"), n)).collect();
        let mut progress = Progress::default();
        progress.begin(&tables, &Place::BEGINNING, 0);
        for n in 0..20 {
            progress.end_table("s", &format!("t{n:03}"), 0);
        }
        progress.begin_table("s", "t020");
        let summary = progress.summary(0);
        assert_eq!(summary.listed.len(), LISTED);
        let names: Vec<_> = summary.listed.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names[..2], ["t020", "t019"]);
        assert_eq!(names[9], "t199");
        assert_eq!(summary.tables, (20, 200));
    }
}
