//! Rows that a foreign key moves within a table that is being copied, without a word in the log.
//!
//! Where the key by which a table is read has a column that follows a parent's (ON UPDATE CASCADE), another key of the parent may carry a row out of the part of the table that is still to
//! be read, into the part that was read. Nobody would read it any more, and the target, which has to repeat the cascade, has not got it to carry. So whenever the stream has such a change of
//! a parent, rows with its new value are read again, and handed on as rows that may be there already; the table is whole when none are left to be read again. A row that was carried on before
//! it was read again has been so by another change, with a value of its own.
//!
//! What is to be read again is not kept: a reader that goes on after a restart reads again all of such a table that was read ([`super::OpenTable::moved`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_row_block::{Image, Value};
use datain_table_scan::{ColumnDefinition, TableDefinition, has_value};

use super::families::same_name;
use super::window::{Name, changed_meanwhile};

/// When more values than these wait, or more bytes of them, all that was read is read again.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 1 << 20;
/// So many are looked for at once.
const AT_ONCE: usize = 100;
/// And so many chunks are read before the next ones are, where there are fewer.
const CHUNKS_BETWEEN: u32 = 10;

/// A column of a child that takes over the values of a parent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Takeover {
    pub(super) parent: Name,
    pub(super) from: String,
    pub(super) child: Name,
    pub(super) to: String,
    /// It is the first column of its foreign key, so that an index begins with it.
    pub(super) is_indexed: bool,
}

/// Columns by which tables are read and that follow others, by the table of those.
#[derive(Debug, Default)]
pub(super) struct Moves(HashMap<Name, Vec<Leader>>);

/// A column that others follow.
#[derive(Debug)]
struct Leader {
    place: usize,
    column: ColumnDefinition,
    followers: Vec<Follower>,
}

/// A column that follows another one, by one step or several.
#[derive(Debug)]
struct Follower {
    table: Name,
    column: ColumnDefinition,
    is_indexed: bool,
}

/// What a change of a parent's row may have moved.
pub(super) struct Moving<'a> {
    pub(super) table: &'a Name,
    /// The rows as they were called before; none where the log does not say.
    pub(super) before: Option<Named>,
    /// And as they are called now.
    pub(super) after: Named,
}

/// Rows that have a value in a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    column: String,
    /// The condition as SQL.
    sql: String,
    /// An index finds them.
    is_indexed: bool,
    /// What the server takes for equal may have other bytes.
    is_loose: bool,
}

impl Moves {
    /// Finds them by the steps that foreign keys make.
    ///
    /// # Errors
    /// Errors of the server; `snapshot.definition-changed`.
    pub(super) async fn ask<S: Stream>(
        session: &mut Session<S>,
        steps: &[Takeover],
    ) -> Result<Self, Error> {
        let mut tables = BTreeMap::new();
        let names = steps.iter().flat_map(|step| [&step.parent, &step.child]);
        for name in names.collect::<BTreeSet<&Name>>() {
            let table = TableDefinition::ask(session, &name.0, &name.1).await?;
            tables.insert(name.clone(), table.ok_or_else(changed_meanwhile)?);
        }
        Ok(Self::of(steps, &tables))
    }

    pub(super) fn of(steps: &[Takeover], tables: &BTreeMap<Name, TableDefinition>) -> Self {
        let mut moves: HashMap<Name, Vec<Leader>> = HashMap::new();
        for (name, table) in tables {
            for (place, column) in table.columns.iter().enumerate() {
                let followers = reached(steps, name, &column.name);
                let followers = followers.into_iter().filter_map(|step| {
                    let table = tables.get(&step.child)?;
                    let place = column_of(table, &step.to)?;
                    is_read_by(table, place).then(|| Follower {
                        table: step.child.clone(),
                        column: table.columns[place].clone(),
                        is_indexed: step.is_indexed,
                    })
                });
                let followers: Vec<Follower> = followers.collect();
                if !followers.is_empty() {
                    let column = column.clone();
                    moves.entry(name.clone()).or_default().push(Leader {
                        place,
                        column,
                        followers,
                    });
                }
            }
        }
        Self(moves)
    }

    /// Whether changes of the table's rows may move others.
    pub(super) fn has(&self, table: &Name) -> bool {
        self.0.contains_key(table)
    }

