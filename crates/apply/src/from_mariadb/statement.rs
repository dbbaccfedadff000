//! The text of a MariaDB's statement, in MySQL's words. Still no parser: tokens are changed where they stand, and all else stays as it was written.
//!
//! | MariaDB | MySQL |
//! |---|---|
//! | `COLLATE` with a collation that MySQL lacks | its stand-in ([`collations`](super::collations)) |
//! | the type `JSON` | `LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin CHECK (json_valid(…))`, which is what it is in MariaDB: MySQL's JSON keeps other bytes, and numbers with fewer digits |
//! | `DEFAULT` with a literal, for a TEXT, BLOB or JSON | in parentheses: MySQL allows only expressions there |
//! | `DEFAULT` with a function but NOW, as in `DEFAULT uuid()` | in parentheses |
//! | `PERSISTENT` behind a computed column | `STORED` |
//!
//! Types that MySQL has not are named in an error, in place of a syntax error somewhere near them. What stands in comments that MariaDB alone runs MySQL would pass over without a word, so that
//! is an error too; but for COMPRESSED, which says how values are kept.

use std::ops::Range;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Statement};
use datain_sql_statement::{
    Dialect, Kind, Options, TableAction, Token, TokenKind, Tokens, classify,
};

use super::collations;
use crate::ddl;
use crate::mapping::Collations;

/// What an element of CREATE TABLE's list begins with that is no column. All but PERIOD and VECTOR are reserved.
const NO_COLUMN: &[&str] = &[
    "INDEX",
    "KEY",
    "FULLTEXT",
    "SPATIAL",
    "UNIQUE",
    "PRIMARY",
    "FOREIGN",
    "CONSTRAINT",
    "CHECK",
    "PARTITION",
    "SYSTEM",
];
/// Types whose default MySQL takes only as an expression.
const LARGE: &[&str] = &[
    "TINYTEXT",
    "TEXT",
    "MEDIUMTEXT",
    "LONGTEXT",
    "TINYBLOB",
    "BLOB",
    "MEDIUMBLOB",
    "LONGBLOB",
    "LONG",
    "JSON",
    "VECTOR",
];
/// Functions that may stand behind DEFAULT without parentheses on both.
const NOW: &[&str] = &["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"];
/// Types that only MariaDB has.
const FOREIGN: &[&str] = &["UUID", "INET4", "INET6"];

/// A range of the statement, and what is to stand there.
type Change = (Range<usize>, Vec<u8>);

/// The statement's text for MySQL.
///
/// # Errors
/// `ddl.mariadb-only`.
pub(super) fn adapted(statement: &Statement, target: &Collations) -> Result<Vec<u8>, Error> {
    let options = ddl::options(statement);
    let as_mysql = Options {
        dialect: Dialect::MySql,
        ..options
    };
    let tokens: Vec<Token<'_>> = Tokens::new(&statement.sql, &as_mysql).collect();
    if passed_over(&statement.sql, Tokens::new(&statement.sql, &options)) {
        return Err(Error::reconfigure(
            "ddl.mariadb-only",
            "the statement has words in a comment that MariaDB runs and the target would pass over",
        )
        .detail(format!("statement: {} …", ddl::summary(statement)))
        .hint("make what it means on the target by hand, and leave it out with datain skip"));
    }
    let mut changes = collate(&tokens, target);
    let columns = match classify(&statement.sql, &options).kind {
        Kind::Table(TableAction::Create) => created(&tokens),
        Kind::Table(TableAction::Alter) => altered(&tokens),
        _ => Vec::new(),
    };
    for column in columns {
        if let Some(name) = FOREIGN.iter().find(|name| column.is_of(name)) {
            return Err(Error::reconfigure(
                "ddl.mariadb-only",
                format!("the statement makes a column of the type {name}, which the target does not have"),
            )
            .detail(format!("statement: {} …", ddl::summary(statement)))
            .hint("exclude the table in [replicate]; or give the column another type on the source, such as CHAR(36) for a UUID, copy the table by hand, and leave this statement out with datain skip"));
        }
        column.change(&mut changes);
    }
    changes.sort_by_key(|(range, _)| (range.start, range.end));
    Ok(replaced(&statement.sql, &changes))
}

