//! What rows come to, as the statements that are written of them.

use std::hash::RandomState;

use datain_contract::types::Operation as Op;
use datain_row_block::{Operation, RowSetWriter, begin_block};

use super::*;
use crate::literal::Form;
use crate::net::{Limits, Net};
use crate::statements::{Bounds, Check};
use crate::target_table::{TargetTable, Unique};

/// `t (id INT PRIMARY KEY, u INT UNIQUE, v INT)`.
fn mapping() -> Rc<Mapping> {
    Rc::new(Mapping {
        target: TargetTable::of_ints(
            "t",
            ["id", "u", "v"],
            Unique {
                columns: vec![true, true, false],
                keys: vec![vec![0], vec![1]],
                computed: false,
                partial: false,
            },
        ),
        kinds: vec![ColumnKind::Int; 3],
        forms: vec![Form::Integer { unsigned: false }; 3],
        table_sql: "t".to_owned(),
        column_sql: ["id", "u", "v"].map(str::to_owned).to_vec(),
    })
}

/// Values of the three columns; none where the image lacks one.
type Cells = [Option<i32>; 3];

fn full(cells: [i32; 3]) -> Cells {
    cells.map(Some)
}

enum Change {
    Insert(Cells),
    Update(Cells, Cells),
    Delete(Cells),
}
use Change::{Delete, Insert, Update};

struct Run {
    net: Net<RandomState>,
    mapping: Rc<Mapping>,
    /// The target looks after foreign keys.
    checked: bool,
    flags: RowFlags,
    /// The table's id in records.
    id: u32,
}

impl Run {
    fn new() -> Self {
        Self {
            net: Net::default(),
            mapping: mapping(),
            checked: false,
            flags: RowFlags::empty(),
            id: 1,
        }
    }

    /// Whether the row, of a table that is being copied, was taken.
    fn copies(&mut self, change: &Change) -> bool {
        self.flags = RowFlags::COPYING;
        let taken = self.add(change);
        self.flags = RowFlags::empty();
        taken
    }

    /// Whether the row was taken.
    fn add(&mut self, change: &Change) -> bool {
        let (operation, kind, before, after) = match change {
            Insert(after) => (Op::Insert, Operation::Insert, None, Some(after)),
            Update(before, after) => (Op::Update, Operation::Update, Some(before), Some(after)),
            Delete(before) => (Op::Delete, Operation::Delete, Some(before), None),
        };
        let present = |cells: Option<&Cells>| cells.map(|cells| cells.map(|c| c.is_some()));
        let (before_present, after_present) = (present(before), present(after));
        let mut block = Vec::new();
        begin_block(&mut block);
        let mut writer = RowSetWriter::begin(
            &mut block,
            kind,
            before_present.as_ref().map(<[bool; 3]>::as_slice),
            after_present.as_ref().map(<[bool; 3]>::as_slice),
        );
        for cells in [before, after].into_iter().flatten() {
            let mut image = writer.begin_image(cells.iter().flatten().count());
            for cell in cells.iter().flatten() {
                image.push_int(*cell as u64, 4);
            }
            image.finish();
        }
        let set = RowSet {
            table: self.id,
            operation,
            count: 1,
            offset: 1,
            length: u32::try_from(block.len() - 1).unwrap(),
            flags: self.flags,
        };
        self.net
            .take(&set, &block, &self.mapping, 0, self.checked)
            .unwrap()
            == 1
    }

    fn statements(self) -> Vec<String> {
        self.statements_of(false)
    }

    fn statements_of(mut self, hints: bool) -> Vec<String> {
        let mut found = Vec::new();
        let limits = Limits {
            bounds: Bounds {
                bytes: 1 << 20,
                rows: 1000,
                hints,
            },
            values: crate::net::Values::Rows,
            loads: false,
        };
        for table in std::mem::take(&mut self.net).tables() {
            table
                .write(limits, |statement| {
                    let sql = String::from_utf8(statement.sql).unwrap();
                    let may_miss = if statement.check == Check::MayMiss {
                        "up to "
                    } else {
                        ""
                    };
                    found.push(format!("{may_miss}{}: {sql}", statement.rows));
                    Ok(())
                })
                .unwrap();
        }
        found
    }
}

#[test]
fn a_delete_is_told_to_use_the_key_where_a_comment_can_hold_the_name() {
    let delete = |name: &str| {
        let mut run = Run::new();
        let mut mapping = (*run.mapping).clone();
        mapping.target.name = name.to_owned();
        run.mapping = Rc::new(mapping);
        assert!(run.add(&Delete(full([1, 1, 1]))));
        run.statements_of(true)
    };
    assert_eq!(
        delete("item_2"),
        ["1: DELETE /*+ INDEX(`item_2` PRIMARY) */ FROM t WHERE id IN (1)"]
    );
    for name in ["a*/b", "/*/*`t1", "größe", "a b"] {
        assert_eq!(delete(name), ["1: DELETE FROM t WHERE id IN (1)"], "{name}");
    }
}

fn check(changes: &[Change], expected: &[&str]) {
    let mut run = Run::new();
    for change in changes {
        assert!(run.add(change));
    }
    assert_eq!(run.statements(), expected);
}

