//! Changes as JSON, one object a line, in the envelope that Debezium's MySQL connector gives them. docs/tail.md describes each field.
//!
//! [`write_row`] writes the row of a row set, [`write_statement`] a statement, each as one line. Rows come from
//! [`datain_row_block::RowSetReader`]; what a value becomes follows from its column ([`Column`]) and is decided in one place, `value.rs`.
//!
//! [`TableNames`] reads names of columns from CREATE TABLE statements, for logs that hold none.
//!
//! This crate knows neither servers nor logs nor the contract: its caller says where a change stands ([`Transaction`], [`Place`]).
#![deny(missing_docs)]

mod characters;
mod envelope;
mod statement;
mod table;
mod table_names;
mod value;

pub use characters::decode;
pub use envelope::{BranchEnd, Orders, Place, Transaction, write_branch_end, write_row};
pub use statement::{Statement, write_statement};
pub use table::{Column, Signedness, Table, numbered_names};
pub use table_names::TableNames;

/// Why a change cannot be written: its bytes are not what its column says. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unwritable(
    /// What was wrong.
    pub String,
);

impl Unwritable {
    /// A stable code for people and programs.
    pub const CODE: &'static str = "row-block.malformed";
}