    /// Hands to `with` what the change of a row of the table may have moved.
    ///
    /// # Errors
    /// `snapshot.key-unwritable`; those of `with`.
    pub(super) fn of_change(
        &self,
        table: &Name,
        before: &Image<'_, '_>,
        after: &Image<'_, '_>,
        mut with: impl FnMut(Moving<'_>),
    ) -> Result<(), Error> {
        for leader in self.0.get(table).into_iter().flatten() {
            // A column that an image lacks has not changed.
            let Some(new) = after.get(leader.place).filter(|value| !value.is_null()) else {
                continue;
            };
            let old = before.get(leader.place);
            if old == Some(new) {
                continue;
            }
            for follower in &leader.followers {
                let old = old.as_ref().filter(|value| !value.is_null());
                let moving = Moving {
                    table: &follower.table,
                    before: old.map(|old| follower.rows(leader, old)).transpose()?,
                    after: follower.rows(leader, &new)?,
                };
                with(moving);
            }
        }
        Ok(())
    }
}

impl Follower {
    /// The rows that have a value of the leader's.
    fn rows(&self, leader: &Leader, value: &Value<'_>) -> Result<Named, Error> {
        // Both have the same type but for lengths; a literal of a fixed length has the follower's.
        let column = ColumnDefinition {
            name: self.column.name.clone(),
            ..if leader.column.kind == self.column.kind {
                self.column.clone()
            } else {
                leader.column.clone()
            }
        };
        let sql = has_value(&column, value);
        Ok(Named {
            column: column.name,
            is_indexed: self.is_indexed,
            is_loose: self.column.charset.is_some(),
            sql: sql.map_err(|e| e.in_table(&self.table.0, &self.table.1))?,
        })
    }
}

/// The last steps to the columns that a new value of this one comes to, by any number of steps.
fn reached<'a>(steps: &'a [Takeover], table: &Name, column: &str) -> Vec<&'a Takeover> {
    let mut reached: Vec<&Takeover> = Vec::new();
    let mut ways = vec![(table, column)];
    while let Some((table, column)) = ways.pop() {
        for step in steps {
            let begins_here = step.parent == *table && same_name(&step.from, column);
            if begins_here && !reached.contains(&step) {
                reached.push(step);
                ways.push((&step.child, &step.to));
            }
        }
    }
    reached
}

fn column_of(table: &TableDefinition, name: &str) -> Option<usize> {
    let mut columns = table.columns.iter();
    columns.position(|column| same_name(&column.name, name))
}

/// Whether the table is read in the order of this column, among others; or may be: other keys than the primary one can have columns that are computed from it.
fn is_read_by(table: &TableDefinition, column: usize) -> bool {
    let key = table.scan_key.as_ref();
    key.is_some_and(|key| {
        let mut parts = key.parts.iter();
        key.index != "PRIMARY" || parts.any(|part| part.column == column)
    })
}

/// Which rows of a table that is being copied are to be read again.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Something of the table was read, or is being read.
    began: bool,
    /// All of its rows were handed on, but for those that are to be read again.
    is_over: bool,
    waiting: Which,
    waiting_bytes: usize,
    /// So many chunks were begun, but for those that were read again.
    chunks: u32,
    /// And so many when rows were read again.
    chunks_then: u32,
    /// All is read again when so many were begun: each time twice as many, so that it is read a few times over at most.
    chunks_for_all: u32,
    /// Those that are being read again, or were and are not handed on.
    under_way: Option<Which>,
}

/// Rows that any of these names, or all rows.
#[derive(Debug)]
enum Which {
    Of(BTreeSet<Named>),
    All,
}

impl Default for Which {
    fn default() -> Self {
        Self::Of(BTreeSet::new())
    }
}

impl Which {
    fn are_none(&self) -> bool {
        matches!(self, Self::Of(names) if names.is_empty())
    }

    fn may_be(&self, named: &Named) -> bool {
        match self {
            Self::Of(names) if named.is_loose => names.iter().any(|n| n.column == named.column),
            Self::Of(names) => names.contains(named),
            Self::All => true,
        }
    }

    /// Whether some of them may get a new value of this column, whatever they had there.
    fn may_have_any(&self, column: &str) -> bool {
        match self {
            Self::Of(names) => names.iter().any(|named| named.column != column),
            Self::All => true,
        }
    }
}

/// Rows that are to be read again now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadAgain {
    /// Those of which this SQL is true.
    Of(String),
    /// All that were read.
    All,
}

impl Moved {
    /// Of a table of which a part was read before; if rows were moved into it then, all of that is read again.
    pub(super) fn goes_on(were_moved: bool) -> Self {
        Self {
            began: true,
            waiting: if were_moved {
                Which::All
            } else {
                Which::default()
            },
            ..Self::default()
        }
    }

