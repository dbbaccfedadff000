//! The source's server_id, and the pipeline's own among the replicas.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{Session, Stream};
use datain_server_facts::{Variables, set};

use super::Survey;
use crate::reader::{Settings, replica_uuid};

pub(super) async fn server_id<S: Stream>(
    session: &mut Session<S>,
    settings: &Settings,
    variables: &Variables,
    survey: &mut Survey,
) -> Result<(), Error> {
    let own = variables.number("server_id").unwrap_or(0);
    survey.find(
        Finding::judge(
            "source.server-id-unset",
            own != 0,
            Severity::Fatal,
            format!("the source's server_id is {own}"),
        )
        .remedy(set(session.server_version(), "server_id", "1")),
    );
    let code = "source.server-id-in-use";
    let ours = u64::from(settings.server_id);
    let uuid = replica_uuid(&settings.stream, settings.server_id);
    let sql: &[u8] = if session.server_version().is_mysql_since(8, 0, 22) {
        b"SHOW REPLICAS"
    } else {
        b"SHOW SLAVE HOSTS"
    };
    let replicas = match session.query_rows(sql).await {
        Ok(rows) => rows,
        Err(e) if e.code() == "server.privilege-missing" || e.errno() == Some(1045) => {
            survey.find(Finding::not_checked(
                code,
                "the account may not ask the source for its replicas",
            ));
            return Ok(());
        }
        Err(e) => return Err(e.into()),
    };
    // Id first, uuid last, whatever the columns between are called.
    let replicas: Vec<(u64, String)> = replicas
        .into_iter()
        .filter_map(|row| {
            let id = row.first()?.as_deref()?.parse().ok()?;
            Some((id, row.last().cloned().flatten().unwrap_or_default()))
        })
        .collect();
    let mut free = ours.max(1);
    while free == own || replicas.iter().any(|(id, _)| *id == free) {
        free = if free >= u64::from(u32::MAX) {
            1
        } else {
            free + 1
        };
    }
    let remedy = format!("server_id = {free} in [source] of the configuration");
    let other = replicas
        .iter()
        .find(|(id, found)| *id == ours && *found != uuid);
    survey.find(if ours == own {
        Finding::about(
            code,
            Severity::Fatal,
            format!("{ours} is the source's own server_id"),
        )
        .remedy(remedy)
    } else if let Some((_, other)) = other {
        Finding::about(
            code,
            Severity::Fatal,
            format!("another replica ({other}) reads under the server_id {ours}"),
        )
        .remedy(remedy)
    } else if replicas.iter().any(|(_, found)| *found == uuid) {
        Finding::about(
            code,
            Severity::Note,
            format!("the source serves this pipeline already, under the server_id {ours}: it is running, or ended a moment ago"),
        )
    } else {
        Finding::passed(code, format!("nobody else uses {ours}"))
    });
    Ok(())
}
