//! Calls in calls, until the stack is full.

use std::hint::black_box;

use crate::bindings::datain::replication::types::Error;

pub(super) fn run() -> Result<(), Error> {
    Err(crate::error("hostile.depth", &deeper(0).to_string()))
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn deeper(depth: u64) -> u64 {
    let here = black_box([depth; 64]);
    deeper(black_box(depth + 1)) + black_box(here)[0]
}
