//! Whether the target takes writes.

use datain_contract::FindingExt as _;
use datain_contract::types::{Finding, Severity};

use super::Look;

/// `offline_mode` is left to the login: it ends sessions without CONNECTION_ADMIN, and does not touch others.
pub(super) fn writable(look: &Look<'_>, findings: &mut Vec<Finding>) {
    let on = |name: &str| look.variables.is_on(name);
    let exempt = ["CONNECTION_ADMIN", "READ_ONLY ADMIN", "SUPER"]
        .iter()
        .any(|privilege| look.rights.grants.globally(privilege));
    let code = "target.read-only";
    let fatal =
        |what: &str, remedy: &str| Finding::about(code, Severity::Fatal, what).remedy(remedy);
    findings.push(if on("innodb_read_only") {
        fatal(
            "innodb_read_only is ON",
            "innodb_read_only = OFF in the target's option file, then a restart",
        )
    } else if on("super_read_only") {
        fatal(
            "super_read_only is ON",
            "SET GLOBAL super_read_only = OFF;\nSET GLOBAL read_only = OFF;",
        )
    } else if on("read_only") && !exempt {
        fatal(
            &format!(
                "read_only is ON, and {} has no CONNECTION_ADMIN",
                look.rights.account
            ),
            "SET GLOBAL read_only = OFF;",
        )
    } else if on("read_only") || on("offline_mode") {
        Finding::passed(
            code,
            "writes are refused to others, not to this account (CONNECTION_ADMIN)",
        )
    } else {
        Finding::passed(code, "read_only and super_read_only are OFF")
    });
}
