//! Text to binary: the document that a server stores, made of the text that it prints for it and of the types that the text does not tell.
//!
//! A first walk over the text (`text.rs`) counts what each container holds, so that its header's size is known. The second walk writes. A
//! container is written in the small form first, whose offsets have two bytes; where it turns out to be larger than those can say, it is written again in the large
//! form, and so is every container around it. Members stand in the order of the text, which is the server's.

mod decimal;
mod scalar;
mod text;

use scalar::Form;
use text::{Cursor, Measured};

/// Letters for what JSON_TYPE says of a value. Three types have the same one, since the text tells them.
pub const TYPE_LETTERS: [(&str, u8); 16] = [
    ("OBJECT", b'{'),
    ("ARRAY", b'['),
    ("STRING", b's'),
    ("INTEGER", b'i'),
    ("UNSIGNED INTEGER", b'u'),
    ("DOUBLE", b'd'),
    ("DECIMAL", b'D'),
    ("BOOLEAN", b'b'),
    ("NULL", b'n'),
    ("DATE", b'a'),
    ("TIME", b't'),
    ("DATETIME", b'A'),
    ("TIMESTAMP", b'T'),
    ("BLOB", b'o'),
    ("BIT", b'o'),
    ("OPAQUE", b'o'),
];

/// A text that is not what a server prints for a document, or types that are not the document's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the text of a document: {reason} at byte {offset}")]
pub struct InvalidText {
    /// Offset in the text.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

/// Appends the document of which the server prints `text`; after an error `out` is as before.
///
/// `types` has a letter of [`TYPE_LETTERS`] for each value: first the document's own; then those of all members of objects; then those of all elements of
/// arrays. Of either kind come the values of one container, in order, before what is within the first of them, and that before what is within the second: as
/// the paths `$**.*` and `$**[*]` find them.
///
/// The bytes are the server's own (measured on MySQL 9.7), with two exceptions, in which they stand for the same values. A document that was changed in place
/// may have gaps in a column. And a DECIMAL remembers how many digits its origin had room for, which no function of SQL tells; it is written with those that it needs.
///
/// # Errors
/// When the text is not in the server's form, or the types are not those of its values.
pub fn write_from_text(text: &str, types: &[u8], out: &mut Vec<u8>) -> Result<(), InvalidText> {
    let begin = out.len();
    let written = Writer::new(text, types, out).and_then(Writer::document);
    if written.is_err() {
        out.truncate(begin);
    }
    written
}

/// Why a container was not written.
enum Failure {
    /// It does not fit the small form.
    TooLarge,
    Invalid(InvalidText),
}

impl From<InvalidText> for Failure {
    fn from(error: InvalidText) -> Self {
        Self::Invalid(error)
    }
}

/// How far the second walk has come.
#[derive(Clone, Copy)]
struct Place<'a> {
    cursor: Cursor<'a>,
    container: usize,
    member: usize,
    element: usize,
}

struct Writer<'a, 'o> {
    place: Place<'a>,
    containers: Vec<Measured>,
    members: &'a [u8],
    elements: &'a [u8],
    root: u8,
    out: &'o mut Vec<u8>,
    /// For a key or string with escapes.
    unescaped: Vec<u8>,
}

/// What offsets of the small form can say.
const SMALL: usize = u16::MAX as usize;

impl<'a, 'o> Writer<'a, 'o> {
    fn new(text: &'a str, types: &'a [u8], out: &'o mut Vec<u8>) -> Result<Self, InvalidText> {
        let containers = text::measure(text)?;
        let count = |objects: bool| -> usize {
            let of_kind = containers.iter().filter(|c| c.is_object == objects);
            of_kind.map(|c| c.count as usize).sum()
        };
        let (members, elements) = (count(true), count(false));
        match types {
            [root, rest @ ..] if rest.len() == members + elements => Ok(Self {
                place: Place {
                    cursor: Cursor::new(text),
                    container: 0,
                    member: 0,
                    element: 0,
                },
                containers,
                members: &rest[..members],
                elements: &rest[members..],
                root: *root,
                out,
                unescaped: Vec::new(),
            }),
            _ => Err(InvalidText {
                offset: 0,
                reason: "it has another number of values than of types",
            }),
        }
    }

    fn document(mut self) -> Result<(), InvalidText> {
        let at = self.out.len();
        self.out.push(0);
        let root = self.root;
        let code = match self.value(root, None) {
            Ok(code) => code,
            Err(Failure::Invalid(error)) => return Err(error),
            // Only a container of the small form is too large for anything.
            Err(Failure::TooLarge) => return Err(self.place.cursor.wrong("it is too large")),
        };
        self.out[at] = code;
        self.place.cursor.expect_end()
    }

