//! Which tables are replicated.
//!
//! A pattern is `schema.table`, with the wildcards of `LIKE` as in MySQL's `replicate-wild-do-table` ("Replica Server Options and
//! Variables"): `%` stands for any letters, `_` for any one letter, and a backslash takes the meaning from the
//! character behind it (`\_` is an underscore, `\.` a dot in a name). Unlike there, `*` alone may stand for a whole
//! name. Mind that `_` is a wildcard: `shop.order_items` also matches `shop.order-items`.
//!
//! A table is replicated if an `include` pattern matches it, or there are none, and no `exclude` pattern does. Never
//! replicated, whatever the patterns say: the server's own schemas, and datain's.

use std::error::Error;
use std::fmt;

use crate::pattern::{self, NamePattern, PatternError};

/// Schemas that are never replicated.
const OWN: [&str; 5] = [
    "mysql",
    "sys",
    "information_schema",
    "performance_schema",
    "datain",
];

/// Whether letter case counts in the names of schemas and tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NameCase {
    /// `lower_case_table_names = 0`, the default on Linux: `Shop` and `shop` are two schemas.
    #[default]
    Sensitive,
    /// `lower_case_table_names` 1 or 2.
    Insensitive,
}

impl NameCase {
    /// The letter that a letter is compared as.
    fn fold(self) -> fn(char) -> char {
        match self {
            Self::Sensitive => |letter| letter,
            Self::Insensitive => |letter| {
                // The server's own mapping is letter by letter: those that become several stay as they are.
                let mut lower = letter.to_lowercase();
                match (lower.next(), lower.next()) {
                    (Some(one), None) => one,
                    _ => letter,
                }
            },
        }
    }

    fn same(self, a: &str, b: &str) -> bool {
        let fold = self.fold();
        a.chars().map(fold).eq(b.chars().map(fold))
    }
}

/// Whether a schema is the server's own or datain's, and so is never replicated. The name of `information_schema` is
/// the same in any letter case, always ("INFORMATION_SCHEMA Introduction").
#[must_use]
pub fn is_never_replicated(schema: &str, case: NameCase) -> bool {
    schema.eq_ignore_ascii_case("information_schema")
        || OWN.iter().any(|own| case.same(own, schema))
}

/// A pattern that cannot be used. Displays as a fragment that fits "failed to read the filter: {error}".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The pattern as it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: PatternError,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {:?}: {}", self.pattern, self.reason)
    }
}

impl Error for FilterError {}

#[derive(Clone, Debug)]
struct TablePattern {
    schema: NamePattern,
    table: NamePattern,
}

/// The operator's choice of tables.
#[derive(Clone, Debug)]
pub struct TableFilter {
    include: Vec<TablePattern>,
    exclude: Vec<TablePattern>,
    case: NameCase,
    /// Another choice that has a say.
    other: Option<(Other, Box<TableFilter>)>,
}

/// What another choice means for this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    /// Only what it takes too is taken.
    Within,
    /// Only what it does not take is taken.
    Beyond,
}

