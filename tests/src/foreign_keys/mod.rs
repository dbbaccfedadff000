//! Tables that are joined by foreign keys in every way, and sessions that change them at the same time.

mod load;
mod tables;

pub use load::load;
pub use tables::{SCHEMAS, create};
