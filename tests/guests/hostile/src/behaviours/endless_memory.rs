//! More and more memory, all of it written to.

use std::hint::black_box;

use crate::bindings::datain::replication::types::Error;

pub(super) fn run() -> Result<(), Error> {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![0xa5_u8; 1 << 20]));
    }
}