/// Whether MySQL would take words for a comment that MariaDB has run, and that matter: those in `/*M! … */`, and in `/*!NNNNNN … */` with a version of MariaDB's, which MySQL takes for a
/// newer one than it is. (Comments that MariaDB has not run are ordinary ones in its log.)
fn passed_over<'a>(sql: &[u8], tokens: impl Iterator<Item = Token<'a>>) -> bool {
    const HOW_IT_IS_KEPT: [&str; 2] = ["COMPRESSED", "ZLIB"];
    let (mut inside, mut end) = (false, 0);
    for token in tokens {
        let between = sql.get(end..token.start).unwrap_or_default();
        end = token.end();
        let mut marks = between.windows(3).enumerate();
        let opens = marks.rfind(|(at, mark)| {
            let version = between.get(at + 3..at + 9).unwrap_or_default();
            *mark == b"/*M"
                || *mark == b"/*!" && version.len() == 6 && version.iter().all(u8::is_ascii_digit)
        });
        let closes = between.windows(2).rposition(|mark| mark == b"*/");
        inside = match (opens, closes) {
            (Some((opens, _)), closes) => closes.is_none_or(|closes| closes < opens),
            (None, Some(_)) => false,
            (None, None) => inside,
        };
        let is_harmless =
            token.is_punctuation(b'=') || HOW_IT_IS_KEPT.iter().any(|word| token.is_word(word));
        if inside && !is_harmless {
            return true;
        }
    }
    false
}

fn replaced(sql: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut out = Vec::with_capacity(sql.len() + 64);
    let mut at = 0;
    for (range, new) in changes {
        out.extend_from_slice(sql.get(at..range.start).unwrap_or_default());
        out.extend_from_slice(new);
        at = range.end.max(at);
    }
    out.extend_from_slice(sql.get(at..).unwrap_or_default());
    out
}

/// The names behind COLLATE that the target does not know. Without a stand-in they stay, and the target refuses them.
fn collate(tokens: &[Token<'_>], target: &Collations) -> Vec<Change> {
    let mut changes = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if !token.is_word("COLLATE") {
            continue;
        }
        let sign = usize::from(tokens.get(at + 1).is_some_and(|t| t.is_punctuation(b'=')));
        let Some(value) = tokens.get(at + 1 + sign) else {
            continue;
        };
        let name = match value.identifier() {
            Some(name) => String::from_utf8_lossy(&name).into_owned(),
            None => String::from_utf8_lossy(value.text)
                .trim_matches(['\'', '"'])
                .to_owned(),
        };
        if target.number(&name).is_none()
            && let Some(stand_in) = collations::stand_in(&name, target)
        {
            changes.push((value.start..value.end(), stand_in.into_bytes()));
        }
    }
    changes
}

/// A column's definition: its name, its type, and the rest.
struct Column<'a> {
    name: Token<'a>,
    rest: &'a [Token<'a>],
}

