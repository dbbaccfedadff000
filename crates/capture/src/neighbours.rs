//! The source's other readers, of which none may have our server id.
//!
//! A source tells its replicas apart by uuid. It ends the dump of an older reader with the same uuid when a new one asks for one, and does not mind two
//! uuids with one id; a replica further down would then take the events of one for its own. So the list is looked at before registering.
//! A host that was killed stays in the list until the source notices, so our own uuid in it is never an error.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

/// A reader that the source knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neighbour {
    /// The id under which it has registered.
    pub server_id: u32,
    /// What it said of itself.
    pub host: String,
    /// By which the source tells it from others.
    pub uuid: String,
}

/// The readers that have registered with the source.
///
/// # Errors
/// Errors of the server.
pub(crate) async fn list<S: Stream>(session: &mut Session<S>) -> Result<Vec<Neighbour>, Error> {
    // Both statements need the right that reading the log needs.
    let sql: &[u8] = if session.server_version().is_mysql_since(8, 0, 22) {
        b"SHOW REPLICAS"
    } else {
        b"SHOW SLAVE HOSTS"
    };
    let rows = session.query_rows(sql).await?;
    Ok(rows.iter().filter_map(|row| neighbour(row)).collect())
}

/// Looks for our id among the source's readers. `Ok(true)`: there is one with our own uuid, which the source ends when we ask for the log.
///
/// # Errors
/// `server.replica-id-in-use` when somebody else has the id; errors of the server.
pub async fn look<S: Stream>(
    session: &mut Session<S>,
    server_id: u32,
    uuid: &str,
) -> Result<bool, Error> {
    judge(list(session).await?.into_iter(), server_id, uuid)
}

/// Server id and host come first, the uuid last; between them may be user and password, which some servers show.
fn neighbour(row: &[Option<String>]) -> Option<Neighbour> {
    let cell = |value: Option<&Option<String>>| value.cloned().flatten().unwrap_or_default();
    Some(Neighbour {
        server_id: cell(row.first()).parse().ok()?,
        host: cell(row.get(1)),
        uuid: cell(row.last()),
    })
}

fn judge(
    mut neighbours: impl Iterator<Item = Neighbour>,
    server_id: u32,
    uuid: &str,
) -> Result<bool, Error> {
    // The source lists one reader per id, the newest.
    let Some(other) = neighbours.find(|n| n.server_id == server_id) else {
        return Ok(false);
    };
    if other.uuid.eq_ignore_ascii_case(uuid) {
        return Ok(true);
    }
    Err(Error::reconfigure(
        "server.replica-id-in-use",
        format!("another reader of the source has the server id {server_id}"),
    )
    .detail(format!(
        "SHOW REPLICAS on the source lists it with host {:?} and uuid {}",
        other.host, other.uuid
    ))
    .hint(
        "give each replica and each pipeline of a source its own id: server_id in [source]; a reader that was ended just now leaves the list \
         within seconds",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listed: &[[&str; 5]], expected: Result<bool, &str>) {
        let rows: Vec<Vec<Option<String>>> = listed
            .iter()
            .map(|row| row.iter().map(|cell| Some((*cell).to_owned())).collect())
            .collect();
        let found = judge(rows.iter().filter_map(|row| neighbour(row)), 7, "aa-bb");
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{listed:?}"),
            (Err(error), Err(named)) => {
                assert_eq!(error.code, "server.replica-id-in-use");
                let detail = error.detail.unwrap_or_default();
                assert!(detail.contains(named), "{detail}");
            }
            (found, _) => panic!("{listed:?}: {found:?}"),
        }
    }

    #[test]
    fn our_id_may_only_be_our_own() {
        check(&[], Ok(false));
        check(&[["8", "replica", "3306", "1", "cc-dd"]], Ok(false));
        check(&[["7", "datain", "0", "1", "AA-BB"]], Ok(true));
        check(
            &[["7", "replica-3", "3306", "1", "cc-dd"]],
            Err("replica-3"),
        );
    }
}
