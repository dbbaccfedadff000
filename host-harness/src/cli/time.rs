//! Times as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub(super) fn now_micros() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

/// Seconds with one digit. A lag of 0 says that the target is in step, so what is more is never rounded down to it.
pub(super) fn tenths(seconds: f64) -> String {
    let shown = if seconds > 0.0 {
        seconds.max(0.1)
    } else {
        seconds
    };
    format!("{shown:.1}")
}

/// `YYYY-MM-DD HH:MM:SS UTC` for microseconds since 1970.
pub(super) fn utc_micros(micros: u64) -> String {
    utc(micros / 1_000_000)
}

/// `YYYY-MM-DD HH:MM:SS UTC`, in the Gregorian calendar.
fn utc(seconds: u64) -> String {
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    // Years counted from March, so that the leap day is the last day of a year; 719,468 days lie between 0000-03-01 and 1970-01-01.
    let shifted = day + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day_of_month:02} {hour:02}:{minute:02}:{:02} UTC",
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_0_is_0() {
        for (seconds, text) in [
            (0.0, "0.0"),
            (0.001, "0.1"),
            (0.14, "0.1"),
            (0.16, "0.2"),
            (7.04, "7.0"),
        ] {
            assert_eq!(tenths(seconds), text);
        }
    }

    #[test]
    fn dates() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(4_107_542_400), "2100-03-01 00:00:00 UTC");
        assert_eq!(utc(1_795_379_890), "2026-11-22 20:38:10 UTC");
    }
}
