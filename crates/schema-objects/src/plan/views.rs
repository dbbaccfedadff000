//! What a view refers to, and an order in which each view stands behind those that it refers to.
//!
//! A view's text, as SHOW CREATE VIEW gives it to a session that is in no schema of the view's, names every table with its schema: `` `schema`.`table` ``. A column is written as
//! `` `table`.`column` `` in the same way, so the pairs of a text are somewhat more than the tables; what is no view's name does not matter. Names that views find through
//! stored functions are looked up only when the function is called.

use std::collections::{BTreeMap, BTreeSet};

use datain_sql_statement::{Charset, Token, TokenKind, Tokens};

use crate::Object;
use crate::edit::options;

/// Schema and name.
pub(crate) type Pair = (String, String);

/// All pairs of names with a dot between them, in a text in UTF-8.
pub(crate) fn pairs(sql: &[u8]) -> BTreeSet<Pair> {
    let tokens: Vec<Token<'_>> = Tokens::new(sql, &options("", Charset::Utf8)).collect();
    let name = |token: &Token<'_>| {
        let name = token
            .identifier()
            .filter(|_| token.kind == TokenKind::QuotedIdentifier)?;
        String::from_utf8(name.into_owned()).ok()
    };
    tokens
        .windows(3)
        .filter(|three| three[1].is_punctuation(b'.'))
        .filter_map(|three| Some((name(&three[0])?, name(&three[2])?)))
        .collect()
}

/// Puts the views into an order in which they can be made; where two refer to each other, which no server lets them, as they come.
pub(super) fn in_order(views: Vec<Object>, uses: &BTreeMap<Pair, BTreeSet<Pair>>) -> Vec<Object> {
    let mut waiting: BTreeMap<Pair, Object> = views
        .into_iter()
        .map(|view| ((view.schema.clone(), view.name.clone()), view))
        .collect();
    let names: Vec<Pair> = waiting.keys().cloned().collect();
    let mut ordered = Vec::with_capacity(names.len());
    let mut seen = BTreeSet::new();
    for name in names {
        // Depth first, without recursion: a chain of views may be long. A name is met twice: on the way down, and when all that it uses is done.
        let mut stack = vec![(name, false)];
        while let Some((name, done)) = stack.pop() {
            if done {
                ordered.extend(waiting.remove(&name));
            } else if waiting.contains_key(&name) && seen.insert(name.clone()) {
                let used = uses.get(&name).into_iter().flatten().cloned();
                let used: Vec<Pair> = used.collect();
                stack.push((name, true));
                stack.extend(used.into_iter().rev().map(|name| (name, false)));
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Kind};

    fn view(name: &str) -> Object {
        Object {
            kind: Kind::View,
            schema: "s".to_owned(),
            name: name.to_owned(),
            sql: Vec::new(),
            shown: Vec::new(),
            context: Context {
                default_schema: None,
                sql_mode: String::new(),
                character_set_client: String::new(),
                collation_connection: String::new(),
                database_collation: None,
                time_zone: None,
                default_collation_for_utf8mb4: None,
            },
            definer: None,
            excuse: None,
            bytes: 0,
        }
    }

    #[test]
    fn used_views_come_first() {
        let texts = [
            ("a", "select 1 from `s`.`c` join `s`.`b`"),
            ("b", "select `s`.`d`.`x` from `s`.`d`"),
            ("c", "select '`s`.`e`' /* `s`.`e` */ from `s`.`b`"),
            ("d", "select `s`.`e`()"),
            ("e", "select 1 from `s`.`e1`"),
            ("e1", "select `s`.`e`.`x` from `s`.`t` `e`"),
        ];
        let uses: BTreeMap<Pair, BTreeSet<Pair>> = texts
            .iter()
            .map(|(name, text)| {
                let name = ("s".to_owned(), (*name).to_owned());
                (name, pairs(text.as_bytes()))
            })
            .collect();
        let views = texts.iter().map(|(name, _)| view(name)).collect();
        let order: Vec<String> = in_order(views, &uses)
            .into_iter()
            .map(|view| view.name)
            .collect();
        assert_eq!(order, ["e1", "e", "d", "b", "c", "a"]);
    }

    #[test]
    fn only_pairs_of_names_count() {
        let found = pairs("select `ü`.`a``b`, 'x'.`y` from x.y".as_bytes());
        let found: Vec<Pair> = found.into_iter().collect();
        assert_eq!(found, [("ü".to_owned(), "a`b".to_owned())]);
        assert!(pairs(b"select `\xfc`.`a`").is_empty());
    }
}
