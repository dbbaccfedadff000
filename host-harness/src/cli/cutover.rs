//! `datain cutover`: the end of a migration.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::time::utc_micros;
use super::verify::Display;
use super::{ConfigFile, Finish, Format, confirm, output, signals};
use crate::error::Result;
use crate::pipeline::cutover::{
    Aborted, Comparison, Ended, MadeObject, Options, Report, Stage, Watcher,
};
use crate::pipeline::preflight::{Finding, Severity};
use crate::pipeline::{Pipeline, Stop, verify};

#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(super) struct CutoverArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Makes the source read-only when everything is ready. Without it the source must be read-only already, or a person is asked on a terminal.
    #[arg(long)]
    set_source_read_only: bool,
    /// Does not compare the rows. What was replicated is then believed to be right.
    #[arg(long, conflicts_with = "accept_verify_within")]
    skip_verify: bool,
    /// Does not compare where `datain verify` has found all rows equal within this time, e.g. 30m or 2h.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    accept_verify_within: Option<Duration>,
    /// Compares all rows once more after the source's writes were stopped: nobody can write for as long as that takes.
    #[arg(long)]
    verify_after_stop: bool,
    /// How long the target may take to come close to the source before the stop.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10m")]
    catch_up_within: Duration,
    /// How long the source stays read-only for the target to come to its end; then it gets its settings back.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    stop_at_most: Duration,
    /// Takes a cutover back that was interrupted: the source is written to again, and the pipeline may run.
    #[arg(long)]
    abort: bool,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Exit code of findings and differences.
const FINDINGS: u8 = 1;

/// `90s`, `30m`, `2h`, `1d`; a number alone is seconds.
fn duration(text: &str) -> std::result::Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("a time is a number with s, m, h or d".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "a time is a number with s, m, h or d".to_owned())?;
    number
        .checked_mul(factor)
        .map(Duration::from_secs)
        .ok_or_else(|| "the time is too long".to_owned())
}

/// Says on standard error what is done, and asks there.
struct Person {
    name: String,
    comparison: Display,
}

impl Watcher for Person {
    fn step(&self, text: &str) {
        self.comparison.clear();
        // Who cannot see it misses nothing that is not in the report.
        let _ = writeln!(std::io::stderr(), "{}: {text}", self.name);
    }

    fn may_set_read_only(&self) -> bool {
        std::io::stdin().is_terminal()
            && confirm::confirm(
                "The source is written to. Make it read-only when everything is ready?",
                false,
            )
            .is_ok()
    }

    fn comparison(&self) -> &dyn verify::Watcher {
        &self.comparison
    }
}

pub(super) fn cutover(args: &CutoverArgs) -> Result<Finish> {
    let config = args.config.load()?;
    let name = config.name.clone();
    let options = Options {
        file: args.config.path.clone(),
        set_read_only: args.set_source_read_only,
        comparison: match (args.skip_verify, args.accept_verify_within) {
            (true, _) => Comparison::Skipped,
            (false, Some(time)) => Comparison::NotIfWithin(time),
            (false, None) => Comparison::Now,
        },
        verify_after_stop: args.verify_after_stop,
        catch_up: args.catch_up_within,
        write_stop: args.stop_at_most,
    };
    let pipeline = Pipeline::new(config)?;
    let person = Person {
        name: name.clone(),
        comparison: Display::new(),
    };
    if args.abort {
        let aborted = pipeline.abort_cutover(&options, &person)?;
        // It is done, whether anybody reads so or not.
        let _ = output(&match args.format {
            Format::Text => aborted_text(&name, &aborted),
            Format::Json => format!("{}\n", aborted_json(&name, &aborted)),
        });
        return Ok(Finish::Done);
    }
    let stop = Stop::new();
    signals::stop_on_signals(&stop)?;
    match pipeline.cutover(&options, &stop, &person)? {
        Ended::Done(report) => {
            let _ = output(&match args.format {
                Format::Text => text(&report),
                Format::Json => format!("{}\n", json!(report)),
            });
            Ok(Finish::Done)
        }
        Ended::Refused(findings) => {
            output(&match args.format {
                Format::Text => refused(&name, &findings),
                Format::Json => {
                    format!(
                        "{}\n",
                        json!({ "pipeline": name, "stage": null, "findings": findings })
                    )
                }
            })?;
            Ok(Finish::Failed(FINDINGS))
        }
        Ended::NotEqual(report) => {
            output(&match args.format {
                Format::Text => format!(
                    "pipeline {name}: the two servers are not proven to be equal ({} rows differ); nothing was changed. `datain verify -c FILE` shows the rows, `--repair` makes them equal.\n",
                    report.differing()
                ),
                Format::Json => {
                    format!(
                        "{}\n",
                        json!({ "pipeline": name, "stage": null, "verify": *report })
                    )
                }
            })?;
            Ok(Finish::Failed(FINDINGS))
        }
    }
}

