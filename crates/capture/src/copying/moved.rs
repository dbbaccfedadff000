//! Which rows of a table that is being copied are to be read again, since foreign keys may have moved them ([`super::moves`]).
//!
//! What is to be read again is not kept: a reader that goes on after a restart reads again all of such a table that was read ([`super::OpenTable::moved`]).

use std::collections::BTreeSet;

use super::moves::{Moving, Named};

/// When more values than these wait, or more bytes of them, all that was read is read again.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 1 << 20;
/// So many are looked for at once.
const AT_ONCE: usize = 100;
/// And so many chunks are read before the next ones are, where there are fewer.
const CHUNKS_BETWEEN: u32 = 10;

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
    use crate::copying::window::Name;

    fn name(table: &str) -> Name {
        ("s".to_owned(), table.to_owned())
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

    /// A new value of a column with which no index begins.
    fn note_unfound(moved: &mut Moved, after: &str) -> bool {
        moved.note(Moving {
            table: &name("t"),
            before: None,
            after: Named {
                is_indexed: false,
                ..named("a", after)
            },
        })
    }

    #[test]
    fn what_no_index_finds_is_all_that_was_read() {
        let mut moved = Moved::goes_on(false);
        assert!(note_unfound(&mut moved, "1"));
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
        assert!(note_unfound(&mut moved, "3"));
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
