//! A loop without end that calls nothing.

use std::hint::black_box;

use crate::bindings::datain::replication::types::Error;

pub(super) fn run() -> Result<(), Error> {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}
