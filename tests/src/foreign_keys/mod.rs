//! Tables that are joined by foreign keys in every way, and sessions that change them at the same time.
//!
//! What is random comes from one seed, but how the sessions meet is up to the server: the same seed makes the same statements, not the same log.

mod load;
mod tables;

pub use load::{Tally, load};
pub use tables::{SCHEMAS, create};
