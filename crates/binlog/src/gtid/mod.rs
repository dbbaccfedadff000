//! Global transaction identifiers, and sets of them.

pub(crate) mod binary;
pub(crate) mod domain;
pub(crate) mod id;
pub(crate) mod set;
