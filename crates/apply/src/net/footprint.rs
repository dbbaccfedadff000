//! What the changes of a group touch, so that groups which do not meet can be written at the same time.
//!
//! Two groups meet when they hold the same value of the same unique key, before or after a change. Values are compared by hashes of their bytes. So they count only where the server's
//! equality is that of the bytes, or can be made so: letters are taken as lower-case ones, and strings of anything but ASCII letters, digits, `_` and `-`, or under other
//! collations than those of [`tells_letters_apart`], count as if the whole table were touched, since collations know more equal strings than can be told here. The same holds for unique
//! keys over parts of columns or expressions, and where the images lack the values that rows had in other unique keys.

use std::hash::BuildHasher;

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_row_block::{Image, Value};

use super::table::TableNet;
use crate::literal::Form;
use crate::mapping::Mapping;

/// What a group touches.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// By the table's name in SQL.
    tables: Vec<(String, Touched)>,
    /// Tables of which values were held only in between.
    steps: Vec<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum Touched {
    /// Rows that are not told apart.
    Whole,
    /// Hashes of values of unique keys, in ascending order.
    Values(Vec<u64>),
}

impl Touched {
    fn meets(&self, other: &Touched) -> bool {
        let (Touched::Values(mine), Touched::Values(theirs)) = (self, other) else {
            return true;
        };
        let (mut mine, mut theirs) = (mine.iter().peekable(), theirs.iter().peekable());
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => mine.next(),
                std::cmp::Ordering::Greater => theirs.next(),
                std::cmp::Ordering::Equal => return true,
            };
        }
        false
    }
}

impl Footprint {
    /// Adds a table's changes.
    ///
    /// # Errors
    /// `row-block.*` if what was kept is damaged.
    pub(super) fn add<H: BuildHasher + Default>(
        &mut self,
        table: &TableNet<H>,
        hasher: &impl BuildHasher,
    ) -> Result<(), Error> {
        let touched = touched(table, hasher)?.map_or(Touched::Whole, |mut values| {
            values.sort_unstable();
            Touched::Values(values)
        });
        if table.had_steps() {
            self.steps.push(self.tables.len());
        }
        self.tables
            .push((table.mapping().table_sql.clone(), touched));
        Ok(())
    }

    /// Whether the two groups touch the same rows, or may do so.
    #[must_use]
    pub fn meets(&self, other: &Footprint) -> bool {
        self.tables.iter().any(|(name, mine)| {
            let same = |(other, _): &&(String, Touched)| other.eq_ignore_ascii_case(name);
            other
                .tables
                .iter()
                .filter(same)
                .any(|(_, theirs)| mine.meets(theirs))
        })
    }

    /// Counts the tables as touched as a whole in which rows held values of unique keys only in between, so that they are not among those that count. That is needed where the group may be
    /// written again in parts while a younger one is there already: its steps are then seen.
    pub fn spread_over_steps(&mut self) {
        for table in &self.steps {
            if let Some((_, touched)) = self.tables.get_mut(*table) {
                *touched = Touched::Whole;
            }
        }
    }

    /// Counts the tables of which this is true, by name in SQL in lower case, as touched as a whole.
    pub fn spread(&mut self, over: impl Fn(&str) -> bool) {
        for (name, touched) in &mut self.tables {
            if over(&name.to_lowercase()) {
                *touched = Touched::Whole;
            }
        }
    }

    /// The tables that both touch, by name in SQL in lower case.
    pub fn tables_of_both(&self, other: &Footprint) -> impl Iterator<Item = String> {
        let known = |name: &str| {
            let mut theirs = other.tables.iter();
            theirs.any(|(theirs, _)| theirs.eq_ignore_ascii_case(name))
        };
        let names = self.tables.iter().map(|(name, _)| name);
        names
            .filter(move |name| known(name))
            .map(|name| name.to_lowercase())
    }
}

