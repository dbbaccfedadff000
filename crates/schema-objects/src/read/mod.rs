//! Reading a source's objects.
//!
//! First the lists, from information_schema, then each object by SHOW CREATE. Every answer is taken as bytes, unconverted (`character_set_results = NULL`): a table's default may hold bytes of
//! any character set, and a view is written in that of the session that made it. The session's default schema is `information_schema`, but for the moment in which a view is shown.
//!
//! What is hidden from the account is told in two ways: what it sees the name of and not the definition is a fatal finding; of what may be there without its seeing even the name
//! (triggers, events, routines, whole schemas) a warning says which privilege would show it.

mod floats;
mod header;
mod list;
mod show;
mod sight;

use std::collections::{BTreeMap, BTreeSet};

use datain_contract::types::{Error, Finding, Severity};
use datain_contract::{ErrorExt as _, FindingExt as _};
use datain_mysql_client::{Session, Stream};
use datain_server_facts::{Rights, Sight, Variables, list as shorten};
use datain_sql_statement::TableFilter;

use crate::{Kind, Object};
use list::Name;
pub use show::{Shown, show};

/// The check that says which privileges are missing.
pub const UNSEEN: &str = "source.definitions-unseen";
/// The check that says which definitions nothing can be made of, or that may be refused.
pub const UNUSABLE: &str = "source.definitions-unusable";

/// Modes under which tables and schemas are made: strict, so that nothing is bent, with what a source may hold allowed all the same.
pub(crate) const TABLE_MODE: &str =
    "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO";
pub(crate) const TABLE_CHARSET: &str = "utf8mb4";
pub(crate) const TABLE_COLLATION: &str = "utf8mb4_general_ci";

/// Out of every schema that is copied.
const AWAY: &[u8] = b"USE information_schema";

/// The session in which definitions are shown the same on every server: unconverted, with quotes, a TIMESTAMP's default in UTC.
const SETTINGS: &[u8] =
    b"SET NAMES utf8mb4, SESSION character_set_results = NULL, SESSION sql_mode = '', \
    SESSION sql_quote_show_create = 1, SESSION time_zone = '+00:00'";

/// Settings that only some servers know, each by itself: the invisible key that the server made is shown, defaults are not, sizes are those of now.
const IF_KNOWN: &[&[u8]] = &[
    b"SET SESSION show_gipk_in_create_table_and_information_schema = ON",
    b"SET SESSION show_create_table_verbosity = OFF",
    b"SET SESSION show_create_table_skip_secondary_engine = OFF",
    b"SET SESSION information_schema_stats_expiry = 0",
];

/// Kinds of which an account may not see all, and what shows them.
const ALL_SIGHTS: [(&str, Sight); 4] = [
    ("tables and views", Sight::TABLES),
    ("routines", Sight::ROUTINES),
    ("triggers", Sight::TRIGGERS),
    ("events", Sight::EVENTS),
];

/// The same of what is held back.
const HELD_BACK_SIGHTS: [(&str, Sight); 2] =
    [("triggers", Sight::TRIGGERS), ("events", Sight::EVENTS)];

/// errno of "unknown system variable".
const UNKNOWN_VARIABLE: u16 = 1193;

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// By kind, in the order of [`Kind`]; then by schema and name, triggers in the order in which they are activated. Not yet in an order in which they can be made.
    pub objects: Vec<Object>,
    /// Tables and views that exist and are not replicated, as far as the account sees them.
    pub others: Vec<(String, String)>,
    /// What each view may use: pairs of names in its text.
    pub uses: BTreeMap<(String, String), BTreeSet<(String, String)>>,
    /// They are MariaDB's, where every mode of sql_mode still means something.
    pub keeps_modes: bool,
    /// What is wrong. With a fatal one the copy would lack something.
    pub findings: Vec<Finding>,
}

