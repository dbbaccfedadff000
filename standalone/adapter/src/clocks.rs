//! `system`: clocks and randomness.

use datain_standalone_wasi::clock;
use datain_standalone_wasi::random;

use crate::Adapter;
use crate::bindings::exports::datain::replication::system;

/// At most so many random bytes at a call, as the contract says.
const RANDOM_MAX: u32 = 65_536;

impl system::Guest for Adapter {
    fn now_unix_micros() -> u64 {
        u64::try_from(clock::since_1970().as_micros()).unwrap_or(u64::MAX)
    }

    fn monotonic_nanos() -> u64 {
        clock::Moment::now().nanos()
    }

    fn random_bytes(len: u32) -> Vec<u8> {
        // More at once is against the contract, and ends a plugin elsewhere.
        assert!(len <= RANDOM_MAX, "random-bytes: too many at once");
        random::bytes(len as usize)
    }
}
