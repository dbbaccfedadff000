//! Which tables a statement reads and writes that changes rows ("Data Manipulation Statements" of the MySQL manual).
//!
//! No tree of the statement is made. Every parenthesis opens a level, and a level is in one of two states: where tables are named (behind `FROM`, `JOIN`, `UPDATE`, `USING`), or anywhere else. Names
//! are read in the first state only, each where one is expected: at its beginning and behind each comma and `JOIN`. A clause word ends it. `FROM` counts only in a level that has seen a `SELECT`, so that
//! the one in `EXTRACT(YEAR FROM d)` does not.
//!
//! What does not fit makes the result [incomplete](DataChange::complete), and nobody must decide by it. A name too many does no harm but a refusal.

use crate::cursor::Cursor;
use crate::doubts::{self, Doubt};
use crate::{ObjectName, Options, TokenKind};

/// What is done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// `INSERT`.
    Insert,
    /// `REPLACE`.
    Replace,
    /// `UPDATE`, of one table or several.
    Update,
    /// `DELETE`, from one table or several.
    Delete,
    /// `LOAD DATA` and `LOAD XML`.
    Load,
}

/// A statement that changes rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataChange {
    /// What is done.
    pub verb: Verb,
    /// Tables (or views) that are changed, or may be: of an `UPDATE` or `DELETE` of several all that are joined.
    pub writes: Vec<ObjectName>,
    /// Tables (or views) that are only read.
    pub reads: Vec<ObjectName>,
    /// Names that stand before a parenthesis, without their schemas: functions of the server, stored functions, and some keywords.
    pub calls: Vec<Vec<u8>>,
    /// Why the statement may have another effect on another server.
    pub doubts: Vec<Doubt>,
    /// Whether all names of tables were read.
    pub complete: bool,
}

/// Reads the tables of a statement that changes rows; `None` for any other, also for `CALL`, `DO` and `SELECT`, whose tables cannot be seen.
#[must_use]
pub fn data_change(sql: &[u8], options: &Options) -> Option<DataChange> {
    let mut scan = Scan {
        cursor: Cursor::new(sql, options),
        levels: vec![Level::default()],
        common: Vec::new(),
        begun: false,
        found: DataChange {
            verb: Verb::Update,
            writes: Vec::new(),
            reads: Vec::new(),
            calls: Vec::new(),
            doubts: Vec::new(),
            complete: true,
        },
    };
    // What is behind WITH stands before the verb.
    if !scan.cursor.at_word("WITH") {
        scan.begin();
    }
    if scan.begun || scan.cursor.at_word("WITH") {
        scan.go_on();
    }
    let Scan {
        levels,
        common,
        begun,
        mut found,
        ..
    } = scan;
    if !begun {
        return None;
    }
    let ends = matches!(levels.as_slice(), [level] if !level.expects);
    found.complete &= ends && !found.writes.is_empty();
    // A name of a common table expression is no table. What is written never is one.
    let is_common = |name: &ObjectName| {
        name.schema.is_none() && common.iter().any(|c| c.eq_ignore_ascii_case(&name.name))
    };
    found.complete &= !found
        .writes
        .iter()
        .any(|name| is_common(name) && found.verb != Verb::Update && found.verb != Verb::Delete);
    found.reads.retain(|name| !is_common(name));
    found.writes.retain(|name| !is_common(name));
    Some(found)
}

/// A parenthesis, or the statement itself.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// Tables are named here.
    tables: bool,
    /// One is expected now.
    expects: bool,
    /// They are changed, or may be.
    writes: bool,
    /// A `SELECT` was seen, so `FROM` names tables.
    query: bool,
    /// Behind `WITH`: names of common table expressions are expected, or stand before commas.
    common: Common,
    /// `ORDER BY` was seen.
    ordered: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Common {
    #[default]
    None,
    Name,
    Body,
}

struct Scan<'a> {
    cursor: Cursor<'a>,
    levels: Vec<Level>,
    common: Vec<Vec<u8>>,
    /// The verb was seen.
    begun: bool,
    found: DataChange,
}

/// No statement that a person has written names more tables, functions or common table expressions. Each new name is compared with all before it.
const MOST_NAMES: usize = 500;

/// Words that end the part of a query in which tables are named.
const CLAUSES: [&str; 9] = [
    "WHERE", "SET", "GROUP", "ORDER", "HAVING", "LIMIT", "UNION", "INTO", "LOCK",
];

/// Words that begin a query where a table could stand.
const QUERIES: [&str; 4] = ["SELECT", "WITH", "VALUES", "TABLE"];

/// Keywords before a parenthesis, which are no functions.
const KEYWORDS: [&str; 22] = [
    "VALUES",
    "VALUE",
    "IN",
    "AND",
    "OR",
    "NOT",
    "ON",
    "USING",
    "WHERE",
    "SELECT",
    "FROM",
    "JOIN",
    "AS",
    "EXISTS",
    "ANY",
    "ALL",
    "SOME",
    "BETWEEN",
    "LIKE",
    "SET",
    "PARTITION",
    "INDEX",
];

