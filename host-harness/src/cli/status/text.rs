//! The status for people, in the shape of SHOW REPLICA STATUS\G.

use serde_json::Value;

use super::report::{Place, Report, Server};
use crate::cli::time::{tenths, utc_micros};
use crate::cli::{copy_text, throttle};
use crate::pipeline::verify;

const UNKNOWN: &str = "unknown";

pub(super) fn text(report: &Report) -> String {
    let mut lines: Vec<(&str, String)> = vec![
        ("Pipeline", report.pipeline.clone()),
        ("State", report.state.clone()),
    ];
    let mut line = |key, value: String| lines.push((key, value));
    if let Some(at) = report.stopped_at_micros {
        line("Stopped_At", utc_micros(at));
    }
    match (&report.copy, &report.copying) {
        (Some(copy), _) => {
            line("First_Copy", copy_text::line(copy));
            if !copy.complete {
                line("First_Copy_Limits", throttle::describe(copy.throttle));
            }
        }
        (None, Some(what)) => line("First_Copy", format!("incomplete, at {what}")),
        (None, None) => {}
    }
    line("Seconds_Behind_Source", behind(report));
    line("Bytes_Behind_Source", number(report.bytes_behind));
    line(
        "Transactions_Behind_Source",
        number(report.transactions_behind),
    );
    server(
        &mut line,
        &report.source,
        ["Source", "Source_Version", "Source_Error"],
    );
    line("Source_Log_Pos", position(report.head.as_ref()));
    line("Retrieved_Log_Pos", position(report.retrieved.as_ref()));
    line("Executed_Log_Pos", position(report.executed.as_ref()));
    line("Source_Gtid_Set", gtids(report.head.as_ref()));
    line("Retrieved_Gtid_Set", gtids(report.retrieved.as_ref()));
    line("Executed_Gtid_Set", gtids(report.executed.as_ref()));
    server(
        &mut line,
        &report.target,
        ["Target", "Target_Version", "Target_Error"],
    );
    match &report.checkpoint {
        Some(checkpoint) => {
            line(
                "Checkpoint_Written",
                utc_micros(checkpoint.written_at_micros),
            );
            line("Checkpoint_Ordinal", checkpoint.ordinal.to_string());
            line("Epoch", checkpoint.epoch.to_string());
        }
        None if report.target.reachable => {
            line(
                "Checkpoint_Written",
                "none: nothing was replicated yet".to_owned(),
            );
        }
        None => {}
    }
    if let Some(cutover) = &report.cutover {
        line("Cutover", cutover.stage.clone());
        line("Cutover_Began_At", utc_micros(cutover.began_at_micros));
        line("Cutover_Changed_At", utc_micros(cutover.changed_at_micros));
    }
    if let Some(verified) = &report.verified {
        line("Verified", verified_as(verified));
        line("Verified_At", utc_micros(verified.ended_at_micros));
    }
    line("Held_Back", number(report.held_back));
    line("Skipped", number(report.skipped));
    match &report.host {
        Some(host) => {
            line("Host_Process", host.pid.to_string());
            line("Uptime_Seconds", seconds(host.uptime_seconds));
            line("Restarts", number(host.restarts));
            line(
                "Source_Silent_Seconds",
                one_digit(host.source_silent_seconds),
            );
            line(
                "Target_Silent_Seconds",
                one_digit(host.target_silent_seconds),
            );
            line("Rows_Per_Second", seconds(host.rows_per_second));
            line("Rows_Applied", number(host.rows_applied));
            line("Rows_Repaired", number(host.rows_repaired));
            line("Transactions_Applied", number(host.transactions_applied));
            line("Statements_Applied", number(host.statements_applied));
            line("Statements_Left_Out", number(host.statements_left_out));
        }
        None => line("Host_Process", "none on this machine".to_owned()),
    }
    if let Some(error) = &report.last_error {
        let at = report
            .last_error_at_micros
            .map_or_else(|| UNKNOWN.to_owned(), utc_micros);
        line("Last_Error_At", at);
        line("Last_Error", one_line(error));
    }
    let width = lines.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    lines
        .iter()
        .map(|(key, value)| format!("{key:>width$}: {value}\n"))
        .collect()
}

fn behind(report: &Report) -> String {
    match (
        report.seconds_behind,
        &report.host,
        report.transactions_behind,
    ) {
        (Some(seconds), _, _) => tenths(seconds),
        (None, None, Some(0)) => "unknown: nothing is missing, but no host reads on".to_owned(),
        (None, _, _) => UNKNOWN.to_owned(),
    }
}

fn server(line: &mut impl FnMut(&'static str, String), server: &Server, keys: [&'static str; 3]) {
    line(keys[0], server.address.clone());
    match &server.error {
        None => line(keys[1], server.version.clone().unwrap_or_default()),
        Some(error) => line(keys[2], format!("{} [{}]", error.message, error.code)),
    }
}

fn position(place: Option<&Place>) -> String {
    place.map_or_else(|| UNKNOWN.to_owned(), |place| place.position.clone())
}

fn gtids(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| {
        place.gtid_set.clone().unwrap_or_default()
    })
}

fn number(value: Option<u64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| value.to_string())
}

fn seconds(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.0}"))
}

fn one_digit(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.1}"))
}

fn one_line(error: &Value) -> String {
    let text = |key: &str| error[key].as_str();
    let Some(message) = text("message") else {
        return error.to_string();
    };
    let mut line = format!("{message} [{}]", text("code").unwrap_or(UNKNOWN));
    for key in ["position", "gtid", "table", "hint"] {
        if let Some(value) = text(key) {
            line.push_str(&format!("; {key}: {value}"));
        }
    }
    line
}
/// What a comparison has come to, and of what.
fn verified_as(kept: &verify::Kept) -> String {
    let verdict = match kept.verdict {
        verify::Verdict::Equal => "equal",
        verify::Verdict::Undecided => "undecided",
        verify::Verdict::Different => "different",
    };
    let part = match (kept.sample_percent, kept.only.is_empty()) {
        (None, true) => "",
        _ => ", of a part",
    };
    format!(
        "{verdict}: {} tables, {} rows{part}",
        kept.tables, kept.rows
    )
}
