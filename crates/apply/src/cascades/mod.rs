//! Cascades as statements, where neither the log nor the target can be left to them.
//!
//! Before MySQL 9.6, or with innodb_native_foreign_keys=ON, a source logs the change of a parent's row only; what its foreign keys do to other tables
//! has to happen on the target again. InnoDB's own cascades do exactly that. But a target that runs cascades in the SQL layer (since 9.6, by default) may leave rows
//! out without a word. Measured on 9.7.4: as soon as one cascade leads to another one, with chains of four tables, with two foreign keys to one parent,
//! and with circles; and, in one step already, where the new key is the old one by its collation but other bytes ('b' becomes 'B'): the first row
//! that refers to it follows, the others do not, and ON UPDATE SET NULL does nothing. Deletes of one step have never differed. A table that refers
//! to itself is refused there with errno 6575.
//!
//! So on such a target the rows of tables whose cascades lead further, and updates of keys that rows refer to, are written with foreign_key_checks=0, and the cascades as statements of
//! their own before each row's, from the far end to the near one: a condition names rows by those of the tables before, which are still there.
//! The source has checked everything already, so only its effects are repeated.

mod graph;
mod plan;

pub use graph::{Action, Graph, Link, Place};
pub use plan::{Plans, plan};
