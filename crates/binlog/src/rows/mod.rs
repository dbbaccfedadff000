//! Rows events, and the way from a row image to the row block.

pub(crate) mod decoder;
pub(crate) mod event;
pub(crate) mod json_changes;
pub(crate) mod temporal;
pub(crate) mod value;
