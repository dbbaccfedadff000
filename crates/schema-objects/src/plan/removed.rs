//! What MySQL 8.0 and later know no more, in views, routines, triggers and events of older servers: functions that are gone, words that are reserved now, and syntax.
//!
//! Found by tokens, in the definition as the older server shows it. In a view it quotes all names, so reserved words can only stand in the others. What is not found here the target still refuses by
//! itself, when the definition is made; the use of this is that it is known before a copy of hours begins.

use datain_contract::FindingExt as _;
use datain_contract::types::{Finding, Severity};
use datain_server_facts::list as shorten;
use datain_sql_statement::{Charset, Token, TokenKind, Tokens};

use crate::edit::options;
use crate::{Kind, Object};

/// The check.
pub const REMOVED: &str = "source.removed-syntax";

/// Functions that are gone ("What Is Removed in MySQL 8.0", and MD5 and SHA1 since 9.6), without those whose names are as good as any.
const FUNCTIONS: &[&str] = &[
    "PASSWORD",
    "MD5",
    "SHA",
    "SHA1",
    "OLD_PASSWORD",
    "ENCODE",
    "DECODE",
    "ENCRYPT",
    "DES_ENCRYPT",
    "DES_DECRYPT",
    "ASBINARY",
    "ASTEXT",
    "ASWKB",
    "ASWKT",
    "GEOMFROMTEXT",
    "GEOMFROMWKB",
    "GEOMETRYFROMTEXT",
    "GEOMETRYFROMWKB",
    "GEOMETRYTYPE",
    "GLENGTH",
    "EXTERIORRING",
    "INTERIORRINGN",
    "NUMINTERIORRINGS",
    "NUMPOINTS",
    "NUMGEOMETRIES",
    "POINTFROMTEXT",
    "POINTFROMWKB",
    "POINTN",
    "LINEFROMTEXT",
    "LINEFROMWKB",
    "LINESTRINGFROMTEXT",
    "LINESTRINGFROMWKB",
    "POLYFROMTEXT",
    "POLYFROMWKB",
    "POLYGONFROMTEXT",
    "POLYGONFROMWKB",
    "MBREQUAL",
    "STARTPOINT",
    "ENDPOINT",
    "ISCLOSED",
    "ISEMPTY",
    "ISSIMPLE",
];

/// Words that are reserved in 9.7 and were free in 5.6, by `information_schema.KEYWORDS`; without those that old syntax has too (FUNCTION, OF, ROW, ROWS).
const WORDS: &[&str] = &[
    "CUBE",
    "CUME_DIST",
    "DENSE_RANK",
    "EMPTY",
    "EXCEPT",
    "EXTERNAL",
    "FIRST_VALUE",
    "GENERATED",
    "GROUPING",
    "GROUPS",
    "INTERSECT",
    "JSON_TABLE",
    "LAG",
    "LAST_VALUE",
    "LATERAL",
    "LEAD",
    "LIBRARY",
    "NTH_VALUE",
    "NTILE",
    "OPTIMIZER_COSTS",
    "OVER",
    "PERCENT_RANK",
    "QUALIFY",
    "RANK",
    "RECURSIVE",
    "ROW_NUMBER",
    "STORED",
    "SYSTEM",
    "TABLESAMPLE",
    "VIRTUAL",
    "WINDOW",
];

/// What the definitions of a server before 8.0 hold of it.
#[must_use]
pub fn finding(objects: &[Object]) -> Finding {
    let found: Vec<(String, Vec<String>)> = objects
        .iter()
        .filter(|object| !matches!(object.kind, Kind::Table | Kind::Schema | Kind::Indexes))
        .map(|object| (object.quoted(), of(object)))
        .filter(|(_, found)| !found.is_empty())
        .collect();
    let lines: Vec<String> = found
        .iter()
        .map(|(object, found)| format!("{object}: {}", found.join(", ")))
        .collect();
    let message = if lines.is_empty() {
        "nothing was found in views, routines, triggers and events that MySQL 8.0 and later know no more".to_owned()
    } else {
        format!("MySQL 8.0 and later know no more: {}", shorten(&lines))
    };
    Finding::judge(REMOVED, lines.is_empty(), Severity::Warning, message)
        .remedy("if the target is MySQL 8.0 or later: write them anew on the source (names that are reserved words now in backquotes), or exclude them and make them on the target by hand")
        .subjects(found.into_iter().map(|(object, _)| object).collect())
}

