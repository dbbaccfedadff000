//! What SHOW CREATE TABLE says, as a list of definitions and what follows their parenthesis.
//!
//! Only the server's own form is understood ("SHOW CREATE TABLE Statement"): one definition after the other, names in backticks, a key's or constraint's definition beginning with a
//! word. Executable comments are read through, so a clause in one belongs to the definition that it stands in.

use std::borrow::Cow;
use std::ops::Range;

use datain_sql_statement::{Charset, Token, TokenKind, Tokens};

use crate::edit::options;

/// One definition between the parentheses.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a> {
    /// All its bytes, with the blanks around it, without the commas.
    pub range: Range<usize>,
    pub tokens: Vec<Token<'a>>,
}

/// A table's definition in parts.
#[derive(Debug, Clone)]
pub(crate) struct TableText<'a> {
    pub items: Vec<Item<'a>>,
    /// What follows the closing parenthesis: options and partitions.
    pub tail: Vec<Token<'a>>,
}

impl<'a> TableText<'a> {
    /// Takes a definition apart; none if it is not of the form that is understood.
    pub(crate) fn read(sql: &'a [u8]) -> Option<Self> {
        let mut tokens = Tokens::new(sql, &options("", Charset::Utf8));
        let open = tokens.find(|token| token.is_punctuation(b'('))?;
        let mut items = Vec::new();
        let mut item = Vec::new();
        let mut begin = open.end();
        let mut depth = 0_usize;
        loop {
            let token = tokens.next().filter(|token| token.closed)?;
            let ends = token.is_punctuation(b')') && depth == 0;
            if ends || (token.is_punctuation(b',') && depth == 0) {
                items.push(Item {
                    range: begin..token.start,
                    tokens: std::mem::take(&mut item),
                });
                begin = token.end();
            } else {
                item.push(token);
            }
            if ends {
                let tail: Vec<_> = tokens.collect();
                return tail
                    .iter()
                    .all(|token| token.closed)
                    .then_some(Self { items, tail });
            }
            if token.is_punctuation(b'(') {
                depth += 1;
            } else if token.is_punctuation(b')') {
                depth -= 1;
            }
        }
    }

    /// The number behind `AUTO_INCREMENT=` with its word, if it is there.
    pub(crate) fn auto_increment(&self) -> Option<Range<usize>> {
        let at = self.tail.windows(3).find(|three| {
            three[0].is_word("AUTO_INCREMENT")
                && three[1].is_punctuation(b'=')
                && three[2].kind == TokenKind::Number
        })?;
        Some(at[0].start..at[2].end())
    }
}

impl<'a> Item<'a> {
    /// The name of the column that is defined; none where it is a key or a constraint.
    pub(crate) fn column(&self) -> Option<Cow<'a, [u8]>> {
        self.tokens
            .first()
            .filter(|token| token.kind == TokenKind::QuotedIdentifier)?
            .identifier()
    }

    /// Whether the definition begins with these words.
    pub(crate) fn begins(&self, words: &[&str]) -> bool {
        self.tokens.len() >= words.len()
            && words
                .iter()
                .zip(&self.tokens)
                .all(|(word, token)| token.is_word(word))
    }

    /// Whether a key that allows duplicates is defined.
    pub(crate) fn is_plain_key(&self) -> bool {
        self.begins(&["KEY"]) || self.begins(&["SPATIAL", "KEY"]) || self.is_fulltext()
    }

    /// Whether a FULLTEXT key is defined.
    pub(crate) fn is_fulltext(&self) -> bool {
        self.begins(&["FULLTEXT", "KEY"])
    }

    /// Where this unquoted word stands outside of parentheses, as an index into the tokens.
    pub(crate) fn outside(&self, word: &str) -> Option<usize> {
        let mut depth = 0_usize;
        self.tokens.iter().position(|token| {
            if token.is_punctuation(b'(') {
                depth += 1;
            } else if token.is_punctuation(b')') {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && token.is_word(word)
        })
    }

    /// The names in the first parenthesis behind the token at `from`, as far as they are plain columns: an expression ends them.
    pub(crate) fn names(&self, from: usize) -> Vec<Cow<'a, [u8]>> {
        let mut names = Vec::new();
        let mut tokens = self.tokens.get(from..).unwrap_or_default().iter();
        if !tokens.any(|token| token.is_punctuation(b'(')) {
            return names;
        }
        let mut depth = 0_usize;
        let mut expected = true;
        for token in tokens {
            if token.is_punctuation(b'(') {
                if expected {
                    return names;
                }
                depth += 1;
            } else if token.is_punctuation(b')') {
                if depth == 0 {
                    return names;
                }
                depth -= 1;
            } else if token.is_punctuation(b',') {
                expected = depth == 0;
            } else if expected {
                names.extend(token.identifier());
                expected = false;
            }
        }
        names
    }
}