/// Brings a session into the state in which definitions are read.
///
/// # Errors
/// Errors of the server.
pub async fn prepare<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    prepare_again(session).await?;
    for sql in IF_KNOWN {
        match session.exec(sql).await {
            Err(e) if e.errno() != Some(UNKNOWN_VARIABLE) => return Err(e.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Brings a session back into that state that was in it once, and has run a statement in an object's session since.
///
/// # Errors
/// Errors of the server.
pub async fn prepare_again<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    session.exec(AWAY).await?;
    session.exec(SETTINGS).await?;
    Ok(())
}

/// Reads all that the filter lets through. The session is left as [`prepare`] makes it.
///
/// # Errors
/// `source.objects-changing` when something was dropped meanwhile, `source.objects-unreadable`; errors of the server and of the network.
pub async fn read<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Reading, Error> {
    prepare(session).await?;
    let seer = Seer::ask(session).await?;
    let names = list::all(session, filter).await?;
    let mut reading = Reading {
        others: names.others,
        keeps_modes: session.server_version().is_mariadb(),
        ..Reading::default()
    };
    let hidden = show_each(session, names.wanted, &mut reading).await?;
    seer.judge(session, filter, &ALL_SIGHTS, &hidden, &mut reading);
    Ok(reading)
}

/// Reads what is made at the cutover alone: triggers and events, and the schemas that they are in. Else as [`read`].
///
/// # Errors
/// As [`read`].
pub async fn held_back<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Reading, Error> {
    prepare(session).await?;
    let seer = Seer::ask(session).await?;
    let mut reading = Reading {
        keeps_modes: session.server_version().is_mariadb(),
        ..Reading::default()
    };
    let names = list::held_back(session, filter).await?;
    let hidden = show_each(session, names, &mut reading).await?;
    seer.judge(session, filter, &HELD_BACK_SIGHTS, &hidden, &mut reading);
    Ok(reading)
}

/// What is known of the account that reads.
struct Seer {
    rights: Rights,
    insensitive: bool,
}

/// What there was no definition to be had of.
#[derive(Default)]
struct Hidden {
    denied: Vec<Name>,
    unusable: Vec<(Name, String)>,
}

impl Seer {
    async fn ask<S: Stream>(session: &mut Session<S>) -> Result<Seer, Error> {
        let variables =
            Variables::ask(session, &["lower_case_table_names", "partial_revokes"]).await?;
        Ok(Seer {
            insensitive: variables
                .get("lower_case_table_names")
                .is_some_and(|v| v != "0"),
            rights: Rights::ask(session, &variables).await?,
        })
    }

    /// The findings about what could not be read.
    fn judge<S: Stream>(
        &self,
        session: &Session<S>,
        filter: &TableFilter,
        sights: &[(&str, Sight)],
        hidden: &Hidden,
        reading: &mut Reading,
    ) {
        let findings = &mut reading.findings;
        findings.extend(sight::denied(
            &hidden.denied,
            &self.rights,
            self.insensitive,
        ));
        let knows_show_routine = session.server_version().is_mysql_since(8, 0, 20);
        findings.extend(sight::unseen(
            sights,
            filter,
            &self.rights,
            self.insensitive,
            knows_show_routine,
        ));
        if findings.is_empty() {
            let message = format!("the account sees all {} definitions", reading.objects.len());
            findings.push(Finding::passed(UNSEEN, message));
        }
        findings.push(usable(&hidden.unusable));
    }
}

/// Asks for the definition of each name.
async fn show_each<S: Stream>(
    session: &mut Session<S>,
    names: Vec<Name>,
    reading: &mut Reading,
) -> Result<Hidden, Error> {
    let version = session.server_version();
    let old = !version.is_mysql_since(8, 0, 0) && !version.is_mariadb();
    let mut hidden = Hidden::default();
    for name in names {
        match show(session, name.kind, &name.schema, &name.name).await? {
            Shown::Object(mut object) => {
                if let Some(reason) = &object.excuse {
                    hidden.unusable.push((name.clone(), reason.clone()));
                }
                object.definer = name.definer;
                object.bytes = name.bytes;
                if old {
                    object.context.default_collation_for_utf8mb4 =
                        Some("utf8mb4_general_ci".to_owned());
                }
                if name.kind == Kind::Table {
                    floats::exact(session, &mut object).await?;
                }
                if name.kind == Kind::View {
                    let uses = show::uses(session, &object).await?;
                    reading.uses.insert((name.schema, name.name), uses);
                }
                reading.objects.push(*object);
            }
            Shown::Denied => hidden.denied.push(name),
            Shown::Unusable { reason } => hidden.unusable.push((name, reason)),
            Shown::Missing => {
                return Err(Error::retry(
                    "source.objects-changing",
                    format!("{name} was dropped while definitions were read"),
                ));
            }
        }
    }
    Ok(hidden)
}

/// One finding for all definitions that may come to nothing.
fn usable(unusable: &[(Name, String)]) -> Finding {
    let lines: Vec<String> = unusable
        .iter()
        .map(|(name, reason)| format!("{name}: {reason}"))
        .collect();
    let message = if lines.is_empty() {
        "every definition can be made elsewhere".to_owned()
    } else {
        shorten(&lines)
    };
    Finding::judge(UNUSABLE, lines.is_empty(), Severity::Warning, message)
        .remedy(
            "mend or drop them on the source, or exclude them; what the target refuses is left out",
        )
        .subjects(unusable.iter().map(|(name, _)| name.quoted()).collect())
}

/// The server said something else than it should.
pub(crate) fn unexpected(what: &str) -> Error {
    Error::fatal("source.objects-unreadable", what)
        .hint("this server's answer is not understood: say which version it is")
}

impl Name {
    fn quoted(&self) -> String {
        crate::object::quoted(self.kind, &self.schema, &self.name)
    }

    /// The privilege that shows its definition. A view's takes two.
    fn privilege(&self, rights: &Rights) -> &'static str {
        match self.kind {
            Kind::Schema | Kind::Table | Kind::Indexes => "SELECT",
            Kind::View if !rights.grants.on_table("SELECT", &self.schema, &self.name) => "SELECT",
            Kind::View => "SHOW VIEW",
            Kind::Library | Kind::Function | Kind::Procedure => "SHOW_ROUTINE",
            Kind::Trigger => "TRIGGER",
            Kind::Event => "EVENT",
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.words(), self.quoted())
    }
}
