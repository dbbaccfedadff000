//! The one way by which this crate reads bytes: bounds-checked, little-endian unless said otherwise, with errors that know event,
//! offset and field.

use crate::error::{Malformed, Problem};

/// A position in the bytes of an event or of a part of one.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    event: &'static str,
    data: &'a [u8],
    at: usize,
    base: usize,
}

type Result<T> = std::result::Result<T, Malformed>;

impl<'a> Cursor<'a> {
    /// `base` is the offset of `data` in the event.
    pub(crate) fn new(event: &'static str, data: &'a [u8], base: usize) -> Self {
        Self {
            event,
            data,
            at: 0,
            base,
        }
    }

    /// Offset in the event.
    pub(crate) fn offset(&self) -> usize {
        self.base + self.at
    }

    /// Bytes not yet read.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.data.len() - self.at
    }

    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.data.len()
    }

    /// An error about the bytes that come next.
    #[cold]
    pub(crate) fn error(&self, field: &'static str, problem: Problem) -> Malformed {
        Malformed {
            event: self.event,
            offset: self.offset(),
            field,
            problem,
        }
    }

    #[cold]
    fn truncated(&self, needed: u64, field: &'static str) -> Malformed {
        let left = self.left();
        self.error(field, Problem::Truncated { needed, left })
    }

    #[inline]
    pub(crate) fn bytes(&mut self, n: usize, field: &'static str) -> Result<&'a [u8]> {
        match self.data[self.at..].get(..n) {
            Some(bytes) => {
                self.at += n;
                Ok(bytes)
            }
            None => Err(self.truncated(n as u64, field)),
        }
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N]> {
        match self.data[self.at..].first_chunk::<N>() {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(self.truncated(N as u64, field)),
        }
    }

    /// A cursor over the next `n` bytes, which are skipped here.
    pub(crate) fn sub(&mut self, n: u64, field: &'static str) -> Result<Self> {
        let base = self.offset();
        let data = self.bytes_u64(n, field)?;
        Ok(Self::new(self.event, data, base))
    }

    /// Bytes by a length that comes from the input and may be larger than memory.
    pub(crate) fn bytes_u64(&mut self, n: u64, field: &'static str) -> Result<&'a [u8]> {
        match usize::try_from(n) {
            Ok(n) => self.bytes(n, field),
            Err(_) => Err(self.truncated(n, field)),
        }
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = &self.data[self.at..];
        self.at = self.data.len();
        rest
    }

    /// An error unless everything was read.
    pub(crate) fn expect_end(&self, field: &'static str) -> Result<()> {
        match self.left() {
            0 => Ok(()),
            n => Err(self.error(field, Problem::Trailing(n))),
        }
    }

    #[inline]
    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8> {
        Ok(self.array::<1>(field)?[0])
    }

    #[inline]
    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array(field)?))
    }

    #[inline]
    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array(field)?))
    }

    #[inline]
    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array(field)?))
    }

    /// A little-endian number of `n` bytes, at most 8.
    #[inline]
    pub(crate) fn uint(&mut self, n: usize, field: &'static str) -> Result<u64> {
        let bytes = self.bytes(n, field)?;
        let mut wide = [0; 8];
        wide[..n].copy_from_slice(bytes);
        Ok(u64::from_le_bytes(wide))
    }

    /// A big-endian number of `n` bytes, at most 8.
    #[inline]
    pub(crate) fn uint_be(&mut self, n: usize, field: &'static str) -> Result<u64> {
        let bytes = self.bytes(n, field)?;
        Ok(bytes.iter().fold(0, |sum, b| sum << 8 | u64::from(*b)))
    }

    /// A length-encoded integer of the client protocol (also called packed length): one byte up to 250, or 0xfc, 0xfd, 0xfe and 2, 3 or 8 bytes.
    pub(crate) fn lenenc(&mut self, field: &'static str) -> Result<u64> {
        let start = self.clone();
        match self.u8(field)? {
            small @ 0..=250 => Ok(u64::from(small)),
            0xfc => self.uint(2, field),
            0xfd => self.uint(3, field),
            0xfe => self.uint(8, field),
            other => Err(start.error(field, Problem::Value(u64::from(other)))),
        }
    }

    /// UTF-8 of `n` bytes.
    pub(crate) fn str(&mut self, n: usize, field: &'static str) -> Result<&'a str> {
        let start = self.clone();
        let bytes = self.bytes(n, field)?;
        std::str::from_utf8(bytes).map_err(|_| start.error(field, Problem::NotUtf8))
    }

    /// A byte that must be 0.
    pub(crate) fn nul(&mut self, field: &'static str) -> Result<()> {
        let start = self.clone();
        match self.u8(field)? {
            0 => Ok(()),
            other => Err(start.error(field, Problem::Value(u64::from(other)))),
        }
    }
}
