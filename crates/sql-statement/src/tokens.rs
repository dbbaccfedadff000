//! The tokenizer.
//!
//! It follows the rules of the MySQL manual's "String Literals", "Numeric Literals", "Schema Object Names" and
//! "Comments". Where a statement ends in the middle of a quote or of a comment, the token or the comment reaches to
//! the end; it is the reader's business that such a token is not [`closed`](Token::closed).
//!
//! An executable comment is not a token: its content is, as if the marks around it were blanks. The scanner keeps one
//! flag, as the server does, since executable comments do not nest; an ordinary comment inside one is skipped.
//!
//! The `$$…$$` strings of MySQL 9's JavaScript routines and libraries are not strings here but words: they stand in bodies
//! only, which nothing in this crate reads.

use crate::{Charset, Dialect, Options, Token, TokenKind};

/// The tokens of a statement.
///
/// ```
/// use datain_sql_statement::{Options, Tokens};
///
/// let sql = b"DROP /*!40005 TEMPORARY */ TABLE `a` -- gone";
/// let words: Vec<_> = Tokens::new(sql, &Options::default()).map(|t| t.text).collect();
/// assert_eq!(words, [&b"DROP"[..], b"TEMPORARY", b"TABLE", b"`a`"]);
/// ```
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    sql: &'a [u8],
    at: usize,
    options: Options,
    in_executable_comment: bool,
    /// Whether the last token can be the left side of a qualified name, and ended where the scanner now stands.
    after_name: bool,
    /// Whether the last token was the dot of a qualified name: what follows is a name, even if it begins with digits.
    after_dot: bool,
}

impl<'a> Tokens<'a> {
    /// The tokens of `sql`.
    #[must_use]
    pub fn new(sql: &'a [u8], options: &Options) -> Self {
        Self {
            sql,
            at: 0,
            options: *options,
            in_executable_comment: false,
            after_name: false,
            after_dot: false,
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.sql.get(self.at + ahead).copied()
    }

    fn charset(&self) -> Charset {
        self.options.charset
    }

    /// Skips blanks, comments and the marks of executable comments.
    fn skip_blanks(&mut self) {
        let begin = self.at;
        while let Some(byte) = self.byte(0) {
            let rest = self.rest();
            if self.charset().is_space(byte) {
                self.at += 1;
            } else if byte == b'#' || (rest.starts_with(b"--") && ends_dashes(rest.get(2))) {
                self.at += find(rest, b"\n").map_or(rest.len(), |newline| newline + 1);
            } else if rest.starts_with(b"/*") {
                self.comment();
            } else if self.in_executable_comment && rest.starts_with(b"*/") {
                self.in_executable_comment = false;
                self.at += 2;
            } else {
                break;
            }
        }
        if self.at != begin {
            self.after_name = false;
        }
    }

    /// Skips a comment, or only the opening mark of an executable one.
    fn comment(&mut self) {
        let rest = self.rest();
        let mariadb = self.options.dialect == Dialect::MariaDb;
        let mark = if rest.starts_with(b"/*!") {
            3
        } else if mariadb && rest.starts_with(b"/*M!") {
            4
        } else {
            self.at += 2;
            let rest = self.rest();
            self.at += find(rest, b"*/").map_or(rest.len(), |end| end + 2);
            return;
        };
        let digits = rest
            .iter()
            .skip(mark)
            .take(6)
            .take_while(|b| b.is_ascii_digit())
            .count();
        let digits = if digits < 5 { 0 } else { digits };
        let version = rest.get(mark..mark + digits).unwrap_or_default();
        self.at += mark + digits;
        let version = version.iter().fold(0u32, |version, digit| {
            version * 10 + u32::from(digit - b'0')
        });
        if mariadb && mark == 3 && (50_700..=99_999).contains(&version) {
            self.skip_unexecuted();
        } else {
            self.in_executable_comment = true;
        }
    }

    /// Skips the rest of an executable comment that was not executed; ordinary comments may stand inside it.
    fn skip_unexecuted(&mut self) {
        let mut inside = false;
        while self.at < self.sql.len() {
            let rest = self.rest();
            if rest.starts_with(b"*/") {
                self.at += 2;
                if !inside {
                    return;
                }
                inside = false;
            } else if !inside && rest.starts_with(b"/*") {
                self.at += 2;
                inside = true;
            } else {
                self.at += 1;
            }
        }
    }

    /// Skips quoted text whose opening quote stands `ahead` bytes on. Returns whether the quote was closed.
    fn quoted(&mut self, ahead: usize, backslash: bool) -> bool {
        let Some(quote) = self.byte(ahead) else {
            return false;
        };
        self.at += ahead + 1;
        while let Some(byte) = self.byte(0) {
            if byte == quote {
                if self.byte(1) != Some(quote) {
                    self.at += 1;
                    return true;
                }
                self.at += 2;
            } else if byte == b'\\' && backslash {
                // MySQL 9.7 skips one byte after a backslash, even where a longer character begins.
                self.at = (self.at + 2).min(self.sql.len());
            } else {
                self.at += self.char_len();
            }
        }
        false
    }

    /// The length of the character at the scanner's place, never past the end.
    fn char_len(&self) -> usize {
        let rest = self.rest();
        self.charset().char_len(rest).min(rest.len())
    }

    /// Skips the characters of an unquoted name.
    fn name(&mut self) {
        while self.byte(0).is_some_and(|byte| self.is_name_byte(byte)) {
            self.at += self.char_len();
        }
    }

    fn is_name_byte(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'$')
            || (byte >= 0x80 && !self.charset().is_space(byte))
    }

