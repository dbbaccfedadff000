//! Row sets of the row block (wit/ROWS.md), read row by row.

use crate::datain::replication::types::{Operation, RowSet, Table};

/// The version of the row block that this module reads.
pub const VERSION: u8 = 1;

/// An image's columns that are present: the index, and the value's bytes without their length; none for NULL.
pub type Image<'a> = Vec<(usize, Option<&'a [u8]>)>;

/// A row as it was and as it became.
pub struct Row<'a> {
    pub before: Option<Image<'a>>,
    pub after: Option<Image<'a>>,
}

/// Calls `each` with every row of a row set of `block`.
pub fn read<'a>(
    block: &'a [u8],
    set: &RowSet,
    table: &Table,
    mut each: impl FnMut(Row<'a>) -> Result<(), String>,
) -> Result<(), String> {
    if block.first() != Some(&VERSION) {
        return Err("the row block has another version".to_owned());
    }
    let begin = set.offset as usize;
    let end = begin + set.length as usize;
    let mut input = Input(
        block
            .get(begin..end)
            .ok_or("it lies outside of its block")?,
    );
    let width = table.columns.len();
    let mut present = |wanted: bool| {
        if !wanted {
            return Ok(None);
        }
        let bitmap = input.take(width.div_ceil(8))?;
        Ok::<_, String>(Some(
            (0..width).filter(|&i| bit(bitmap, i)).collect::<Vec<_>>(),
        ))
    };
    let before = present(set.operation != Operation::Insert)?;
    let after = present(set.operation != Operation::Delete)?;
    for _ in 0..set.count {
        each(Row {
            before: input.image(before.as_deref(), table)?,
            after: input.image(after.as_deref(), table)?,
        })?;
    }
    if input.0.is_empty() {
        Ok(())
    } else {
        Err("bytes follow the last row".to_owned())
    }
}

fn bit(bitmap: &[u8], index: usize) -> bool {
    bitmap[index / 8] >> (index % 8) & 1 == 1
}

/// What is left to be read of a row set.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn image(
        &mut self,
        present: Option<&[usize]>,
        table: &Table,
    ) -> Result<Option<Image<'a>>, String> {
        let Some(present) = present else {
            return Ok(None);
        };
        let nulls = self.take(present.len().div_ceil(8))?;
        let mut image = Vec::with_capacity(present.len());
        for (nth, &column) in present.iter().enumerate() {
            let value = if bit(nulls, nth) {
                None
            } else {
                Some(self.value(table.columns[column].kind)?)
            };
            image.push((column, value));
        }
        Ok(Some(image))
    }

    fn value(&mut self, kind: u8) -> Result<&'a [u8], String> {
        let length = match kind {
            1 => 1,
            2 | 10 | 18 => 2,
            3 => 3,
            4 | 7 => 4,
            5 | 8 | 9 | 19 => 8,
            6 | 11..=17 | 20..=22 => {
                let length = self.take(4)?;
                u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize
            }
            other => {
                return Err(format!(
                    "a column is of kind {other}, which is not known here"
                ));
            }
        };
        self.take(length)
    }
}
