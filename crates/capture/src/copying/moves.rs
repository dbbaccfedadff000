//! Rows that a foreign key moves within a table that is being copied, without a word in the log.
//!
//! Where the key by which a table is read has a column that follows a parent's (ON UPDATE CASCADE), another key of the parent may carry a row out of the part of the table that is still to
//! be read, into the part that was read. Nobody would read it any more, and the target, which has to repeat the cascade, has not got it to carry. So whenever the stream has such a change of
//! a parent, rows with its new value are read again, and handed on as rows that may be there already; the table is whole when none are left to be read again. A row that was carried on before
//! it was read again has been so by another change, with a value of its own.
//!
//! What is to be read again is not kept: a reader that goes on after a restart begins such a table anew ([`super::OpenTable::moved`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_row_block::{Image, Value};
use datain_table_scan::{ColumnDefinition, TableDefinition, same};

use super::families::same_name;
use super::window::{Name, changed_meanwhile};

/// When more values than these wait, all that was read is read again.
const MOST: usize = 10_000;
/// So many are looked for at once.
const AT_ONCE: usize = 100;
/// And so many chunks are read before the next ones are, where there are fewer.
const CHUNKS_BETWEEN: u32 = 10;

/// A column of a child that takes over the values of a parent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) parent: Name,
    pub(super) from: String,
    pub(super) child: Name,
    pub(super) to: String,
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
}

impl Moves {
    /// Finds them by the steps that foreign keys make.
    ///
    /// # Errors
    /// Errors of the server; `snapshot.definition-changed`.
    pub(super) async fn ask<S: Stream>(
        session: &mut Session<S>,
        steps: &[Step],
    ) -> Result<Self, Error> {
        let mut tables = BTreeMap::new();
        let names = steps.iter().flat_map(|step| [&step.parent, &step.child]);
        for name in names.collect::<BTreeSet<&Name>>() {
            let table = TableDefinition::ask(session, &name.0, &name.1).await?;
            tables.insert(name.clone(), table.ok_or_else(changed_meanwhile)?);
        }
        Ok(Self::of(steps, &tables))
    }

