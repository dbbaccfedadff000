//! How far a first copy has come, as the checkpoint holds it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::progress::Totals;

/// How far the copy of a source has come. It is part of the checkpoint, which moves with the rows that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// So many definitions are on the target; tables have no rows yet.
    Definitions {
        /// How many.
        done: u64,
        /// What is replicated, as the copy began; empty before that.
        filter: String,
    },
    /// All definitions are, and of the tables up to one, in the order of schema and name, all rows but for what is open.
    Tables {
        /// The newest table that was begun: its schema and name.
        begun: (String, String),
        /// Those up to it that are not whole.
        open: Vec<OpenTable>,
        /// What is replicated, as the copy began.
        filter: String,
        /// What was copied of all tables that are whole, for people.
        #[serde(default, skip_serializing_if = "Totals::are_nothing")]
        whole: Totals,
    },
    /// All rows are, and so many of the statements that add the indexes of large tables were run.
    Indexes {
        /// How many.
        done: u64,
        /// What is replicated, as the copy began.
        filter: String,
        /// What was copied of all tables, for people.
        #[serde(default, skip_serializing_if = "Totals::are_nothing")]
        whole: Totals,
    },
    /// How versions before 2026-11-26, which copied one table at a time, wrote it.
    Table {
        /// Its schema.
        schema: String,
        /// Its name.
        name: String,
        /// The key of its newest row that is there, in hexadecimal digits; none at its beginning.
        after: Option<String>,
        /// All of its rows are there.
        whole: bool,
        /// What is replicated, as the copy began.
        filter: String,
    },
}

/// A table that is being copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The key of its newest row that is there, in hexadecimal digits; none at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What was copied of it, for people.
    #[serde(default, skip_serializing_if = "Totals::are_nothing")]
    pub copied: Totals,
    /// A foreign key may have moved rows of it into the part that was read, of which the target has none: that is read again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moved: bool,
}

impl OpenTable {
    /// The key behind which it goes on; an error where the text is none.
    pub(super) fn key(&self) -> Result<Option<Vec<u8>>, Damaged> {
        let key = self.after.as_deref().map(|key| unhex(key).ok_or(Damaged));
        key.transpose()
    }
}

/// What a checkpoint says of a key cannot be read.
pub(super) struct Damaged;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definitions { .. } => f.write_str("definitions"),
            Self::Indexes { .. } => f.write_str("indexes"),
            Self::Table { schema, name, .. } => write!(f, "{schema}.{name}"),
            Self::Tables { begun, open, .. } => match open.as_slice() {
                [] => write!(f, "{}.{}", begun.0, begun.1),
                open => {
                    for (n, table) in open.iter().enumerate() {
                        let comma = if n > 0 { ", " } else { "" };
                        write!(f, "{comma}{}.{}", table.schema, table.name)?;
                    }
                    Ok(())
                }
            },
        }
    }
}

impl Place {
    /// Where a copy begins.
    pub const BEGINNING: Self = Self::Definitions {
        done: 0,
        filter: String::new(),
    };

    /// What is replicated, if the copy has begun.
    pub fn filter(&self) -> Option<&str> {
        let (Self::Definitions { filter, .. }
        | Self::Table { filter, .. }
        | Self::Indexes { filter, .. }
        | Self::Tables { filter, .. }) = self;
        (!filter.is_empty()).then_some(filter.as_str())
    }

    /// The tables that have rows on the target and are not whole.
    pub fn open(&self) -> Vec<OpenTable> {
        match self {
            Self::Definitions { .. } | Self::Indexes { .. } => Vec::new(),
            Self::Tables { open, .. } => open.clone(),
            Self::Table { whole: true, .. } => Vec::new(),
            Self::Table {
                schema,
                name,
                after,
                ..
            } => vec![OpenTable {
                schema: schema.clone(),
                name: name.clone(),
                after: after.clone(),
                copied: Totals::default(),
                moved: false,
            }],
        }
    }

