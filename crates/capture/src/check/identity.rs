//! The source's server_id, and the pipeline's own among the replicas.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{Session, Stream};
use datain_server_facts::{Variables, set};

use super::Survey;
use crate::neighbours;
use crate::reader::Settings;

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
    let code = "server.replica-id-in-use";
    let ours = settings.server_id;
    let registration = neighbours::Registration::of(settings);
    let replicas = match neighbours::list(session).await {
        Ok(replicas) => replicas,
        Err(e) if e.code == "server.privilege-missing" || e.server_errno == Some(1045) => {
            survey.find(Finding::not_checked(
                code,
                "the account may not ask the source for its replicas",
            ));
            return Ok(());
        }
        Err(e) => return Err(e),
    };
    let mut free = ours.max(1);
    while u64::from(free) == own || replicas.iter().any(|replica| replica.server_id == free) {
        free = free.checked_add(1).unwrap_or(1);
    }
    let remedy = format!("server_id = {free} in [source] of the configuration");
    let is_mariadb = session.server_version().is_mariadb();
    let is_ours = |replica: &neighbours::Neighbour| registration.is_of(replica, is_mariadb);
    let other = replicas
        .iter()
        .find(|replica| replica.server_id == ours && !replica.is_card() && !is_ours(replica));
    survey.find(if u64::from(ours) == own {
        Finding::about(
            code,
            Severity::Fatal,
            format!("{ours} is the source's own server_id"),
        )
        .remedy(remedy)
    } else if let Some(other) = other {
        Finding::about(
            code,
            Severity::Fatal,
            format!(
                "another replica (host {:?}, uuid {}) reads under the server_id {ours}",
                other.host, other.uuid
            ),
        )
        .remedy(remedy)
    } else if replicas.iter().any(is_ours) {
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
