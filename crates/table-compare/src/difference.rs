//! Rows that differ, found by holding row images of both sides against each other.
//!
//! Images are put together by their keys. Images under the same key that are equal on both sides are taken out, in pairs; what is left is paired in the order in which it came, and
//! differs in the columns that are named; what then is left on one side only is missing or surplus. A key that is unique has one image on each side. Where a table has no key, a row is its image, and the
//! same goes for equal rows that are there more often on one side.

use std::collections::BTreeMap;

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use serde::{Deserialize, Serialize};

use crate::shape::with_image;
use crate::side::Side;

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The row's key; none where the table has no key: then a row is its image.
    pub key: Option<Vec<u8>>,
    /// In what it differs.
    pub what: What,
    /// Index of the row's image among the source's; none of a surplus row.
    pub source: Option<usize>,
    /// Index of the row's image among the target's; none of a missing row.
    pub target: Option<usize>,
}

/// In what a row differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// The target does not have it.
    Missing,
    /// Only the target has it.
    Surplus,
    /// The names of the columns whose values differ.
    Columns(Vec<String>),
}

/// Images of one key.
#[derive(Default)]
struct Under {
    source: Vec<usize>,
    target: Vec<usize>,
}

pub(crate) fn differences(
    side: &Side,
    source: &[Vec<u8>],
    target: &[Vec<u8>],
) -> Result<Vec<Difference>, Error> {
    let has_key = side.shape().key.is_some();
    // Sorted, so that it does not matter how rows would be hashed.
    let mut by_key: BTreeMap<Vec<u8>, Under> = BTreeMap::new();
    for (at, image) in source.iter().enumerate() {
        let key = match side.source_key_of(image)? {
            Some(key) => key,
            None => side.in_source_form(image)?,
        };
        by_key.entry(key).or_default().source.push(at);
    }
    for (at, image) in target.iter().enumerate() {
        let key = match side.key_of(image)? {
            Some(key) => key,
            None => side.comparable(image)?,
        };
        by_key.entry(key).or_default().target.push(at);
    }
    let mut found = Vec::new();
    for (key, mut under) in by_key {
        let key = has_key.then_some(key);
        if has_key {
            take_equal(side, source, target, &mut under)?;
        }
        let both = under.source.len().min(under.target.len());
        for (at, of_target) in under.source.iter().zip(&under.target) {
            // Without a key they are equal.
            let names = match has_key {
                true => columns(side, &source[*at], &target[*of_target])?,
                false => Vec::new(),
            };
            if !names.is_empty() {
                found.push(Difference {
                    key: key.clone(),
                    what: What::Columns(names),
                    source: Some(*at),
                    target: Some(*of_target),
                });
            }
        }
        found.extend(under.source[both..].iter().map(|at| Difference {
            key: key.clone(),
            what: What::Missing,
            source: Some(*at),
            target: None,
        }));
        found.extend(under.target[both..].iter().map(|at| Difference {
            key: key.clone(),
            what: What::Surplus,
            source: None,
            target: Some(*at),
        }));
    }
    Ok(found)
}

/// Takes out what is equal where a key has several rows, which only happens where the target does not keep it unique.
fn take_equal(
    side: &Side,
    source: &[Vec<u8>],
    target: &[Vec<u8>],
    under: &mut Under,
) -> Result<(), Error> {
    if under.source.len() <= 1 && under.target.len() <= 1 {
        return Ok(());
    }
    let mut left = Vec::new();
    for at in std::mem::take(&mut under.source) {
        let mut equal = None;
        for (place, of_target) in under.target.iter().enumerate() {
            if columns(side, &source[at], &target[*of_target])?.is_empty() {
                equal = Some(place);
                break;
            }
        }
        match equal {
            Some(place) => drop(under.target.remove(place)),
            None => left.push(at),
        }
    }
    under.source = left;
    Ok(())
}

/// The names of the columns in which two rows differ.
fn columns(side: &Side, source: &[u8], target: &[u8]) -> Result<Vec<String>, Error> {
    let shape = side.shape();
    with_image(side.source_kinds(), source, |source| {
        with_image(side.kinds(), target, |target| {
            let mut names = Vec::new();
            for (at, column) in shape.columns.iter().enumerate() {
                if side.is_marked(target, at) || source.raw(at) != target.raw(at) {
                    names.push(column.name.clone());
                }
            }
            Ok(names)
        })
    })
}

/// The target has a row whose key no row of the source can have.
pub(crate) fn unlike(side: &Side) -> Error {
    let shape = side.shape();
    Error::fatal(
        "verify.key-unlike",
        "the target has a row whose key is no value that the source's column can hold",
    )
    .hint("such a row did not come from the source: delete it on the target")
    .in_table(&shape.schema, &shape.name)
}

#[cfg(test)]
mod tests;
