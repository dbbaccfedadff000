//! Appending row sets to a block.
//!
//! Nothing is checked against the column kinds here: the writer trusts its caller to push one value per present column
//! in column order, since this is the hot path. Debug builds assert the count.

use crate::bitmap::Bitmap;
use crate::error::BlockError;
use crate::kind::Operation;

/// Begins a block: writes the version byte.
pub fn begin_block(out: &mut Vec<u8>) {
    out.push(crate::VERSION);
}

/// The bytes of one row set of a block, from the `offset` and `length` of its record.
///
/// # Errors
/// When the block's version is not ours, or the range does not lie behind its version byte.
pub fn open_block(block: &[u8], offset: u32, length: u32) -> Result<&[u8], BlockError> {
    let range = BlockError::Range {
        offset,
        length,
        block: block.len(),
    };
    match block.first() {
        None => return Err(range),
        Some(&crate::VERSION) => {}
        Some(&other) => return Err(BlockError::Version(other)),
    }
    if offset == 0 {
        return Err(range);
    }
    let tail = block.get(offset as usize..).ok_or(range.clone())?;
    tail.get(..length as usize).ok_or(range)
}

/// Writes one row set at the end of a block.
#[derive(Debug)]
pub struct RowSetWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> RowSetWriter<'a> {
    /// Begins a row set with the presence bitmaps; `before` is written for update and delete, `after` for insert and
    /// update, each with one entry per column of the table.
    ///
    /// # Panics
    /// When a bitmap that the operation needs is missing.
    pub fn begin(
        out: &'a mut Vec<u8>,
        operation: Operation,
        before: Option<&[bool]>,
        after: Option<&[bool]>,
    ) -> Self {
        if operation.has_before() {
            push_bits(out, before.expect("the operation has a before image"));
        }
        if operation.has_after() {
            push_bits(out, after.expect("the operation has an after image"));
        }
        Self { out }
    }

    /// Goes on with a row set that was begun before, for rows that arrive later.
    pub fn resume(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Begins an image of `present` columns. Images of a row follow each other: before, then after.
    pub fn begin_image(&mut self, present: usize) -> ImageWriter<'_> {
        ImageWriter::begin(self.out, present)
    }
}

fn push_bits(out: &mut Vec<u8>, bits: &[bool]) {
    let start = out.len();
    out.resize(start + Bitmap::bytes_for(bits.len()), 0);
    for (i, _) in bits.iter().enumerate().filter(|(_, bit)| **bit) {
        out[start + i / 8] |= 1 << (i % 8);
    }
}

/// Writes one image: one `push_*` per present column, in column order, then [`ImageWriter::finish`].
#[derive(Debug)]
pub struct ImageWriter<'a> {
    out: &'a mut Vec<u8>,
    nulls: usize,
    next: usize,
    present: usize,
}

impl<'a> ImageWriter<'a> {
    /// Begins an image of `present` columns at the end of `out`.
    #[inline]
    pub fn begin(out: &'a mut Vec<u8>, present: usize) -> Self {
        let nulls = out.len();
        out.resize(nulls + Bitmap::bytes_for(present), 0);
        Self {
            out,
            nulls,
            next: 0,
            present,
        }
    }

    /// The next column is NULL.
    #[inline]
    pub fn push_null(&mut self) {
        self.out[self.nulls + self.next / 8] |= 1 << (self.next % 8);
        self.next += 1;
    }

    /// An integer of `width` bytes (1 to 8), or FLOAT, DOUBLE, BIT, YEAR, ENUM and SET in their own widths. A signed number is passed as
    /// its two's complement (`n as u64`).
    #[inline]
    pub fn push_int(&mut self, value: u64, width: usize) {
        self.out.extend_from_slice(&value.to_le_bytes()[..width]);
        self.next += 1;
    }

    /// A value of fixed width whose bytes are already little-endian.
    #[inline]
    pub fn push_fixed(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.next += 1;
    }

    /// FLOAT, by its bits.
    #[inline]
    pub fn push_f32(&mut self, value: f32) {
        self.push_fixed(&value.to_bits().to_le_bytes());
    }

    /// DOUBLE, by its bits.
    #[inline]
    pub fn push_f64(&mut self, value: f64) {
        self.push_fixed(&value.to_bits().to_le_bytes());
    }

    /// A value with a length prefix: bytes, or ASCII text of decimals and temporals. Longer than 2³² − 1 bytes is cut by no one:
    /// it panics, since no such value can come out of a server.
    #[inline]
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("a value is shorter than 4 GiB");
        self.out.extend_from_slice(&length.to_le_bytes());
        self.out.extend_from_slice(bytes);
        self.next += 1;
    }

    /// A value with a length prefix, written by `write` straight into the block.
    #[inline]
    pub fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let at = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        write(self.out)?;
        let length = u32::try_from(self.out.len() - at - 4).expect("a value is shorter than 4 GiB");
        self.out[at..at + 4].copy_from_slice(&length.to_le_bytes());
        self.next += 1;
        Ok(())
    }

    /// How many bytes the block has so far: where the next value will begin.
    #[must_use]
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Ends the image.
    #[inline]
    pub fn finish(self) {
        debug_assert_eq!(self.next, self.present, "one value per present column");
    }
}