impl<'a> Scan<'a> {
    /// The level where the scan stands.
    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn incomplete(&mut self) {
        self.found.complete = false;
    }

    fn doubt(&mut self, doubt: Doubt) {
        if !self.found.doubts.contains(&doubt) {
            self.found.doubts.push(doubt);
        }
    }

    /// Reads the verb, and what stands between it and the first table.
    fn begin(&mut self) {
        let verb = if self.cursor.take("INSERT") {
            Verb::Insert
        } else if self.cursor.take("REPLACE") {
            Verb::Replace
        } else if self.cursor.take("UPDATE") {
            Verb::Update
        } else if self.cursor.take("DELETE") {
            Verb::Delete
        } else if self.cursor.take_all(&["LOAD", "DATA"]) || self.cursor.take_all(&["LOAD", "XML"])
        {
            Verb::Load
        } else {
            return;
        };
        self.begun = true;
        self.found.verb = verb;
        loop {
            if self.cursor.take("IGNORE") {
                self.doubt(Doubt::Ignore);
            } else if !self.cursor.take_any(&[
                "LOW_PRIORITY",
                "HIGH_PRIORITY",
                "DELAYED",
                "QUICK",
                "CONCURRENT",
            ]) {
                break;
            }
        }
        match verb {
            Verb::Insert | Verb::Replace => {
                self.cursor.take("INTO");
                self.name(true);
            }
            Verb::Load => {
                // LOCAL INFILE 'file' IGNORE INTO TABLE.
                while !self.cursor.at_word("INTO") {
                    if self.cursor.at_word("IGNORE") {
                        self.doubt(Doubt::Ignore);
                    }
                    if self.cursor.advance().is_none() {
                        break;
                    }
                }
                let named = self.cursor.take_all(&["INTO", "TABLE"]);
                if named {
                    self.name(true);
                } else {
                    self.incomplete();
                }
            }
            Verb::Update => self.expect(true),
            Verb::Delete => {
                // DELETE a, b FROM …: the tables of the list stand behind FROM too, perhaps under other names.
                if self.cursor.seek(&["FROM"]) && self.cursor.take("FROM") {
                    self.expect(true);
                } else {
                    self.incomplete();
                }
            }
        }
    }

    /// A table comes next.
    fn expect(&mut self, writes: bool) {
        let level = self.level();
        level.tables = true;
        level.expects = true;
        level.writes |= writes;
    }

    /// Reads a table's name.
    fn name(&mut self, writes: bool) {
        let Some(name) = self.table_name() else {
            self.incomplete();
            return;
        };
        let list = if writes {
            &mut self.found.writes
        } else {
            &mut self.found.reads
        };
        if list.contains(&name) {
            return;
        }
        if list.len() < MOST_NAMES {
            list.push(name);
        } else {
            self.incomplete();
        }
    }

    /// `name`, `schema.name`, and both with `.*` behind, as the list of a `DELETE` may have it.
    fn table_name(&mut self) -> Option<ObjectName> {
        let mut parts = Vec::new();
        loop {
            let token = *self.cursor.peek()?;
            if !parts.is_empty() && token.is_punctuation(b'*') {
                self.cursor.advance();
                break;
            }
            parts.push(token.identifier()?.into_owned());
            self.cursor.advance();
            if parts.len() > 2 || !self.cursor.take_punctuation(b'.') {
                break;
            }
        }
        let name = parts.pop()?;
        let schema = parts.pop();
        parts.is_empty().then_some(ObjectName { schema, name })
    }

    fn go_on(&mut self) {
        let mut before: Option<crate::Token<'a>> = None;
        while let Some(token) = self.cursor.peek().copied() {
            if self.level().expects {
                self.factor();
                before = None;
                continue;
            }
            if self.level().common == Common::Name {
                self.common_name();
                before = None;
                continue;
            }
            match token.kind {
                TokenKind::Punctuation => self.punctuation(token.text, before.as_ref()),
                TokenKind::Word => self.word(before.as_ref()),
                TokenKind::Variable if token.text.starts_with(b"@@") => {
                    self.doubt(Doubt::SystemVariable);
                    self.cursor.advance();
                }
                _ => {
                    self.cursor.advance();
                }
            }
            before = Some(token);
        }
    }

    /// Where a table is expected.
    fn factor(&mut self) {
        let Some(token) = self.cursor.peek().copied() else {
            return;
        };
        let level = self.level();
        let (writes, outermost) = (level.writes, self.levels.len() == 1);
        if token.is_punctuation(b'(') {
            self.level().expects = false;
            self.cursor.advance();
            self.levels.push(Level {
                tables: true,
                expects: true,
                writes,
                ..Level::default()
            });
            return;
        }
        if self.cursor.take("LATERAL") {
            return;
        }
        self.level().expects = false;
        if self.cursor.take("DUAL") {
            return;
        }
        if !outermost && self.cursor.at_any(&QUERIES) {
            let level = self.level();
            level.tables = false;
            level.writes = false;
            return;
        }
        // JSON_TABLE(…) and the like.
        let calls = self
            .cursor
            .peek_next()
            .is_some_and(|next| next.is_punctuation(b'('));
        if calls && token.kind == TokenKind::Word {
            return;
        }
        self.name(writes);
    }