fn refused(name: &str, findings: &[Finding]) -> String {
    let mut text: String = findings.iter().map(block).collect();
    text.push_str(&format!(
        "pipeline {name}: the cutover was not begun; both servers are as they were\n"
    ));
    text
}

/// The remedy stands on lines of its own, so that it can be copied.
fn block(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Fatal => "fatal",
        Severity::Warning => "warning",
        Severity::Note | Severity::Passed => "note",
    };
    let mut text = format!(
        "{severity}[{}]: {}: {}\n",
        finding.code, finding.side, finding.message
    );
    for line in finding.remedy.iter().flat_map(|remedy| remedy.lines()) {
        text.push_str(&format!("    {line}\n"));
    }
    text
}

fn aborted_text(name: &str, aborted: &Aborted) -> String {
    let Some(stage) = aborted.stage else {
        return format!("pipeline {name} is in no cutover\n");
    };
    let mut text = format!(
        "pipeline {name}: the cutover, which stood at `{}`, was taken back",
        stage.name()
    );
    if aborted.source_given_back {
        text.push_str("; the source has the settings that it had before");
    }
    if aborted.pipeline_started {
        text.push_str("; the pipeline may run");
    }
    text.push('\n');
    text
}

fn aborted_json(name: &str, aborted: &Aborted) -> serde_json::Value {
    json!({
        "pipeline": name,
        "aborted": aborted.stage.map(Stage::name),
        "source_given_back": aborted.source_given_back,
        "pipeline_started": aborted.pipeline_started,
    })
}

fn text(report: &Report) -> String {
    let mut text = if report.was_done {
        format!(
            "pipeline {}: the cutover had been done before\n",
            report.pipeline
        )
    } else {
        format!(
            "pipeline {}: the cutover is done; clients may use the target\n",
            report.pipeline
        )
    };
    let mut line = |key: &str, value: String| text.push_str(&format!("  {key:<20}{value}\n"));
    if let Some(proof) = &report.proof {
        let again = if proof.again_after_stop {
            ", and once more after the stop"
        } else {
            ""
        };
        line(
            "rows compared",
            match proof.how.as_str() {
                "compared" => format!(
                    "{} while the source was written to, all equal{again}",
                    proof.rows
                ),
                "accepted" => format!(
                    "by the verify of {}, all equal{again}",
                    utc_micros(proof.at_micros)
                ),
                other => format!("{other}{again}"),
            },
        );
    }
    if let Some(end) = &report.source_end {
        line("source's end", format!("{end}, all of it on the target"));
    }
    let by = if report.made_read_only {
        "made read-only by this cutover, until its next restart: SET PERSIST read_only = ON keeps it so"
    } else {
        "was read-only already"
    };
    line("source", by.to_owned());
    line("triggers", made(&report.made, "trigger"));
    line("events", made(&report.made, "event"));
    line(
        "held back",
        format!(
            "{} definitions of the stream settled",
            report.held_back_settled
        ),
    );
    line(
        "AUTO_INCREMENT",
        if report.raised.is_empty() {
            "as on the source or higher in all tables".to_owned()
        } else {
            format!("raised in {}", report.raised.join(", "))
        },
    );
    match &report.target_place {
        Some(place) => {
            let set = place.gtid_set.as_deref().unwrap_or_default();
            line(
                "target's own place",
                format!("{}:{} {set}", place.file, place.position)
                    .trim_end()
                    .to_owned(),
            );
        }
        None => line(
            "target's own place",
            "none: it keeps no binary log of rows".to_owned(),
        ),
    }
    line(
        "way back",
        report.reverse.as_ref().map_or_else(
            || "none".to_owned(),
            |path| format!("{}, which says what to do first", path.display()),
        ),
    );
    for step in &report.steps {
        line(&step.step, format!("{:.1} s", step.seconds));
    }
    if let Some(seconds) = report.write_stop_seconds {
        line("write stop", format!("{seconds:.1} s"));
    }
    for warning in &report.warnings {
        text.push_str(&block(warning));
    }
    text
}

fn made(all: &[MadeObject], kind: &str) -> String {
    let names: Vec<&str> = all
        .iter()
        .filter(|object| object.kind == kind)
        .map(|object| object.name.as_str())
        .collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    format!("{}: {}", names.len(), names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("30m", 1800),
            ("2h", 7200),
            ("1d", 86_400),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "m",
            "1w",
            "-1s",
            "1.5h",
            "99999999999999999999s",
            "99999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
