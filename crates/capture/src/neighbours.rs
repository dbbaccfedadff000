//! The source's other readers, of which none may have our server id.
//!
//! A source tells its replicas apart by uuid. It ends the dump of an older reader with the same uuid when a new one asks for one, and does not mind two
//! uuids with one id; a replica further down would then take the events of one for its own. The source lists one reader per id, the one that registered last, and
//! takes it off the list when its connection ends (`register_replica` and `unregister_replica` in MySQL's sql/rpl_source.cc). So:
//!
//! - the list is looked at before registering, right afterwards, since another may have done the same at the same moment, and now and then while reading
//!   ([`Registration::still_holds`]), since one that heeds no list may come later. Whoever finds a stranger under its id ends, and names both;
//! - who ends so because of another datain *leaves a card* first: it registers once more, under a host that begins with [`CARD`]. That pushes the other from the list, and
//!   tells it that its id is used twice. A card is nobody who reads: the other one registers again and goes on.
//!
//! A host that was killed stays in the list until the source notices, so our own uuid in it is never an error.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{ReplicaIdentity, Session, Stream};

use crate::reader::Settings;

/// What a datain's host begins with in SHOW REPLICAS.
const OURS: &str = "datain:";
/// What the host of one begins with that found its id in use and does not read.
const CARD: &str = "refused-datain:";

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

impl Neighbour {
    /// Whether it has only left its card, and reads nothing.
    pub(crate) fn is_card(&self) -> bool {
        self.host.starts_with(CARD)
    }
}

/// Who is listed under our id, unless it is a stranger that reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Nobody.
    Nobody,
    /// This pipeline.
    Ourselves,
    /// One that was refused because of us; the host it gave.
    Card(String),
}

/// As what a pipeline registers with the source.
#[derive(Debug, Clone)]
pub struct Registration {
    stream: String,
    server_id: u32,
    uuid: String,
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
    let rows = match session.query_rows(sql).await {
        // MariaDB wants more for the list than for the log (REPLICATION MASTER ADMIN); it ends the older of two readers with one id by itself.
        Err(e)
            if e.code() == "server.privilege-missing" && session.server_version().is_mariadb() =>
        {
            return Ok(Vec::new());
        }
        rows => rows?,
    };
    Ok(rows.iter().filter_map(|row| neighbour(row)).collect())
}

impl Registration {
    /// As the settings say.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Registration {
            stream: settings.stream.clone(),
            server_id: settings.server_id,
            uuid: replica_uuid(&settings.stream, settings.server_id),
        }
    }

    /// Whether a listed reader is this pipeline. MariaDB lists no uuids.
    pub(crate) fn is_of(&self, listed: &Neighbour, is_mariadb: bool) -> bool {
        if is_mariadb {
            listed.server_id == self.server_id && listed.host == shown_host(OURS, &self.stream)
        } else {
            listed.uuid.eq_ignore_ascii_case(&self.uuid)
        }
    }

    /// Registers the session. The session must have told its uuid before.
    pub(crate) async fn register<S: Stream>(&self, session: &mut Session<S>) -> Result<(), Error> {
        self.register_as(session, OURS).await
    }

    async fn register_as<S: Stream>(
        &self,
        session: &mut Session<S>,
        kind: &str,
    ) -> Result<(), Error> {
        let identity = ReplicaIdentity {
            server_id: self.server_id,
            hostname: shown_host(kind, &self.stream),
            user: String::new(),
            port: 0,
        };
        Ok(session.register_replica(&identity).await?)
    }

    /// The statement by which a session tells its uuid. Old servers know the one name, new ones the other.
    pub(crate) fn tell_uuid(&self) -> String {
        format!("SET @slave_uuid = '{0}', @replica_uuid = '{0}'", self.uuid)
    }

    /// Makes sure that the id is not the source's own.
    ///
    /// # Errors
    /// `server.replica-id-in-use`; errors of the server.
    pub(crate) async fn differs_from<S: Stream>(
        &self,
        session: &mut Session<S>,
    ) -> Result<(), Error> {
        let row = session.query_first(b"SELECT @@global.server_id").await?;
        let own = row.and_then(|row| row.into_iter().next().flatten());
        if own.as_deref() != Some(self.server_id.to_string().as_str()) {
            return Ok(());
        }
        Err(Error::reconfigure(
            IN_USE,
            format!("{} is the source's own server_id", self.server_id),
        )
        .hint("give the pipeline another server_id in [source]"))
    }

    /// Looks for our id among the source's readers, and leaves a card when it is another datain's.
    ///
    /// # Errors
    /// `server.replica-id-in-use` when somebody else has the id; errors of the server.
    pub(crate) async fn look<S: Stream>(&self, session: &mut Session<S>) -> Result<Listed, Error> {
        let found = list(session).await?;
        let Some(other) = found.into_iter().find(|n| n.server_id == self.server_id) else {
            return Ok(Listed::Nobody);
        };
        if other.is_card() {
            return Ok(Listed::Card(other.host));
        }
        if self.is_of(&other, session.server_version().is_mariadb()) {
            return Ok(Listed::Ourselves);
        }
        if other.host.starts_with(OURS) {
            session.exec(self.tell_uuid().as_bytes()).await?;
            self.register_as(session, CARD).await?;
        }
        Err(self.in_use(&other))
    }

    /// Looks whether the pipeline, which reads on another session, is still the one that the source lists under its id. `Ok(Some)` is the error with which
    /// its stream must end.
    ///
    /// # Errors
    /// What kept it from looking.
    pub async fn still_holds<S: Stream>(
        &self,
        session: &mut Session<S>,
    ) -> Result<Option<Error>, Error> {
        match self.look(session).await {
            Ok(Listed::Ourselves) => Ok(None),
            Ok(Listed::Nobody) => Ok(Some(self.displaced(None))),
            Ok(Listed::Card(host)) => Ok(Some(self.displaced(Some(&host)))),
            Err(error) if error.code == IN_USE => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }

    fn in_use(&self, other: &Neighbour) -> Error {
        let Registration {
            stream,
            server_id,
            uuid,
        } = self;
        Error::reconfigure(
            IN_USE,
            format!("another reader of the source has the server id {server_id}"),
        )
        .detail(format!(
            "SHOW REPLICAS on the source lists it with host {:?} and uuid {}; this pipeline is {:?} with uuid {uuid}",
            other.host,
            other.uuid,
            shown_host(OURS, stream),
        ))
        .hint(
            "give each replica and each pipeline of a source its own id: server_id in [source]; a reader that was ended just now leaves the list \
             within seconds",
        )
    }

    fn displaced(&self, card: Option<&str>) -> Error {
        let who = card.map_or_else(
            || "another reader".to_owned(),
            |host| format!("another reader ({host})"),
        );
        Error::retry(
            "server.replica-displaced",
            format!(
                "{who} has registered with the source under the server id {} of this pipeline, and does not read",
                self.server_id
            ),
        )
        .hint("a datain that finds its id in use is refused, and tells the one that has it so; give that pipeline another server_id in [source]. This one registers again and goes on")
    }
}

