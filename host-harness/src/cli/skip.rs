//! `datain skip`: exactly one transaction is left out, by a person's decision.

use std::fmt::Write as _;

use clap::Args;
use serde_json::Value;

use super::confirm::confirm;
use super::time::utc_micros;
use super::{ConfigFile, Finish, output};
use crate::bindings::{Checkpoint, SkippedTransaction, Upcoming};
use crate::config::Config;
use crate::control;
use crate::error::{Error, Kind, Result};
use crate::pipeline::Pipeline;

#[derive(Args, Debug)]
pub(super) struct SkipArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Does not ask.
    #[arg(long)]
    yes: bool,
    /// Skips only if the next transaction has this GTID, as an error has named it; for scripts, with --yes.
    #[arg(long, value_name = "GTID", conflicts_with = "position")]
    gtid: Option<String>,
    /// Skips only if the next transaction begins here, as an error has named it.
    #[arg(long, value_name = "FILE:OFFSET")]
    position: Option<String>,
    /// Why, for those who look into datain.skipped later.
    #[arg(long, value_name = "TEXT", default_value = "not given")]
    reason: String,
}

pub(super) fn skip(args: &SkipArgs) -> Result<Finish> {
    let config = args.config.load()?;
    refuse_while_running(&config)?;
    let pipeline = Pipeline::new(config)?;
    let target = pipeline.inspect_target()?;
    let Some(before) = target.checkpoint else {
        return Err(
            nothing("the pipeline has no checkpoint yet, so no transaction comes next")
                .hint("run it first; where it begins is [start]'s affair"),
        );
    };
    let Some(next) = pipeline.next_transaction(&before)? else {
        return Err(nothing("the source has no transaction that is not applied")
            .detail(format!("the checkpoint is {}", before.display))
            .hint("datain run -c FILE tells what is wrong, if something is"));
    };
    let about_error = target
        .last_error
        .and_then(|noted| serde_json::from_str::<Value>(&noted.report).ok())
        .map(|report| matches_error(&next, &report));
    output(&describe(&before, &next, about_error.as_ref()))?;
    expected(args, &next)?;
    confirm("Skip this transaction?", args.yes)?;
    let transaction = SkippedTransaction {
        identity: next.gtid.clone().unwrap_or_else(|| next.position.clone()),
        description: summary(&next),
        reason: args.reason.clone(),
    };
    pipeline.skip(&before, &next.after, &transaction)?;
    // It is done, whether anybody reads so or not.
    let _ = output(&format!(
        "skipped {}; recorded in datain.skipped; the checkpoint is now {}\n",
        transaction.identity, next.after.display
    ));
    Ok(Finish::Done)
}

/// Whether the next transaction is the one that was named, if one was.
fn expected(args: &SkipArgs, next: &Upcoming) -> Result<()> {
    let (wanted, found) = match (&args.gtid, &args.position) {
        (Some(gtid), _) => (gtid.trim(), next.gtid.as_deref()),
        (None, Some(position)) => (position.trim(), Some(next.position.as_str())),
        (None, None) => return Ok(()),
    };
    if found.is_some_and(|found| found.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Reconfigure,
        "skip.other-transaction",
        format!(
            "the next transaction is {}, not {wanted}",
            found.unwrap_or("one without a GTID")
        ),
    )
    .hint("nothing was skipped; it may have been applied or skipped before: datain skip without --gtid and --position shows what comes next"))
}

/// What is applied while one looks at it may be another transaction by the time of the answer.
fn refuse_while_running(config: &Config) -> Result<()> {
    let Some(host) = control::connect(config)? else {
        return Ok(());
    };
    let host = host.status()?;
    if host.status["state"] == "stopped" {
        return Ok(());
    }
    Err(Error::new(
        Kind::Reconfigure,
        "host.running",
        format!(
            "the pipeline {:?} is running (process {})",
            config.name, host.pid
        ),
    )
    .hint("datain stop -c FILE first; after skip, datain start -c FILE"))
}

fn nothing(message: &str) -> Error {
    Error::new(Kind::Reconfigure, "skip.nothing", message)
}

/// Whether the pipeline's last error was about this transaction; else what it was about.
fn matches_error(next: &Upcoming, report: &Value) -> std::result::Result<String, String> {
    let text = |key: &str| report[key].as_str();
    let what = format!(
        "{} [{}]",
        text("message").unwrap_or("?"),
        text("code").unwrap_or("?")
    );
    let same = match (text("gtid"), &next.gtid) {
        (Some(gtid), Some(next)) => gtid == next,
        _ => text("position") == Some(&next.position),
    };
    if same {
        Ok(what)
    } else {
        Err(format!(
            "{what}, at {}",
            text("gtid")
                .or(text("position"))
                .unwrap_or("no place in the stream")
        ))
    }
}

fn describe(
    before: &Checkpoint,
    next: &Upcoming,
    error: Option<&std::result::Result<String, String>>,
) -> String {
    let mut text = String::from("The transaction after the checkpoint:\n");
    let mut line = |key: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  {key:<12}{}",
            value.replace('\n', "\n              ")
        );
    };
    line("checkpoint", &before.display);
    line("gtid", next.gtid.as_deref().unwrap_or("none"));
    line("position", &next.position);
    if next.committed_at_micros > 0 {
        line("committed", &utc_micros(next.committed_at_micros));
    }
    line("length", &format!("{} bytes of log", next.bytes));
    for table in &next.tables {
        line("table", &changes(table));
    }
    for statement in &next.statements {
        line("statement", statement);
    }
    if next.tables.is_empty() && next.statements.is_empty() && next.unreadable.is_none() {
        line("contents", "nothing");
    }
    if let Some(why) = &next.unreadable {
        line("unreadable", &format!("not all of it could be read: {why}"));
    }
    match error {
        Some(Ok(what)) => line("last error", &format!("about this transaction: {what}")),
        Some(Err(what)) => line("last error", &format!("NOT about this transaction: {what}")),
        None => {}
    }
    text
}

fn changes(table: &crate::bindings::TableChanges) -> String {
    let mut counts = Vec::new();
    for (count, what) in [
        (table.inserted, "inserted"),
        (table.updated, "updated"),
        (table.deleted, "deleted"),
    ] {
        if count > 0 {
            counts.push(format!("{count} {what}"));
        }
    }
    let counts = if counts.is_empty() {
        "no rows counted".to_owned()
    } else {
        counts.join(", ")
    };
    let left_out = if table.replicated {
        ""
    } else {
        " (not replicated)"
    };
    format!("{}: {counts}{left_out}", table.table)
}

/// One line for the record in the target.
fn summary(next: &Upcoming) -> String {
    let mut parts: Vec<String> = next.tables.iter().map(changes).collect();
    parts.extend(next.statements.iter().cloned());
    parts.extend(
        next.unreadable
            .iter()
            .map(|why| format!("not all readable: {why}")),
    );
    format!(
        "at {}, {} bytes: {}",
        next.position,
        next.bytes,
        parts.join("; ")
    )
}
