//! Events that set the stage for a statement in statement format: `Intvar_event`, `Rand_event` and `User_var_event` of MySQL's
//! `statement_events.h`.

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::header::HEADER_LEN;

/// Which of the two values an [`Intvar`] sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntvarKind {
    /// What LAST_INSERT_ID() returns.
    LastInsertId,
    /// The next AUTO_INCREMENT value.
    InsertId,
}

/// An integer variable for the statement that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intvar {
    /// Which one.
    pub kind: IntvarKind,
    /// Its value.
    pub value: u64,
}

impl Intvar {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("Intvar event", body, HEADER_LEN);
        let start = cursor.clone();
        let kind = match cursor.u8("type")? {
            1 => IntvarKind::LastInsertId,
            2 => IntvarKind::InsertId,
            other => return Err(start.error("type", Problem::Value(u64::from(other))).into()),
        };
        let value = cursor.u64("value")?;
        Ok(Self { kind, value })
    }
}

/// The seeds of RAND() for the statement that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rand {
    /// First seed.
    pub seed1: u64,
    /// Second seed.
    pub seed2: u64,
}

impl Rand {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("Rand event", body, HEADER_LEN);
        Ok(Self {
            seed1: cursor.u64("seed1")?,
            seed2: cursor.u64("seed2")?,
        })
    }
}

/// A user variable for the statement that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserVar<'a> {
    /// Its name without the @.
    pub name: &'a [u8],
    /// Its value; `None` is NULL.
    pub value: Option<UserVarValue<'a>>,
}

/// The value of a user variable as the log stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserVarValue<'a> {
    /// `Item_result`: 0 string, 1 real, 2 integer, 4 decimal.
    pub result_type: u8,
    /// Collation id of a string.
    pub collation: u32,
    /// Whether an integer is unsigned.
    pub unsigned: bool,
    /// A string's bytes; 8 bytes of a real or an integer; precision, scale and the binary form of a decimal.
    pub bytes: &'a [u8],
}

impl<'a> UserVar<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("User_var event", body, HEADER_LEN);
        let name_length = cursor.u32("name_length")?;
        let name = cursor.bytes_u64(u64::from(name_length), "name")?;
        if cursor.u8("is_null")? != 0 {
            return Ok(Self { name, value: None });
        }
        let result_type = cursor.u8("type")?;
        let collation = cursor.u32("collation")?;
        let length = cursor.u32("value_length")?;
        let bytes = cursor.bytes_u64(u64::from(length), "value")?;
        // The flags came later; bit 0 is unsigned.
        let unsigned = !cursor.is_at_end() && cursor.u8("flags")? & 1 != 0;
        Ok(Self {
            name,
            value: Some(UserVarValue {
                result_type,
                collation,
                unsigned,
                bytes,
            }),
        })
    }
}
