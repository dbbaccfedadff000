//! Setting a table's indexes aside until its rows are there.
//!
//! Rows that arrive in the order of the primary key go to an index in no order, each to another page. Built afterwards, an index is sorted once. So CREATE TABLE is split into one without
//! the indexes that allow duplicates, and ALTER TABLEs that add them. Left in place are the primary key and every unique one, which guard the copy; indexes that a foreign key of this
//! table or another needs, without which the key cannot be made; and those of the AUTO_INCREMENT column.
//!
//! Afterwards SHOW CREATE TABLE says the same as if nothing had been split. The server shows unique keys first, then the others in the order in which they were added, FULLTEXT ones last;
//! so of the others only those are set aside that stand behind the last one that must stay.

use std::borrow::Cow;

use datain_mysql_client::quote_identifier;

use crate::table_text::{Item, TableText};

/// A table in two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// CREATE TABLE without the indexes.
    pub table: Vec<u8>,
    /// What adds them, to be run in this order. More than one where there are FULLTEXT indexes: InnoDB builds one of them at a time in place ("Online DDL Operations").
    pub steps: Vec<Step>,
}

/// One statement that adds indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// ALTER TABLE, in the table's schema.
    pub alter: Vec<u8>,
    /// What SHOW CREATE TABLE says afterwards.
    pub shown: Vec<u8>,
}

/// Splits what SHOW CREATE TABLE says of the table `name`. `referenced`: columns of it that come first in a foreign key of another table. None if there is nothing to be set aside, or the
/// definition is not understood.
#[must_use]
pub fn split(sql: &[u8], name: &str, referenced: &[Vec<u8>]) -> Option<Split> {
    let table = TableText::read(sql)?;
    let needed = needed(&table, referenced);
    let is_needed = |item: &Item<'_>| {
        item.names(0)
            .first()
            .is_some_and(|first| needed.iter().any(|column| same(column, first)))
    };
    let plain: Vec<usize> = places(&table, |item| item.is_plain_key() && !item.is_fulltext());
    let behind = plain
        .iter()
        .rposition(|&at| is_needed(&table.items[at]))
        .map_or(0, |last| last + 1);
    let mut steps: Vec<Vec<usize>> = Vec::new();
    let aside = plain.get(behind..).unwrap_or_default();
    if !aside.is_empty() {
        steps.push(aside.to_vec());
    }
    let fulltext = places(&table, Item::is_fulltext);
    steps.extend(fulltext.into_iter().map(|at| vec![at]));
    if steps.is_empty() {
        return None;
    }
    let mut left: Vec<usize> = steps.concat();
    let bare = without(sql, &table, &left);
    let steps = steps
        .into_iter()
        .map(|step| {
            let mut alter = format!("ALTER TABLE {}", quote_identifier(name)).into_bytes();
            for (n, &at) in step.iter().enumerate() {
                alter.extend_from_slice(if n == 0 { b" ADD " } else { b", ADD " });
                alter.extend_from_slice(text(sql, &table.items[at]).trim_ascii());
            }
            left.retain(|at| !step.contains(at));
            Step {
                alter,
                shown: without(sql, &table, &left),
            }
        })
        .collect();
    Some(Split { table: bare, steps })
}

/// Whether the table has a key that tells its rows apart. Rows of one that has none are looked for by whatever index there is.
#[must_use]
pub(crate) fn tells_rows_apart(sql: &[u8]) -> bool {
    TableText::read(sql).is_some_and(|table| {
        let mut items = table.items.iter();
        items.any(|item| item.begins(&["PRIMARY", "KEY"]) || item.begins(&["UNIQUE", "KEY"]))
    })
}

/// What a foreign key refers to.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    /// None where it is the table's own.
    pub schema: Option<Vec<u8>>,
    /// The table's name.
    pub table: Vec<u8>,
    /// Its columns.
    pub columns: Vec<Vec<u8>>,
    /// The columns of the foreign key, in the same order.
    pub own: Vec<Vec<u8>>,
    /// Rows of the table with the foreign key change when a row that they refer to goes: CASCADE, SET NULL, SET DEFAULT.
    pub acts_on_delete: bool,
    /// And when it gets other values of these columns.
    pub acts_on_update: bool,
}

/// What the foreign keys of a table refer to, by what SHOW CREATE TABLE says. None if the definition is not understood.
#[must_use]
pub fn references(sql: &[u8]) -> Option<Vec<Reference>> {
    let table = TableText::read(sql)?;
    let references = |item: &Item<'_>| {
        let foreign = item.outside("FOREIGN")?;
        let at = item.outside("REFERENCES")?;
        let first = item.tokens.get(at + 1)?.identifier()?.into_owned();
        let (schema, table) = match item.tokens.get(at + 2..at + 4) {
            Some([dot, name]) if dot.is_punctuation(b'.') => {
                (Some(first), name.identifier()?.into_owned())
            }
            _ => (None, first),
        };
        let names = |at| item.names(at).into_iter().map(Cow::into_owned).collect();
        let (own, columns) = (names(foreign), names(at));
        let behind = item.tokens.get(at..).unwrap_or_default();
        let acts_on = |what: &str| {
            behind.windows(3).any(|three| {
                three[0].is_word("ON")
                    && three[1].is_word(what)
                    && (three[2].is_word("CASCADE") || three[2].is_word("SET"))
            })
        };
        Some(Reference {
            schema,
            table,
            columns,
            own,
            acts_on_delete: acts_on("DELETE"),
            acts_on_update: acts_on("UPDATE"),
        })
    };
    Some(table.items.iter().filter_map(references).collect())
}

