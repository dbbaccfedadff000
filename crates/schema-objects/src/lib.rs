//! Everything that must be on a target before rows are copied to it: schemas, tables, views, routines; and what is held back until the cutover: triggers and events.
//!
//! * [`read`](read::read) asks a source, object by object, for what SHOW CREATE says, and for the session in which each was made. What the account may not see is a finding,
//!   never an absence.
//! * [`plan`](plan::plan) puts them into an order in which each finds what it needs, cuts what the target lacks, and may set the indexes of large tables aside until their rows are there.
//! * What comes of it is a list of [`Object`]s: plain data, which can cross any boundary. Running it is the business of whoever writes to the target.
//!
//! Nothing is parsed but by the tokens of `datain-sql-statement`, and what is not cut stays as the source wrote it, byte for byte. The bytes are in no one character set: a
//! default may hold gbk in the middle of UTF-8, a view's text is in the character set of the session that made it. So nothing here takes them for text.
//!
//! No I/O: the functions that ask work on any [`Session`](datain_mysql_client::Session).

mod definer;
mod edit;
pub mod indexes;
mod object;
pub mod plan;
pub mod read;
mod same;
mod schema_text;
mod table_text;

pub use definer::without as without_definer;
pub use object::{Context, Kind, Object, Phase};
pub use same::is_same;
pub use schema_text::default_characters;
