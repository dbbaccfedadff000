//! `datain check`.

use std::io::Write as _;

use clap::Args;
use serde_json::{Value, json};

use super::{ConfigFile, Finish, Format};
use crate::error::{Error, Kind, Result};
use crate::pipeline::Pipeline;
use crate::pipeline::preflight::{Finding, Findings, Severity};

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// How the findings are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Warnings count as failures too.
    #[arg(long)]
    strict: bool,
}

/// Exit code of findings.
const FINDINGS: u8 = 1;

pub(super) fn check(args: &CheckArgs) -> Result<Finish> {
    let config = args.config.load()?;
    let name = config.name.clone();
    let findings = Pipeline::new(config)?.check()?;
    let ok = findings.count(Severity::Fatal) == 0
        && (!args.strict || findings.count(Severity::Warning) == 0);
    let text = match args.format {
        Format::Text => text(&findings),
        Format::Json => format!("{}\n", json(&name, ok, &findings)),
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| {
        Error::new(Kind::Fatal, "host.output", "failed to write the answer").detail(e.to_string())
    })?;
    Ok(if ok {
        Finish::Done
    } else {
        Finish::Failed(FINDINGS)
    })
}

const SEVERITIES: [(Severity, &str); 4] = [
    (Severity::Fatal, "fatal"),
    (Severity::Warning, "warning"),
    (Severity::Note, "note"),
    (Severity::Passed, "passed"),
];

fn name(severity: Severity) -> &'static str {
    SEVERITIES
        .iter()
        .find(|(one, _)| *one == severity)
        .map_or("", |(_, name)| name)
}

fn text(findings: &Findings) -> String {
    let mut text = String::new();
    for finding in findings.all() {
        if finding.severity == Severity::Passed {
            text.push_str(&format!("passed[{}]: {}\n", finding.code, finding.title));
        } else {
            text.push_str(&block(finding));
        }
    }
    let counts: Vec<String> = SEVERITIES
        .iter()
        .map(|(severity, name)| format!("{} {name}", findings.count(*severity)))
        .collect();
    text.push_str(&format!("\n{}\n", counts.join(", ")));
    text
}

/// The remedy stands on lines of its own, so that it can be copied.
fn block(finding: &Finding) -> String {
    let allowed = if finding.allowed { " (allowed)" } else { "" };
    let mut text = format!(
        "{}[{}]{allowed}: {}: {}\n",
        name(finding.severity),
        finding.code,
        finding.side,
        finding.message
    );
    text.push_str(&format!("  required: {}\n", finding.title));
    if !finding.reason.is_empty() {
        text.push_str(&format!("  why: {}\n", finding.reason));
    }
    if let Some(remedy) = &finding.remedy {
        text.push_str("  remedy:\n");
        for line in remedy.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text.push('\n');
    text
}

fn json(pipeline: &str, ok: bool, findings: &Findings) -> Value {
    let counts: serde_json::Map<String, Value> = SEVERITIES
        .iter()
        .map(|(severity, name)| ((*name).to_owned(), json!(findings.count(*severity))))
        .collect();
    json!({ "pipeline": pipeline, "ok": ok, "counts": counts, "findings": findings.all() })
}