impl TableFilter {
    /// A filter from patterns; no `include` means every schema. Letter case counts.
    ///
    /// # Errors
    ///
    /// Names the first pattern that cannot be used, and why.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, FilterError> {
        let read = |patterns: &[String]| -> Result<Vec<_>, FilterError> {
            patterns
                .iter()
                .map(|pattern| table_pattern(pattern))
                .collect()
        };
        Ok(Self {
            include: read(include)?,
            exclude: read(exclude)?,
            case: NameCase::Sensitive,
            other: None,
        })
    }

    /// What both take.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self {
            other: Some((Other::Within, Box::new(other))),
            ..self
        }
    }

    /// What this one takes, and the other one does not.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self {
            other: Some((Other::Beyond, Box::new(other))),
            ..self
        }
    }

    /// What this one takes, whatever the other one says.
    fn takes(&self, schema: &str, table: &str) -> bool {
        let fold = self.case.fold();
        let fits =
            |p: &TablePattern| p.schema.matches(schema, fold) && p.table.matches(table, fold);
        !is_never_replicated(schema, self.case)
            && (self.include.is_empty() || self.include.iter().any(fits))
            && !self.exclude.iter().any(fits)
    }

    /// Whether a table is taken here, or by the choice that this one goes [beyond](Self::beyond).
    #[must_use]
    pub fn matches_before_or_now(&self, schema: &str, table: &str) -> bool {
        self.matches(schema, table)
            || matches!(&self.other, Some((Other::Beyond, other)) if other.matches(schema, table))
    }

    /// Whether a schema itself is taken, with its routines and events: not where the choice that this one goes [beyond](Self::beyond) takes something of it.
    #[must_use]
    pub fn takes_schema_itself(&self, schema: &str) -> bool {
        self.matches_schema(schema)
            && !matches!(&self.other, Some((Other::Beyond, other)) if other.matches_schema(schema))
    }

    /// The same filter with the letter case of this server's `lower_case_table_names`.
    #[must_use]
    pub fn with_case(self, case: NameCase) -> Self {
        Self { case, ..self }
    }

    /// A name as it is compared with others.
    #[must_use]
    pub fn folded(&self, name: &str) -> String {
        name.chars().map(self.case.fold()).collect()
    }

    /// Whether a table is replicated.
    #[must_use]
    pub fn matches(&self, schema: &str, table: &str) -> bool {
        self.takes(schema, table)
            && match &self.other {
                None => true,
                Some((Other::Within, other)) => other.matches(schema, table),
                Some((Other::Beyond, other)) => !other.matches(schema, table),
            }
    }

    /// Whether anything in a schema may be replicated. It is if an `include` pattern names the schema, and no
    /// `exclude` pattern leaves out all of its tables at once.
    #[must_use]
    pub fn matches_schema(&self, schema: &str) -> bool {
        let fold = self.case.fold();
        let fits = |p: &TablePattern| p.schema.matches(schema, fold);
        !is_never_replicated(schema, self.case)
            && (self.include.is_empty() || self.include.iter().any(fits))
            && !self.exclude.iter().any(|p| p.table.is_all() && fits(p))
            && match &self.other {
                None => true,
                Some((Other::Within, other)) => other.matches_schema(schema),
                Some((Other::Beyond, other)) => !other.covers_schema(schema),
            }
    }

    /// The schemas that the `include` patterns name, where `_` is taken for the letter that it mostly is meant as. None where a pattern can name any number
    /// of schemas, or there is no pattern.
    #[must_use]
    pub fn named_schemas(&self) -> Option<Vec<String>> {
        let mut names: Vec<String> = self
            .include
            .iter()
            .map(|pattern| pattern.schema.as_name())
            .collect::<Option<_>>()?;
        names.sort();
        names.dedup();
        (!names.is_empty()).then_some(names)
    }

    /// Whether everything in a schema is replicated.
    #[must_use]
    pub fn covers_schema(&self, schema: &str) -> bool {
        let fold = self.case.fold();
        let names = |p: &TablePattern| p.schema.matches(schema, fold);
        !is_never_replicated(schema, self.case)
            && (self.include.is_empty()
                || self.include.iter().any(|p| p.table.is_all() && names(p)))
            && !self.exclude.iter().any(names)
            && match &self.other {
                None => true,
                Some((Other::Within, other)) => other.covers_schema(schema),
                Some((Other::Beyond, other)) => !other.matches_schema(schema),
            }
    }
}

fn table_pattern(pattern: &str) -> Result<TablePattern, FilterError> {
    let (schema, table) = pattern::parse(pattern).map_err(|reason| FilterError {
        pattern: pattern.to_string(),
        reason,
    })?;
    Ok(TablePattern { schema, table })
}