impl<'a> Column<'a> {
    /// The definition that begins with the column's name.
    fn of(tokens: &'a [Token<'a>]) -> Option<Self> {
        let (name, rest) = tokens.split_first()?;
        name.identifier()?;
        rest.first()
            .is_some_and(|kind| kind.kind == TokenKind::Word)
            .then_some(Self { name: *name, rest })
    }

    fn is_of(&self, kind: &str) -> bool {
        self.rest.first().is_some_and(|token| token.is_word(kind))
    }

    fn change(&self, changes: &mut Vec<Change>) {
        let next_is = |words: &[&str]| {
            let next = self.rest.get(1);
            next.is_some_and(|next| words.iter().any(|word| next.is_word(word)))
        };
        if let Some(kind) = self.rest.first().filter(|_| self.is_of("JSON")) {
            let mut text = b"LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin".to_vec();
            // Nothing may stand between the type of a computed column and its expression, which makes its values valid anyway or not.
            if !next_is(&["AS", "GENERATED"]) {
                text.extend_from_slice(b" CHECK (json_valid(");
                text.extend_from_slice(self.name.text);
                text.extend_from_slice(b"))");
            }
            changes.push((kind.start..kind.end(), text));
        }
        let is_large = LARGE.iter().any(|kind| self.is_of(kind));
        let mut depth = 0_usize;
        for (at, token) in self.rest.iter().enumerate() {
            if token.is_punctuation(b'(') {
                depth += 1;
            } else if token.is_punctuation(b')') {
                depth = depth.saturating_sub(1);
            } else if depth == 0 && token.is_word("PERSISTENT") {
                changes.push((token.start..token.end(), b"STORED".to_vec()));
            } else if depth == 0 && token.is_word("DEFAULT") {
                let value = self.rest.get(at + 1..).unwrap_or_default();
                if let Some(length) = to_enclose(value, is_large)
                    && let (Some(first), Some(last)) = (value.first(), value.get(length - 1))
                {
                    changes.push((first.start..first.start, b"(".to_vec()));
                    changes.push((last.end()..last.end(), b")".to_vec()));
                }
            }
        }
    }
}

/// How many tokens behind DEFAULT need parentheses around them; none where none do.
fn to_enclose(value: &[Token<'_>], is_large: bool) -> Option<usize> {
    let (first, rest) = value.split_first()?;
    match first.kind {
        TokenKind::Word if first.is_word("NULL") => None,
        TokenKind::Word if NOW.iter().any(|word| first.is_word(word)) => None,
        TokenKind::Word if rest.first().is_some_and(|next| next.is_punctuation(b'(')) => {
            let mut depth = 0_usize;
            for (at, token) in rest.iter().enumerate() {
                if token.is_punctuation(b'(') {
                    depth += 1;
                } else if token.is_punctuation(b')') {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 2);
                    }
                }
            }
            None
        }
        // _utf8mb4 'text'
        TokenKind::Word if is_large && first.text.starts_with(b"_") => Some(2),
        TokenKind::String | TokenKind::Number if is_large => Some(1),
        TokenKind::Punctuation if is_large && first.is_punctuation(b'-') => Some(2),
        _ => None,
    }
}

