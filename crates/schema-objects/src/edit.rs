//! Cutting and replacing ranges of a statement's bytes.

use std::ops::Range;

use datain_sql_statement::{Charset, Dialect, Options};

/// The bytes without these ranges, which are in order and do not overlap.
pub(crate) fn cut(sql: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let nothing = ranges.iter().map(|range| (range.clone(), Vec::new()));
    replace(sql, nothing)
}

/// The bytes with other ones in place of these ranges, which are in order and do not overlap.
pub(crate) fn replace(
    sql: &[u8],
    ranges: impl IntoIterator<Item = (Range<usize>, Vec<u8>)>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(sql.len());
    let mut at = 0;
    for (range, new) in ranges {
        out.extend_from_slice(sql.get(at..range.start).unwrap_or_default());
        out.extend_from_slice(&new);
        at = range.end.max(at);
    }
    out.extend_from_slice(sql.get(at..).unwrap_or_default());
    out
}

/// The range with the blanks before it.
pub(crate) fn with_blanks_before(sql: &[u8], range: Range<usize>) -> Range<usize> {
    let before = sql.get(..range.start).unwrap_or_default();
    before.trim_ascii_end().len()..range.end
}

/// Whether a list of modes holds this one.
pub(crate) fn has_mode(sql_mode: &str, mode: &str) -> bool {
    sql_mode.split(',').any(|m| m.eq_ignore_ascii_case(mode))
}

/// How the server reads a statement of this character set under these modes. Of MySQL only: comments are executable by its rules.
pub(crate) fn options(sql_mode: &str, charset: Charset) -> Options {
    Options {
        ansi_quotes: has_mode(sql_mode, "ANSI_QUOTES"),
        no_backslash_escapes: has_mode(sql_mode, "NO_BACKSLASH_ESCAPES"),
        charset,
        dialect: Dialect::MySql,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_go_and_the_rest_stays() {
        assert_eq!(cut(b"abcdef", &[1..2, 3..5]), b"acf");
        assert_eq!(
            replace(b"abc", [(0..1, b"xy".to_vec()), (3..3, b"!".to_vec())]),
            b"xybc!"
        );
        assert_eq!(with_blanks_before(b"a \n b", 4..5), 1..5);
    }
}