#[test]
fn what_comes_and_goes_leaves_nothing() {
    check(
        &[
            Insert(full([1, 1, 1])),
            Update(full([1, 1, 1]), full([1, 1, 2])),
            Delete(full([1, 1, 2])),
        ],
        &[],
    );
    // Also under another key.
    check(
        &[
            Insert(full([1, 1, 1])),
            Update(full([1, 1, 1]), full([2, 1, 1])),
            Delete(full([2, 1, 1])),
        ],
        &[],
    );
}

#[test]
fn a_row_that_changes_often_is_written_once() {
    check(
        &[
            Update(full([1, 1, 1]), full([1, 1, 2])),
            Update(full([1, 1, 2]), full([1, 1, 3])),
            Insert(full([2, 2, 2])),
            Update(full([2, 2, 2]), full([2, 3, 4])),
        ],
        &[
            "1: UPDATE t SET v=3 WHERE id=1",
            "1: INSERT INTO t (id,u,v) VALUES (2,3,4)",
        ],
    );
}

#[test]
fn rows_that_changed_alike_share_a_statement() {
    check(
        &[
            Update(full([1, 1, 1]), full([1, 1, 2])),
            Update(full([2, 2, 1]), full([2, 2, 5])),
            Delete(full([3, 3, 3])),
            Delete(full([4, 4, 4])),
            Insert(full([5, 3, 3])),
            Insert(full([6, 4, 3])),
        ],
        &[
            "2: DELETE FROM t WHERE id IN (3,4)",
            "2: UPDATE (VALUES ROW(1,2),ROW(2,5)) AS datain_new (datain_0,datain_1) STRAIGHT_JOIN t AS datain_row FORCE INDEX (PRIMARY) \
             ON datain_row.id=datain_new.datain_0 SET datain_row.v=datain_new.datain_1",
            "2: INSERT INTO t (id,u,v) VALUES (5,3,3),(6,4,3)",
        ],
    );
}

#[test]
fn values_of_unique_keys_move_by_way_of_deletes() {
    // The two rows exchange `u`, over a value in between.
    check(
        &[
            Update(full([1, 1, 1]), full([1, 9, 1])),
            Update(full([2, 2, 2]), full([2, 1, 2])),
            Update(full([1, 9, 1]), full([1, 2, 1])),
        ],
        &[
            "2: DELETE FROM t WHERE id IN (1,2)",
            "2: INSERT INTO t (id,u,v) VALUES (1,2,1),(2,1,2)",
        ],
    );
    // The same with their primary keys.
    check(
        &[
            Update(full([1, 1, 1]), full([9, 1, 1])),
            Update(full([2, 2, 2]), full([1, 2, 2])),
            Update(full([9, 1, 1]), full([2, 1, 1])),
        ],
        &[
            "2: DELETE FROM t WHERE id IN (1,2)",
            "2: INSERT INTO t (id,u,v) VALUES (1,2,2),(2,1,1)",
        ],
    );
}

#[test]
fn a_row_that_goes_and_comes_again_is_made_anew() {
    check(
        &[
            Delete(full([1, 1, 1])),
            Insert(full([1, 1, 2])),
            Update(full([1, 1, 2]), full([1, 1, 3])),
        ],
        &[
            "1: DELETE FROM t WHERE id IN (1)",
            "1: INSERT INTO t (id,u,v) VALUES (1,1,3)",
        ],
    );
    check(
        &[
            Update(full([1, 1, 1]), full([1, 2, 1])),
            Delete(full([1, 2, 1])),
        ],
        &["1: DELETE FROM t WHERE id IN (1)"],
    );
}

#[test]
fn images_that_hold_only_some_columns_are_put_together() {
    let id = |id| [Some(id), None, None];
    let v = |v| [None, None, Some(v)];
    check(
        &[
            Update(id(1), v(5)),
            Update(id(1), v(6)),
            Insert([Some(2), None, Some(7)]),
            Update(id(2), v(8)),
            Insert(full([3, 3, 3])),
        ],
        &[
            "1: UPDATE t SET v=6 WHERE id=1",
            "1: INSERT INTO t (id,u,v) VALUES (2,NULL,8)",
            "1: INSERT INTO t (id,u,v) VALUES (3,3,3)",
        ],
    );
    // What the row's other columns hold is not known, so it cannot be made anew.
    let mut run = Run::new();
    assert!(!run.add(&Update(id(1), [None, Some(2), None])));
    assert!(!run.add(&Update(id(1), id(2))));
    assert!(run.add(&Update(full([1, 1, 1]), full([1, 1, 2]))));
    // Now it is.
    assert!(run.add(&Update(id(1), [None, Some(2), None])));
    assert_eq!(
        run.statements(),
        [
            "1: DELETE FROM t WHERE id IN (1)",
            "1: INSERT INTO t (id,u,v) VALUES (1,2,2)",
        ]
    );
}

