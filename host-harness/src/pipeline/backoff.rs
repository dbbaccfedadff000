//! Pauses between starts: 0.2 s, doubling to 30 s, each shortened at random by up to a half so that many pipelines do not
//! return to a server all at once.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// There was progress: begin again with a short pause.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// The next pause.
    pub(super) fn pause(&mut self) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(LONGEST);
        full.mul_f64(1.0 - random_fraction() / 2.0)
    }
}

/// 0 to 1. Without randomness the full pause is as good.
fn random_fraction() -> f64 {
    let mut byte = [0];
    match ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut byte) {
        Ok(()) => f64::from(byte[0]) / 255.0,
        Err(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_begin_anew() {
        let mut backoff = Backoff::new();
        let mut full = FIRST;
        for _ in 0..20 {
            let pause = backoff.pause();
            assert!(pause <= full && pause >= full / 2, "{pause:?} of {full:?}");
            full = (full * 2).min(LONGEST);
        }
        assert_eq!(backoff.next, LONGEST);
        backoff.reset();
        assert!(backoff.pause() <= FIRST);
    }
}
