//! A bounds-checked reader over one payload.
//!
//! Formats: "Protocol Basics: Basic data types" of the MySQL source documentation (page_protocol_basic_dt_integers,
//! page_protocol_basic_dt_strings). Whatever the bytes are, reading either yields a value or an error that names
//! what was being read.

use crate::{ClientError, Result};

/// Reads one payload from front to back.
pub(crate) struct Cursor<'a> {
    left: &'a [u8],
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// A cursor over `payload`; `what` names it in errors, with its article.
    pub(crate) fn new(payload: &'a [u8], what: &'static str) -> Self {
        Self {
            left: payload,
            what,
        }
    }

    fn short(&self, wanted: usize) -> ClientError {
        ClientError::malformed(format!(
            "{} ended early: {wanted} more bytes were expected and {} are there",
            self.what,
            self.left.len()
        ))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        match self.left.split_at_checked(len) {
            Some((taken, left)) => {
                self.left = left;
                Ok(taken)
            }
            None => Err(self.short(len)),
        }
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.left)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn expect_byte(&mut self, expected: u8) -> Result<()> {
        let found = self.u8()?;
        if found == expected {
            return Ok(());
        }
        Err(ClientError::malformed(format!(
            "{} was expected to start with 0x{expected:02x} and starts with 0x{found:02x}",
            self.what
        )))
    }

    /// A string up to and without the next NUL.
    pub(crate) fn nul_str(&mut self) -> Result<&'a [u8]> {
        let Some(len) = self.left.iter().position(|&b| b == 0) else {
            return Err(ClientError::malformed(format!(
                "{} holds a string whose terminating NUL is missing",
                self.what
            )));
        };
        let text = self.take(len)?;
        self.take(1)?;
        Ok(text)
    }

    /// A length-encoded integer.
    pub(crate) fn lenenc_int(&mut self) -> Result<u64> {
        match self.u8()? {
            small @ 0..=0xfa => Ok(u64::from(small)),
            0xfc => self.u16().map(u64::from),
            0xfd => {
                let [a, b, c] = self.array()?;
                Ok(u64::from(u32::from_le_bytes([a, b, c, 0])))
            }
            0xfe => self.array().map(u64::from_le_bytes),
            bad @ (0xfb | 0xff) => Err(ClientError::malformed(format!(
                "{} holds 0x{bad:02x} where a length-encoded integer was expected",
                self.what
            ))),
        }
    }

    /// A length-encoded string.
    pub(crate) fn lenenc_str(&mut self) -> Result<&'a [u8]> {
        let len = self.lenenc_int()?;
        let len = usize::try_from(len).map_err(|_| self.short(usize::MAX))?;
        self.take(len)
    }

    /// A value of a text row: NULL (0xfb) or a length-encoded string.
    pub(crate) fn text_value(&mut self) -> Result<Option<&'a [u8]>> {
        if let [0xfb, left @ ..] = self.left {
            self.left = left;
            return Ok(None);
        }
        self.lenenc_str().map(Some)
    }
}