#[test]
fn where_foreign_keys_may_hang_on_rows_none_is_made_anew() {
    let mut run = Run::new();
    run.checked = true;
    assert!(run.add(&Update(full([1, 1, 1]), full([1, 1, 2]))));
    assert!(!run.add(&Update(full([1, 1, 2]), full([1, 5, 2]))));
    assert!(!run.add(&Update(full([1, 1, 2]), full([4, 1, 2]))));
    assert!(run.add(&Delete(full([2, 2, 2]))));
    assert!(!run.add(&Insert(full([2, 2, 2]))));
    assert!(run.add(&Insert(full([3, 3, 3]))));
    assert!(run.net.tables().all(super::TableNet::is_checked));
}

#[test]
fn rows_that_the_target_looks_after_do_not_mix_with_others() {
    let mut run = Run::new();
    assert!(run.add(&Update(full([1, 1, 1]), full([1, 2, 1]))));
    assert!(run.net.suits(1, &run.mapping, false));
    // What is made anew there would be deleted under the target's checks.
    assert!(!run.net.suits(1, &run.mapping, true));
}

#[test]
fn the_greatest_number_that_was_given_is_shown_to_the_server() {
    let numbered = || {
        let mut mapping = Mapping::clone(&mapping());
        mapping.target.columns[0].auto_increment = true;
        let mut run = Run::new();
        run.mapping = Rc::new(mapping);
        for id in [7, 9, 8] {
            assert!(run.add(&Insert(full([id, id, id]))));
            assert!(run.add(&Delete(full([id, id, id]))));
        }
        run
    };
    assert_eq!(
        numbered().statements(),
        [
            "1: INSERT INTO t (id,u,v) VALUES (9,9,9)",
            "1: DELETE FROM t WHERE id IN (9)"
        ]
    );
    let mut run = numbered();
    assert!(run.add(&Insert(full([10, 10, 10]))));
    assert_eq!(
        run.statements(),
        ["1: INSERT INTO t (id,u,v) VALUES (10,10,10)"]
    );
}

#[test]
fn rows_that_contradict_each_other_are_left_to_the_target() {
    let mut run = Run::new();
    assert!(run.add(&Insert(full([1, 1, 1]))));
    assert!(!run.add(&Insert(full([1, 2, 2]))));
    assert!(run.add(&Delete(full([2, 2, 2]))));
    assert!(!run.add(&Delete(full([2, 2, 2]))));
    assert!(!run.add(&Update(full([2, 2, 2]), full([2, 2, 3]))));
    assert!(!run.add(&Update(full([3, 3, 3]), full([1, 3, 3]))));
    // What was refused has changed nothing.
    assert_eq!(
        run.statements(),
        [
            "1: DELETE FROM t WHERE id IN (2)",
            "1: INSERT INTO t (id,u,v) VALUES (1,1,1)",
        ]
    );
}

#[test]
fn rows_of_a_table_that_is_being_copied_replace_what_is_there() {
    let mut run = Run::new();
    // A change of a row that the target may have, one that moves, one that goes, one of a chunk that may be there, and a new one.
    assert!(run.copies(&Update(full([1, 1, 1]), full([1, 10, 2]))));
    assert!(run.copies(&Update(full([2, 2, 2]), full([3, 1, 2]))));
    assert!(run.copies(&Delete(full([4, 4, 4]))));
    assert!(run.copies(&Insert(full([5, 5, 5]))));
    assert!(run.add(&Insert(full([6, 6, 6]))));
    // Again, and gone after all.
    assert!(run.copies(&Update(full([1, 10, 2]), full([1, 11, 3]))));
    assert!(run.copies(&Delete(full([6, 6, 6]))));
    assert!(run.copies(&Delete(full([4, 4, 4]))));
    // What is written for each row has to hold all of it.
    assert!(!run.copies(&Update(full([7, 7, 7]), [Some(7), None, Some(8)])));
    assert!(!run.copies(&Delete([None, Some(8), Some(8)])));
    let statements = run.statements();
    assert_eq!(
        statements,
        [
            "up to 5: DELETE FROM t WHERE id IN (1,2,3,4,5)",
            "3: INSERT INTO t (id,u,v) VALUES (1,11,3),(3,1,2),(5,5,5)",
        ]
    );
}

/// The chunks of a table that is being copied have another id than its changes.
#[test]
fn rows_of_one_table_under_two_ids_are_put_together() {
    let mut run = Run::new();
    assert!(run.add(&Insert(full([1, 1, 1]))));
    assert!(run.add(&Insert(full([2, 2, 2]))));
    run.id = 2;
    assert!(run.net.suits(2, &run.mapping, false));
    // Another mapping of the same table does not go with them.
    assert!(!run.net.suits(3, &mapping(), false));
    assert!(run.copies(&Update(full([2, 2, 2]), full([2, 20, 3]))));
    let footprint = run.net.footprint(&RandomState::new()).unwrap();
    // A row that only got other values is known by them: other rows of its table may be written at the same time.
    assert!(!format!("{footprint:?}").contains("Whole"), "{footprint:?}");
    assert_eq!(
        run.statements(),
        ["2: INSERT INTO t (id,u,v) VALUES (1,1,1),(2,20,3)"]
    );
}
