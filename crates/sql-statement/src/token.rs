//! One token of a statement.

use std::borrow::Cow;

use crate::Charset;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A keyword, an unquoted identifier, or a character-set introducer such as `_utf8mb4`.
    Word,
    /// An identifier in backticks, or in double quotes under `ANSI_QUOTES`.
    QuotedIdentifier,
    /// A string: `'…'`, `"…"`, `N'…'`, `x'…'` or `b'…'`.
    String,
    /// A number, also `0x…` and `0b…`.
    Number,
    /// `@name`, `@@name`, or the `@host` of an account, quoted or not.
    Variable,
    /// Any other single byte.
    Punctuation,
}

/// One token, as it stands in the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes, quotes included.
    pub text: &'a [u8],
    /// The offset of its first byte in the statement.
    pub start: usize,
    /// Whether its quote was closed before the statement ended; true for tokens without quotes.
    pub closed: bool,
    pub(crate) charset: Charset,
}

impl<'a> Token<'a> {
    /// Whether this is the given unquoted word, in any case.
    #[must_use]
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether this is the given punctuation.
    #[must_use]
    pub fn is_punctuation(&self, byte: u8) -> bool {
        self.kind == TokenKind::Punctuation && self.text == [byte]
    }

    /// The offset just past its last byte.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The name that this token stands for, without its quotes, where it can be an identifier.
    #[must_use]
    pub fn identifier(&self) -> Option<Cow<'a, [u8]>> {
        match self.kind {
            TokenKind::Word => Some(Cow::Borrowed(self.text)),
            TokenKind::QuotedIdentifier if self.closed => unquote(self.text, self.charset),
            _ => None,
        }
    }
}

/// The content of a closed quoted text: without its first and last byte, doubled quotes made single.
pub(crate) fn unquote(text: &[u8], charset: Charset) -> Option<Cow<'_, [u8]>> {
    let (&quote, rest) = text.split_first()?;
    let (_, inner) = rest.split_last()?;
    if !inner.contains(&quote) {
        return Some(Cow::Borrowed(inner));
    }
    let mut name = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(tail) = inner.get(at..).filter(|tail| !tail.is_empty()) {
        let len = charset.char_len(tail);
        name.extend_from_slice(tail.get(..len)?);
        at += if tail.starts_with(&[quote, quote]) {
            2
        } else {
            len
        };
    }
    Some(Cow::Owned(name))
}
