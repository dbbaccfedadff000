//! Asks a server for its log, as a replica does: settings of the session, the registration under the server id, and the request itself.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{DUMP_HEARTBEAT_V2, DUMP_THROUGH_GTID, Session, Stream};

use crate::checkpoint::State;
use crate::gtids::Gtids;
use crate::neighbours::{Listed, Registration};
use crate::reader::Settings;

/// What became of registering with the source.
pub(crate) struct Registered {
    /// The source listed another reader of this pipeline before.
    pub(crate) replaces: bool,
    /// The source lists this one now.
    pub(crate) listed: bool,
    /// Another pipeline was refused at the same moment because of this one: the host that it gave.
    pub(crate) refused: Option<String>,
}

/// While the target is slow nothing is read, and the source must wait: by itself it gives up after a minute, and a large transaction would begin anew.
const WRITE_TIMEOUT_SECONDS: u32 = 86_400;

/// Says that MariaDB's own events are known, up to its GTIDs; it would write others in their place, and cannot go by GTID then.
const MARIADB_CAPABILITY: &[u8] = b"SET @mariadb_slave_capability = 4";

pub(crate) async fn request_dump<S: Stream>(
    session: &mut Session<S>,
    settings: &Settings,
    state: &State,
) -> Result<Registered, Error> {
    let nanos = settings.heartbeat_seconds.max(1) * 1_000_000_000;
    let registration = Registration::of(settings);
    registration.differs_from(session).await?;
    let before = registration.look(session).await.map_err(without_right)?;
    // Old servers know the one name of each, new ones the other.
    let sql = format!(
        "SET @master_heartbeat_period = {nanos}, @source_heartbeat_period = {nanos}, \
         @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum, \
         SESSION net_write_timeout = {WRITE_TIMEOUT_SECONDS}"
    );
    session.exec(sql.as_bytes()).await?;
    if session.server_version().is_mariadb() {
        session.exec(MARIADB_CAPABILITY).await?;
    }
    session.exec(registration.tell_uuid().as_bytes()).await?;
    registration
        .register(session)
        .await
        .map_err(without_right)?;
    let mut after = registration.look(session).await?;
    let refused = match after {
        Listed::Card(host) => {
            registration.register(session).await?;
            after = registration.look(session).await?;
            Some(host)
        }
        _ => None,
    };
    let registered = Registered {
        replaces: before == Listed::Ourselves,
        listed: after == Listed::Ourselves,
        refused,
    };
    // In files over 4 GiB a sign of life of the old kind does not say where the source is.
    let heartbeat = if session.server_version().is_mysql_since(8, 0, 26) {
        DUMP_HEARTBEAT_V2
    } else {
        0
    };
    match &state.gtids {
        // MariaDB takes the position from the session; file and offset say nothing then.
        Some(Gtids::Position(position)) => {
            let sql = format!(
                "SET @slave_connect_state = '{position}', @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0"
            );
            session.exec(sql.as_bytes()).await?;
            session
                .binlog_dump(settings.server_id, "", 4, heartbeat)
                .await?;
        }
        Some(Gtids::Set(gtids)) => {
            session
                .binlog_dump_gtid(
                    settings.server_id,
                    DUMP_THROUGH_GTID | heartbeat,
                    "",
                    4,
                    &gtids.encode(),
                )
                .await?;
        }
        None => {
            let offset = u32::try_from(state.position.offset).map_err(|_| {
                Error::reconfigure(
                    "source.offset-too-large",
                    format!(
                        "the protocol cannot ask for offset {} of {}",
                        state.position.offset, state.position.file
                    ),
                )
                .hint("use GTIDs, which have no such limit; keep max_binlog_size at or under 1 GiB")
            })?;
            session
                .binlog_dump(settings.server_id, &state.position.file, offset, heartbeat)
                .await?;
        }
    }
    Ok(registered)
}

/// The server answers a replica without the privilege with 1045, as if the password were wrong, and the question for its replicas with 1227.
fn without_right(error: Error) -> Error {
    if error.server_errno != Some(ACCESS_DENIED) && error.code != "server.privilege-missing" {
        return error;
    }
    let mut refused = Error::reconfigure(
        "server.privilege-missing",
        "the account may not read the binary log: it lacks the privilege REPLICATION SLAVE",
    )
    .hint("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO the source's account");
    refused.server_errno = error.server_errno;
    refused.sqlstate = error.sqlstate;
    refused
}

const ACCESS_DENIED: u16 = 1045;
