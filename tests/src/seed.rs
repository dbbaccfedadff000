//! The seed of a random test: printed, and taken from `DATAIN_SEED` to repeat a run.
//!
//! A normal run always draws the same, so that what it says of a change is not a matter of luck; long runs look for what nobody has seen yet.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// Source of everything that is random in a test.
pub type Rng = fastrand::Rng;

/// The seed of a normal run. Tests count up from a seed for their further parts.
const USUAL: u64 = 1_000;

/// The seed of this run, which is printed: `DATAIN_SEED`; else one that is new at every call in a long run, and always the same in a normal one.
///
/// # Panics
/// When `DATAIN_SEED` is no number.
#[must_use]
pub fn seed(test: &str) -> u64 {
    let seed = match env::var("DATAIN_SEED") {
        Ok(text) => text.parse().expect("DATAIN_SEED is a number"),
        Err(_) if !long() => USUAL,
        // Short, so that it is easily typed; the next ones are left to further parts of the same run.
        Err(_) => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |age| age.as_millis() as u64 % 100_000_000 * 1000),
    };
    println!("{test}: DATAIN_SEED={seed}");
    seed
}

/// Whether this is a long run (`cargo xtask test --long`).
#[must_use]
pub fn long() -> bool {
    env::var("DATAIN_LONG").is_ok_and(|value| !value.is_empty() && value != "0")
}

/// True in so many of a hundred cases.
pub fn chance(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(0..100) < percent
}

/// One of several.
///
/// # Panics
/// When there is none.
pub fn pick<T: Clone>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(0..of.len())].clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_what_came_of_it() {
        let drawn = |seed| {
            let mut rng = Rng::with_seed(seed);
            (0..20)
                .map(|_| (chance(&mut rng, 50), pick(&mut rng, &[1, 2, 3])))
                .collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }
}
