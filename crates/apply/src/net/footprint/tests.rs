//! Which groups meet.

use std::hash::RandomState;
use std::rc::Rc;

use datain_contract::types::{Operation as Op, RowFlags, RowSet};
use datain_row_block::{ColumnKind, Operation, RowSetWriter, begin_block};

use super::*;
use crate::net::Net;
use crate::target_table::{TargetTable, Unique};

#[derive(Clone, Copy)]
enum Cell {
    Int(i32),
    Text(&'static str),
    Null,
}
use Cell::{Int, Null, Text};

/// One row, in three columns, of which the first is the primary key.
type Cells = [Cell; 3];

enum Change {
    Insert(Cells),
    Update(Cells, Cells),
    Delete(Cells),
}
use Change::{Delete, Insert, Update};

/// A table of three columns of this form, with a primary key over the first, and a unique key over the second if there is one.
fn table(name: &str, form: &Form, second: bool) -> Mapping {
    let kind = match form {
        Form::Integer { .. } => ColumnKind::Int,
        Form::Real => ColumnKind::Double,
        _ => ColumnKind::Varchar,
    };
    let mut keys = vec![vec![0]];
    keys.extend(second.then(|| vec![1]));
    Mapping {
        target: TargetTable::of_ints(
            name,
            ["a", "b", "c"],
            Unique {
                columns: vec![true, second, false],
                keys,
                computed: false,
                partial: false,
            },
        ),
        kinds: vec![kind; 3],
        forms: vec![form.clone(); 3],
        table_sql: name.to_owned(),
        column_sql: ["a", "b", "c"].map(str::to_owned).to_vec(),
    }
}

fn integers(second: bool) -> Mapping {
    table("t", &Form::Integer { unsigned: false }, second)
}

/// A table of strings under this collation.
fn strings(collation: &str) -> Mapping {
    let (charset, _) = collation.split_once('_').unwrap();
    let form = Form::Characters {
        charset: charset.to_owned(),
        same: true,
    };
    let mut mapping = table("t", &form, true);
    for column in &mut mapping.target.columns {
        column.charset = Some(charset.to_owned());
        column.collation = Some(collation.to_owned());
    }
    mapping
}

fn letters() -> Mapping {
    strings("utf8mb4_0900_ai_ci")
}

fn group(mapping: Mapping, changes: &[Change]) -> Net<RandomState> {
    let mapping = Rc::new(mapping);
    let mut net = Net::default();
    for change in changes {
        let (operation, kind, images) = match change {
            Insert(after) => (Op::Insert, Operation::Insert, vec![after]),
            Update(before, after) => (Op::Update, Operation::Update, vec![before, after]),
            Delete(before) => (Op::Delete, Operation::Delete, vec![before]),
        };
        let all = [true; 3];
        let before = (operation != Op::Insert).then_some(&all[..]);
        let after = (operation != Op::Delete).then_some(&all[..]);
        let mut block = Vec::new();
        begin_block(&mut block);
        let mut writer = RowSetWriter::begin(&mut block, kind, before, after);
        for cells in images {
            let mut image = writer.begin_image(3);
            for cell in cells {
                match cell {
                    Int(number) => image.push_int(*number as u64, 4),
                    Text(text) => image.push_bytes(text.as_bytes()),
                    Null => image.push_null(),
                }
            }
            image.finish();
        }
        let set = RowSet {
            table: 1,
            operation,
            count: 1,
            offset: 1,
            length: u32::try_from(block.len() - 1).unwrap(),
            flags: RowFlags::empty(),
        };
        let taken = net.take(&set, &block, &mapping, 0, false).unwrap();
        assert_eq!(taken, 1, "the row is taken");
    }
    net
}

fn meet(one: &Net<RandomState>, other: &Net<RandomState>) -> bool {
    let hasher = RandomState::new();
    let footprint = |net: &Net<RandomState>| net.footprint(&hasher).unwrap();
    let (one, other) = (footprint(one), footprint(other));
    let met = one.meets(&other);
    assert_eq!(met, other.meets(&one));
    met
}

fn numbers(mapping: fn() -> Mapping, one: &[Change], other: &[Change]) -> bool {
    meet(&group(mapping(), one), &group(mapping(), other))
}

#[test]
fn rows_are_told_apart_by_their_keys() {
    let plain = || integers(false);
    let row = |id| [Int(id), Int(1), Int(1)];
    assert!(!numbers(
        plain,
        &[Insert(row(1))],
        &[Insert(row(2)), Delete(row(3))]
    ));
    assert!(numbers(
        plain,
        &[Insert(row(1))],
        &[Insert(row(2)), Delete(row(1))]
    ));
    // A row that moves touches where it was and where it is.
    let moves = [Update(row(1), row(2))];
    assert!(numbers(plain, &moves, &[Insert(row(1))]));
    assert!(numbers(plain, &moves, &[Delete(row(2))]));
    assert!(!numbers(plain, &moves, &[Delete(row(3))]));
    // Nothing is written of one that comes and goes.
    assert!(!numbers(
        plain,
        &[Insert(row(1)), Delete(row(1))],
        &[Insert(row(1))]
    ));
}

#[test]
fn other_tables_do_not_meet() {
    let form = Form::Integer { unsigned: false };
    let row = [Int(1), Int(1), Int(1)];
    let one = group(table("t", &form, false), &[Insert(row)]);
    let other = group(table("u", &form, false), &[Insert(row)]);
    assert!(!meet(&one, &other));
    let again = group(table("T", &form, false), &[Insert(row)]);
    assert!(meet(&one, &again), "names may differ in case");
}

#[test]
fn values_of_other_unique_keys_count() {
    let unique = || integers(true);
    let row = |id, u| [Int(id), Int(u), Int(1)];
    assert!(!numbers(
        unique,
        &[Insert(row(1, 10))],
        &[Insert(row(2, 20))]
    ));
    assert!(numbers(
        unique,
        &[Insert(row(1, 10))],
        &[Insert(row(2, 10))]
    ));
    let null = |id| [Int(id), Null, Int(1)];
    assert!(
        !numbers(unique, &[Insert(null(1))], &[Insert(null(2))]),
        "NULLs"
    );
    // The value that becomes free is not known, or not for sure.
    assert!(numbers(
        unique,
        &[Delete(row(1, 10))],
        &[Insert(row(2, 20))]
    ));
    let changes = [Update(row(1, 10), row(1, 11))];
    assert!(numbers(unique, &changes, &[Insert(row(2, 20))]));
    let elsewhere = [Update(row(1, 10), [Int(1), Int(10), Int(2)])];
    assert!(!numbers(unique, &elsewhere, &[Insert(row(2, 20))]));
}

#[test]
fn strings_are_told_apart_where_every_collation_does() {
    let row = |key| [Text(key), Null, Null];
    assert!(!numbers(
        letters,
        &[Insert(row("alpha-1"))],
        &[Insert(row("alpha_1"))]
    ));
    assert!(numbers(
        letters,
        &[Insert(row("Alpha"))],
        &[Insert(row("aLPHA"))]
    ));
    for other in ["é", "a b", "a ", "ａ"] {
        assert!(
            numbers(letters, &[Insert(row("z"))], &[Insert(row(other))]),
            "{other}"
        );
    }
}

#[test]
fn strings_of_collations_with_more_equal_letters_are_not_told_apart() {
    let row = |key| [Text(key), Null, Null];
    for (collation, told) in [
        ("utf8mb4_bin", true),
        ("utf8mb3_general_ci", true),
        ("latin1_swedish_ci", true),
        // In Roman i is j; in Lithuanian i is y.
        ("utf8mb4_roman_ci", false),
        ("utf8mb4_la_0900_ai_ci", false),
        ("utf8mb4_lithuanian_ci", false),
        ("utf8mb4_swedish_ci", false),
        // Its bytes are no ASCII.
        ("utf16_unicode_ci", false),
        ("gbk_chinese_ci", false),
    ] {
        let (one, other) = ([Insert(row("iuno"))], [Insert(row("kilo"))]);
        let meets = meet(
            &group(strings(collation), &one),
            &group(strings(collation), &other),
        );
        assert_eq!(meets, !told, "{collation}");
    }
    // Character sets that are not known here come as bytes.
    let bytes = |charset: Option<&str>| {
        let mut mapping = table("t", &Form::Binary { pad_to: 0 }, false);
        mapping.target.columns[0].charset = charset.map(str::to_owned);
        mapping
    };
    for (charset, told) in [(None, true), (Some("dec8"), false)] {
        let one = group(bytes(charset), &[Insert(row("a"))]);
        let other = group(bytes(charset), &[Insert(row("A"))]);
        assert_eq!(meet(&one, &other), !told, "{charset:?}");
    }
}

#[test]
fn what_cannot_be_compared_is_the_whole_table() {
    let row = [Int(1), Int(1), Int(1)];
    let other = [Int(2), Int(2), Int(2)];
    for spoil in [
        (|unique: &mut Unique| unique.partial = true) as fn(&mut Unique),
        |unique| unique.computed = true,
    ] {
        let mut mapping = integers(false);
        spoil(&mut mapping.target.unique);
        let one = group(mapping, &[Insert(row)]);
        assert!(meet(&one, &group(integers(false), &[Insert(other)])));
    }
    let real = table("t", &Form::Real, false);
    let mut integers = integers(false);
    integers.forms[0] = real.forms[0].clone();
    let one = group(integers.clone(), &[Insert(row)]);
    assert!(meet(&one, &group(integers, &[Insert(other)])));
}

#[test]
fn crowded_tables_count_as_a_whole() {
    let row = |id| [Int(id), Int(1), Int(1)];
    let (one, other) = (
        group(integers(false), &[Insert(row(1))]),
        group(integers(false), &[Insert(row(2))]),
    );
    let hasher = RandomState::new();
    let (mut one, other) = (
        one.footprint(&hasher).unwrap(),
        other.footprint(&hasher).unwrap(),
    );
    assert!(!one.meets(&other));
    let both: Vec<String> = one.tables_of_both(&other).collect();
    assert_eq!(both, ["t"]);
    one.spread(|name| both.iter().any(|both| both == name));
    assert!(one.meets(&other));
}

/// A group that is written in parts is seen in between: what it holds then must not be there already, put there by a younger group.
#[test]
fn what_was_held_only_in_between_counts_where_groups_go_ahead() {
    let row = |id, a| [Int(id), Int(a), Int(1)];
    let steps: [&[Change]; 4] = [
        &[Insert(row(1, 1)), Delete(row(1, 1))],
        &[Insert(row(1, 1)), Update(row(1, 1), row(1, 2))],
        &[Update(row(1, 1), row(2, 1)), Update(row(2, 1), row(3, 1))],
        &[Insert(row(1, 1)), Update(row(1, 1), row(2, 1))],
    ];
    let hasher = RandomState::new();
    let alone = group(integers(true), &[Insert(row(9, 9))]);
    let alone = alone.footprint(&hasher).unwrap();
    for (number, changes) in steps.into_iter().enumerate() {
        let mut one = group(integers(true), changes).footprint(&hasher).unwrap();
        one.spread_over_steps();
        assert!(one.meets(&alone), "{number}");
    }
    let seen: [&[Change]; 3] = [
        &[Insert(row(1, 1)), Insert(row(2, 2))],
        &[Update([Int(1), Int(1), Int(1)], [Int(1), Int(1), Int(2)])],
        &[
            Insert(row(1, 1)),
            Update(row(1, 1), [Int(1), Int(1), Int(7)]),
        ],
    ];
    for (number, changes) in seen.into_iter().enumerate() {
        let mut one = group(integers(true), changes).footprint(&hasher).unwrap();
        one.spread_over_steps();
        assert!(!one.meets(&alone), "{number}");
    }
}