/// The columns in the list of a CREATE TABLE.
fn created<'a>(tokens: &'a [Token<'a>]) -> Vec<Column<'a>> {
    let Some(open) = tokens.iter().position(|token| token.is_punctuation(b'(')) else {
        return Vec::new();
    };
    in_list(tokens.get(open + 1..).unwrap_or_default())
}

/// The columns in a list in parentheses, of which the opening one has been passed.
fn in_list<'a>(tokens: &'a [Token<'a>]) -> Vec<Column<'a>> {
    elements(tokens)
        .into_iter()
        .filter(|element| !begins_no_column(element))
        .filter_map(Column::of)
        .collect()
}

fn begins_no_column(element: &[Token<'_>]) -> bool {
    let is = |at: usize, word: &str| element.get(at).is_some_and(|token| token.is_word(word));
    NO_COLUMN.iter().any(|word| is(0, word))
        || is(0, "PERIOD") && is(1, "FOR")
        || is(0, "VECTOR") && (is(1, "INDEX") || is(1, "KEY"))
}

/// What commas part, up to the parenthesis that closes the list, or the end.
fn elements<'a>(tokens: &'a [Token<'a>]) -> Vec<&'a [Token<'a>]> {
    let mut list = Vec::new();
    let (mut begun, mut depth) = (0, 0_usize);
    let mut end = tokens.len();
    for (at, token) in tokens.iter().enumerate() {
        if token.is_punctuation(b'(') {
            depth += 1;
        } else if token.is_punctuation(b')') {
            if depth == 0 {
                end = at;
                break;
            }
            depth -= 1;
        } else if depth == 0 && token.is_punctuation(b',') {
            list.extend(tokens.get(begun..at));
            begun = at + 1;
        }
    }
    list.extend(tokens.get(begun..end));
    list
}

/// The columns that an ALTER TABLE adds or defines anew.
fn altered<'a>(tokens: &'a [Token<'a>]) -> Vec<Column<'a>> {
    let Some(table) = tokens.iter().position(|token| token.is_word("TABLE")) else {
        return Vec::new();
    };
    let mut columns = Vec::new();
    for element in elements(tokens.get(table + 1..).unwrap_or_default()) {
        let verb = element.iter().position(|token| {
            token.is_word("ADD") || token.is_word("MODIFY") || token.is_word("CHANGE")
        });
        let Some((verb, mut rest)) = verb.and_then(|at| element.get(at..)?.split_first()) else {
            continue;
        };
        for word in ["COLUMN", "IF", "NOT", "EXISTS"] {
            rest = match rest.split_first() {
                // A column may be called COLUMN only in quotes, and so with the others but EXISTS, which is reserved as well.
                Some((first, behind)) if first.is_word(word) => behind,
                _ => rest,
            };
        }
        if verb.is_word("CHANGE") {
            rest = rest.get(1..).unwrap_or_default();
        }
        match rest.split_first() {
            Some((first, list)) if first.is_punctuation(b'(') => columns.extend(in_list(list)),
            _ if begins_no_column(rest) => {}
            _ => columns.extend(Column::of(rest)),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use datain_contract::types::SessionContext;

    fn statement(sql: &str) -> Statement {
        Statement {
            sql: sql.as_bytes().to_vec(),
            default_schema: None,
            context: SessionContext {
                sql_mode: None,
                flags2: None,
                charset_client: None,
                collation_connection: None,
                collation_server: None,
                collation_database: None,
                time_zone: None,
                auto_increment_increment: None,
                auto_increment_offset: None,
                lc_time_names: None,
                default_collation_for_utf8mb4: None,
                character_set_collations: Some(Vec::new()),
                explicit_defaults_for_timestamp: None,
                sql_require_primary_key: None,
                default_table_encryption: None,
                timestamp_micros: 0,
            },
            error_code: 0,
            session: None,
            temporary: datain_contract::types::TemporaryTables::None,
            file: None,
        }
    }

    fn check(sql: &str, expected: &str) {
        let rows = [("255", "utf8mb4", "utf8mb4_0900_ai_ci")];
        let text = |text: &str| Some(text.to_owned());
        let rows = rows.map(|(id, charset, name)| vec![text(id), text(charset), text(name)]);
        let target = Collations::from_answer(&rows);
        let found = adapted(&statement(sql), &target).map(|sql| String::from_utf8(sql).unwrap());
        let found = found.unwrap_or_else(|error| error.code);
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn collations_have_stand_ins_wherever_they_are_named() {
        check(
            "CREATE TABLE `COLLATE` (a TEXT COLLATE utf8mb4_uca1400_ai_ci COMMENT 'COLLATE utf8mb4_uca1400_ai_ci') COLLATE=`utf8mb4_uca1400_ai_ci`",
            "CREATE TABLE `COLLATE` (a TEXT COLLATE utf8mb4_0900_ai_ci COMMENT 'COLLATE utf8mb4_uca1400_ai_ci') COLLATE=utf8mb4_0900_ai_ci",
        );
        check(
            "CREATE VIEW v AS SELECT a COLLATE uca1400_ai_ci, b COLLATE latin1_nopad_bin FROM t",
            "CREATE VIEW v AS SELECT a COLLATE utf8mb4_0900_ai_ci, b COLLATE latin1_nopad_bin FROM t",
        );
    }

    #[test]
    fn json_is_the_text_that_it_is_there() {
        const LONG: &str = "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
        check(
            "CREATE TABLE t (json INT, `j` JSON NOT NULL, k JSON AS (json) PERSISTENT, l INT COMMENT 'JSON', KEY json (json))",
            &format!(
                "CREATE TABLE t (json INT, `j` {LONG} CHECK (json_valid(`j`)) NOT NULL, k {LONG} AS (json) STORED, l INT COMMENT 'JSON', KEY json (json))"
            ),
        );
        check(
            "ALTER TABLE json ADD COLUMN IF NOT EXISTS a JSON, ADD (b JSON, c INT), CHANGE json json INT, MODIFY d JSON FIRST, ADD INDEX (json), DROP json",
            &format!(
                "ALTER TABLE json ADD COLUMN IF NOT EXISTS a {LONG} CHECK (json_valid(a)), ADD (b {LONG} CHECK (json_valid(b)), c INT), CHANGE json json INT, \
                 MODIFY d {LONG} CHECK (json_valid(d)) FIRST, ADD INDEX (json), DROP json"
            ),
        );
        check(
            "CREATE FUNCTION f (j JSON) RETURNS JSON RETURN j",
            "CREATE FUNCTION f (j JSON) RETURNS JSON RETURN j",
        );
    }

    #[test]
    fn defaults_that_mysql_takes_only_as_expressions() {
        check(
            "CREATE TABLE t (a TEXT DEFAULT 'x' NOT NULL, b TEXT DEFAULT NULL, c CHAR(36) DEFAULT uuid(), d DATE DEFAULT curdate() COMMENT 'DEFAULT f()', \
             e TIMESTAMP DEFAULT current_timestamp() ON UPDATE current_timestamp(), f INT DEFAULT -1, g BLOB DEFAULT x'00', h INT DEFAULT (f(1)), i TEXT DEFAULT _latin1'x')",
            "CREATE TABLE t (a TEXT DEFAULT ('x') NOT NULL, b TEXT DEFAULT NULL, c CHAR(36) DEFAULT (uuid()), d DATE DEFAULT (curdate()) COMMENT 'DEFAULT f()', \
             e TIMESTAMP DEFAULT current_timestamp() ON UPDATE current_timestamp(), f INT DEFAULT -1, g BLOB DEFAULT (x'00'), h INT DEFAULT (f(1)), i TEXT DEFAULT (_latin1'x'))",
        );
        check(
            "ALTER TABLE t MODIFY a TEXT DEFAULT concat('a', (1)), ALTER COLUMN b SET DEFAULT 5",
            "ALTER TABLE t MODIFY a TEXT DEFAULT (concat('a', (1))), ALTER COLUMN b SET DEFAULT 5",
        );
        // Cut off.
        check(
            "CREATE TABLE t (a TEXT DEFAULT f(",
            "CREATE TABLE t (a TEXT DEFAULT f(",
        );
    }

    #[test]
    fn what_mysql_would_pass_over_is_refused() {
        let kept = "CREATE TABLE t (a TEXT /*M!100301 COMPRESSED*/ COMMENT '/*M! x */')";
        check(kept, kept);
        check("/*M! CREATE TABLE t (a INT) */", "ddl.mariadb-only");
        check("CREATE TABLE t (a INT /*M! UNIQUE */)", "ddl.mariadb-only");
        check(
            "CREATE TABLE t (a INT /* b */ /*!100100 UNIQUE */)",
            "ddl.mariadb-only",
        );
        let both = "CREATE TABLE t (a TEXT /*!100301 COMPRESSED*/, b INT /*!50100 UNIQUE */)";
        check(both, both);
        let unrun = "CREATE TABLE t (a INT /* 80000 UNIQUE */)";
        check(unrun, unrun);
    }

    #[test]
    fn types_that_mysql_has_not_are_named() {
        check("CREATE TABLE t (id UUID)", "ddl.mariadb-only");
        check("CREATE TABLE t (uuid INT)", "CREATE TABLE t (uuid INT)");
        check("ALTER TABLE t ADD COLUMN a inet6", "ddl.mariadb-only");
    }
}
