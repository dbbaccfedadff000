//! Row sets of the row block (wit/ROWS.md), copied with other values in some columns.

use crate::datain::replication::types::{Operation, RowSet};

/// The version of the row block that this module reads and writes.
pub const VERSION: u8 = 1;
/// The kind of a TEXT or BLOB column.
pub const TEXT: u8 = 17;

/// What is known of a table's columns.
pub struct Layout {
    /// Their kinds, as ROWS.md numbers them.
    pub kinds: Vec<u8>,
    /// What takes the place of a column's values that are not NULL, where anything does.
    pub masks: Vec<Option<Vec<u8>>>,
}

/// Whether values of this kind are text: CHAR, VARCHAR, TEXT and their binary brothers.
pub fn is_text(kind: u8) -> bool {
    (15..=TEXT).contains(&kind)
}

/// Appends a row set of `block` to `out`, masked.
pub fn copy(
    block: &[u8],
    set: &RowSet,
    layout: &Layout,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    if block.first() != Some(&VERSION) {
        return Err("the row block has another version");
    }
    let begin = set.offset as usize;
    let end = begin + set.length as usize;
    let mut input = Input(
        block
            .get(begin..end)
            .ok_or("it lies outside of its block")?,
    );
    let (before, after) = match set.operation {
        Operation::Insert => (false, true),
        Operation::Update => (true, true),
        Operation::Delete => (true, false),
    };
    // Which columns the images hold, for each kind of image that a row has.
    let mut images = Vec::new();
    for _ in 0..usize::from(before) + usize::from(after) {
        let bitmap = input.take(layout.kinds.len().div_ceil(8))?;
        out.extend(bitmap);
        let present: Vec<usize> = (0..layout.kinds.len())
            .filter(|&i| bit(bitmap, i))
            .collect();
        images.push(present);
    }
    for _ in 0..set.count {
        for present in &images {
            image(&mut input, present, layout, out)?;
        }
    }
    if input.0.is_empty() {
        Ok(())
    } else {
        Err("bytes follow the last row")
    }
}

/// Copies one image: the bitmap of NULLs, which has a bit for each column that is present, and the other columns' values.
fn image(
    input: &mut Input<'_>,
    present: &[usize],
    layout: &Layout,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    let nulls = input.take(present.len().div_ceil(8))?;
    out.extend(nulls);
    for (nth, &column) in present.iter().enumerate() {
        if bit(nulls, nth) {
            continue;
        }
        let value = input.value(layout.kinds[column])?;
        match &layout.masks[column] {
            Some(mask) => {
                out.extend((mask.len() as u32).to_le_bytes());
                out.extend(mask);
            }
            None => out.extend(value),
        }
    }
    Ok(())
}

fn bit(bitmap: &[u8], index: usize) -> bool {
    bitmap[index / 8] >> (index % 8) & 1 == 1
}

/// What is left to be read of a row set.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    /// A value as it stands, with its length in front where it has one.
    fn value(&mut self, kind: u8) -> Result<&'a [u8], &'static str> {
        let length = match kind {
            1 => 1,
            2 | 10 | 18 => 2,
            3 => 3,
            4 | 7 => 4,
            5 | 8 | 9 | 19 => 8,
            6 | 11..=17 | 20..=22 => {
                let length = self.0.first_chunk().ok_or("it ends too early")?;
                4 + u32::from_le_bytes(*length) as usize
            }
            _ => return Err("a column is of a kind that is not known here"),
        };
        self.take(length)
    }
}
