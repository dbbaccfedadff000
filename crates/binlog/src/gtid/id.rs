//! One GTID: the server's UUID, since 8.3 an optional tag, and a number. Text form as in MySQL's manual, "GTID Format and Storage".

use std::fmt;
use std::str::FromStr;

/// The largest transaction number, exclusive (`GNO_END`).
pub(crate) const GNO_END: u64 = i64::MAX as u64;

/// The UUID of a server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid(pub [u8; 16]);

/// A tag of up to 32 characters (a to z, 0 to 9 and _, no digit first); empty for GTIDs without one.
///
/// Tags compare as MySQL sorts them: the empty one first, then by byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Tag {
    // The unused bytes are 0, so that comparing the array compares the text.
    bytes: [u8; 32],
    len: u8,
}

/// A transaction's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtid {
    /// The server where the transaction was born.
    pub uuid: Uuid,
    /// The tag, empty for none.
    pub tag: Tag,
    /// The number, from 1.
    pub number: u64,
}

/// A text that is not a GTID or a GTID set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a GTID set: {reason} at character {offset}")]
pub struct ParseGtidError {
    /// Where in the text, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl Uuid {
    /// Reads the usual text form, with dashes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 36 {
            return None;
        }
        let mut uuid = [0; 16];
        let mut digits = 0;
        for (i, b) in text.iter().enumerate() {
            if matches!(i, 8 | 13 | 18 | 23) {
                if *b != b'-' {
                    return None;
                }
                continue;
            }
            let digit = char::from(*b).to_digit(16)? as u8;
            uuid[digits / 2] = uuid[digits / 2] << 4 | digit;
            digits += 1;
        }
        Some(Self(uuid))
    }
}

impl fmt::Display for Uuid {
    // Each transaction's GTID is written so: at once, not digit by digit through the formatter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (i, byte) in self.0.iter().enumerate() {
            at += usize::from(matches!(i, 4 | 6 | 8 | 10));
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 15)];
            at += 2;
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Tag {
    /// No tag.
    pub const NONE: Self = Self {
        bytes: [0; 32],
        len: 0,
    };

    /// A tag from its text, in which capital letters count as small ones; `None` when it is no valid tag. The empty text is [`Tag::NONE`].
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Self> {
        if text.len() > 32 || text.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(text) {
            if !from.is_ascii_alphanumeric() && *from != b'_' {
                return None;
            }
            *to = from.to_ascii_lowercase();
        }
        Some(Self {
            bytes,
            len: text.len() as u8,
        })
    }

    /// Whether there is no tag.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tag's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever let in.
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Gtid {
    /// Whether the number is one that a server may give (1 to 2⁶³ − 2).
    #[must_use]
    pub fn is_valid(&self) -> bool {
        (1..GNO_END).contains(&self.number)
    }
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tag.is_empty() {
            write!(f, "{}:{}", self.uuid, self.number)
        } else {
            write!(f, "{}:{}:{}", self.uuid, self.tag, self.number)
        }
    }
}

impl FromStr for Gtid {
    type Err = ParseGtidError;

    fn from_str(text: &str) -> Result<Self, ParseGtidError> {
        let error = |offset, reason| ParseGtidError { offset, reason };
        let text = text.trim();
        let mut parts = text.split(':').map(str::trim);
        let uuid =
            Uuid::parse(parts.next().unwrap_or_default()).ok_or(error(0, "a UUID is expected"))?;
        let second = parts.next().ok_or(error(36, "a number is expected"))?;
        let (tag, number) = match parts.next() {
            None => (Tag::NONE, second),
            Some(number) => {
                let tag = Tag::new(second.as_bytes())
                    .filter(|tag| !tag.is_empty())
                    .ok_or(error(37, "a tag is expected"))?;
                (tag, number)
            }
        };
        if parts.next().is_some() {
            return Err(error(text.len(), "the end is expected"));
        }
        let number = number
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| number.parse().ok())
            .flatten()
            .ok_or(error(37, "a number is expected"))?;
        let gtid = Self { uuid, tag, number };
        if gtid.is_valid() {
            Ok(gtid)
        } else {
            Err(error(37, "a number from 1 to 2^63-2 is expected"))
        }
    }
}
