//! `datain verify` between real servers: what is equal and what is not, beside a pipeline that runs and without one; repairs; and how it ends.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod ends;
mod found;
mod lab;
mod load;
