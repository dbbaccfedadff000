//! How far a first copy has come, as the checkpoint holds it.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// All definitions are, and all rows of the tables before this one, in the order of schema and name.
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
    /// All rows are, and so many of the statements that add the indexes of large tables were run.
    Indexes {
        /// How many.
        done: u64,
        /// What is replicated, as the copy began.
        filter: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definitions { .. } => f.write_str("definitions"),
            Self::Indexes { .. } => f.write_str("indexes"),
            Self::Table { schema, name, .. } => write!(f, "{schema}.{name}"),
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
        | Self::Indexes { filter, .. }) = self;
        (!filter.is_empty()).then_some(filter.as_str())
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
        let place = Place::Table {
            schema: "s".to_owned(),
            name: "t".to_owned(),
            after: Some(hex(&[0, 15, 255])),
            whole: false,
            filter: "*".to_owned(),
        };
        let text = serde_json::to_string(&place).unwrap();
        assert_eq!(
            text,
            r#"{"table":{"schema":"s","name":"t","after":"000fff","whole":false,"filter":"*"}}"#
        );
        assert_eq!(serde_json::from_str::<Place>(&text).unwrap(), place);
        assert_eq!(unhex("000fff"), Some(vec![0, 15, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }
}
