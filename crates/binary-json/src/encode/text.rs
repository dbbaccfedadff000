//! The text of a document, as the server prints it: walked by a cursor, twice.

use super::InvalidText;
use crate::tokens::MAX_DEPTH;

/// What a container holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) is_object: bool,
    /// Its members or elements, without what is within them.
    pub(super) count: u32,
    /// Bytes of all its keys together.
    pub(super) key_bytes: u32,
}

/// A place in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn wrong(&self, reason: &'static str) -> InvalidText {
        InvalidText {
            offset: self.at,
            reason,
        }
    }

    /// The next byte that is no space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), InvalidText> {
        if self.peek() != Some(byte) {
            return Err(self.wrong("another character was expected"));
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn expect_end(&mut self) -> Result<(), InvalidText> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong("the text goes on behind the document")),
        }
    }

    /// Goes over what the first walk has found in its place.
    pub(super) fn skip_open(&mut self) {
        self.skip_one(|byte| matches!(byte, b'{' | b'['));
    }

    pub(super) fn skip_close(&mut self) {
        self.skip_one(|byte| matches!(byte, b'}' | b']'));
    }

    pub(super) fn skip_comma(&mut self) {
        self.skip_one(|byte| byte == b',');
    }

    fn skip_one(&mut self, wanted: impl Fn(u8) -> bool) {
        if self.peek().is_some_and(wanted) {
            self.at += 1;
        }
    }

    /// A number or a literal: everything up to what ends a value.
    pub(super) fn word(&mut self) -> &'a str {
        self.peek();
        let rest = &self.text[self.at..];
        let end = rest
            .find([',', ']', '}', ' ', ':', '"', '[', '{'])
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A string, without its quotes and escapes; replaces what is in `out`.
    pub(super) fn string(&mut self, out: &mut Vec<u8>) -> Result<(), InvalidText> {
        out.clear();
        self.expect(b'"')?;
        let bytes = self.text.as_bytes();
        let mut plain = self.at;
        loop {
            let Some(byte) = bytes.get(self.at) else {
                return Err(self.wrong("a string does not end"));
            };
            match byte {
                b'"' => {
                    out.extend_from_slice(&bytes[plain..self.at]);
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    out.extend_from_slice(&bytes[plain..self.at]);
                    self.escape(out)?;
                    plain = self.at;
                }
                _ => self.at += 1,
            }
        }
    }

    /// The escapes of the server: it writes `\u` for control characters only.
    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), InvalidText> {
        let rest = &self.text.as_bytes()[self.at..];
        let (byte, length) = match rest {
            [_, b'"', ..] => (b'"', 2),
            [_, b'\\', ..] => (b'\\', 2),
            [_, b'/', ..] => (b'/', 2),
            [_, b'b', ..] => (0x08, 2),
            [_, b'f', ..] => (0x0c, 2),
            [_, b'n', ..] => (b'\n', 2),
            [_, b'r', ..] => (b'\r', 2),
            [_, b't', ..] => (b'\t', 2),
            [_, b'u', b'0', b'0', high, low, ..] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                match digit(*high).zip(digit(*low)) {
                    Some((high @ 0..8, low)) => ((high << 4 | low) as u8, 6),
                    _ => return Err(self.wrong("an escape that the server does not write")),
                }
            }
            _ => return Err(self.wrong("an escape that the server does not write")),
        };
        out.push(byte);
        self.at += length;
        Ok(())
    }

    /// Goes over a string; returns how long it is without quotes and escapes.
    fn skip_string(&mut self) -> Result<usize, InvalidText> {
        self.expect(b'"')?;
        let bytes = self.text.as_bytes();
        let mut length = 0;
        loop {
            match bytes.get(self.at) {
                None => return Err(self.wrong("a string does not end")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(length);
                }
                Some(b'\\') => {
                    self.at += if bytes.get(self.at + 1) == Some(&b'u') {
                        6
                    } else {
                        2
                    };
                }
                Some(_) => self.at += 1,
            }
            length += 1;
        }
    }
}

/// Counts what the containers hold, in the order in which they begin.
pub(super) fn measure(text: &str) -> Result<Vec<Measured>, InvalidText> {
    let mut cursor = Cursor::new(text);
    let mut containers: Vec<Measured> = Vec::new();
    // Those that are open, by their numbers.
    let mut open: Vec<usize> = Vec::new();
    loop {
        // A value comes next, with its key before it if it is a member.
        if let Some(container) = open.last().and_then(|at| containers.get_mut(*at)) {
            container.count += 1;
            if container.is_object {
                container.key_bytes += cursor.skip_string()? as u32;
                cursor.expect(b':')?;
            }
        }
        match cursor.peek() {
            Some(first @ (b'{' | b'[')) => {
                cursor.at += 1;
                if open.len() == MAX_DEPTH {
                    return Err(cursor.wrong("nested too deep"));
                }
                open.push(containers.len());
                containers.push(Measured {
                    is_object: first == b'{',
                    count: 0,
                    key_bytes: 0,
                });
                if !matches!(cursor.peek(), Some(b'}' | b']')) {
                    continue;
                }
            }
            Some(b'"') => {
                cursor.skip_string()?;
            }
            _ if cursor.word().is_empty() => return Err(cursor.wrong("a value was expected")),
            _ => {}
        }
        // Ends, and then a comma if anything is still open.
        loop {
            let Some(at) = open.last() else {
                cursor.expect_end()?;
                return Ok(containers);
            };
            match (cursor.peek(), containers[*at].is_object) {
                (Some(b'}'), true) | (Some(b']'), false) => {
                    cursor.at += 1;
                    open.pop();
                }
                (Some(b','), _) => {
                    cursor.at += 1;
                    break;
                }
                _ => return Err(cursor.wrong("a container does not go on")),
            }
        }
    }
}
