//! How far the source's clock is ahead of the host's, so that commit times can be compared with the host's own.
//!
//! The server is asked for its time (in UTC, so no time zone plays a part), and what it says is held against the middle of the round trip. Of a few
//! such questions the one with the shortest round trip counts: it is wrong by half of it at most.

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

/// Microseconds since 1970; the server's own, whatever its or the session's time zone.
const QUESTION: &[u8] = b"SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";
const QUESTIONS: u32 = 3;

/// Microseconds by which the server's clock is ahead; negative if it is behind. `now` is the host's wall clock, microseconds since 1970.
///
/// # Errors
/// Errors of the server.
pub async fn ahead_micros<S: Stream>(
    session: &mut Session<S>,
    now: impl Fn() -> u64,
) -> Result<i64, Error> {
    let mut best: Option<(u64, i64)> = None;
    for _ in 0..QUESTIONS {
        let asked = now();
        let answer = session.query_first(QUESTION).await?;
        let answered = now();
        let said = answer
            .and_then(|row| row.into_iter().next().flatten())
            .and_then(|text| text.parse().ok());
        let Some(said) = said else { continue };
        let (round_trip, ahead) = difference(asked, said, answered);
        if best.is_none_or(|(shortest, _)| round_trip < shortest) {
            best = Some((round_trip, ahead));
        }
    }
    Ok(best.map_or(0, |(_, ahead)| ahead))
}

/// The round trip, and how far the server is ahead by it.
fn difference(asked: u64, said: i64, answered: u64) -> (u64, i64) {
    let round_trip = answered.saturating_sub(asked);
    let middle = i64::try_from(asked.saturating_add(round_trip / 2)).unwrap_or(i64::MAX);
    (round_trip, said.saturating_sub(middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_stands_for_the_middle_of_the_round_trip() {
        assert_eq!(
            difference(1_000_000, 1_005_000, 1_010_000),
            (10_000, 0),
            "the same clock"
        );
        assert_eq!(difference(1_000_000, 91_005_000, 1_010_000).1, 90_000_000);
        assert_eq!(
            difference(100_000_000, 10_000_000, 100_000_000).1,
            -90_000_000
        );
        // The host's clock was set back while the server was asked.
        assert_eq!(difference(2_000, 3_000, 1_000), (0, 1_000));
    }
}
