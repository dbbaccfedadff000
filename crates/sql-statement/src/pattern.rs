//! One half of a filter pattern: a name with wildcards.

use std::error::Error;
use std::fmt;

/// Why a pattern is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatternError {
    /// There is no dot between schema and table.
    NoDot,
    /// There is more than one dot.
    SecondDot,
    /// The schema or the table is empty.
    Empty,
    /// A `*` is part of a longer name.
    Star,
    /// The pattern ends with a lone backslash.
    Backslash,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDot => "no dot between schema and table: write \"shop.*\" for all tables of a schema",
            Self::SecondDot => "more than one dot: write \"\\.\" for a dot in a name",
            Self::Empty => "the name of the schema or of the table is empty: write \"*\" for all",
            Self::Star => "\"*\" stands for a whole name only: write \"%\" for any letters, \"\\*\" for a star",
            Self::Backslash => "a backslash at the end: write \"\\\\\" for a backslash",
        })
    }
}

impl Error for PatternError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Letter(char),
    AnyOne,
    AnyRun,
}

/// A name with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamePattern(Vec<Piece>);

impl NamePattern {
    /// Whether every name matches.
    pub(crate) fn is_all(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|piece| *piece == Piece::AnyRun)
    }

    /// The one name that is meant, if there is no `%`: `_` stands for itself.
    pub(crate) fn as_name(&self) -> Option<String> {
        let letter = |piece: &Piece| match piece {
            Piece::Letter(letter) => Some(*letter),
            Piece::AnyOne => Some('_'),
            Piece::AnyRun => None,
        };
        self.0.iter().map(letter).collect()
    }

    /// Whether the whole name matches. `fold` is applied to each letter of both sides.
    pub(crate) fn matches(&self, name: &str, fold: fn(char) -> char) -> bool {
        let name: Vec<char> = name.chars().map(fold).collect();
        let (mut at, mut piece) = (0, 0);
        // Where to go on when a match fails: behind the last run of any letters, with that run one letter longer.
        let mut retry: Option<(usize, usize)> = None;
        while let Some(&letter) = name.get(at) {
            let fits = match self.0.get(piece) {
                Some(Piece::AnyRun) => {
                    piece += 1;
                    retry = Some((piece, at));
                    continue;
                }
                Some(Piece::AnyOne) => true,
                Some(Piece::Letter(wanted)) => fold(*wanted) == letter,
                None => false,
            };
            if fits {
                at += 1;
                piece += 1;
            } else if let Some((after_run, taken)) = retry {
                (piece, at) = (after_run, taken + 1);
                retry = Some((after_run, at));
            } else {
                return false;
            }
        }
        self.0
            .get(piece..)
            .is_some_and(|left| left.iter().all(|piece| *piece == Piece::AnyRun))
    }
}

/// Splits `schema.table` into its two patterns.
pub(crate) fn parse(pattern: &str) -> Result<(NamePattern, NamePattern), PatternError> {
    let mut halves: Vec<Vec<Piece>> = vec![Vec::new()];
    let mut stars = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let half = halves.len();
        let Some(pieces) = halves.last_mut() else {
            break;
        };
        match letter {
            '.' if half == 1 => halves.push(Vec::new()),
            '.' => return Err(PatternError::SecondDot),
            '%' => pieces.push(Piece::AnyRun),
            '_' => pieces.push(Piece::AnyOne),
            '*' => {
                stars.push(half);
                pieces.push(Piece::AnyRun);
            }
            '\\' => pieces.push(Piece::Letter(
                letters.next().ok_or(PatternError::Backslash)?,
            )),
            other => pieces.push(Piece::Letter(other)),
        }
    }
    let [schema, table] = <[Vec<Piece>; 2]>::try_from(halves).map_err(|_| PatternError::NoDot)?;
    if schema.is_empty() || table.is_empty() {
        return Err(PatternError::Empty);
    }
    let too_long = |half: usize| {
        if half == 1 {
            schema.len() > 1
        } else {
            table.len() > 1
        }
    };
    if stars.iter().any(|&half| too_long(half)) {
        return Err(PatternError::Star);
    }
    Ok((NamePattern(schema), NamePattern(table)))
}
