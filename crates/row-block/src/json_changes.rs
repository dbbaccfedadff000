//! Changes of a JSON document in place of the document: `JSON_CHANGES` and then one change after the other, as ROWS.md specifies.

use crate::error::Malformed;

/// The first byte of a JSON value that holds changes. No document begins with it.
pub const JSON_CHANGES: u8 = 0xfd;

/// What is done at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum JsonOperation {
    /// The value there becomes another one.
    Replace = 0,
    /// A value is put there: a new member of an object, or an element before that place of an array.
    Insert = 1,
    /// The value there is taken out.
    Remove = 2,
}

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonChange<'a> {
    /// What is done.
    pub operation: JsonOperation,
    /// Where, as a path of MySQL's JSON functions without wildcards.
    pub path: &'a str,
    /// The new value as a document; none for [`JsonOperation::Remove`].
    pub value: Option<&'a [u8]>,
}

impl JsonChange<'_> {
    /// Appends the change to a value that begins with [`JSON_CHANGES`].
    ///
    /// # Panics
    /// When a part is longer than 2³² − 1 bytes.
    pub fn push(&self, out: &mut Vec<u8>) {
        out.push(self.operation as u8);
        for part in [Some(self.path.as_bytes()), self.value]
            .into_iter()
            .flatten()
        {
            let length = u32::try_from(part.len()).expect("a value is shorter than 4 GiB");
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(part);
        }
    }
}

/// Iterates over changes. After an error it is at its end.
#[derive(Debug, Clone)]
pub struct JsonChanges<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> JsonChanges<'a> {
    /// The changes of a JSON value; none when it is a document.
    #[must_use]
    pub fn of(value: &'a [u8]) -> Option<Self> {
        (value.first() == Some(&JSON_CHANGES)).then_some(Self {
            bytes: value,
            at: 1,
        })
    }

    fn part(&mut self) -> Result<&'a [u8], Malformed> {
        let wrong = Malformed::new(self.at, "change of a document cut short");
        let rest = self.bytes.get(self.at..).ok_or(wrong)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(wrong)?;
        let length = u32::from_le_bytes(*length) as usize;
        let part = rest.get(..length).ok_or(wrong)?;
        self.at += 4 + length;
        Ok(part)
    }

    fn change(&mut self) -> Result<JsonChange<'a>, Malformed> {
        let start = self.at;
        let operation = match self.bytes.get(start) {
            Some(0) => JsonOperation::Replace,
            Some(1) => JsonOperation::Insert,
            Some(2) => JsonOperation::Remove,
            _ => return Err(Malformed::new(start, "no such change of a document")),
        };
        self.at += 1;
        let path = std::str::from_utf8(self.part()?)
            .map_err(|_| Malformed::new(start, "a path that is not UTF-8"))?;
        let value = match operation {
            JsonOperation::Remove => None,
            JsonOperation::Replace | JsonOperation::Insert => Some(self.part()?),
        };
        Ok(JsonChange {
            operation,
            path,
            value,
        })
    }
}

impl<'a> Iterator for JsonChanges<'a> {
    type Item = Result<JsonChange<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let change = self.change();
        if change.is_err() {
            self.at = self.bytes.len();
        }
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_back_and_hostile_bytes_are_errors() {
        let changes = [
            JsonChange {
                operation: JsonOperation::Replace,
                path: "$.a",
                value: Some(&[4, 1]),
            },
            JsonChange {
                operation: JsonOperation::Remove,
                path: "$[0]",
                value: None,
            },
            JsonChange {
                operation: JsonOperation::Insert,
                path: "$.\"é\"",
                value: Some(&[]),
            },
        ];
        let mut value = vec![JSON_CHANGES];
        for change in &changes {
            change.push(&mut value);
        }
        let read: Result<Vec<_>, _> = JsonChanges::of(&value).unwrap().collect();
        assert_eq!(read.unwrap(), changes);
        assert!(JsonChanges::of(&[4, 1]).is_none() && JsonChanges::of(&[]).is_none());
        for end in 2..value.len() {
            // A prefix is either some whole changes or an error; it ends in any case.
            let read: Vec<_> = JsonChanges::of(&value[..end]).unwrap().collect();
            assert!(read.len() <= 3);
        }
        let hostile = [JSON_CHANGES, 0, 0xff, 0xff, 0xff, 0xff];
        assert!(JsonChanges::of(&hostile).unwrap().next().unwrap().is_err());
        assert!(
            JsonChanges::of(&[JSON_CHANGES, 9])
                .unwrap()
                .next()
                .unwrap()
                .is_err()
        );
    }
}