/// A definition without what the server adds by itself and would write otherwise the second time: of a column that has the table's own collation because none was named, SHOW CREATE
/// TABLE shows that collation if it is not its character set's first, and says `CHARACTER SET` too once it was named (seen on MySQL 9.7). Cut out, the column inherits it again.
pub(crate) fn without_inherited_collations(sql: &[u8]) -> Vec<u8> {
    let Some(table) = TableText::read(sql) else {
        return sql.to_vec();
    };
    let own = table.tail.windows(3).find_map(|three| {
        (three[0].is_word("COLLATE") && three[1].is_punctuation(b'=')).then_some(three[2].text)
    });
    let mut ranges = Vec::new();
    for item in table.items.iter().filter(|item| item.column().is_some()) {
        let Some(at) = item.outside("COLLATE") else {
            continue;
        };
        let named = at >= 3
            && item.tokens[at - 3].is_word("CHARACTER")
            && item.tokens[at - 2].is_word("SET");
        if let Some(collation) = item.tokens.get(at + 1)
            && !named
            && own == Some(collation.text)
        {
            let range = item.tokens[at].start..collation.end();
            ranges.push(crate::edit::with_blanks_before(sql, range));
        }
    }
    crate::edit::cut(sql, &ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"CREATE TABLE `a(,` (\n  `id` int NOT NULL COMMENT 'x,)',\n  `b``,` varchar(3) COLLATE gbk_bin DEFAULT (concat(_utf8mb4',)')),\n  \
        `c` varchar(3) CHARACTER SET gbk COLLATE gbk_bin,\n  PRIMARY KEY (`id`),\n  KEY `k` (`b``,`(2) DESC,`id`),\n  KEY `f` (`id`,(lower(`c`))),\n  \
        FULLTEXT KEY `ft` (`c`) /*!50100 WITH PARSER `ngram` */ ,\n  CONSTRAINT `KEY` FOREIGN KEY (`b``,`, `id`) REFERENCES `o`.`p` (`x`, `y`) ON DELETE CASCADE\n\
        ) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=gbk COLLATE=gbk_bin COMMENT='AUTO_INCREMENT=8'";

    #[test]
    fn definitions_are_told_apart() {
        let table = TableText::read(TABLE).unwrap();
        let columns: Vec<_> = table.items.iter().filter_map(Item::column).collect();
        assert_eq!(columns, [&b"id"[..], b"b`,", b"c"]);
        let keys: Vec<_> = table
            .items
            .iter()
            .filter(|item| item.is_plain_key())
            .map(|item| item.names(0))
            .collect();
        assert_eq!(
            keys,
            [vec![&b"b`,"[..], b"id"], vec![&b"id"[..]], vec![&b"c"[..]]]
        );
        let foreign = table.items.last().unwrap();
        assert_eq!(foreign.names(0), [&b"b`,"[..], b"id"]);
        let references = foreign.outside("REFERENCES").unwrap();
        assert_eq!(foreign.names(references), [&b"x"[..], b"y"]);
        assert_eq!(&TABLE[table.auto_increment().unwrap()], b"AUTO_INCREMENT=7");
    }

    #[test]
    fn only_an_inherited_collation_is_cut() {
        let cut = String::from_utf8(without_inherited_collations(TABLE)).unwrap();
        assert!(cut.contains("varchar(3) DEFAULT (concat"));
        assert_eq!(
            cut.len() + " COLLATE gbk_bin".len(),
            TABLE.len(),
            "nothing else"
        );
    }

    #[test]
    fn what_is_not_understood_is_left() {
        for sql in [
            "",
            "CREATE TABLE `a`",
            "CREATE TABLE `a` (",
            "CREATE TABLE `a` (`b` int) COMMENT='",
        ] {
            assert!(TableText::read(sql.as_bytes()).is_none(), "{sql}");
            assert_eq!(without_inherited_collations(sql.as_bytes()), sql.as_bytes());
        }
    }
}