/// The functions, words and syntax in one definition, each once.
fn of(object: &Object) -> Vec<String> {
    let charset = Charset::from_name(&object.context.character_set_client);
    let options = options(&object.context.sql_mode, charset);
    let tokens: Vec<Token<'_>> = Tokens::new(&object.sql, &options).collect();
    let mut found = Vec::new();
    let mut add = |what: String| {
        if !found.contains(&what) {
            found.push(what);
        }
    };
    // How deep in parentheses a GROUP BY list stands that has not ended.
    let mut grouped: Option<usize> = None;
    let mut depth: usize = 0;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let after = tokens.get(at + 1);
        if token.is_punctuation(b'(') {
            depth += 1;
        } else if token.is_punctuation(b')') {
            depth = depth.saturating_sub(1);
        }
        let ends = ["ORDER", "HAVING", "LIMIT", "UNION", "INTO"]
            .iter()
            .any(|word| token.is_word(word));
        if grouped.is_some_and(|from| {
            depth < from || depth == from && (ends || token.is_punctuation(b';'))
        }) {
            grouped = None;
        }
        if token.kind != TokenKind::Word || before.is_some_and(|before| before.is_punctuation(b'.'))
        {
            continue;
        }
        let name = |list: &[&'static str]| list.iter().copied().find(|word| token.is_word(word));
        if token.is_word("BY") && before.is_some_and(|before| before.is_word("GROUP")) {
            grouped = Some(depth);
        } else if grouped == Some(depth) && (token.is_word("ASC") || token.is_word("DESC")) {
            add("GROUP BY … ASC or DESC".to_owned());
        } else if token.is_word("SQL_CACHE") {
            add("SQL_CACHE".to_owned());
        } else if let Some(function) = name(FUNCTIONS)
            && after.is_some_and(|after| after.is_punctuation(b'('))
        {
            add(format!("{function}()"));
        } else if object.kind != Kind::View
            && let Some(word) = name(WORDS)
        {
            add(format!("the reserved word {word}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;

    fn found(kind: Kind, sql: &str) -> String {
        let object = Object {
            kind,
            schema: "d".to_owned(),
            name: "o".to_owned(),
            sql: sql.as_bytes().to_vec(),
            shown: Vec::new(),
            context: Context {
                default_schema: None,
                sql_mode: String::new(),
                character_set_client: "utf8".to_owned(),
                collation_connection: "utf8_general_ci".to_owned(),
                database_collation: None,
                time_zone: None,
                default_collation_for_utf8mb4: None,
            },
            definer: None,
            bytes: 0,
            excuse: None,
        };
        of(&object).join("; ")
    }

    #[test]
    fn what_is_gone_is_found_where_it_means_what_it_did() {
        let view = |sql| found(Kind::View, sql);
        assert_eq!(
            view("CREATE VIEW `v` AS select `t`.`id` AS `id` from `t` group by `t`.`id` desc"),
            "GROUP BY … ASC or DESC"
        );
        assert_eq!(
            view("CREATE VIEW `v` AS select 1 from (select 2 group by `a`) order by `b` desc"),
            ""
        );
        assert_eq!(
            view(
                "CREATE VIEW `v` AS select `a` from `t` group by `a`,(`b` desc) having 1 order by `a` desc"
            ),
            ""
        );
        assert_eq!(
            view(
                "CREATE VIEW `v` AS select sql_cache password('x') AS `password`,astext(geomfromtext('POINT(1 2)'))"
            ),
            "SQL_CACHE; PASSWORD(); ASTEXT(); GEOMFROMTEXT()"
        );
        assert_eq!(
            view("CREATE VIEW `v` AS select `rank`,`groups`.`lead` from `groups`"),
            ""
        );
        let body = |sql| found(Kind::Procedure, sql);
        assert_eq!(
            body("CREATE PROCEDURE `p`() BEGIN SELECT rank, t.system, `lead` FROM groups; END"),
            "the reserved word RANK; the reserved word GROUPS"
        );
        assert_eq!(
            body(
                "CREATE PROCEDURE `p`() SELECT 'rank', @rank, password /* lead */ FROM t -- window"
            ),
            ""
        );
    }
}
