//! Whether a server has GTIDs, and the steps there.

use datain_contract::FindingExt as _;
use datain_contract::types::{Finding, Severity};
use datain_mysql_client::ServerVersion;

use crate::{Variables, set};

/// The modes in the order in which they may follow each other.
const MODES: [&str; 4] = ["OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"];

/// `variables` should hold `gtid_mode` and `enforce_gtid_consistency`.
#[must_use]
pub fn finding(
    variables: &Variables,
    version: &ServerVersion,
    code: &str,
    otherwise: Severity,
) -> Finding {
    if version.is_mariadb() {
        return mariadb(code);
    }
    let mode = variables.text("gtid_mode").to_ascii_uppercase();
    let consistent = variables.is_on("enforce_gtid_consistency");
    let message = format!(
        "gtid_mode is {mode}, enforce_gtid_consistency is {}",
        variables.text("enforce_gtid_consistency")
    );
    let finding = Finding::judge(code, mode == "ON" && consistent, otherwise, message);
    if !version.is_mysql_since(5, 7, 6) {
        return finding.remedy(
            "gtid_mode = ON, enforce_gtid_consistency = ON and log_slave_updates = ON in the option file, then a restart",
        );
    }
    let mut steps = Vec::new();
    if !consistent {
        steps.push(set(version, "enforce_gtid_consistency", "ON"));
    }
    let at = MODES.iter().position(|known| *known == mode).unwrap_or(0);
    for next in &MODES[at + 1..] {
        steps.push(set(version, "gtid_mode", next));
    }
    finding.remedy(steps.join("\n"))
}

/// MariaDB gives every transaction a GTID, and lets nobody choose one for a statement.
fn mariadb(code: &str) -> Finding {
    if code.starts_with("source.") {
        return Finding::passed(code, "MariaDB gives every transaction a GTID");
    }
    Finding::about(
        code,
        Severity::Note,
        "MariaDB cannot tell by a GTID whether a statement was run: if the host dies in the middle of DDL, a person may have to look (ddl.undecided)",
    )
}