    /// The name of a common table expression.
    fn common_name(&mut self) {
        if self.cursor.take("RECURSIVE") {
            return;
        }
        self.level().common = Common::Body;
        match self.cursor.peek().and_then(crate::Token::identifier) {
            Some(name) if self.common.len() < MOST_NAMES => {
                self.common.push(name.into_owned());
                self.cursor.advance();
            }
            _ => self.incomplete(),
        }
    }

    fn punctuation(&mut self, text: &[u8], before: Option<&crate::Token<'a>>) {
        match text {
            b"(" => {
                if let Some(name) = before.and_then(crate::Token::identifier) {
                    self.call(&name);
                }
                self.levels.push(Level::default());
            }
            b")" => {
                if self.levels.len() > 1 {
                    self.levels.pop();
                } else {
                    self.incomplete();
                }
            }
            b"," => {
                let level = self.level();
                if level.tables {
                    level.expects = true;
                } else if level.common == Common::Body {
                    level.common = Common::Name;
                }
            }
            // ODBC's { OJ … }.
            b"{" if self.level().tables => self.incomplete(),
            _ => {}
        }
        self.cursor.advance();
    }

    fn call(&mut self, name: &[u8]) {
        let is_keyword = |word: &&str| name.eq_ignore_ascii_case(word.as_bytes());
        if KEYWORDS.iter().any(is_keyword) {
            return;
        }
        if let Some(doubt) = doubts::of_call(name) {
            self.doubt(doubt);
        }
        let calls = &mut self.found.calls;
        if calls.iter().any(|call| call.eq_ignore_ascii_case(name)) {
            return;
        }
        if calls.len() < MOST_NAMES {
            calls.push(name.to_vec());
        } else {
            self.incomplete();
        }
    }

    fn word(&mut self, before: Option<&crate::Token<'a>>) {
        if !self.begun && self.levels.len() == 1 {
            self.level().common = Common::None;
            if self.cursor.take("WITH") {
                self.level().common = Common::Name;
                return;
            }
            // AS behind a common table expression's name stands here too.
            if self
                .cursor
                .at_any(&["INSERT", "REPLACE", "UPDATE", "DELETE"])
            {
                self.begin();
                return;
            }
            self.level().common = Common::Body;
            self.cursor.advance();
            return;
        }
        let Level { tables, query, .. } = *self.level();
        let cursor = &mut self.cursor;
        if cursor.take("SELECT") {
            let level = self.level();
            *level = Level {
                query: true,
                ..Level::default()
            };
        } else if cursor.take("WITH") {
            // WITH ROLLUP, WITH QUERY EXPANSION.
            if !self.cursor.at_any(&["ROLLUP", "QUERY"]) {
                self.level().common = Common::Name;
            }
        } else if cursor.take("TABLE")
            || query && cursor.take("FROM")
            || tables && cursor.take_any(&["JOIN", "STRAIGHT_JOIN"])
        {
            self.expect(false);
        } else if tables && cursor.take("USING") {
            // DELETE FROM a, b USING …; behind a JOIN columns follow.
            if !self.cursor.at_punctuation(b'(') {
                self.expect(false);
            }
        } else if tables && cursor.take("FOR") {
            // Behind FOR UPDATE nothing follows. Hints and MariaDB's FOR SYSTEM_TIME are not read.
            if !self.cursor.at_any(&["UPDATE", "SHARE"]) {
                self.incomplete();
            }
        } else if cursor.at_any(&CLAUSES) {
            self.clause();
        } else if cursor.at_word("DUPLICATE") && before.is_some_and(|token| token.is_word("ON")) {
            self.cursor.advance();
            if self.cursor.at_word("KEY") {
                self.level().tables = false;
                self.doubt(Doubt::OnDuplicateKey);
            }
        } else {
            // The next value of a sequence changes it.
            if cursor.at_word("NEXT") && cursor.peek_next().is_some_and(|t| t.is_word("VALUE")) {
                self.incomplete();
            }
            if self.cursor.at_word("CURRENT_USER") {
                self.doubt(Doubt::Function("CURRENT_USER"));
            }
            self.cursor.advance();
        }
    }

    /// A word that ends the naming of tables.
    fn clause(&mut self) {
        let orders = self.cursor.at_word("ORDER");
        let limits = self.cursor.at_word("LIMIT");
        let level = self.level();
        level.tables = false;
        level.ordered |= orders;
        if limits && !level.ordered {
            self.doubt(Doubt::Limit);
        }
        self.cursor.advance();
    }
}