    /// The reading of a chunk begins.
    pub(super) fn begin_chunk(&mut self) {
        self.began = true;
        if self.under_way.is_none() {
            self.chunks = self.chunks.saturating_add(1);
        }
    }

    /// Notes what a change of a parent's may have moved. Returns whether it counts.
    pub(super) fn note(&mut self, moving: Moving<'_>) -> bool {
        // Of a table that was read to its end, only what is not yet there can be missed once more: rows that wait, and those that are just being read, from behind what was read of them to before it.
        let is_missed = |before: Named| {
            let under_way = self.under_way.as_ref();
            self.waiting.may_be(&before)
                || under_way
                    .is_some_and(|rows| rows.may_be(&before) || rows.may_have_any(&before.column))
        };
        if !self.began || self.is_over && !moving.before.is_none_or(is_missed) {
            return false;
        }
        if let Which::Of(names) = &mut self.waiting {
            self.waiting_bytes += moving.after.sql.len();
            let is_found = moving.after.is_indexed;
            names.insert(moving.after);
            if !is_found || names.len() > MOST || self.waiting_bytes > MOST_BYTES {
                self.waiting = Which::All;
            }
        }
        true
    }

    /// Whether rows should be read again now.
    pub(super) fn wants(&self) -> bool {
        let since = self.chunks - self.chunks_then;
        let is_time = match &self.waiting {
            Which::Of(names) => since > CHUNKS_BETWEEN || since > 0 && names.len() >= AT_ONCE,
            Which::All => self.chunks >= self.chunks_for_all,
        };
        self.under_way.is_none() && !self.waiting.are_none() && (self.is_over || is_time)
    }

    /// Takes out what is to be read again now; none while something is, or where there is nothing.
    pub(super) fn take(&mut self) -> Option<ReadAgain> {
        if self.under_way.is_some() || self.waiting.are_none() {
            return None;
        }
        self.chunks_then = self.chunks;
        self.waiting_bytes = 0;
        let Which::Of(names) = &mut self.waiting else {
            self.chunks_for_all = self.chunks.saturating_mul(2).max(CHUNKS_BETWEEN);
            self.waiting = Which::default();
            self.under_way = Some(Which::All);
            return Some(ReadAgain::All);
        };
        // Those of one column, by whose index they are found.
        let column = names.first().map(|named| named.column.clone());
        let mut taken = BTreeSet::new();
        while taken.len() < AT_ONCE
            && let Some(named) = names.first()
            && Some(&named.column) == column.as_ref()
        {
            taken.extend(names.pop_first());
        }
        let sql: Vec<&str> = taken.iter().map(|named| named.sql.as_str()).collect();
        let sql = sql.join(" OR ");
        self.under_way = Some(Which::Of(taken));
        Some(ReadAgain::Of(sql))
    }

    /// What was read again is handed on.
    pub(super) fn were_handed_on(&mut self) {
        self.under_way = None;
    }

    /// All rows were read once, and handed on.
    pub(super) fn was_read_to_its_end(&mut self) {
        self.is_over = true;
    }

    /// Whether nothing is left to be read again.
    pub(super) fn is_settled(&self) -> bool {
        self.under_way.is_none() && self.waiting.are_none()
    }

