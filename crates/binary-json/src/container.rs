//! Objects and arrays: a header with the number of elements and the size in bytes, entries for keys (objects only) and values, then the keys and
//! values themselves. Numbers take two bytes in the small form and four in the large one; offsets count from the container's start.

use crate::error::InvalidJson;

/// A container within a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Container<'a> {
    /// The container's own bytes, as many as its header says.
    bytes: &'a [u8],
    /// Where they begin in the document.
    base: usize,
    large: bool,
    pub(crate) is_object: bool,
    pub(crate) count: usize,
}

/// Where a value lies.
pub(crate) struct ValueEntry {
    /// Type code.
    pub(crate) type_code: u8,
    /// Offset in the document: of the value, or of the field that holds it inlined.
    pub(crate) at: usize,
    /// Where the bytes of the container that holds the value end in the document; nothing of it lies beyond.
    pub(crate) end: usize,
}

impl<'a> Container<'a> {
    /// Opens the container at `base`, whose bytes end at `end` at the latest.
    pub(crate) fn open(
        document: &'a [u8],
        base: usize,
        end: usize,
        large: bool,
        is_object: bool,
    ) -> Result<Self, InvalidJson> {
        let wrong = |reason| InvalidJson::new(base, reason);
        let all = document
            .get(base..end)
            .ok_or(wrong("container beyond the end"))?;
        let width = if large { 4 } else { 2 };
        let count = number(all, 0, width).ok_or(wrong("container cut short"))?;
        let size = number(all, width, width).ok_or(wrong("container cut short"))?;
        let bytes = all
            .get(..size)
            .ok_or(wrong("container larger than its place"))?;
        let container = Self {
            bytes,
            base,
            large,
            is_object,
            count,
        };
        // So that no entry has to be checked by itself, and `count` is bounded by the bytes at hand.
        match container.value_entry_at(count) {
            Some(end) if end <= size => Ok(container),
            _ => Err(wrong("container has no room for its entries")),
        }
    }

    fn width(&self) -> usize {
        if self.large { 4 } else { 2 }
    }

    /// Where value entry `i` stands in the container; for `count`, where the last one ends.
    fn value_entry_at(&self, i: usize) -> Option<usize> {
        let width = self.width();
        let keys = if self.is_object {
            self.count.checked_mul(width + 2)?
        } else {
            0
        };
        i.checked_mul(1 + width)?
            .checked_add(2 * width)?
            .checked_add(keys)
    }

    /// Key `i` of an object.
    pub(crate) fn key(&self, i: usize) -> Result<&'a str, InvalidJson> {
        let width = self.width();
        let at = 2 * width + i * (width + 2);
        let key = number(self.bytes, at, width)
            .zip(number(self.bytes, at + width, 2))
            .and_then(|(offset, length)| self.bytes.get(offset..)?.get(..length))
            .ok_or(InvalidJson::new(self.base + at, "key beyond its object"))?;
        std::str::from_utf8(key).map_err(|_| InvalidJson::new(self.base + at, "key is not UTF-8"))
    }

    /// Where value `i` lies.
    pub(crate) fn value(&self, i: usize) -> Result<ValueEntry, InvalidJson> {
        let wrong = InvalidJson::new(self.base, "value beyond its container");
        let entry = self.value_entry_at(i).ok_or(wrong)?;
        let type_code = *self.bytes.get(entry).ok_or(wrong)?;
        let offset = if is_inlined(type_code, self.large) {
            entry + 1
        } else {
            number(self.bytes, entry + 1, self.width()).ok_or(wrong)?
        };
        if offset > self.bytes.len() {
            return Err(wrong);
        }
        Ok(ValueEntry {
            type_code,
            at: self.base + offset,
            end: self.base + self.bytes.len(),
        })
    }
}

/// Whether values of this type stand in their entry itself: literals and integers that fit.
fn is_inlined(type_code: u8, large: bool) -> bool {
    match type_code {
        0x04..=0x06 => true,
        0x07 | 0x08 => large,
        _ => false,
    }
}

/// A little-endian number of two or four bytes.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.get(..width)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, b| sum << 8 | usize::from(*b)),
    )
}
