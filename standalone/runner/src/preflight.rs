//! The checks before replication: both plugins look at their servers, and what the source said is carried to the sink; as the host's `pipeline/preflight.rs` does for `datain run`.

use datain_catalogue::Side;
use datain_standalone_config::config::Config;
use datain_standalone_config::engine::Role;
use datain_standalone_config::error::{Error, Kind, Result};
use datain_standalone_wasi::log::{Level, line};

use crate::bindings::datain::replication::types::{Finding, Severity};
use crate::bindings::datain::replication::{sink, source};
use crate::reported::{reported, server};

/// Looks at both servers; warnings are logged.
///
/// # Errors
/// The first requirement that does not hold; why a server could not be looked at; `sink.stopped`.
pub(crate) fn require(config: &Config, source_json: &str, sink_json: &str) -> Result<()> {
    let of_sink = |error| reported(error, Role::Sink, config);
    let inspection = sink::inspect(sink_json).map_err(of_sink)?;
    if inspection.stopped_at_micros.is_some() {
        return Err(Error::new(
            Kind::Reconfigure,
            "sink.stopped",
            format!("pipeline `{}` was stopped by a person", config.name),
        )
        .hint("datain start -c FILE lets it run again"));
    }
    let survey = source::check(source_json, inspection.checkpoint.as_ref())
        .map_err(|error| reported(error, Role::Source, config))?;
    let of_target = sink::check(sink_json, &survey.facts).map_err(of_sink)?;
    let found = survey.findings.into_iter().map(|f| (Side::Source, f));
    let found = found.chain(of_target.into_iter().map(|f| (Side::Target, f)));
    let mut fatal = Vec::new();
    for (by, finding) in found {
        let known = datain_catalogue::check(&finding.code);
        // Opening the stream says the same with more, and knows whether a new first copy is the cure.
        if finding.code == "server.replica-id-in-use" || known.is_some_and(|check| check.of_resume)
        {
            continue;
        }
        let name = known.and_then(|check| check.allow);
        if name.is_some_and(|name| config.check.allow.iter().any(|allowed| allowed == name)) {
            continue;
        }
        let side = known.map_or(by, |check| check.side);
        match finding.severity {
            Severity::Passed | Severity::Note => {}
            Severity::Warning => warn(side, &finding),
            Severity::Fatal => fatal.push((side, finding)),
        }
    }
    match fatal.split_first() {
        None => Ok(()),
        Some(((side, first), rest)) => Err(refused(*side, first, rest, config)),
    }
}

fn warn(side: Side, finding: &Finding) {
    let mut fields = vec![("code".to_owned(), finding.code.clone())];
    fields.extend(
        finding
            .remedy
            .clone()
            .map(|remedy| ("remedy".to_owned(), remedy)),
    );
    let message = format!("{}: {}", side.name(), finding.message);
    line(Level::Warn, "runner", &message, &fields);
}

fn refused(side: Side, first: &Finding, rest: &[(Side, Finding)], config: &Config) -> Error {
    let hint = first
        .remedy
        .clone()
        .unwrap_or_else(|| "`datain check` says more".to_owned());
    let mut error = Error::new(Kind::Reconfigure, &first.code, &first.message).hint(hint);
    let mut detail = first.reason.clone();
    for (side, finding) in rest {
        detail.push_str(&format!(
            "\nfound as well: {} ({}): {}",
            finding.code,
            side.name(),
            finding.message
        ));
    }
    let report = error.report_mut();
    report.detail = (!detail.is_empty()).then_some(detail);
    report.server = match side.name() {
        "source" => Some(server(Role::Source, config)),
        "target" => Some(server(Role::Sink, config)),
        _ => None,
    };
    error
}