    /// Whether the table is whole.
    pub(super) fn is_whole(&self) -> bool {
        self.is_over && self.is_settled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(table: &str) -> Name {
        ("s".to_owned(), table.to_owned())
    }

    #[test]
    fn new_values_go_by_several_steps() {
        let step = |parent: &str, from: &str, child: &str, to: &str| Takeover {
            parent: name(parent),
            from: from.to_owned(),
            child: name(child),
            to: to.to_owned(),
            is_indexed: true,
        };
        let steps = [
            step("a", "id", "b", "A"),
            step("b", "a", "c", "x"),
            step("b", "other", "c", "y"),
            step("c", "x", "b", "a"),
        ];
        assert_eq!(
            reached(&steps, &name("a"), "ID"),
            [&steps[0], &steps[1], &steps[3]]
        );
        assert_eq!(reached(&steps, &name("b"), "other"), [&steps[2]]);
        assert!(reached(&steps, &name("a"), "n").is_empty());
    }

    fn named(column: &str, value: &str) -> Named {
        Named {
            column: column.to_owned(),
            sql: format!("{column} = {value}"),
            is_indexed: true,
            is_loose: false,
        }
    }

    fn note(moved: &mut Moved, column: &str, before: &str, after: &str) -> bool {
        moved.note(Moving {
            table: &name("t"),
            before: Some(named(column, before)),
            after: named(column, after),
        })
    }

    #[test]
    fn what_is_moved_is_read_again() {
        let mut moved = Moved::default();
        assert!(!note(&mut moved, "a", "1", "2"), "nothing was read");
        moved.begin_chunk();
        assert!(note(&mut moved, "a", "1", "2"));
        assert!(!moved.wants(), "not for a single one");
        moved.was_read_to_its_end();
        assert!(!moved.is_whole());
        assert!(moved.wants());
        assert!(
            !note(&mut moved, "b", "1", "2"),
            "by `a` they are found all the same"
        );
        assert_eq!(moved.take(), Some(ReadAgain::Of("a = 2".to_owned())));
        assert_eq!(moved.take(), None);
        assert!(!note(&mut moved, "a", "7", "8"), "the target has those");
        assert!(note(&mut moved, "a", "2", "3"), "it may not have been seen");
        assert!(note(&mut moved, "b", "1", "2"), "nor this one");
        assert!(!moved.wants(), "one after the other");
        moved.were_handed_on();
        assert_eq!(moved.take(), Some(ReadAgain::Of("a = 3".to_owned())));
        moved.were_handed_on();
        assert_eq!(moved.take(), Some(ReadAgain::Of("b = 2".to_owned())));
        moved.were_handed_on();
        assert!(moved.is_whole());
    }

    #[test]
    fn too_many_are_all() {
        let mut moved = Moved::default();
        moved.begin_chunk();
        for n in 0..AT_ONCE {
            assert!(!moved.wants());
            note(&mut moved, "a", "", &n.to_string());
        }
        assert!(moved.wants());
        for n in 0..=MOST {
            note(&mut moved, "a", "", &n.to_string());
        }
        assert_eq!(moved.take(), Some(ReadAgain::All));
        assert!(!moved.is_settled());
        moved.was_read_to_its_end();
        assert!(note(&mut moved, "a", "any", "1"));
        moved.were_handed_on();
        assert!(!moved.is_whole());
    }

    #[test]
    fn where_letters_do_not_count_any_of_the_column_counts() {
        let mut moved = Moved::goes_on(false);
        moved.was_read_to_its_end();
        let loose = |value: &str| Named {
            is_loose: true,
            ..named("a", value)
        };
        let table = name("t");
        let mut note = |before: &str, after: &str| {
            moved.note(Moving {
                table: &table,
                before: Some(loose(before)),
                after: loose(after),
            })
        };
        assert!(!note("b", "c"));
        let unknown = Moving {
            table: &table,
            before: None,
            after: loose("d"),
        };
        assert!(moved.note(unknown), "nobody knows what it was");
        let other = Moving {
            table: &table,
            before: Some(loose("D")),
            after: loose("e"),
        };
        assert!(moved.note(other), "for the server it is the same");
    }

    #[test]
    fn what_no_index_finds_is_all_that_was_read() {
        let mut moved = Moved::goes_on(false);
        let unfound = Moving {
            table: &name("t"),
            before: None,
            after: Named {
                is_indexed: false,
                ..named("a", "1")
            },
        };
        assert!(moved.note(unfound));
        assert!(moved.wants());
        assert_eq!(moved.take(), Some(ReadAgain::All));
        moved.were_handed_on();
        note(&mut moved, "a", "1", "2");
        for _ in 0..CHUNKS_BETWEEN {
            moved.begin_chunk();
            assert!(!moved.wants(), "the rest of the table is read besides");
        }
        moved.begin_chunk();
        assert!(moved.wants());
        assert!(moved.take().is_some());
        moved.were_handed_on();
        let unfound = Moving {
            table: &name("t"),
            before: None,
            after: Named {
                is_indexed: false,
                ..named("a", "3")
            },
        };
        assert!(moved.note(unfound));
        assert!(moved.wants(), "twice as many chunks as at the first time");
        assert_eq!(moved.take(), Some(ReadAgain::All));
        moved.were_handed_on();
        assert_eq!(moved.chunks_for_all, 2 * (CHUNKS_BETWEEN + 1));
    }

    #[test]
    fn a_restart_reads_all_again_that_was_read() {
        assert!(Moved::goes_on(false).is_settled());
        let mut moved = Moved::goes_on(true);
        assert!(moved.wants());
        assert_eq!(moved.take(), Some(ReadAgain::All));
        assert!(!moved.is_settled(), "until it is handed on");
    }
}
