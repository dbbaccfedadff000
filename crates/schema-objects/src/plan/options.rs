//! Options that a target lacks the means for, cut out of a definition.
//!
//! They say where and how a table is kept, not what is in it: a place outside the data folder, a tablespace, encryption, a secondary engine. All else stays as it is written.

use std::ops::Range;

use datain_sql_statement::{Charset, Token, Tokens};

use super::Abilities;
use crate::Kind;
use crate::edit::{options, replace, with_blanks_before};
use crate::table_text::TableText;

/// Tablespaces that every server has.
const ALWAYS: [&str; 3] = ["innodb_system", "innodb_file_per_table", "innodb_temporary"];

/// The definition without what the target lacks, and the names of the options that were cut, each once.
pub(super) fn without_lacking(
    kind: Kind,
    sql: &[u8],
    target: &Abilities,
) -> (Vec<u8>, Vec<&'static str>) {
    let tokens: Vec<Token<'_>> = match kind {
        Kind::Table => match TableText::read(sql) {
            Some(table) => table.tail,
            None => return (sql.to_vec(), Vec::new()),
        },
        Kind::Schema => Tokens::new(sql, &options("", Charset::Utf8)).collect(),
        _ => return (sql.to_vec(), Vec::new()),
    };
    let mut changes = Vec::new();
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(rest) = tokens.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(found) = lacking(rest, target) else {
            at += 1;
            continue;
        };
        if let (Some(first), Some(last)) = (rest.first(), rest.get(found.length - 1)) {
            changes.push(if kind == Kind::Schema {
                // A schema says in any case whether its tables are encrypted.
                (last.start..last.end(), b"'N'".to_vec())
            } else {
                (whole(sql, first.start..last.end()), Vec::new())
            });
        }
        if found.matters && !names.contains(&found.name) {
            names.push(found.name);
        }
        at += found.length;
    }
    (replace(sql, changes), names)
}

/// An option that the target lacks.
struct Lacking {
    name: &'static str,
    /// How many tokens it has.
    length: usize,
    /// Whether anything is lost without it.
    matters: bool,
}

/// Whether an option that the target lacks begins here.
fn lacking(tokens: &[Token<'_>], target: &Abilities) -> Option<Lacking> {
    let (first, rest) = tokens.split_first()?;
    let directory = rest.first().is_some_and(|t| t.is_word("DIRECTORY"));
    let (name, words) = match first {
        t if directory && t.is_word("DATA") => ("DATA DIRECTORY", 2),
        t if directory && t.is_word("INDEX") => ("INDEX DIRECTORY", 2),
        t if t.is_word("TABLESPACE") => ("TABLESPACE", 1),
        t if t.is_word("ENCRYPTION") => ("ENCRYPTION", 1),
        t if t.is_word("SECONDARY_ENGINE") => ("SECONDARY_ENGINE", 1),
        _ => return None,
    };
    let sign = usize::from(tokens.get(words).is_some_and(|t| t.is_punctuation(b'=')));
    let value = tokens.get(words + sign)?;
    let text = match value.identifier() {
        Some(name) => String::from_utf8_lossy(&name).into_owned(),
        None => String::from_utf8_lossy(value.text)
            .trim_matches('\'')
            .to_owned(),
    };
    let among = |list: &[String]| list.iter().any(|known| known.eq_ignore_ascii_case(&text));
    let has = match name {
        "TABLESPACE" => ALWAYS.contains(&text.as_str()) || target.tablespaces.contains(&text),
        // Where nothing can be encrypted, no table says that it is not.
        "ENCRYPTION" => target.encrypts,
        "SECONDARY_ENGINE" => among(&target.engines),
        _ => target
            .directories
            .iter()
            .any(|folder| within(&text, folder)),
    };
    (!has).then_some(Lacking {
        name,
        length: words + sign + 1,
        matters: name != "ENCRYPTION" || text.eq_ignore_ascii_case("Y"),
    })
}

/// Whether a path lies in a folder.
fn within(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        && !path.split('/').any(|part| part == "..")
}

/// An option with the blanks before it, and with the executable comment around it if there is nothing else in that.
fn whole(sql: &[u8], range: Range<usize>) -> Range<usize> {
    let before = sql.get(..range.start).unwrap_or_default().trim_ascii_end();
    let digits = before
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let mark = before.len() - digits;
    let behind = sql.get(range.end..).unwrap_or_default();
    let blanks = behind.len() - behind.trim_ascii_start().len();
    let around = before.get(..mark).is_some_and(|b| b.ends_with(b"/*!"))
        && behind.trim_ascii_start().starts_with(b"*/");
    if around {
        return with_blanks_before(sql, mark - 3..range.end + blanks + 2);
    }
    with_blanks_before(sql, range)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "CREATE TABLE `tablespace` (\n  `a` int COMMENT 'ENCRYPTION=''Y'''\n) /*!50100 TABLESPACE `ts` */ ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 \
        DATA DIRECTORY='/data/x/' COMMENT='TABLESPACE ts' SECONDARY_ENGINE=RAPID /*!80016 ENCRYPTION='Y' */\n/*!50100 PARTITION BY HASH (`a`)\n(PARTITION p0 TABLESPACE = `ts` \
        DATA DIRECTORY = '/data/x' COMMENT = 'c' ENGINE = InnoDB,\n PARTITION p1 TABLESPACE = `innodb_file_per_table` ENGINE = InnoDB) */";

    fn check(kind: Kind, sql: &str, target: &Abilities, expected: &str, names: &[&str]) {
        let (cut, found) = without_lacking(kind, sql.as_bytes(), target);
        assert_eq!(String::from_utf8(cut).unwrap(), expected);
        assert_eq!(found, names);
    }

    #[test]
    fn what_the_target_lacks_is_cut() {
        check(
            Kind::Table,
            TABLE,
            &Abilities::default(),
            "CREATE TABLE `tablespace` (\n  `a` int COMMENT 'ENCRYPTION=''Y'''\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='TABLESPACE ts'\n\
             /*!50100 PARTITION BY HASH (`a`)\n(PARTITION p0 COMMENT = 'c' ENGINE = InnoDB,\n PARTITION p1 TABLESPACE = `innodb_file_per_table` ENGINE = InnoDB) */",
            &[
                "TABLESPACE",
                "DATA DIRECTORY",
                "SECONDARY_ENGINE",
                "ENCRYPTION",
            ],
        );
        check(
            Kind::Schema,
            "CREATE DATABASE `a` /*!40100 DEFAULT CHARACTER SET latin1 */ /*!80016 DEFAULT ENCRYPTION='Y' */",
            &Abilities::default(),
            "CREATE DATABASE `a` /*!40100 DEFAULT CHARACTER SET latin1 */ /*!80016 DEFAULT ENCRYPTION='N' */",
            &["ENCRYPTION"],
        );
    }

    #[test]
    fn what_the_target_has_stays() {
        let target = Abilities {
            encrypts: true,
            tablespaces: vec!["ts".to_owned()],
            directories: vec!["/data".to_owned()],
            engines: vec!["rapid".to_owned()],
        };
        check(Kind::Table, TABLE, &target, TABLE, &[]);
        let schema = "CREATE DATABASE `a` /*!80016 DEFAULT ENCRYPTION='N' */";
        check(Kind::Schema, schema, &Abilities::default(), schema, &[]);
        assert!(!within("/database", "/data") && !within("/data/../x", "/data"));
    }
}
