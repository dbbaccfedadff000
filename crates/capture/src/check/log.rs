//! How the source writes its log.

use datain_contract::FindingExt as _;
use datain_contract::types::{Finding, Severity};
use datain_mysql_client::ServerVersion;
use datain_server_facts::{Variables, set};

use super::Survey;

const DAY: u64 = 86_400;

/// `replays`: changes of rows that are logged as statements are replayed.
pub(super) fn settings(
    variables: &Variables,
    version: &ServerVersion,
    replays: bool,
    survey: &mut Survey,
) {
    let shown = |name: &str| format!("{name} is {}", variables.text(name));
    survey.find(
        Finding::judge(
            "source.log-bin-off",
            variables.is_on("log_bin"),
            Severity::Fatal,
            shown("log_bin"),
        )
        .remedy(
            "log_bin in the source's option file, then a restart; take the first copy after that",
        ),
    );
    // A variable that the server does not know is one that it cannot have set wrongly.
    let mut one = |code: &str, name: &str, good: &[&str], severity: Severity, value: &str| {
        let holds = variables
            .get(name)
            .is_none_or(|found| good.iter().any(|g| g.eq_ignore_ascii_case(found)));
        survey.find(
            Finding::judge(code, holds, severity, shown(name)).remedy(set(version, name, value)),
        );
    };
    one(
        "source.format-not-row",
        "binlog_format",
        &["ROW"],
        if replays {
            Severity::Warning
        } else {
            Severity::Fatal
        },
        "ROW",
    );
    one(
        "source.row-image",
        "binlog_row_image",
        &["FULL"],
        Severity::Note,
        "FULL",
    );
    one(
        "source.checksum-off",
        "binlog_checksum",
        &["CRC32"],
        Severity::Warning,
        "CRC32",
    );
    one(
        "source.sync-binlog",
        "sync_binlog",
        &["1"],
        Severity::Warning,
        "1",
    );
    survey.find(retention(variables, version));
}

fn retention(variables: &Variables, version: &ServerVersion) -> Finding {
    let code = "source.retention";
    let seconds = variables.number("binlog_expire_logs_seconds").unwrap_or(0);
    let days = variables.number("expire_logs_days").unwrap_or(0);
    let purges = variables
        .get("binlog_expire_logs_auto_purge")
        .is_none_or(|value| !value.eq_ignore_ascii_case("OFF"));
    let kept = if seconds > 0 { seconds } else { days * DAY };
    if kept == 0 || !purges {
        return Finding::passed(code, "the log is kept until somebody removes it");
    }
    let finding = Finding::judge(
        code,
        kept >= DAY,
        Severity::Warning,
        format!("the log is kept for {kept} s"),
    );
    if version.is_mysql_since(8, 0, 1) {
        finding.remedy(set(version, "binlog_expire_logs_seconds", "604800"))
    } else {
        finding.remedy(set(version, "expire_logs_days", "7"))
    }
}