    /// A foreign key may have moved rows of these tables.
    pub fn mark_moved(&mut self, tables: &BTreeSet<(String, String)>) {
        if let Self::Tables { open, .. } = self {
            for table in open {
                table.moved |= tables
                    .iter()
                    .any(|(schema, name)| *schema == table.schema && *name == table.name);
            }
        }
    }

    /// Whether all rows of a table are on the target.
    pub fn has(&self, schema: &str, name: &str) -> bool {
        let is_it = |table: &OpenTable| table.schema == schema && table.name == name;
        if matches!(self, Self::Indexes { .. }) {
            return true;
        }
        self.begun().is_some_and(|begun| (schema, name) <= begun) && !self.open().iter().any(is_it)
    }

    /// What was copied of all tables that are whole, as far as it was counted.
    pub fn whole(&self) -> Totals {
        match self {
            Self::Tables { whole, .. } | Self::Indexes { whole, .. } => *whole,
            Self::Definitions { .. } | Self::Table { .. } => Totals::default(),
        }
    }

    /// The newest table that was begun.
    pub fn begun(&self) -> Option<(&str, &str)> {
        match self {
            Self::Definitions { .. } | Self::Indexes { .. } => None,
            Self::Tables { begun, .. } => Some((&begun.0, &begun.1)),
            Self::Table { schema, name, .. } => Some((schema, name)),
        }
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes from hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| (pair[0] * 16 + pair[1]) as u8)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let place = Place::Tables {
            begun: ("s".to_owned(), "u".to_owned()),
            open: vec![OpenTable {
                schema: "s".to_owned(),
                name: "t".to_owned(),
                after: Some(hex(&[0, 15, 255])),
                copied: Totals::default(),
                moved: false,
            }],
            filter: "*".to_owned(),
            whole: Totals::default(),
        };
        let text = serde_json::to_string(&place).unwrap();
        assert_eq!(
            text,
            r#"{"tables":{"begun":["s","u"],"open":[{"schema":"s","name":"t","after":"000fff"}],"filter":"*"}}"#
        );
        assert_eq!(serde_json::from_str::<Place>(&text).unwrap(), place);
        assert_eq!(place.to_string(), "s.t");
        assert!(place.has("s", "s") && place.has("s", "u") && !place.has("s", "t"));
        assert!(!place.has("s", "v"));
        let counted = r#"{"tables":{"begun":["s","u"],"open":[],"filter":"*","whole":{"rows":7,"bytes":70,"chunks":1}}}"#;
        let place: Place = serde_json::from_str(counted).unwrap();
        assert_eq!(place.whole().rows, 7);
        assert_eq!(serde_json::to_string(&place).unwrap(), counted);
        let mut place = serde_json::from_str::<Place>(&text).unwrap();
        place.mark_moved(&BTreeSet::from([("s".to_owned(), "v".to_owned())]));
        assert_eq!(serde_json::to_string(&place).unwrap(), text);
        place.mark_moved(&BTreeSet::from([("s".to_owned(), "t".to_owned())]));
        let moved = text.replace(r#""000fff"}"#, r#""000fff","moved":true}"#);
        assert_eq!(serde_json::to_string(&place).unwrap(), moved);
        assert_eq!(serde_json::from_str::<Place>(&moved).unwrap(), place);
        assert_eq!(unhex("000fff"), Some(vec![0, 15, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }

    #[test]
    fn what_an_older_version_wrote_is_read() {
        let read = |whole: bool| {
            let text = format!(
                r#"{{"table":{{"schema":"s","name":"t","after":"000fff","whole":{whole},"filter":"*"}}}}"#
            );
            serde_json::from_str::<Place>(&text).unwrap()
        };
        let place = read(false);
        assert_eq!(place.begun(), Some(("s", "t")));
        assert_eq!(place.open()[0].after.as_deref(), Some("000fff"));
        assert_eq!(place.filter(), Some("*"));
        assert!(read(true).open().is_empty());
    }
}