const IN_USE: &str = "server.replica-id-in-use";

/// What SHOW REPLICAS shows as the host: the pipeline, for whoever wonders. Old servers take 60 bytes.
fn shown_host(kind: &str, stream: &str) -> String {
    let mut host = format!("{kind}{stream}");
    // Names of pipelines are ASCII; whatever else comes is left out.
    host.retain(|c| c.is_ascii_graphic());
    host.truncate(60);
    host
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

/// The uuid under which the pipeline registers: always the same, so that the source ends the dump of a host that was killed when its successor
/// connects.
fn replica_uuid(stream: &str, server_id: u32) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let half = |salt: u8| {
        // The hasher's keys are fixed, which is what is wanted here.
        let mut hasher = DefaultHasher::new();
        (salt, "datain", stream, server_id).hash(&mut hasher);
        hasher.finish()
    };
    let (a, b) = (half(1), half(2));
    // Version 8: made by a rule of one's own.
    format!(
        "{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 48) & 0x3fff,
        b & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_host_names_the_pipeline_and_is_short() {
        assert_eq!(shown_host(OURS, "orders"), "datain:orders");
        assert_eq!(shown_host(CARD, "orders"), "refused-datain:orders");
        assert_eq!(shown_host(OURS, &"x".repeat(64)).len(), 60);
    }

    #[test]
    fn a_pipeline_always_registers_under_the_same_uuid() {
        let uuid = replica_uuid("orders", 7);
        assert_eq!(uuid, replica_uuid("orders", 7));
        assert_ne!(uuid, replica_uuid("orders", 8));
        assert!(datain_binlog::Uuid::parse(&uuid).is_some(), "{uuid}");
    }

    #[test]
    fn the_columns_between_host_and_uuid_do_not_matter() {
        let check = |cells: &[&str]| {
            let row: Vec<Option<String>> = cells.iter().map(|c| Some((*c).to_owned())).collect();
            let found = neighbour(&row).expect("a reader");
            assert_eq!(
                (found.server_id, found.host.as_str(), found.uuid.as_str()),
                (7, "replica-3", "cc-dd")
            );
        };
        check(&["7", "replica-3", "3306", "1", "cc-dd"]);
        check(&["7", "replica-3", "u", "p", "3306", "1", "cc-dd"]);
        assert_eq!(neighbour(&[]), None);
    }
}
