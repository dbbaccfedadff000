//! A server's clock against datain's.
//!
//! The server is asked for its time, and datain's clock is read before and after. The server read its own somewhere between the two, so half of the way
//! there and back is the best guess, and the other half is what the guess may be wrong by. Only what is certain counts.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{Session, Stream};

/// A difference up to this is no finding, in microseconds.
const TOLERATED: u64 = 2_000_000;

/// The server's own, in UTC, so that no time zone plays a part.
const QUESTION: &[u8] = b"SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";
/// Of so many questions the one with the shortest round trip counts.
const QUESTIONS: u32 = 3;

/// One clock against another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Microseconds by which the server's clock is ahead of datain's; negative if it is behind.
    pub ahead_micros: i64,
    /// How long the question was on its way; the difference is wrong by half of it at most.
    pub round_trip_micros: u64,
}

impl Measured {
    fn new(asked: u64, said: i64, answered: u64) -> Self {
        let round_trip_micros = answered.saturating_sub(asked);
        let middle = i64::try_from(asked.saturating_add(round_trip_micros / 2)).unwrap_or(i64::MAX);
        Measured {
            ahead_micros: said.saturating_sub(middle),
            round_trip_micros,
        }
    }
}

/// Asks the server for its time. `now` is datain's clock, microseconds since 1970. None when the server does not tell.
///
/// # Errors
/// Errors of the server.
pub async fn measure<S: Stream>(
    session: &mut Session<S>,
    now: impl Fn() -> u64,
) -> Result<Option<Measured>, Error> {
    let mut best: Option<Measured> = None;
    for _ in 0..QUESTIONS {
        let asked = now();
        let answer = session.query_first(QUESTION).await?;
        let answered = now();
        let said = answer
            .and_then(|row| row.into_iter().next().flatten())
            .and_then(|text| text.parse().ok());
        let Some(said) = said else { continue };
        let measured = Measured::new(asked, said, answered);
        if best.is_none_or(|best| measured.round_trip_micros < best.round_trip_micros) {
            best = Some(measured);
        }
    }
    Ok(best)
}

/// What the clock says, as a finding about the requirement `code`; `now` as for [`measure`].
///
/// # Errors
/// Errors of the server.
pub async fn finding<S: Stream>(
    session: &mut Session<S>,
    now: impl Fn() -> u64,
    code: &str,
    server: &str,
) -> Result<Finding, Error> {
    Ok(match measure(session, now).await? {
        Some(measured) => judge(measured, code, server),
        None => Finding::not_checked(code, "the server did not tell its time"),
    })
}

fn judge(measured: Measured, code: &str, server: &str) -> Finding {
    let difference = measured.ahead_micros.unsigned_abs();
    let certain = difference.saturating_sub(measured.round_trip_micros / 2);
    let word = if measured.ahead_micros >= 0 {
        "ahead of"
    } else {
        "behind"
    };
    let seconds = difference.div_ceil(100_000);
    Finding::judge(
        code,
        certain <= TOLERATED,
        Severity::Warning,
        format!(
            "the {server}'s clock is {}.{} s {word} datain's",
            seconds / 10,
            seconds % 10
        ),
    )
    .remedy(format!(
        "synchronise the clocks of the {server} and of datain's machine (NTP)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_certain_difference_is_a_finding() {
        let check = |before: u64, there: i64, after: u64, severity: Severity, text: &str| {
            let measured = Measured::new(before * 1_000_000, there * 1_000_000, after * 1_000_000);
            let finding = judge(measured, "source.clock-skew", "source");
            assert_eq!(finding.severity, severity, "{}", finding.message);
            assert!(finding.message.contains(text), "{}", finding.message);
        };
        check(100, 100, 100, Severity::Passed, "0.0 s");
        check(100, 102, 100, Severity::Passed, "2.0 s ahead");
        check(100, 103, 100, Severity::Warning, "3.0 s ahead of");
        check(100, 90, 100, Severity::Warning, "10.0 s behind");
        // The answer took 10 s: 7 s ahead of the middle may be 2 s.
        check(100, 112, 110, Severity::Passed, "7.0 s ahead");
        check(100, 113, 110, Severity::Warning, "8.0 s ahead");
        // datain's clock was set back while the server was asked.
        check(110, 111, 100, Severity::Passed, "1.0 s ahead");
    }
}