    /// Writes the value that comes next and returns its type code. `entry` is where a small value may stand in place of its offset; none for the document's own value.
    fn value(&mut self, letter: u8, entry: Option<Entry>) -> Result<u8, Failure> {
        let first = self.place.cursor.peek();
        if let Some(open @ (b'{' | b'[')) = first {
            if letter != open {
                return Err(self
                    .place
                    .cursor
                    .wrong("a container of another type")
                    .into());
            }
            return self.either_form(open == b'{', entry);
        }
        let form = scalar::read(&mut self.place.cursor, letter, &mut self.unescaped)?;
        match (form, entry) {
            (Form::Short { code, number }, Some(entry)) => {
                self.put(entry.at, number as usize, if entry.large { 4 } else { 2 });
                Ok(code)
            }
            (Form::Middle { code, bits }, Some(entry)) if entry.large => {
                self.put(entry.at, bits as usize, 4);
                Ok(code)
            }
            (Form::Short { code, number }, None) if code == scalar::LITERAL => {
                self.out.push(number as u8);
                Ok(code)
            }
            (form, entry) => {
                if let Some(entry) = entry {
                    self.put_offset(entry)?;
                }
                Ok(form.write(&self.unescaped, self.out))
            }
        }
    }

    /// A container within one of the small form is small too, or its parent has to be large.
    fn either_form(&mut self, is_object: bool, entry: Option<Entry>) -> Result<u8, Failure> {
        if let Some(entry) = entry {
            self.put_offset(entry)?;
        }
        let (place, begin) = (self.place, self.out.len());
        let code = u8::from(!is_object) * 2;
        match self.container(is_object, false) {
            Err(Failure::TooLarge) if entry.is_none_or(|entry| entry.large) => {
                self.place = place;
                self.out.truncate(begin);
                self.container(is_object, true)?;
                Ok(code + 1)
            }
            written => written.map(|()| code),
        }
    }

    fn container(&mut self, is_object: bool, large: bool) -> Result<(), Failure> {
        let cursor = self.place.cursor;
        let wrong = |reason| Failure::from(cursor.wrong(reason));
        let measured = *self
            .containers
            .get(self.place.container)
            .ok_or_else(|| wrong("a container too many"))?;
        self.place.container += 1;
        let count = measured.count as usize;
        let (types, next) = if is_object {
            (self.members, &mut self.place.member)
        } else {
            (self.elements, &mut self.place.element)
        };
        let letters = types
            .get(*next..*next + count)
            .ok_or_else(|| wrong("more values than types"))?;
        *next += count;

        let begin = self.out.len();
        let width = if large { 4 } else { 2 };
        let key_entry = if is_object { width + 2 } else { 0 };
        let values = 2 * width + count * key_entry;
        let mut key_at = values + count * (1 + width);
        let head = key_at + measured.key_bytes as usize;
        if !large && (head > SMALL || count > SMALL) {
            return Err(Failure::TooLarge);
        }
        self.out.resize(begin + head, 0);
        self.put(begin, count, width);
        self.place.cursor.skip_open();
        for (i, letter) in letters.iter().enumerate() {
            if is_object {
                let length = self.key(begin + key_at)?;
                self.put(begin + 2 * width + i * key_entry, key_at, width);
                self.put(begin + 2 * width + i * key_entry + width, length, 2);
                key_at += length;
            }
            let at = begin + values + i * (1 + width);
            let entry = Entry {
                at: at + 1,
                begin,
                large,
            };
            self.out[at] = self.value(*letter, Some(entry))?;
            if !large && self.out.len() - begin > SMALL {
                return Err(Failure::TooLarge);
            }
            self.place.cursor.skip_comma();
        }
        self.place.cursor.skip_close();
        let size = self.out.len() - begin;
        if size > u32::MAX as usize {
            return Err(wrong("it is larger than 4 GiB"));
        }
        self.put(begin + width, size, width);
        Ok(())
    }

    /// Writes the key that comes next into the room that was kept for it; returns its length.
    fn key(&mut self, at: usize) -> Result<usize, Failure> {
        self.place.cursor.string(&mut self.unescaped)?;
        self.place.cursor.expect(b':')?;
        let length = self.unescaped.len();
        if length > SMALL {
            return Err(self.place.cursor.wrong("a key of 64 KiB or more").into());
        }
        self.out[at..at + length].copy_from_slice(&self.unescaped);
        Ok(length)
    }

    /// The entry of a value that comes next in `out`.
    fn put_offset(&mut self, entry: Entry) -> Result<(), Failure> {
        let offset = self.out.len() - entry.begin;
        if !entry.large && offset > SMALL {
            return Err(Failure::TooLarge);
        }
        self.put(entry.at, offset, if entry.large { 4 } else { 2 });
        Ok(())
    }

    /// A number of two or four bytes, little-endian; that it fits has been looked at.
    fn put(&mut self, at: usize, number: usize, width: usize) {
        let bytes = (number as u32).to_le_bytes();
        self.out[at..at + width].copy_from_slice(&bytes[..width]);
    }
}

/// Where a value's offset, or the value itself, goes.
#[derive(Clone, Copy)]
struct Entry {
    at: usize,
    /// Where the container begins, from which offsets count.
    begin: usize,
    large: bool,
}

#[cfg(test)]
mod tests;
