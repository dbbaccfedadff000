//! Definitions as `information_schema` has them, in words that are the same on servers of different kinds and versions.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use datain_throwaway_servers::{Flavor, Server};

use super::text;

/// Lines about a table: its options, columns, parts of keys, and foreign keys.
const QUERIES: [&str; 4] = [
    "SELECT CONCAT('table ', ENGINE, ' ', TABLE_COLLATION, ' ', TABLE_COMMENT) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %t",
    "SELECT CONCAT_WS(' ', COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, IFNULL(COLUMN_DEFAULT, 'none'), COLLATION_NAME, EXTRA, COLUMN_COMMENT) \
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %t ORDER BY ORDINAL_POSITION",
    "SELECT CONCAT_WS(' ', 'key', INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, COLUMN_NAME, SUB_PART, INDEX_TYPE) \
     FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %t ORDER BY INDEX_NAME, SEQ_IN_INDEX",
    "SELECT CONCAT_WS(' ', 'foreign key', CONSTRAINT_NAME, REFERENCED_TABLE_NAME, UPDATE_RULE, DELETE_RULE) \
     FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = %s AND TABLE_NAME = %t ORDER BY CONSTRAINT_NAME",
];

/// The same lines for a MariaDB and a MySQL: they have other names for collations, and other words for defaults. What a default does, rows show.
const OF_BOTH_KINDS: [&str; 4] = [
    "SELECT CONCAT('table ', ENGINE, ' ', SUBSTRING_INDEX(TABLE_COLLATION, '_', 1), ' ', TABLE_COMMENT) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %t",
    "SELECT CONCAT_WS(' ', COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, IF(COLUMN_DEFAULT IS NULL OR COLUMN_DEFAULT = 'NULL', 'none', 'default'), \
     IF(EXTRA LIKE '%auto_increment%', 'numbered', ''), IF(EXTRA LIKE '%GENERATED' AND EXTRA <> 'DEFAULT_GENERATED', EXTRA, ''), IF(EXTRA LIKE '%INVISIBLE%', 'invisible', ''), \
     COLUMN_COMMENT) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %t ORDER BY ORDINAL_POSITION",
    QUERIES[2],
    QUERIES[3],
];

/// Whether one is a MariaDB and the other is not.
pub(super) fn of_both_kinds(left: &Server, right: &Server) -> bool {
    is_mariadb(left) != is_mariadb(right)
}

fn is_mariadb(server: &Server) -> bool {
    matches!(server.flavor(), Flavor::Mariadb1011 | Flavor::Mariadb118)
}

/// Of each table; `of_both_kinds`: as far as a MariaDB and a MySQL can agree on.
pub(super) fn definitions(
    server: &Server,
    tables: &[(String, String)],
    of_both_kinds: bool,
) -> Result<Vec<String>> {
    let queries = if of_both_kinds {
        OF_BOTH_KINDS
    } else {
        QUERIES
    };
    let mut list = Vec::new();
    for (schema, name) in tables {
        let fill = |query: &&str| {
            let query = query
                .replace("%s", &text(schema))
                .replace("%t", &text(name));
            format!("{query};")
        };
        let rows = server.query(&queries.iter().map(fill).collect::<String>())?;
        let lines: Option<Vec<String>> = rows
            .into_iter()
            .map(|row| row.into_iter().next().flatten())
            .collect();
        let lines = lines.with_context(|| format!("{schema}.{name} has an empty line"))?;
        ensure!(lines.len() > 1, "{schema}.{name} has no columns");
        let lines: Vec<String> = lines.iter().map(|line| in_common_words(line)).collect();
        list.push(lines.join("\n"));
    }
    Ok(list)
}

/// Views and routines by name, and the schema's collation, or its character set. How a body is worded is the server's.
pub(super) fn objects(
    server: &Server,
    schema: &str,
    of_both_kinds: bool,
) -> Result<BTreeMap<String, String>> {
    let schema = text(schema);
    let characters = if of_both_kinds {
        "DEFAULT_CHARACTER_SET_NAME"
    } else {
        "DEFAULT_COLLATION_NAME"
    };
    let rows = server.query(&format!(
        "SELECT 'SCHEMA', {characters} FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {schema} \
         UNION ALL SELECT CONCAT('VIEW ', TABLE_NAME), SECURITY_TYPE FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {schema} \
         UNION ALL SELECT CONCAT(ROUTINE_TYPE, ' ', ROUTINE_NAME), ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {schema}"
    ))?;
    let mut objects = BTreeMap::new();
    for row in rows {
        let [Some(name), Some(value)] = <[_; 2]>::try_from(row).unwrap_or_default() else {
            bail!("information_schema gave an object without a name");
        };
        objects.insert(name, in_common_words(&value));
    }
    Ok(objects)
}

/// - `utf8` is called `utf8mb3` since 8.0.
/// - Widths of integers, which say nothing of values, are left out there, and that of YEAR.
/// - DEFAULT_GENERATED is a word of 8.0 for what the default shows anyway.
/// - NO ACTION and RESTRICT are the same to InnoDB, and each version shows another one of them.
fn in_common_words(line: &str) -> String {
    let mut words = Vec::new();
    for word in line.split(' ') {
        let integer = ["int(", "year("].iter().find_map(|kind| {
            let (head, tail) = word.split_once(kind)?;
            let rest = tail.split_once(')')?.1;
            Some(format!("{head}{}{rest}", kind.trim_end_matches('(')))
        });
        match word {
            "DEFAULT_GENERATED" | "" => {}
            "RESTRICT" => words.push("NO ACTION".to_owned()),
            _ => words.push(match integer {
                Some(word) => word,
                None => word.replace("utf8_", "utf8mb3_"),
            }),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_versions_word_differently_is_the_same() {
        let check = |old: &str, new: &str| assert_eq!(in_common_words(old), in_common_words(new));
        check("id int(10) unsigned NO none", "id int unsigned NO none");
        check("b bigint(20) NO none ", "b bigint NO none");
        check("y year(4) YES none", "y year YES none");
        check("c char(5) NO a utf8_bin", "c char(5) NO a utf8mb3_bin");
        check(
            "at timestamp NO CURRENT_TIMESTAMP on update CURRENT_TIMESTAMP",
            "at timestamp NO CURRENT_TIMESTAMP DEFAULT_GENERATED on update CURRENT_TIMESTAMP",
        );
        assert_ne!(in_common_words("c char(5)"), in_common_words("c char(6)"));
        assert_ne!(
            in_common_words("c utf8_bin"),
            in_common_words("c utf8mb4_bin")
        );
    }
}
