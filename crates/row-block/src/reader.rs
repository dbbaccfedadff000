//! Reading a row set.
//!
//! A row is scanned once when it is reached, which finds where its images end and proves every length in it. After that
//! the values of an image can be walked in order, or asked for by column; the latter goes over a list of offsets that is built on
//! the first scan and reused from row to row.

use crate::bitmap::Bitmap;
use crate::error::Malformed;
use crate::kind::{ColumnKind, Operation, Width};
use crate::value::{Value, unsigned};

/// Absent column in the list of offsets.
const ABSENT: u32 = u32::MAX;
/// NULL column in the list of offsets.
const NULL: u32 = u32::MAX - 1;

/// Iterates over the rows of one row set.
#[derive(Debug)]
pub struct RowSetReader<'a> {
    kinds: &'a [ColumnKind],
    operation: Operation,
    bytes: &'a [u8],
    at: usize,
    left: u32,
    before: Option<Bitmap<'a>>,
    after: Option<Bitmap<'a>>,
    before_offsets: Vec<u32>,
    after_offsets: Vec<u32>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'r, 'a> {
    /// The row as it was: update and delete.
    pub before: Option<Image<'r, 'a>>,
    /// The row as it became: insert and update.
    pub after: Option<Image<'r, 'a>>,
}

/// One image of a row.
#[derive(Debug, Clone, Copy)]
pub struct Image<'r, 'a> {
    kinds: &'a [ColumnKind],
    /// The row set's bytes, of which the offsets are offsets.
    bytes: &'a [u8],
    offsets: &'r [u32],
    start: usize,
    end: usize,
}

/// Iterates over an image's columns, see [`Image::values`].
#[derive(Debug, Clone)]
pub struct Values<'r, 'a> {
    image: Image<'r, 'a>,
    next: usize,
}

impl<'a> RowSetReader<'a> {
    /// Opens a row set of a table with columns of these kinds.
    ///
    /// # Errors
    /// When the presence bitmaps are cut short, have bits beyond the last column or none at all, or the row set is too long for the format.
    pub fn new(
        kinds: &'a [ColumnKind],
        operation: Operation,
        count: u32,
        bytes: &'a [u8],
    ) -> Result<Self, Malformed> {
        if bytes.len() >= NULL as usize {
            return Err(Malformed::new(0, "a row set is shorter than 4 GiB"));
        }
        let mut at = 0;
        let mut bitmap = |wanted: bool| -> Result<Option<Bitmap<'a>>, Malformed> {
            if !wanted {
                return Ok(None);
            }
            let bitmap = Bitmap::new(&bytes[at..], kinds.len())
                .ok_or(Malformed::new(at, "presence bitmap cut short"))?;
            if !bitmap.padding_is_zero() {
                return Err(Malformed::new(at, "presence bitmap has unused bits set"));
            }
            at += bitmap.as_bytes().len();
            Ok(Some(bitmap))
        };
        let before = bitmap(operation.has_before())?;
        let after = bitmap(operation.has_after())?;
        // Such rows take no bytes, so nothing bounds their number: only one is believed, an INSERT of defaults alone under binlog_row_image=MINIMAL.
        let width: usize = [before, after]
            .iter()
            .flatten()
            .map(Bitmap::count_ones)
            .sum();
        if width == 0 && (count > 1 || count == 1 && operation != Operation::Insert) {
            return Err(Malformed::new(at, "rows without any column"));
        }
        Ok(Self {
            kinds,
            operation,
            bytes,
            at,
            left: count,
            before,
            after,
            before_offsets: Vec::new(),
            after_offsets: Vec::new(),
        })
    }

    /// What the rows say.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Which columns the before images hold; `None` for insert.
    #[must_use]
    pub fn before_present(&self) -> Option<Bitmap<'a>> {
        self.before
    }

    /// Which columns the after images hold; `None` for delete.
    #[must_use]
    pub fn after_present(&self) -> Option<Bitmap<'a>> {
        self.after
    }

    /// Rows not yet read.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.left
    }

    /// The next row, or `None` after the last. The row borrows the reader, whose list of offsets it uses; the values
    /// borrow only the block.
    ///
    /// # Errors
    /// When a row is cut short, or bytes follow the last one.
    pub fn next_row(&mut self) -> Result<Option<Row<'_, 'a>>, Malformed> {
        if self.left == 0 {
            if self.at != self.bytes.len() {
                return Err(Malformed::new(self.at, "bytes after the last row"));
            }
            return Ok(None);
        }
        let start = self.at;
        let middle = match self.before {
            Some(present) => scan(
                self.kinds,
                present,
                self.bytes,
                start,
                &mut self.before_offsets,
            )?,
            None => start,
        };
        let end = match self.after {
            Some(present) => scan(
                self.kinds,
                present,
                self.bytes,
                middle,
                &mut self.after_offsets,
            )?,
            None => middle,
        };
        self.at = end;
        self.left -= 1;
        let image = |offsets, start, end| Image {
            kinds: self.kinds,
            bytes: self.bytes,
            offsets,
            start,
            end,
        };
        Ok(Some(Row {
            before: self
                .before
                .is_some()
                .then(|| image(&self.before_offsets, start, middle)),
            after: self
                .after
                .is_some()
                .then(|| image(&self.after_offsets, middle, end)),
        }))
    }
}