/// Columns that must come first in some index.
fn needed(table: &TableText<'_>, referenced: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut needed = referenced.to_vec();
    for item in &table.items {
        if let Some(column) = item.column() {
            if item.outside("AUTO_INCREMENT").is_some() {
                needed.push(column.into_owned());
            }
        } else if let Some(at) = item.outside("FOREIGN") {
            needed.extend(item.names(at).first().map(|name| name.clone().into_owned()));
        }
    }
    needed
}

/// Whether two names of columns are the same: letter case does not count, of any letters.
fn same(a: &[u8], b: &[u8]) -> bool {
    let lower = |name: &[u8]| String::from_utf8_lossy(name).to_lowercase();
    lower(a) == lower(b)
}

fn places<'a>(table: &TableText<'a>, is: impl Fn(&Item<'a>) -> bool) -> Vec<usize> {
    let items = table.items.iter().enumerate();
    items
        .filter(|(_, item)| is(item))
        .map(|(at, _)| at)
        .collect()
}

fn text<'a>(sql: &'a [u8], item: &Item<'_>) -> &'a [u8] {
    sql.get(item.range.clone()).unwrap_or_default()
}

/// The table without these definitions.
fn without(sql: &[u8], table: &TableText<'_>, left_out: &[usize]) -> Vec<u8> {
    let (Some(first), Some(last)) = (table.items.first(), table.items.last()) else {
        return sql.to_vec();
    };
    // The last definition ends with its line; an executable comment has a blank behind it, before the comma or the line's end.
    let end = text(sql, last);
    let line = end.iter().rposition(|&byte| byte == b'\n');
    let (end, closing) = end.split_at(line.unwrap_or(end.len()));
    let items = table.items.iter().enumerate();
    let kept: Vec<&[u8]> = items
        .filter(|(at, _)| !left_out.contains(at))
        .map(|(at, item)| {
            if at + 1 == table.items.len() {
                end
            } else {
                text(sql, item)
            }
        })
        .collect();
    let mut out = sql.get(..first.range.start).unwrap_or_default().to_vec();
    out.extend_from_slice(&kept.join(&b','));
    out.extend_from_slice(closing);
    out.extend_from_slice(sql.get(last.range.end..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, referenced: &[&str], expected: &[&str]) {
        let referenced: Vec<Vec<u8>> = referenced.iter().map(|c| c.as_bytes().to_vec()).collect();
        let Some(split) = split(sql.as_bytes(), "a`b", &referenced) else {
            assert!(expected.is_empty(), "{sql}");
            return;
        };
        let texts: Vec<String> = std::iter::once(&split.table)
            .chain(split.steps.iter().map(|step| &step.alter))
            .map(|text| String::from_utf8(text.clone()).unwrap())
            .collect();
        assert_eq!(texts, expected);
        assert_eq!(
            split.steps.last().map(|step| step.shown.as_slice()),
            Some(sql.as_bytes()),
            "in the end it is whole"
        );
    }

    #[test]
    fn indexes_that_allow_duplicates_are_set_aside() {
        check(
            "CREATE TABLE `a``b` (\n  `id` int NOT NULL,\n  `c` text,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`c`(9)),\n  KEY `k,` (`c`(3) DESC,(`id` + 1)) /*!80000 INVISIBLE */ COMMENT ')',\n  SPATIAL KEY `s` (`g`),\n  FULLTEXT KEY `f` (`c`) /*!50100 WITH PARSER `ngram` */ ,\n  FULLTEXT KEY `g` (`c`)\n) ENGINE=InnoDB",
            &[],
            &[
                "CREATE TABLE `a``b` (\n  `id` int NOT NULL,\n  `c` text,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`c`(9))\n) ENGINE=InnoDB",
                "ALTER TABLE `a``b` ADD KEY `k,` (`c`(3) DESC,(`id` + 1)) /*!80000 INVISIBLE */ COMMENT ')', ADD SPATIAL KEY `s` (`g`)",
                "ALTER TABLE `a``b` ADD FULLTEXT KEY `f` (`c`) /*!50100 WITH PARSER `ngram` */",
                "ALTER TABLE `a``b` ADD FULLTEXT KEY `g` (`c`)",
            ],
        );
    }

    #[test]
    fn what_keys_and_counters_need_stays() {
        let table = "CREATE TABLE `a``b` (\n  `id` int,\n  `n` int AUTO_INCREMENT,\n  `P` int,\n  KEY `k1` (`id`),\n  KEY `k2` (`n`),\n  KEY `k3` (`id`),\n  KEY `k4` (`p`),\n  KEY `k5` (`id`),\n  CONSTRAINT `c` FOREIGN KEY (`P`) REFERENCES `o`.`t` (`x`) ON DELETE RESTRICT ON UPDATE SET NULL\n) ENGINE=InnoDB";
        check(
            table,
            &[],
            &[
                &table.replace("\n  KEY `k5` (`id`),", ""),
                "ALTER TABLE `a``b` ADD KEY `k5` (`id`)",
            ],
        );
        check(table, &["ID"], &[]);
        check("CREATE TABLE `a``b` (\n  `id` int\n)", &[], &[]);
        assert_eq!(
            references(table.as_bytes()).unwrap(),
            [Reference {
                schema: Some(b"o".to_vec()),
                table: b"t".to_vec(),
                columns: vec![b"x".to_vec()],
                own: vec![b"P".to_vec()],
                acts_on_delete: false,
                acts_on_update: true,
            }]
        );
    }
}
