//! Differences of random rows, held against those of plain lists.

use std::collections::BTreeMap;

use datain_contract::types::Signedness;
use datain_mysql_client::ServerVersion;
use datain_row_block::{ColumnKind, ImageWriter};
use datain_table_scan::{ColumnDefinition, KeyPart, ScanKey, TableDefinition};
use proptest::prelude::*;

use super::*;
use crate::shape::{Algorithm, Shape};

fn column(name: &str, kind: ColumnKind) -> ColumnDefinition {
    ColumnDefinition {
        name: name.to_owned(),
        kind,
        signedness: Signedness::Signed,
        collation: Some(63),
        charset: None,
        length: 20,
        scale: 0,
        nullable: name == "v",
        members: 0,
        column_type: String::new(),
    }
}

/// A table of a number, a text that may be NULL, and another number; by the first one where it has a key.
fn side(has_key: bool) -> Side {
    let table = TableDefinition {
        schema: "s".to_owned(),
        name: "t".to_owned(),
        columns: vec![
            column("id", ColumnKind::Int),
            column("v", ColumnKind::Varchar),
            column("n", ColumnKind::Tinyint),
        ],
        primary_key: Vec::new(),
        scan_key: has_key.then(|| ScanKey {
            index: "PRIMARY".to_owned(),
            parts: vec![KeyPart {
                column: 0,
                descending: false,
            }],
        }),
        other_keys: Vec::new(),
    };
    let shape = Shape::of(&table, Algorithm::default());
    let sent = Shape::from_bytes(&shape.to_bytes()).unwrap();
    Side::new(sent, &table, &ServerVersion::parse(b"9.7.0")).unwrap()
}

type Row = (i32, (Option<u8>, i8));

fn image((id, (v, n)): &Row) -> Vec<u8> {
    let mut out = Vec::new();
    let mut image = ImageWriter::begin(&mut out, 3);
    image.push_int(*id as u64, 4);
    match v {
        Some(v) => image.push_bytes(&[*v]),
        None => image.push_null(),
    }
    image.push_int(*n as u64, 1);
    image.finish();
    out
}

fn values() -> impl Strategy<Value = (Option<u8>, i8)> {
    (prop::option::of(0_u8..2), 0_i8..2)
}

proptest! {
    #[test]
    fn by_a_key(
        source in prop::collection::btree_map(-4_i32..4, values(), 0..8),
        target in prop::collection::btree_map(-4_i32..4, values(), 0..8),
    ) {
        let side = side(true);
        let images = |rows: &BTreeMap<i32, _>| -> Vec<Vec<u8>> {
            rows.iter().rev().map(|(id, values)| image(&(*id, *values))).collect()
        };
        let (of_source, of_target) = (images(&source), images(&target));
        let mut found: Vec<(i32, What)> = side
            .differences(&of_source, &of_target)
            .unwrap()
            .into_iter()
            .map(|found| {
                let key = found.key.as_deref().unwrap();
                for at in [found.source.map(|at| &of_source[at]), found.target.map(|at| &of_target[at])] {
                    prop_assert!(at.is_none_or(|image| side.key_of(image).unwrap().as_deref() == Some(key)));
                }
                let shown = side.shape().show_key(key).unwrap();
                Ok((shown[0].1.parse().unwrap(), found.what))
            })
            .collect::<Result<_, TestCaseError>>()?;
        found.sort_by_key(|(id, _)| *id);
        let mut wanted = Vec::new();
        for id in -4..4 {
            match (source.get(&id), target.get(&id)) {
                (Some(_), None) => wanted.push((id, What::Missing)),
                (None, Some(_)) => wanted.push((id, What::Surplus)),
                (Some(a), Some(b)) if a != b => {
                    let names = [("v", a.0 != b.0), ("n", a.1 != b.1)];
                    let names = names.iter().filter(|(_, differs)| *differs);
                    wanted.push((id, What::Columns(names.map(|(name, _)| (*name).to_owned()).collect())));
                }
                _ => {}
            }
        }
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn without_a_key(
        source in prop::collection::vec((0_i32..2, values()), 0..12),
        target in prop::collection::vec((0_i32..2, values()), 0..12),
    ) {
        let side = side(false);
        let images = |rows: &[Row]| rows.iter().map(image).collect::<Vec<_>>();
        let (of_source, of_target) = (images(&source), images(&target));
        let found = side.differences(&of_source, &of_target).unwrap();
        // How many more of each image the source has.
        let mut more: BTreeMap<&Vec<u8>, i32> = BTreeMap::new();
        of_source.iter().for_each(|image| *more.entry(image).or_default() += 1);
        of_target.iter().for_each(|image| *more.entry(image).or_default() -= 1);
        for found in &found {
            prop_assert_eq!(&found.key, &None);
            match (&found.what, found.source, found.target) {
                (What::Missing, Some(at), None) => *more.entry(&of_source[at]).or_default() -= 1,
                (What::Surplus, None, Some(at)) => *more.entry(&of_target[at]).or_default() += 1,
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert!(more.values().all(|count| *count == 0), "{:?}", more);
    }
}

/// Bytes that are no row of the table are an error, on either side.
#[test]
fn images_that_are_none() {
    let side = side(true);
    let whole = image(&(1, (Some(1), 1)));
    for cut in 0..whole.len() {
        let found = side.differences(&[whole[..cut].to_vec()], &[]);
        assert_eq!(found.unwrap_err().code, "verify.image-malformed");
        let found = side.differences(&[], &[whole[..cut].to_vec()]);
        assert_eq!(found.unwrap_err().code, "verify.image-malformed");
    }
}
