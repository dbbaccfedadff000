//! `datain throttle`: other limits for the first copy that a running host makes.

use clap::Args;

use super::{ConfigFile, Finish, output};
use crate::config::{MOST_THROTTLE, Throttle, ThrottleChange};
use crate::control::{self, Answered, Running};
use crate::error::{Error, Kind, Result};

#[derive(Args, Debug)]
pub(super) struct ThrottleArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Rows read from the source a second at most.
    #[arg(long, value_name = "N|off", value_parser = |text: &str| number(text, MOST_THROTTLE.rows_per_second))]
    rows_per_second: Option<u32>,
    /// MiB of rows read from the source a second at most.
    #[arg(long, value_name = "N|off", value_parser = |text: &str| number(text, MOST_THROTTLE.mib_per_second))]
    mib_per_second: Option<u32>,
    /// Nothing is read while more other sessions than this are at work on the source.
    #[arg(long, value_name = "N|off", value_parser = |text: &str| number(text, MOST_THROTTLE.source_load))]
    source_load: Option<u32>,
    /// Nothing is read while a part of the copy waits for the target for longer than so many milliseconds.
    #[arg(long, value_name = "MS|off", value_parser = |text: &str| number(text, MOST_THROTTLE.target_lag_ms))]
    target_lag_ms: Option<u32>,
    /// The share of the time in which is read while others are at work on the source.
    #[arg(long, value_name = "1-100|off", value_parser = share)]
    busy_share_percent: Option<u32>,
}

fn number(text: &str, most: u32) -> std::result::Result<u32, String> {
    if text == "off" {
        return Ok(0);
    }
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("it must be 1 to {most}, or off")),
    }
}

fn share(text: &str) -> std::result::Result<u32, String> {
    match number(text, MOST_THROTTLE.busy_share_percent)? {
        0 => Ok(100),
        share => Ok(share),
    }
}

/// Changes what was named, and shows all limits. They last until the host ends.
pub(super) fn throttle(args: &ThrottleArgs) -> Result<Finish> {
    let config = args.config.load()?;
    let change = ThrottleChange {
        rows_per_second: args.rows_per_second,
        mib_per_second: args.mib_per_second,
        source_load: args.source_load,
        target_lag_ms: args.target_lag_ms,
        busy_share_percent: args.busy_share_percent,
    };
    let host = control::connect(&config)?.ok_or_else(|| nobody(&config.name))?;
    let answered = Running::throttle(host, change)?;
    output(&text(&config.name, &answered))?;
    Ok(Finish::Done)
}

fn nobody(name: &str) -> Error {
    Error::new(
        Kind::Retry,
        "control.no-host",
        format!("no host on this machine runs the pipeline {name}"),
    )
    .hint("limits that are to last are in the configuration, [snapshot]; a host that is running takes others where it runs, as its own user")
}

fn text(name: &str, answered: &Answered) -> String {
    let copies = answered.status["copy"]["complete"].as_bool() == Some(false);
    let what = if copies {
        "the first copy goes on with"
    } else {
        "no first copy is under way; a later one in this host has"
    };
    let limits = answered.throttle.map_or_else(String::new, describe);
    format!(
        "pipeline {name} (process {}): {what} {limits}\n",
        answered.pid
    )
}

/// Limits in one line.
pub(super) fn describe(limits: Throttle) -> String {
    let or_off = |value: u32, unit: &str| match value {
        0 => "off".to_owned(),
        value => format!("{value}{unit}"),
    };
    format!(
        "rows per second {}, MiB per second {}, source load {}, target lag {}, busy share {}",
        or_off(limits.rows_per_second, ""),
        or_off(limits.mib_per_second, ""),
        or_off(limits.source_load, ""),
        or_off(limits.target_lag_ms, " ms"),
        or_off(limits.busy_share_percent % 100, " %"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_off_are_taken() {
        assert_eq!(number("off", 9), Ok(0));
        assert_eq!(number("9", 9), Ok(9));
        for bad in ["0", "10", "-1", "", "x", "1.5"] {
            assert!(number(bad, 9).is_err(), "{bad}");
        }
        assert_eq!(share("off"), Ok(100));
        assert_eq!(share("30"), Ok(30));
        assert!(share("101").is_err());
    }

    #[test]
    fn limits_are_told_in_one_line() {
        assert_eq!(
            describe(Throttle::default()),
            "rows per second off, MiB per second off, source load 25, target lag 5000 ms, busy share 50 %"
        );
    }
}