    /// Skips what follows an `@`: another one, a quoted name, or the characters of a variable or host.
    fn variable(&mut self) -> bool {
        self.at += 1;
        match self.byte(0) {
            Some(b'`') => self.quoted(0, false),
            Some(b'\'' | b'"') => {
                let backslash = !self.options.no_backslash_escapes;
                self.quoted(0, backslash)
            }
            next => {
                self.at += usize::from(next == Some(b'@'));
                while self
                    .byte(0)
                    .is_some_and(|byte| byte == b'.' || self.is_name_byte(byte))
                {
                    self.at += self.char_len();
                }
                true
            }
        }
    }

    /// Skips a number, or a name that begins with digits, and says which it was.
    fn number_or_name(&mut self) -> TokenKind {
        let begin = self.at;
        let rest = self.rest();
        if let [b'0', mark @ (b'x' | b'b'), digits @ ..] = rest {
            let is_digit: fn(&u8) -> bool = if *mark == b'x' {
                u8::is_ascii_hexdigit
            } else {
                |b| matches!(b, b'0' | b'1')
            };
            let len = digits.iter().take_while(|b| is_digit(b)).count();
            if len > 0 && !digits.get(len).is_some_and(|&b| self.is_name_byte(b)) {
                self.at += 2 + len;
                return TokenKind::Number;
            }
        }
        self.digits();
        if self.byte(0) == Some(b'.') {
            self.at += 1;
            self.digits();
            self.exponent();
            return TokenKind::Number;
        }
        if self.exponent() || !self.byte(0).is_some_and(|byte| self.is_name_byte(byte)) {
            return TokenKind::Number;
        }
        self.at = begin;
        self.name();
        TokenKind::Word
    }

    fn digits(&mut self) {
        self.at += self
            .rest()
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
    }

    fn exponent(&mut self) -> bool {
        let sign = match self.rest() {
            [b'e' | b'E', b'+' | b'-', b'0'..=b'9', ..] => 1,
            [b'e' | b'E', b'0'..=b'9', ..] => 0,
            _ => return false,
        };
        self.at += 1 + sign;
        self.digits();
        true
    }
}

/// Whether a `--` followed by this byte begins a comment: a blank, a control character, or the end.
fn ends_dashes(next: Option<&u8>) -> bool {
    next.is_none_or(|&b| b == b' ' || b.is_ascii_control())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blanks();
        let start = self.at;
        let byte = self.byte(0)?;
        let next = self.byte(1);
        let backslash = !self.options.no_backslash_escapes;
        let mut closed = true;
        let kind = match byte {
            b'`' => {
                closed = self.quoted(0, false);
                TokenKind::QuotedIdentifier
            }
            b'"' if self.options.ansi_quotes => {
                closed = self.quoted(0, false);
                TokenKind::QuotedIdentifier
            }
            b'\'' | b'"' => {
                closed = self.quoted(0, backslash);
                TokenKind::String
            }
            b'n' | b'N' | b'x' | b'X' | b'b' | b'B' if next == Some(b'\'') && !self.after_dot => {
                closed = self.quoted(1, backslash);
                TokenKind::String
            }
            b'@' => {
                closed = self.variable();
                TokenKind::Variable
            }
            b'0'..=b'9' if !self.after_dot => self.number_or_name(),
            b'.' if !self.after_name && next.is_some_and(|b| b.is_ascii_digit()) => {
                self.number_or_name()
            }
            _ if self.is_name_byte(byte) => {
                self.name();
                TokenKind::Word
            }
            _ => {
                self.at += 1;
                TokenKind::Punctuation
            }
        };
        self.after_dot = byte == b'.' && kind == TokenKind::Punctuation && self.after_name;
        self.after_name = matches!(kind, TokenKind::Word | TokenKind::QuotedIdentifier);
        let text = self.sql.get(start..self.at).unwrap_or_default();
        Some(Token {
            kind,
            text,
            start,
            closed,
            charset: self.charset(),
        })
    }
}
