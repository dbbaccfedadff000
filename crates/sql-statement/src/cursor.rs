//! A place in the tokens of a statement, with the few moves that the classifier makes.

use crate::{ObjectName, Options, Statement, Token, TokenKind, Tokens};

/// Looks at one token at a time. The token before is remembered only so far as to know that a word after a dot is a
/// name, whatever the word ("Identifier Qualifiers").
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    tokens: Tokens<'a>,
    current: Option<Token<'a>>,
    after_dot: bool,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(sql: &'a [u8], options: &Options) -> Self {
        let mut tokens = Tokens::new(sql, options);
        let current = tokens.next();
        Self {
            tokens,
            current,
            after_dot: false,
        }
    }

    pub(crate) fn peek(&self) -> Option<&Token<'a>> {
        self.current.as_ref()
    }

    /// The token after the current one. Costs a second look at it, so it is called where a keyword was just seen.
    pub(crate) fn peek_next(&self) -> Option<Token<'a>> {
        self.tokens.clone().next()
    }

    pub(crate) fn advance(&mut self) -> Option<Token<'a>> {
        let token = self.current.take();
        self.after_dot = token.is_some_and(|token| token.is_punctuation(b'.'));
        self.current = self.tokens.next();
        token
    }

    /// Whether this unquoted word comes now, and is not the second part of a qualified name.
    pub(crate) fn at_word(&self, word: &str) -> bool {
        !self.after_dot && self.current.is_some_and(|token| token.is_word(word))
    }

    pub(crate) fn at_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at_word(word))
    }

    pub(crate) fn at_punctuation(&self, byte: u8) -> bool {
        self.current.is_some_and(|token| token.is_punctuation(byte))
    }

    /// Moves past this word if it comes now.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        let here = self.at_word(word);
        if here {
            self.advance();
        }
        here
    }

    /// Moves past the one of these words that comes now.
    pub(crate) fn take_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.take(word))
    }

    /// Moves past these words if all of them come now, in this order; else stays.
    pub(crate) fn take_all(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.clone();
        let here = words.iter().all(|word| ahead.take(word));
        if here {
            *self = ahead;
        }
        here
    }

    pub(crate) fn take_punctuation(&mut self, byte: u8) -> bool {
        let here = self.at_punctuation(byte);
        if here {
            self.advance();
        }
        here
    }

    /// Moves past `IF EXISTS` or `IF NOT EXISTS`. `IF` is reserved, so it is no name.
    pub(crate) fn skip_if_exists(&mut self) {
        if self.take("IF") {
            self.take("NOT");
            self.take("EXISTS");
        }
    }

    /// Moves past MariaDB's `WAIT n` or `NOWAIT`.
    pub(crate) fn skip_wait(&mut self) {
        if self.take("WAIT") {
            self.advance();
        } else {
            self.take("NOWAIT");
        }
    }

    fn identifier(&mut self) -> Option<Vec<u8>> {
        let name = self
            .current
            .and_then(|token| token.identifier())?
            .into_owned();
        self.advance();
        Some(name)
    }

    /// Reads a simple name, such as that of a schema.
    pub(crate) fn schema_name(&mut self) -> Option<ObjectName> {
        let schema = self.identifier()?;
        Some(ObjectName {
            schema: Some(schema),
            name: Vec::new(),
        })
    }

    /// Reads `name`, `schema.name`, or `.name`, which means the default schema.
    pub(crate) fn object_name(&mut self) -> Option<ObjectName> {
        if self.take_punctuation(b'.') {
            return Some(ObjectName {
                schema: None,
                name: self.identifier()?,
            });
        }
        let first = self.identifier()?;
        if !self.take_punctuation(b'.') {
            return Some(ObjectName {
                schema: None,
                name: first,
            });
        }
        Some(ObjectName {
            schema: Some(first),
            name: self.identifier()?,
        })
    }

    /// Reads names separated by commas into the statement's targets.
    pub(crate) fn object_names(&mut self, mut statement: Statement) -> Statement {
        loop {
            statement = statement.target(self.object_name());
            if !statement.complete || !self.take_punctuation(b',') {
                return statement;
            }
        }
    }

    /// Moves past an account or role: `name`, `name@host`, `CURRENT_USER`, `CURRENT_USER()`.
    pub(crate) fn skip_account(&mut self) {
        self.advance();
        if self
            .current
            .is_some_and(|token| token.kind == TokenKind::Variable)
        {
            self.advance();
        }
        if self.take_punctuation(b'(') {
            self.take_punctuation(b')');
        }
    }

    /// Moves to the next of these words outside parentheses, and says whether there is one.
    pub(crate) fn seek(&mut self, words: &[&str]) -> bool {
        let mut depth = Depth::default();
        while let Some(token) = self.current {
            depth.see(&token);
            if depth.is_outside() && self.at_any(words) {
                return true;
            }
            self.advance();
        }
        false
    }
}

/// How many parentheses are open.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Depth(usize);

impl Depth {
    pub(crate) fn see(&mut self, token: &Token<'_>) {
        if token.is_punctuation(b'(') {
            self.0 += 1;
        } else if token.is_punctuation(b')') {
            self.0 = self.0.saturating_sub(1);
        }
    }

    pub(crate) fn is_outside(self) -> bool {
        self.0 == 0
    }
}
