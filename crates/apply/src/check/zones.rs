//! The time zones under which statements run.
//!
//! A statement whose meaning depends on the zone says in the log in which one it ran, by name. Datain sets that again; but `SYSTEM` is each server's own, and a name means nothing
//! to a server that has not loaded it.

use datain_contract::types::{Error, Finding, Severity};
use datain_contract::{FactsExt as _, FindingExt as _};
use datain_mysql_client::{Session, Stream, append_string};
use datain_server_facts::zone::SystemZone;

use super::{Look, NO_FACTS};

const CODE: &str = "pair.time-zone";

pub(super) async fn finding<S: Stream>(
    session: &mut Session<S>,
    look: &Look<'_>,
) -> Result<Finding, Error> {
    let system = look.facts.value("system-time-zone");
    let (Some(of_sessions), Some(there)) = (
        look.facts.value("time-zone"),
        system.and_then(|zone| zone.parse::<SystemZone>().ok()),
    ) else {
        return Ok(Finding::not_checked(CODE, NO_FACTS));
    };
    let mut sql = b"SELECT CONVERT_TZ('2000-01-01', '+00:00', _utf8mb4".to_vec();
    append_string(&mut sql, of_sessions.as_bytes());
    sql.push(b')');
    let answer = session.query_first(&sql).await?;
    if answer
        .and_then(|row| row.into_iter().next().flatten())
        .is_none()
    {
        return Ok(Finding::about(
            CODE,
            Severity::Warning,
            format!("the target does not know the source's time zone {of_sessions}: a statement whose meaning depends on it would be refused"),
        )
        .remedy("load the zones into the target: mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql mysql"));
    }
    let Some(here) = SystemZone::ask(session, there.begins).await? else {
        return Ok(Finding::not_checked(
            CODE,
            "the target did not tell its time zone",
        ));
    };
    Ok(judge(of_sessions, &there, &here))
}

fn judge(of_sessions: &str, there: &SystemZone, here: &SystemZone) -> Finding {
    let (source, target) = (there.now(), here.now());
    if there == here {
        return Finding::passed(
            CODE,
            format!("the system's time zone is the same on both servers, {source} now"),
        );
    }
    let what = if source == target {
        format!("the system's time zone is {source} on both servers now, but not all year")
    } else {
        format!("the system's time zone is {source} now on the source, {target} on the target")
    };
    let (severity, whose) = if of_sessions == "SYSTEM" {
        (
            Severity::Warning,
            "the source's sessions are in it (time_zone is SYSTEM)".to_owned(),
        )
    } else {
        (
            Severity::Note,
            format!("the source's sessions are in {of_sessions} unless they set it"),
        )
    };
    Finding::about(
        CODE,
        severity,
        format!("{what}; {whose}, and a statement that makes rows by it, such as ALTER TABLE … ADD … DATETIME DEFAULT CURRENT_TIMESTAMP, makes others on the target"),
    )
    .remedy("start the target in the source's time zone (TZ in its environment), or give the source's sessions one that the log can name, such as SET PERSIST time_zone = '+00:00', which changes what its applications see")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_compared_all_year() {
        let zone = |ahead: &[i32]| SystemZone {
            begins: 0,
            ahead: ahead.to_vec(),
        };
        let check = |of_sessions: &str, source: &[i32], target: &[i32], severity, text: &str| {
            let found = judge(of_sessions, &zone(source), &zone(target));
            assert_eq!(found.severity, severity, "{found:?}");
            assert!(found.message.contains(text), "{found:?}");
        };
        check("SYSTEM", &[0, 0], &[0, 0], Severity::Passed, "+00:00 now");
        check(
            "SYSTEM",
            &[3600, 7200],
            &[0, 0],
            Severity::Warning,
            "+01:00 now on the source, +00:00",
        );
        check(
            "SYSTEM",
            &[3600, 7200],
            &[3600, 3600],
            Severity::Warning,
            "not all year",
        );
        check(
            "+02:00",
            &[3600, 7200],
            &[0, 0],
            Severity::Note,
            "are in +02:00",
        );
    }
}
