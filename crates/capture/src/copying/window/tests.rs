use std::collections::BTreeMap;

use datain_contract::types::Signedness;
use datain_table_scan::{ColumnDefinition, KeyPart, ScanKey};

use super::*;
use crate::copying::moved::ReadAgain;
use crate::copying::moves::{Moves, Takeover};

fn name(table: &str) -> Name {
    ("s".to_owned(), table.to_owned())
}

fn table(name: &str, columns: &[&str], key: usize) -> TableDefinition {
    let column = |name: &&str| ColumnDefinition {
        name: (*name).to_owned(),
        kind: ColumnKind::Int,
        signedness: Signedness::Signed,
        collation: None,
        charset: None,
        length: 0,
        scale: 0,
        nullable: false,
        members: 0,
        column_type: "int".to_owned(),
    };
    let part = |column| KeyPart {
        column,
        descending: false,
    };
    TableDefinition {
        schema: "s".to_owned(),
        name: name.to_owned(),
        columns: columns.iter().map(column).collect(),
        primary_key: Vec::new(),
        scan_key: Some(ScanKey {
            index: "PRIMARY".to_owned(),
            parts: (0..key).map(part).collect(),
        }),
        other_keys: Vec::new(),
    }
}

/// Parents `actor` and `film`, and a child between them.
fn copying() -> (Copying, TableDefinition) {
    let child = table("film_actor", &["actor", "film"], 2);
    let step = |parent: &str, to: &str| Takeover {
        parent: name(parent),
        from: "id".to_owned(),
        child: name("film_actor"),
        to: to.to_owned(),
        is_indexed: true,
    };
    let tables = BTreeMap::from([
        (name("actor"), table("actor", &["id"], 1)),
        (name("film"), table("film", &["id"], 1)),
        (name("film_actor"), child.clone()),
    ]);
    let links = Links {
        moves: Moves::of(&[step("actor", "actor"), step("film", "film")], &tables),
        ..Links::default()
    };
    (Copying::of([name("film_actor")], links), child)
}

/// Rows of INT columns, each with what it was and what it is.
fn rows(operation: BlockOperation, images: &[&[i32]]) -> (RowSet, Vec<u8>) {
    let mut block = Vec::new();
    begin_block(&mut block);
    let at = block.len();
    let present = vec![true; images[0].len()];
    let (before, after, each) = match operation {
        BlockOperation::Insert => (None, Some(&present[..]), 1),
        BlockOperation::Update => (Some(&present[..]), Some(&present[..]), 2),
        BlockOperation::Delete => (Some(&present[..]), None, 1),
    };
    let mut writer = RowSetWriter::begin(&mut block, operation, before, after);
    for image in images {
        let mut row = writer.begin_image(image.len());
        for value in *image {
            row.push_int(i64::from(*value) as u64, 4);
        }
        row.finish();
    }
    let set = RowSet {
        table: 1,
        operation: match operation {
            BlockOperation::Insert => Operation::Insert,
            BlockOperation::Update => Operation::Update,
            BlockOperation::Delete => Operation::Delete,
        },
        count: (images.len() / each) as u32,
        offset: at as u32,
        length: (block.len() - at) as u32,
        flags: RowFlags::empty(),
    };
    (set, block)
}

fn changed(copying: &mut Copying, operation: BlockOperation, images: &[&[i32]]) {
    let (set, block) = rows(operation, images);
    let kinds = [ColumnKind::Int.code(); 2];
    copying
        .changed(&set, ("s", "film_actor"), &block, &kinds)
        .unwrap();
}

/// A parent's new key; returns whether it counts.
fn renamed(copying: &mut Copying, parent: &str, before: i32, after: i32) -> bool {
    let (set, block) = rows(BlockOperation::Update, &[&[before], &[after]]);
    let moved = copying.note_moves(&set, ("s", parent), &block, &[ColumnKind::Int]);
    !moved.unwrap().is_empty()
}

/// Reads a chunk of these rows, and hands it on; returns how many are left of it, and whether they may be there.
fn chunk(copying: &mut Copying, images: &[&[i32]]) -> (u32, bool) {
    let (set, block) = rows(BlockOperation::Insert, images);
    let table = name("film_actor");
    copying.begin_chunk(&table);
    // Without the presence of columns.
    let head = set.length as usize - images.len() * 9;
    let images = block[set.offset as usize + head..].to_vec();
    copying.hold(&table, images, set.count).unwrap();
    let rows = copying.release(&table).unwrap();
    (rows.count, rows.may_be_there)
}

#[test]
fn what_the_stream_has_brought_is_not_handed_on_again() {
    let (mut copying, child) = copying();
    copying.begin(child, 1, None);
    changed(&mut copying, BlockOperation::Insert, &[&[1, 5]]);
    assert_eq!(chunk(&mut copying, &[&[1, 5], &[2, 5]]), (1, false));
}

/// It went with its parent, without a word, and another one has taken its key.
#[test]
fn a_row_that_is_moved_is_not_taken_for_one_that_the_stream_has_brought() {
    let (mut copying, child) = copying();
    copying.begin(child, 1, None);
    changed(&mut copying, BlockOperation::Insert, &[&[1, 5]]);
    assert!(!renamed(&mut copying, "actor", 2, 1), "nothing was read");
    assert_eq!(chunk(&mut copying, &[&[1, 5], &[3, 5]]), (2, true));
}

#[test]
fn a_row_that_is_moved_into_what_was_read_is_read_again() {
    let (mut copying, child) = copying();
    copying.begin(child, 1, None);
    assert_eq!(chunk(&mut copying, &[&[1, 5]]), (1, false));
    assert!(renamed(&mut copying, "film", 7, 2));
    assert!(!renamed(&mut copying, "film", 7, 7), "it stays");
    let table = name("film_actor");
    assert!(copying.is_moved(&table));
    assert!(
        !copying.last_chunk(&table, false),
        "of those that were left"
    );
    assert_eq!(
        copying.take_again(&table),
        Some(ReadAgain::Of("t.`film` = 2".to_owned()))
    );
    assert_eq!(chunk(&mut copying, &[&[1, 2]]), (1, true));
    assert!(copying.last_chunk(&table, true));
}

#[test]
fn what_was_moved_before_a_restart_is_read_again() {
    let (mut copying, child) = copying();
    copying.begin(child, 1, Some(WasMoved(true)));
    let table = name("film_actor");
    assert!(copying.is_moved(&table) && copying.wants_again(&table));
    assert_eq!(copying.take_again(&table), Some(ReadAgain::All));
}
