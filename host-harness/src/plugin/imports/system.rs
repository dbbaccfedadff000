//! Clocks and randomness.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};

use crate::bindings::system::Host;
use crate::plugin::PluginState;

/// At most so many random bytes at a call, as the contract says.
const RANDOM_MAX: u32 = 65_536;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Host for PluginState {
    fn now_unix_micros(&mut self) -> wasmtime::Result<u64> {
        // Before 1970 the clock is not set; 0 says so.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }

    fn monotonic_nanos(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn random_bytes(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        if len > RANDOM_MAX {
            return Err(wasmtime::Error::msg(format!(
                "random-bytes: {len} bytes at once, {RANDOM_MAX} are allowed"
            )));
        }
        let mut bytes = vec![0; len as usize];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| wasmtime::Error::msg("the system has no randomness"))?;
        Ok(bytes)
    }
}
