//! Rows that a foreign key moves within a table that is being copied, without a word in the log.
//!
//! Where the key by which a table is read has a column that follows a parent's (ON UPDATE CASCADE), another key of the parent may carry a row out of the part of the table that is still to
//! be read, into the part that was read. Nobody would read it any more, and the target, which has to repeat the cascade, has not got it to carry. So whenever the stream has such a change of
//! a parent, rows with its new value are read again, and handed on as rows that may be there already; the table is whole when none are left to be read again. A row that was carried on before
//! it was read again has been so by another change, with a value of its own.
//!
//! This says what moves; [`super::moved`] keeps what is to be read again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_row_block::{Image, Value};
use datain_table_scan::{ColumnDefinition, TableDefinition, has_value};

use super::families::same_name;
use super::window::{Name, changed_meanwhile};

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
    pub(super) column: String,
    /// The condition as SQL.
    pub(super) sql: String,
    /// An index finds them.
    pub(super) is_indexed: bool,
    /// What the server takes for equal may have other bytes.
    pub(super) is_loose: bool,
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
}
