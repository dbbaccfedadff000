//! A server's clock against datain's.
//!
//! The server is asked for its time, and datain's clock is read before and after. The server read its own somewhere between the two, so half of the way
//! there and back is the best guess, and the other half is what the guess may be wrong by. Only what is certain counts.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{Session, Stream};

/// A difference up to this is no finding, in microseconds.
const TOLERATED: u64 = 2_000_000;

/// What the clock says, once; `now` is microseconds since 1970. The finding is about the requirement `code`.
///
/// # Errors
/// Errors of the server.
pub async fn finding<S: Stream>(
    session: &mut Session<S>,
    now: impl Fn() -> u64,
    code: &str,
    server: &str,
) -> Result<Finding, Error> {
    // In a zone with daylight saving time UNIX_TIMESTAMP() is ambiguous for an hour a year.
    session.exec(b"SET time_zone = '+00:00'").await?;
    let before = now();
    let row = session
        .query_first(b"SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS UNSIGNED)")
        .await?;
    let after = now();
    let there: Option<u64> = row
        .and_then(|row| row.into_iter().next().flatten())
        .and_then(|text| text.parse().ok());
    Ok(match there {
        Some(there) => judge(before, there, after, code, server),
        None => Finding::not_checked(code, "the server did not tell its time"),
    })
}

fn judge(before: u64, there: u64, after: u64, code: &str, server: &str) -> Finding {
    let here = before.midpoint(after);
    let difference = there.abs_diff(here);
    let certain = difference.saturating_sub(after.saturating_sub(before) / 2);
    let word = if there >= here { "ahead of" } else { "behind" };
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
        let check = |before: u64, there: u64, after: u64, severity: Severity, text: &str| {
            let s = 1_000_000;
            let finding = judge(
                before * s,
                there * s,
                after * s,
                "source.clock-skew",
                "source",
            );
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
    }
}
