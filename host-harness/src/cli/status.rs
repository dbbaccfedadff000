//! `datain status`: what both servers say of a pipeline, whether it runs or not.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::{Value, json};

use super::logging::LogFormat;
use super::{ConfigFile, Finish, Format, report};
use crate::bindings::{SinkInspection, SourceInspection};
use crate::error::{Error, Kind, Result};
use crate::pipeline::Pipeline;

#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn status(args: &StatusArgs, log_format: LogFormat) -> Result<Finish> {
    let config = args.config.load()?;
    let name = config.name.clone();
    let pipeline = Pipeline::new(config)?;
    let target = pipeline.inspect_target();
    let checkpoint = target
        .as_ref()
        .ok()
        .and_then(|target| target.checkpoint.clone());
    let source = pipeline.inspect_source(checkpoint.as_ref());
    let text = match args.format {
        Format::Text => text(&name, &target, &source),
        Format::Json => format!("{}\n", json(&name, &target, &source)),
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| {
        Error::new(Kind::Fatal, "host.output", "failed to write the answer").detail(e.to_string())
    })?;
    let errors: Vec<_> = [target.err(), source.err()].into_iter().flatten().collect();
    for error in &errors {
        report(error, log_format);
    }
    Ok(errors
        .first()
        .map_or(Finish::Done, |first| Finish::Failed(first.exit_code())))
}

fn text(name: &str, target: &Result<SinkInspection>, source: &Result<SourceInspection>) -> String {
    let mut lines = vec![("pipeline", name.to_owned())];
    match target {
        Ok(target) => {
            match &target.checkpoint {
                Some(checkpoint) => {
                    lines.push(("checkpoint", checkpoint.display.clone()));
                    lines.push(("written", written(target.written_at_micros)));
                    lines.push(("stream ordinal", checkpoint.ordinal.to_string()));
                }
                None => lines.push(("checkpoint", "none: nothing was replicated yet".to_owned())),
            }
            lines.push(("target", target.server_version.clone()));
        }
        Err(error) => lines.push(("target", format!("unknown: {error}"))),
    }
    match source {
        Ok(source) => {
            lines.push(("source", source.server_version.clone()));
            lines.push(("source head", source.head.clone()));
            lines.push(("transactions behind", number(source.transactions_behind)));
            lines.push(("bytes behind", number(source.bytes_behind)));
        }
        Err(error) => lines.push(("source", format!("unknown: {error}"))),
    }
    let width = lines.iter().map(|(key, _)| key.len()).max().unwrap_or(0) + 2;
    lines
        .iter()
        .map(|(key, value)| format!("{:<width$}{value}\n", format!("{key}:")))
        .collect()
}

fn json(name: &str, target: &Result<SinkInspection>, source: &Result<SourceInspection>) -> Value {
    let target = match target {
        Ok(target) => json!({
            "reachable": true,
            "server_version": target.server_version,
            "epoch": target.epoch,
            "checkpoint": target.checkpoint.as_ref().map(|checkpoint| json!({
                "position": checkpoint.display,
                "ordinal": checkpoint.ordinal,
                "written_at_micros": target.written_at_micros,
            })),
        }),
        Err(error) => json!({ "reachable": false, "error": error.report() }),
    };
    let source = match source {
        Ok(source) => json!({
            "reachable": true,
            "server_version": source.server_version,
            "head": source.head,
            "transactions_behind": source.transactions_behind,
            "bytes_behind": source.bytes_behind,
        }),
        Err(error) => json!({ "reachable": false, "error": error.report() }),
    };
    json!({ "pipeline": name, "target": target, "source": source })
}

fn number(value: Option<u64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

fn written(micros: u64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let ago = now.as_secs().saturating_sub(micros / 1_000_000);
    format!("{} ({ago} s ago)", utc(micros / 1_000_000))
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
    use crate::bindings::Checkpoint;

    #[test]
    fn dates() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(4_107_542_400), "2100-03-01 00:00:00 UTC");
        assert_eq!(utc(1_795_379_890), "2026-11-22 20:38:10 UTC");
    }

    #[test]
    fn what_can_be_reached_is_shown_and_the_rest_is_named() {
        let target = Ok(SinkInspection {
            checkpoint: Some(Checkpoint {
                ordinal: 7,
                data: vec![1],
                display: "binlog.000003:1234".to_owned(),
            }),
            written_at_micros: 951_782_400_000_000,
            epoch: 2,
            server_version: "9.7.4".to_owned(),
        });
        let source = Err(Error::new(
            Kind::Retry,
            "net.refused",
            "failed to connect to the source",
        ));
        let text = text("orders", &target, &source);
        assert!(
            text.contains("checkpoint:     binlog.000003:1234\n"),
            "{text}"
        );
        assert!(
            text.contains("written:        2000-02-29 00:00:00 UTC ("),
            "{text}"
        );
        assert!(
            text.contains(
                "source:         unknown: failed to connect to the source [net.refused]\n"
            ),
            "{text}"
        );
        let json = json("orders", &target, &source);
        assert_eq!(json["target"]["checkpoint"]["ordinal"], 7);
        assert_eq!(json["source"]["error"]["code"], "net.refused");
    }
}
