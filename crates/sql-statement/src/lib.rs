//! Reads just enough of a SQL statement to decide what replication must do with it.
//!
//! A MySQL server writes DDL to its binary log as text. datain passes that text on as the source wrote it, and never
//! parses it: a parser that does not know tomorrow's syntax is the field's commonest way to stop for good. What filters
//! and rules need is far less than a syntax tree: which kind of statement this is, and which objects it creates,
//! changes or drops. A tokenizer and the first few words answer that.
//!
//! * [`Tokens`] splits the bytes of a statement as the server's own scanner does: comments are skipped, the content of
//!   executable comments is seen, strings hide what they contain.
//! * [`classify`] names the [`Kind`] of a statement and its targets.
//! * [`data_change`] names the tables that an `INSERT`, `UPDATE`, `DELETE`, `REPLACE` or `LOAD DATA` reads and writes, [`created_from`] those that a `CREATE TABLE … SELECT` reads.
//! * [`TableFilter`] holds the operator's patterns, and judges tables, schemas and whole statements.
//! * [`script`] takes a file of statements apart, [`created_columns`] reads the names of columns in a `CREATE TABLE`: for people, who want names where the
//!   log has none.
//! * [`first_words`] describes a statement in a log message without showing any value of it.
//!
//! Statements are bytes in the client's character set, which the Query event names. They need not be UTF-8, and in
//! some character sets the second byte of a character may be a backslash or a backtick: see [`Charset`].
//!
//! Nothing here does I/O, panics, or takes more than linear time, whatever the bytes are.
//!
//! # Example
//!
//! ```
//! use datain_sql_statement::{Kind, Options, TableAction, TableFilter, Verdict, classify};
//!
//! let options = Options::default();
//! let statement = classify(b"RENAME TABLE orders TO archive.orders_old", &options);
//! assert_eq!(statement.kind, Kind::Table(TableAction::Rename));
//!
//! let filter = TableFilter::new(&["shop.*".to_string()], &[])?;
//! assert_eq!(filter.judge(&statement, "shop", options.charset), Verdict::Mixed);
//! # Ok::<(), datain_sql_statement::FilterError>(())
//! ```
//!
//! # Where the facts come from
//!
//! MySQL Reference Manual, chapters "Language Structure" ("String Literals", "Schema Object Names", "Identifier
//! Qualifiers", "Comments") and "SQL Statements" (the page of each statement), and "Server SQL Modes"; MariaDB
//! documentation, "Comment Syntax" and the pages of its own statements.

mod change;
mod charset;
mod classify;
mod create_table;
mod created_columns;
mod cursor;
mod data_change;
mod doubts;
mod filter;
mod options;
mod pattern;
mod script;
mod statement;
mod token;
mod tokens;
mod verdict;
mod words;
mod xid;

pub use charset::Charset;
pub use classify::classify;
pub use create_table::created_from;
pub use created_columns::created_columns;
pub use data_change::{DataChange, Verb, data_change};
pub use doubts::Doubt;
pub use filter::{FilterError, NameCase, TableFilter, is_never_replicated};
pub use options::{Dialect, Options};
pub use pattern::PatternError;
pub use script::{ScriptStatement, script};
pub use statement::{Action, Kind, ObjectName, Savepoint, Statement, TableAction, Xa};
pub use token::{Token, TokenKind};
pub use tokens::Tokens;
pub use verdict::Verdict;
pub use words::{first_words, is_transaction_control};
pub use xid::Xid;
