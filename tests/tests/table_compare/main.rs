//! Tables compared by two servers: equal ones are equal, and whatever differs is found and named.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod bits;
#[path = "../loading/corners.rs"]
mod corners;
mod equal;
mod flavors;
#[path = "../table_scan/key_types.rs"]
mod key_types;
mod pairs;
mod ranges;
mod speed;
mod traps;