    fn of(steps: &[Step], tables: &BTreeMap<Name, TableDefinition>) -> Self {
        let mut moves: HashMap<Name, Vec<Leader>> = HashMap::new();
        for (name, table) in tables {
            for (place, column) in table.columns.iter().enumerate() {
                let followers = reached(steps, name, &column.name);
                let followers = followers.into_iter().filter_map(|(child, to)| {
                    let (table, child) = (tables.get(&child)?, child);
                    let place = column_of(table, &to)?;
                    is_read_by(table, place).then(|| Follower {
                        table: child,
                        column: table.columns[place].clone(),
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
        let sql = same(&column, value);
        Ok(Named {
            column: column.name,
            sql: sql.map_err(|e| e.in_table(&self.table.0, &self.table.1))?,
        })
    }
}

/// The columns that a new value of this one comes to, by any number of steps.
fn reached(steps: &[Step], table: &Name, column: &str) -> Vec<(Name, String)> {
    let mut reached: Vec<(Name, String)> = Vec::new();
    let mut ways = vec![(table.clone(), column.to_owned())];
    while let Some((table, column)) = ways.pop() {
        let on = steps
            .iter()
            .filter(|step| step.parent == table && same_name(&step.from, &column));
        for step in on {
            let at = (step.child.clone(), step.to.clone());
            if !reached.contains(&at) {
                reached.push(at.clone());
                ways.push(at);
            }
        }
    }
    reached
}

fn column_of(table: &TableDefinition, name: &str) -> Option<usize> {
    let mut columns = table.columns.iter();
    columns.position(|column| same_name(&column.name, name))
}

/// Whether the table is read in the order of this column, among others.
fn is_read_by(table: &TableDefinition, column: usize) -> bool {
    let key = table.scan_key.as_ref();
    key.is_some_and(|key| key.parts.iter().any(|part| part.column == column))
}

/// Which rows of a table that is being copied are to be read again.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Something of the table was read, or is being read.
    began: bool,
    /// All of its rows were handed on, but for those that are to be read again.
    is_over: bool,
    waiting: Rows,
    /// So many chunks were begun since rows were read again.
    chunks: u32,
    /// Those that are being read again, or were and are not handed on.
    under_way: Option<Rows>,
}

/// Rows that any of these names, or all rows.
#[derive(Debug)]
enum Rows {
    Of(BTreeSet<Named>),
    All,
}

impl Default for Rows {
    fn default() -> Self {
        Self::Of(BTreeSet::new())
    }
}

impl Rows {
    fn are_none(&self) -> bool {
        matches!(self, Self::Of(names) if names.is_empty())
    }

    fn may_be(&self, named: &Named) -> bool {
        match self {
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
    /// Of a table of which rows may be on the target already.
    pub(super) fn goes_on() -> Self {
        Self {
            began: true,
            ..Self::default()
        }
    }

    /// The reading of a chunk begins.
    pub(super) fn begin_chunk(&mut self) {
        self.began = true;
        self.chunks = self.chunks.saturating_add(1);
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
        if let Rows::Of(names) = &mut self.waiting {
            names.insert(moving.after);
            if names.len() > MOST {
                self.waiting = Rows::All;
            }
        }
        true
    }

    /// Whether rows should be read again now.
    pub(super) fn wants(&self) -> bool {
        let are_enough = match &self.waiting {
            Rows::Of(names) => names.len() >= AT_ONCE,
            Rows::All => true,
        };
        let is_time = self.is_over || self.chunks > CHUNKS_BETWEEN;
        self.under_way.is_none() && (are_enough || is_time && !self.waiting.are_none())
    }

    /// Takes out what is to be read again now; none while something is, or where there is nothing.
    pub(super) fn take(&mut self) -> Option<ReadAgain> {
        if self.under_way.is_some() || self.waiting.are_none() {
            return None;
        }
        self.chunks = 0;
        let Rows::Of(names) = &mut self.waiting else {
            self.waiting = Rows::default();
            self.under_way = Some(Rows::All);
            return Some(ReadAgain::All);
        };
        let taken: BTreeSet<Named> = std::iter::from_fn(|| names.pop_first())
            .take(AT_ONCE)
            .collect();
        let sql: Vec<&str> = taken.iter().map(|named| named.sql.as_str()).collect();
        let sql = sql.join(" OR ");
        self.under_way = Some(Rows::Of(taken));
        Some(ReadAgain::Of(sql))
    }

    /// What was read again is handed on.
    pub(super) fn were_handed_on(&mut self) {
        self.under_way = None;
    }

    /// All rows were read once, and handed on.
    pub(super) fn is_read(&mut self) {
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
        let step = |parent: &str, from: &str, child: &str, to: &str| Step {
            parent: name(parent),
            from: from.to_owned(),
            child: name(child),
            to: to.to_owned(),
        };
        let steps = [
            step("a", "id", "b", "A"),
            step("b", "a", "c", "x"),
            step("b", "other", "c", "y"),
            step("c", "x", "b", "a"),
        ];
        let at = |table: &str, column: &str| (name(table), column.to_owned());
        assert_eq!(
            reached(&steps, &name("a"), "ID"),
            [at("b", "A"), at("c", "x"), at("b", "a")]
        );
        assert_eq!(reached(&steps, &name("b"), "other"), [at("c", "y")]);
        assert!(reached(&steps, &name("a"), "n").is_empty());
    }

    fn named(column: &str, value: &str) -> Named {
        Named {
            column: column.to_owned(),
            sql: format!("{column} = {value}"),
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
        moved.is_read();
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
        let again = "a = 3 OR b = 2".to_owned();
        assert_eq!(moved.take(), Some(ReadAgain::Of(again)));
        moved.were_handed_on();
        assert!(moved.is_whole());
    }

    #[test]
    fn too_many_are_all() {
        let mut moved = Moved::goes_on();
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
        moved.is_read();
        assert!(note(&mut moved, "a", "any", "1"));
        moved.were_handed_on();
        assert!(!moved.is_whole());
    }
}
