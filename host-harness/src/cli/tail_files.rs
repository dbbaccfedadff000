//! `datain tail --file`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use datain_change_json::TableNames;

use super::lines_out::LinesOut;
use super::{Finish, Format, output, signals};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::pipeline::Stop;
use crate::pipeline::tail::{Ended, FileTail, Statistics};

#[derive(Args, Debug)]
pub(super) struct FileArgs {
    /// Prints the changes in these files of a binary log or relay log, in this order, and needs no server; - is standard input.
    #[arg(long = "file", id = "file", value_name = "PATH", num_args = 1.., help_heading = "Files")]
    paths: Vec<PathBuf>,
    /// Names columns by the CREATE TABLE statements in this file (as of mysqldump --no-data), where the log does not.
    #[arg(long, value_name = "FILE", requires = "file", help_heading = "Files")]
    schema: Vec<PathBuf>,
    /// Prints only tables that match this pattern (schema.table, % and _ are wildcards); in place of [replicate] include.
    #[arg(
        long,
        value_name = "PATTERN",
        requires = "file",
        help_heading = "Files"
    )]
    include: Vec<String>,
    /// Leaves out tables that match this pattern; in place of [replicate] exclude.
    #[arg(
        long,
        value_name = "PATTERN",
        requires = "file",
        help_heading = "Files"
    )]
    exclude: Vec<String>,
    /// Counts events by their type, and transactions, in place of printing changes.
    #[arg(long, requires = "file", conflicts_with_all = ["limit", "schema", "include", "exclude"], help_heading = "Files")]
    stats: bool,
    /// How the counts are written.
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "stats", help_heading = "Files")]
    format: Format,
}

impl FileArgs {
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

/// Prints or counts. `server` is the configuration that `-c` named.
pub(super) fn tail(args: &FileArgs, server: Option<Config>, limit: Option<u64>) -> Result<Finish> {
    let mut config = Config::for_files(server.as_ref(), args.paths.clone())?;
    if !args.include.is_empty() {
        config.replicate.include.clone_from(&args.include);
    }
    if !args.exclude.is_empty() {
        config.replicate.exclude.clone_from(&args.exclude);
    }
    let schema = schema(&args.schema)?;
    let mut tail = FileTail::new(args.paths.clone(), &config)?
        .schema(schema)
        .limit(limit);
    let stop = Stop::new();
    signals::stop_on_signals(&stop)?;
    if args.stats {
        let (found, ended) = tail.count(&stop);
        if stop.is_requested() {
            return Ok(Finish::Interrupted);
        }
        output(&match args.format {
            Format::Text => table(&found),
            Format::Json => json(&found),
        })?;
        return ended.map(|()| Finish::Done);
    }
    if let Some(server) = server {
        tail = tail.names_from(server)?;
    }
    Ok(match tail.run(&stop, &mut LinesOut::new(&stop))? {
        Ended::CaughtUp | Ended::Limit | Ended::Closed => Finish::Done,
        Ended::Stopped => Finish::Interrupted,
    })
}

/// Reads definitions of tables. What cannot be read is said, and the columns of those tables are numbered.
fn schema(files: &[PathBuf]) -> Result<TableNames> {
    let mut names = TableNames::default();
    for file in files {
        let sql = std::fs::read(file).map_err(|e| unreadable(file, &e))?;
        for (line, problem) in names.read(&sql) {
            tracing::warn!(place = %format!("{}:{line}", file.display()), "{problem}");
        }
    }
    if !files.is_empty() && names.is_empty() {
        tracing::warn!("--schema: no CREATE TABLE statement was found");
    }
    Ok(names)
}

fn unreadable(file: &Path, error: &std::io::Error) -> Error {
    Error::new(
        Kind::Config,
        "file.unreadable",
        format!("failed to read the file {}", file.display()),
    )
    .detail(error.to_string())
    .hint("--schema names a file of CREATE TABLE statements, as mysqldump --no-data writes it")
}

fn totals(found: &Statistics) -> (u64, u64) {
    found.types.iter().fold((0, 0), |(events, bytes), count| {
        (events + count.events, bytes + count.bytes)
    })
}

fn table(found: &Statistics) -> String {
    let (events, bytes) = totals(found);
    let mut text = format!("{:<28}{:>12}{:>18}\n", "event", "events", "bytes");
    for count in &found.types {
        let name = match &*count.name {
            // The code is all that is known of it.
            "Unknown" => format!("Unknown ({})", count.code),
            name => name.to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<28}{:>12}{:>18}", count.events, count.bytes);
    }
    let _ = writeln!(text, "{:<28}{events:>12}{bytes:>18}", "total");
    let _ = writeln!(text, "{:<28}{:>12}", "transactions", found.transactions);
    text
}

fn json(found: &Statistics) -> String {
    let (events, bytes) = totals(found);
    let types: Vec<_> = found
        .types
        .iter()
        .map(|count| {
            serde_json::json!({"type": count.name, "code": count.code, "events": count.events, "bytes": count.bytes})
        })
        .collect();
    let all = serde_json::json!({
        "types": types, "events": events, "bytes": bytes, "transactions": found.transactions,
    });
    format!("{all}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::EventCount;

    fn found() -> Statistics {
        let count = |name: &str, code, events, bytes| EventCount {
            name: name.to_owned(),
            code,
            events,
            bytes,
        };
        Statistics {
            types: vec![count("Query", 2, 3, 270), count("Unknown", 200, 1, 30)],
            transactions: 3,
        }
    }

    #[test]
    fn the_table_has_a_line_for_each_type_and_the_totals() {
        let lines: Vec<Vec<String>> = table(&found())
            .lines()
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .collect();
        assert_eq!(
            lines,
            [
                &["event", "events", "bytes"][..],
                &["Query", "3", "270"],
                &["Unknown", "(200)", "1", "30"],
                &["total", "4", "300"],
                &["transactions", "3"]
            ]
        );
    }

    #[test]
    fn the_object_says_the_same() {
        let object: serde_json::Value = serde_json::from_str(&json(&found())).unwrap();
        assert_eq!(object["types"][1]["code"], 200);
        assert_eq!(
            (&object["events"], &object["bytes"], &object["transactions"]),
            (&4.into(), &300.into(), &3.into())
        );
    }
}
