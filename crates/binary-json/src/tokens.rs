//! Walking a document without recursion.

use crate::container::Container;
use crate::error::InvalidJson;
use crate::scalar::{Opaque, Scalar};

/// How deep the server lets documents be nested (`JSON_DOCUMENT_MAX_DEPTH`).
pub const MAX_DEPTH: usize = 100;

/// A document as a column holds it: a type byte and a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document<'a> {
    bytes: &'a [u8],
}

/// A step of a walk through a document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    /// An object with so many members begins; a [`Token::Key`] and a value follow for each.
    StartObject(usize),
    /// The key of the value that follows.
    Key(&'a str),
    /// The object ends.
    EndObject,
    /// An array with so many elements begins.
    StartArray(usize),
    /// The array ends.
    EndArray,
    /// A scalar.
    Scalar(Scalar<'a>),
}

/// Iterates over the tokens of a document. After an error it is at its end.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    bytes: &'a [u8],
    open: Vec<Frame<'a>>,
    state: State,
    /// Bytes that the values not yet seen may still take: the parts of a document never overlap, so all of them together are no longer than it.
    budget: usize,
}

#[derive(Debug, Clone)]
struct Frame<'a> {
    container: Container<'a>,
    next: usize,
    /// The key of `next` was given out.
    key_done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Inside,
    Done,
}

impl<'a> Document<'a> {
    /// A document from its bytes, which are looked at only when it is walked. No bytes at all, which old servers log for a document that is
    /// not there, are the literal null.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The document's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Walks the document.
    #[must_use]
    pub fn tokens(&self) -> Tokens<'a> {
        Tokens {
            bytes: self.bytes,
            open: Vec::new(),
            state: State::Start,
            budget: self.bytes.len(),
        }
    }

    /// Whether the text form comes back with the same types when it is parsed; see [`Scalar::text_keeps_type`].
    ///
    /// # Errors
    /// When the bytes are not a document.
    pub fn text_keeps_types(&self) -> Result<bool, InvalidJson> {
        for token in self.tokens() {
            if let Token::Scalar(scalar) = token?
                && !scalar.text_keeps_type()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<'a> Tokens<'a> {
    /// How many containers are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    fn step(&mut self) -> Result<Option<Token<'a>>, InvalidJson> {
        if self.state == State::Start {
            self.state = State::Inside;
            return match self.bytes.first() {
                None => Ok(Some(Token::Scalar(Scalar::Null))),
                Some(type_code) => self.value(*type_code, 1, self.bytes.len()).map(Some),
            };
        }
        let Some(frame) = self.open.last_mut() else {
            return Ok(None);
        };
        let container = frame.container;
        if frame.next == container.count {
            self.open.pop();
            return Ok(Some(if container.is_object {
                Token::EndObject
            } else {
                Token::EndArray
            }));
        }
        if container.is_object && !frame.key_done {
            frame.key_done = true;
            let key = container.key(frame.next)?;
            self.spend(key.len(), 0)?;
            return Ok(Some(Token::Key(key)));
        }
        let entry = container.value(frame.next)?;
        frame.next += 1;
        frame.key_done = false;
        self.value(entry.type_code, entry.at, entry.end).map(Some)
    }

    /// The value of a type at an offset, of which nothing lies behind `end`.
    fn value(&mut self, type_code: u8, at: usize, end: usize) -> Result<Token<'a>, InvalidJson> {
        // Every value has at least its type byte.
        self.spend(1, at)?;
        let is_object = match type_code {
            0x00 | 0x01 => true,
            0x02 | 0x03 => false,
            _ => return self.scalar(type_code, at, end).map(Token::Scalar),
        };
        let container = Container::open(self.bytes, at, end, type_code & 1 == 1, is_object)?;
        if self.open.len() == MAX_DEPTH {
            return Err(InvalidJson::new(at, "nested too deep"));
        }
        self.open.push(Frame {
            container,
            next: 0,
            key_done: false,
        });
        Ok(if is_object {
            Token::StartObject(container.count)
        } else {
            Token::StartArray(container.count)
        })
    }

    fn scalar(&mut self, type_code: u8, at: usize, end: usize) -> Result<Scalar<'a>, InvalidJson> {
        let wrong = |reason| InvalidJson::new(at, reason);
        let bytes = self.bytes.get(at..end).unwrap_or_default();
        let short = wrong("value cut short");
        Ok(match type_code {
            0x04 => match bytes.first() {
                Some(0) => Scalar::Null,
                Some(1) => Scalar::Bool(true),
                Some(2) => Scalar::Bool(false),
                Some(_) => return Err(wrong("no such literal")),
                None => return Err(short),
            },
            0x05 => Scalar::Int(i16::from_le_bytes(fixed(bytes, short)?).into()),
            0x06 => Scalar::Uint(u16::from_le_bytes(fixed(bytes, short)?).into()),
            0x07 => Scalar::Int(i32::from_le_bytes(fixed(bytes, short)?).into()),
            0x08 => Scalar::Uint(u32::from_le_bytes(fixed(bytes, short)?).into()),
            0x09 => Scalar::Int(i64::from_le_bytes(fixed(bytes, short)?)),
            0x0a => Scalar::Uint(u64::from_le_bytes(fixed(bytes, short)?)),
            0x0b => {
                let number = f64::from_le_bytes(fixed(bytes, short)?);
                if !number.is_finite() {
                    // The server lets none into a document, and no text says it.
                    return Err(wrong("not a finite number"));
                }
                Scalar::Double(number)
            }
            0x0c => {
                let string = variable(bytes).ok_or(short)?;
                self.spend(string.len(), at)?;
                let string = std::str::from_utf8(string);
                Scalar::String(string.map_err(|_| wrong("string is not UTF-8"))?)
            }
            0x0f => {
                let (type_code, rest) = bytes.split_first().ok_or(short)?;
                let bytes = variable(rest).ok_or(short)?;
                self.spend(bytes.len(), at)?;
                Scalar::Opaque(Opaque {
                    type_code: *type_code,
                    bytes,
                })
            }
            _ => return Err(wrong("no such type")),
        })
    }

    fn spend(&mut self, bytes: usize, at: usize) -> Result<(), InvalidJson> {
        match self.budget.checked_sub(bytes) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => Err(InvalidJson::new(at, "values overlap")),
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>, InvalidJson>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let step = self.step();
        if !matches!(step, Ok(Some(_))) {
            self.state = State::Done;
        }
        step.transpose()
    }
}

fn fixed<const N: usize>(bytes: &[u8], short: InvalidJson) -> Result<[u8; N], InvalidJson> {
    bytes.first_chunk().copied().ok_or(short)
}

/// Bytes behind their length, of which each byte holds seven bits, the lowest first; the highest bit says that another follows.
fn variable(bytes: &[u8]) -> Option<&[u8]> {
    let mut length = 0u64;
    for (i, byte) in bytes.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).ok()?;
            return bytes[i + 1..].get(..length);
        }
    }
    None
}