/// The hashes of all values of unique keys that the changes touch; none if they cannot be told.
fn touched<H: BuildHasher + Default>(
    table: &TableNet<H>,
    hasher: &impl BuildHasher,
) -> Result<Option<Vec<u64>>, Error> {
    let mapping = table.mapping();
    let unique = &mapping.target.unique;
    let Some(identity) = mapping.target.keys.first() else {
        return Ok(None);
    };
    if unique.computed || unique.partial || table.came_and_went().is_some() {
        return Ok(None);
    }
    let others: Vec<&Vec<usize>> = unique.keys.iter().filter(|key| *key != identity).collect();
    let mut hashes = Vec::with_capacity(table.entries().len());
    let mut bytes = Vec::new();
    let mut offsets = Vec::new();
    for entry in table.entries() {
        // Of a row that came and went nothing is written.
        let Some(record) = entry.now.or(entry.gone) else {
            continue;
        };
        let leaves = entry.existed && (entry.anew || entry.now.is_none());
        if leaves && !others.is_empty() {
            return Ok(None);
        }
        let image = table
            .records()
            .image(record, &mapping.kinds, &mut offsets)
            .map_err(|e| Error::fatal(e.code(), e.to_string()))?;
        match told_apart(mapping, &image, identity, &mut bytes) {
            Some(true) => hashes.push(hasher.hash_one((0_usize, bytes.as_slice()))),
            Some(false) | None => return Ok(None),
        }
        if entry.existed {
            continue;
        }
        for (number, key) in others.iter().enumerate() {
            match told_apart(mapping, &image, key, &mut bytes) {
                Some(true) => hashes.push(hasher.hash_one((number + 1, bytes.as_slice()))),
                Some(false) => {}
                None => return Ok(None),
            }
        }
    }
    Ok(Some(hashes))
}

/// Character sets in which the bytes of ASCII are its characters, and never parts of others.
const OF_ASCII: [&str; 5] = ["utf8mb4", "utf8mb3", "utf8", "latin1", "ascii"];

/// Whether two strings of ASCII letters, digits, `_` and `-` are equal under the collation only if their letters are, in whatever case: those of one language may know more (in
/// Roman i is j, in Lithuanian i is y), and so may one of the server's own making.
fn tells_letters_apart(collation: &str) -> bool {
    let Some((charset, rest)) = collation.split_once('_') else {
        return false;
    };
    OF_ASCII.contains(&charset)
        && matches!(
            rest,
            "bin"
                | "general_ci"
                | "unicode_ci"
                | "unicode_520_ci"
                | "swedish_ci"
                | "0900_ai_ci"
                | "0900_as_ci"
                | "0900_as_cs"
                | "0900_bin"
        )
        // That of Unicode has rules of its own.
        && (rest != "swedish_ci" || charset == "latin1")
}

/// Puts the values of a key into `out`, so that what is equal for the server has equal bytes. False for a NULL, which is equal to nothing; none where the values cannot be
/// told apart.
fn told_apart(
    mapping: &Mapping,
    image: &Image<'_, '_>,
    key: &[usize],
    out: &mut Vec<u8>,
) -> Option<bool> {
    out.clear();
    for column in key {
        let value = image.get(*column)?;
        if value == Value::Null {
            return Some(false);
        }
        let target = &mapping.target.columns[*column];
        match &mapping.forms[*column] {
            Form::Integer { .. }
            | Form::Number
            | Form::Digits
            | Form::Temporal
            | Form::Bytewise(_) => {
                out.extend_from_slice(image.raw(*column)??);
            }
            Form::Binary { .. } if target.charset.is_none() => {
                out.extend_from_slice(image.raw(*column)??);
            }
            Form::Characters { charset, .. } => {
                let collation = target.collation.as_deref()?;
                let Value::Bytes(bytes) = value else {
                    return None;
                };
                let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
                let tells = OF_ASCII.contains(&charset.as_str()) && tells_letters_apart(collation);
                if !tells || !bytes.iter().all(plain) {
                    return None;
                }
                out.extend(bytes.iter().map(u8::to_ascii_lowercase));
            }
            Form::Binary { .. } | Form::Real | Form::Json => return None,
        }
        // No string that gets here holds it.
        out.push(0);
    }
    Some(true)
}

#[cfg(test)]
mod tests;
