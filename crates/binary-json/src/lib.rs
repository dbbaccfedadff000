//! MySQL's binary JSON, as JSON columns store it and row images carry it.
//!
//! The format is that of the comment at the head of MySQL's `json_binary.h`. A [`Document`] is walked by [`Document::tokens`], an iterator over
//! starts, keys, values and ends which needs no recursion. [`Document::write_text`] prints it as the server does, byte for byte; but text loses
//! types (a DECIMAL comes back as a DOUBLE, a DATE as a string), which [`Document::text_keeps_types`] tells, so that a writer can use SQL's
//! constructors where it matters. [`encode`] goes the other way: from the server's text, and the types that it has lost, to the document.
//!
//! Any bytes may be given: what does not follow the format is an [`InvalidJson`], never a panic; a document nested deeper than the server
//! allows ([`MAX_DEPTH`]), or one whose parts overlap so that a few bytes would unfold to many, is one too.
#![deny(missing_docs)]

mod container;
pub mod decimal;
pub mod encode;
mod error;
mod scalar;
mod temporal;
mod text;
mod tokens;

pub use error::InvalidJson;
pub use scalar::{Opaque, Scalar};
pub use temporal::Temporal;
pub use tokens::{Document, MAX_DEPTH, Token, Tokens};
