//! Pauses between starts: 0.2 s, doubling to 30 s, each shortened at random by up to a half, as the host's.

use std::time::Duration;

use datain_standalone_wasi::random;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

pub(crate) struct Pauses {
    next: Duration,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }

    /// There was progress: begin again with a short pause.
    pub(crate) fn reset(&mut self) {
        self.next = FIRST;
    }

    pub(crate) fn next(&mut self) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(LONGEST);
        let part = random::bytes(1)
            .first()
            .map_or(0.0, |byte| f64::from(*byte) / 255.0);
        full.mul_f64(1.0 - part / 2.0)
    }
}