/// Reads one image that stands by itself: bytes as [`Image::as_bytes`] gave them, and the presence bitmap of its row set. The list of offsets is the
/// caller's, to be used again.
///
/// # Errors
/// When the image is cut short, or bytes follow it.
pub fn read_image<'r, 'a>(
    kinds: &'a [ColumnKind],
    present: Bitmap<'_>,
    bytes: &'a [u8],
    offsets: &'r mut Vec<u32>,
) -> Result<Image<'r, 'a>, Malformed> {
    let end = scan(kinds, present, bytes, 0, offsets)?;
    if end != bytes.len() {
        return Err(Malformed::new(end, "bytes after the image"));
    }
    Ok(Image {
        kinds,
        bytes,
        offsets,
        start: 0,
        end,
    })
}

/// Finds where each column of an image lies; returns where the image ends.
fn scan(
    kinds: &[ColumnKind],
    present: Bitmap<'_>,
    bytes: &[u8],
    start: usize,
    offsets: &mut Vec<u32>,
) -> Result<usize, Malformed> {
    let nulls = Bitmap::new(&bytes[start..], present.count_ones())
        .ok_or(Malformed::new(start, "null bitmap cut short"))?;
    if !nulls.padding_is_zero() {
        return Err(Malformed::new(start, "null bitmap has unused bits set"));
    }
    let mut at = start + nulls.as_bytes().len();
    offsets.clear();
    let mut ordinal = 0;
    for (column, kind) in kinds.iter().enumerate() {
        if !present.get(column) {
            offsets.push(ABSENT);
            continue;
        }
        if nulls.get(ordinal) {
            offsets.push(NULL);
        } else {
            // `new` has made sure that the length fits.
            offsets.push(at as u32);
            let width = match kind.width() {
                Width::Fixed(width) => width,
                Width::Prefixed => {
                    let prefix = bytes
                        .get(at..at + 4)
                        .ok_or(Malformed::new(at, "length of a value cut short"))?;
                    (unsigned(prefix) as usize).saturating_add(4)
                }
            };
            if bytes.len() - at < width {
                return Err(Malformed::new(at, "value cut short"));
            }
            at += width;
        }
        ordinal += 1;
    }
    Ok(at)
}

impl<'r, 'a> Image<'r, 'a> {
    /// Number of columns of the table, present or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether the table has no columns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The value of a column; `None` when the image does not hold it (or there is no such column). Costs the same for every column.
    #[must_use]
    #[inline]
    pub fn get(&self, column: usize) -> Option<Value<'a>> {
        match *self.offsets.get(column)? {
            ABSENT => None,
            NULL => Some(Value::Null),
            at => Some(read(self.kinds[column], &self.bytes[at as usize..])),
        }
    }

    /// The bytes of a column as the block holds them, with their length in front where the kind has one: equal bytes are the same value, bit for bit.
    /// Outer `None` when the image does not hold it, inner `None` for NULL.
    #[must_use]
    #[inline]
    pub fn raw(&self, column: usize) -> Option<Option<&'a [u8]>> {
        match *self.offsets.get(column)? {
            ABSENT => None,
            NULL => Some(None),
            at => {
                let bytes = &self.bytes[at as usize..];
                let width = match self.kinds[column].width() {
                    Width::Fixed(width) => width,
                    Width::Prefixed => unsigned(&bytes[..4]) as usize + 4,
                };
                Some(Some(&bytes[..width]))
            }
        }
    }

    /// The columns in order; `None` for those that the image does not hold.
    #[must_use]
    pub fn values(&self) -> Values<'r, 'a> {
        Values {
            image: *self,
            next: 0,
        }
    }

    /// The image's own bytes: equal images of one row set have equal bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        &self.bytes[self.start..self.end]
    }
}

/// Reads a value that `scan` has already proved to lie within the bytes.
#[inline]
fn read(kind: ColumnKind, bytes: &[u8]) -> Value<'_> {
    match kind.width() {
        Width::Fixed(width) => {
            let bytes = &bytes[..width];
            match kind {
                ColumnKind::Float => Value::Float(f32::from_bits(unsigned(bytes) as u32)),
                ColumnKind::Double => Value::Double(f64::from_bits(unsigned(bytes))),
                ColumnKind::Bit | ColumnKind::Set | ColumnKind::Year | ColumnKind::Enum => {
                    Value::Unsigned(unsigned(bytes))
                }
                _ => Value::Integer(bytes),
            }
        }
        Width::Prefixed => {
            let length = unsigned(&bytes[..4]) as usize;
            let bytes = &bytes[4..4 + length];
            match kind {
                ColumnKind::Decimal
                | ColumnKind::Date
                | ColumnKind::Time
                | ColumnKind::Datetime
                | ColumnKind::Timestamp => Value::Text(bytes),
                _ => Value::Bytes(bytes),
            }
        }
    }
}

impl<'a> Iterator for Values<'_, 'a> {
    type Item = Option<Value<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.image.len() {
            return None;
        }
        self.next += 1;
        Some(self.image.get(self.next - 1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.image.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Values<'_, '_> {}
