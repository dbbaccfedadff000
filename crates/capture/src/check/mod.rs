//! What `datain check` finds at the source, and what the sink must know of it.
//!
//! One session, one finding per requirement of the catalogue. The order matters in one place: the tables' columns are read before the newest position, so that
//! "nothing is pending" is only said if the target has whatever changed those columns.

mod access;
pub(crate) mod branches;
pub(crate) mod cascades;
mod definers;
mod identity;
mod log;
mod mariadb;
mod place;
mod tables;
mod zones;

use datain_contract::FindingExt as _;
use datain_contract::types::{Checkpoint, Error, Fact, Finding, Severity};
use datain_mysql_client::{Session, Stream, quote_identifier};
use datain_schema_objects::plan::Definer;
use datain_server_facts::{Rights, Variables, clock, encryption, tables as seen};

use crate::checkpoint::State;
use crate::copying;
use crate::facts::{Facts, is_known_source};
use crate::reader::{Settings, Statements};

/// Everything that is asked for at once.
const VARIABLES: &[&str] = &[
    "log_bin",
    "binlog_format",
    "binlog_row_value_options",
    "binlog_row_image",
    "binlog_row_metadata",
    "binlog_checksum",
    "binlog_expire_logs_seconds",
    "binlog_expire_logs_auto_purge",
    "expire_logs_days",
    "sync_binlog",
    "server_id",
    "gtid_mode",
    "enforce_gtid_consistency",
    "explicit_defaults_for_timestamp",
    "lower_case_table_names",
    "max_allowed_packet",
    "innodb_native_foreign_keys",
    "partial_revokes",
    "require_secure_transport",
    "time_zone",
];

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// One per requirement.
    pub findings: Vec<Finding>,
    /// For the sink; the names are documented in `wit/types.wit`.
    pub facts: Vec<Fact>,
}

impl Survey {
    fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn tell(&mut self, name: &str, value: impl Into<String>) {
        self.tell_of(name, None, value);
    }

    fn tell_of(&mut self, name: &str, subject: Option<String>, value: impl Into<String>) {
        self.facts.push(Fact {
            name: name.to_owned(),
            subject,
            value: value.into(),
        });
    }
}

/// Looks at the server. `now` is datain's clock, microseconds since 1970; `checkpoint` is the target's.
///
/// # Errors
/// `config.filter`, `checkpoint.*`, `source.gtid-set-unreadable`; errors of the server and of the network.
pub async fn survey<S: Stream>(
    session: &mut Session<S>,
    settings: &Settings,
    checkpoint: Option<&Checkpoint>,
    now: impl Fn() -> u64,
) -> Result<Survey, Error> {
    let mut survey = Survey::default();
    let version = session.server_version().clone();
    survey.tell(
        "flavour",
        if version.is_mariadb() {
            "mariadb"
        } else {
            "mysql"
        },
    );
    let (major, minor, patch) = version.numbers();
    survey.tell("version", format!("{major}.{minor}.{patch}"));
    survey.find(
        Finding::judge(
            "source.flavour-unsupported",
            is_known_source(&version),
            Severity::Fatal,
            format!("the source is {version}"),
        )
        .remedy("replicate from MySQL, or from MariaDB 10.6 or later"),
    );
    if !is_known_source(&version) {
        return Ok(survey);
    }
    let variables = Variables::ask(session, VARIABLES).await?;
    let insensitive = variables
        .get("lower_case_table_names")
        .is_some_and(|v| v != "0");
    let filter = datain_server_facts::filter(&settings.include, &settings.exclude, insensitive)?;
    let rights = Rights::ask(session, &variables).await?;
    for (fact, variable) in [
        ("lower-case-table-names", "lower_case_table_names"),
        ("max-allowed-packet", "max_allowed_packet"),
        ("gtid-mode", "gtid_mode"),
        ("explicit-timestamps", "explicit_defaults_for_timestamp"),
    ] {
        if let Some(value) = variables.get(variable) {
            survey.tell(fact, value);
        }
    }
    let copies = settings.start.mode == "snapshot" && checkpoint.is_none();
    // A first copy cannot be made among statements.
    let is_copying = |c: &Checkpoint| State::from_checkpoint(c).is_ok_and(|s| s.copy.is_some());
    let copying = copies || checkpoint.is_some_and(is_copying);
    let replays = settings.statements == Statements::Replay && !copying;
    log::settings(&variables, &version, replays, &mut survey);
    identity::server_id(session, settings, &variables, &mut survey).await?;
    let tables = seen::tables(session, &filter).await?;
    for schema in seen::schemas(session, &filter).await? {
        survey.tell("schema", quote_identifier(&schema));
    }
    // After the columns: see the module.
    let facts = Facts::ask(session).await?;
    let resume = checkpoint.map(State::from_checkpoint).transpose()?;
    let by_file = place::check(settings, resume, &facts, &variables, &version, &mut survey);
    access::privileges(&rights, &filter, &tables, by_file, insensitive, &mut survey);
    survey.find(branches::finding(session, &rights, checkpoint.is_none()).await?);
    let log_is_bare = variables
        .get("binlog_row_metadata")
        .is_none_or(|value| value.eq_ignore_ascii_case("NO_LOG"));
    tables::check(&tables, log_is_bare, &mut survey);
    if log_is_bare {
        for (schema, charset) in seen::schema_charsets(session, &filter).await? {
            survey.tell_of("schema-charset", Some(quote_identifier(&schema)), charset);
        }
    }
    mariadb::tell(session, &filter, &mut survey).await?;
    survey.find(cascades::finding(session, &filter, &variables, &version).await?);
    zones::tell(session, &filter, &variables, &version, now(), &mut survey).await?;
    if settings.definer == Definer::CurrentUser {
        survey.tell("definer-choice", "current-user");
    } else {
        definers::tell(session, &filter, &rights, insensitive, &mut survey).await?;
    }
    survey.find(encryption::finding(session, &variables, "source.unencrypted", "source").await?);
    survey.find(clock::finding(session, now, "source.clock-skew", "source").await?);
    // Last: it leaves the session as definitions are read.
    for finding in copying::findings(session, &filter, copies).await? {
        survey.find(finding);
    }
    Ok(survey)
}
