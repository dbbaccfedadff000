//! GTIDs, and whether the stream can go on from where the target is.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::ServerVersion;
use datain_server_facts::{Variables, gtid};

use super::Survey;
use crate::checkpoint::State;
use crate::facts::Facts;
use crate::reader::Settings;
use crate::start;

/// Requirements of the place that the stream goes on from; each is the code of the error that opening it would give.
const OF_RESUME: [(&str, &str); 3] = [
    (
        "source.binlog-purged",
        "the log holds everything that is needed",
    ),
    (
        "source.diverged",
        "the source knows every transaction that the target has had",
    ),
    (
        "source.other-server",
        "the place is of this server, or goes by GTID",
    ),
];

/// Returns whether the stream goes by file and position.
pub(super) fn check(
    settings: &Settings,
    resume: Option<State>,
    facts: &Facts,
    variables: &Variables,
    version: &ServerVersion,
    survey: &mut Survey,
) -> bool {
    let by_gtid = match &resume {
        Some(state) => state.gtids.is_some(),
        None => settings.start.mode == "gtid",
    };
    let by_file = match &resume {
        Some(state) => state.gtids.is_none(),
        None => {
            settings.start.mode == "position" || (settings.start.mode == "now" && !facts.gtid_on)
        }
    };
    let severity = if by_gtid {
        Severity::Fatal
    } else {
        Severity::Warning
    };
    survey.find(gtid::finding(
        variables,
        version,
        "source.gtid-off",
        severity,
    ));
    let state = start::state(&settings.start, resume, facts);
    survey.tell("pending", if at_head(&state, facts) { "no" } else { "yes" });
    for (code, passed) in OF_RESUME {
        survey.find(match &state {
            Err(error) if error.code == code => {
                let mut message = error.message.clone();
                if let Some(detail) = &error.detail {
                    message = format!("{message}: {detail}");
                }
                let finding = Finding::about(code, Severity::Fatal, message);
                match &error.hint {
                    Some(hint) => finding.remedy(hint.as_str()),
                    None => finding,
                }
            }
            Err(error) if OF_RESUME.iter().all(|(other, _)| error.code != *other) => {
                Finding::not_checked(code, &error.message)
            }
            _ => Finding::passed(code, passed),
        });
    }
    by_file
}

/// Whether the stream would begin where the source is now.
fn at_head(state: &Result<State, Error>, facts: &Facts) -> bool {
    match state {
        Ok(state) => match (&state.gtids, &facts.head) {
            (Some(gtids), _) => facts.executed.is_subset_of(gtids),
            (None, Some(head)) => state.position.compare(head) == Some(std::cmp::Ordering::Equal),
            (None, None) => false,
        },
        Err(_) => false,
    }
}
