//! Changes of rows that a source has logged as statements, replayed on the target: `[apply] statements = "replay"`, docs/statement-logs.md.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod load;
mod mistaken;
mod program;
mod refusals;
mod stream;
mod temporary;
