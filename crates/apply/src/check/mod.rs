//! What `datain check` finds at the target, and by comparing it with the source's facts.
//!
//! One session, one finding per requirement of the catalogue. The facts come from the source through the host; where one is missing, since the source could not
//! be looked at, the comparison is a note that says so, never a pass.

mod access;
pub(crate) mod definers;
mod mariadb;
mod pair;
mod server;
mod tables;
mod zones;

use datain_contract::types::{Error, Fact, Finding, Severity};
use datain_contract::{FactsExt as _, FindingExt as _};
use datain_mysql_client::{Session, Stream};
use datain_server_facts::{Rights, Variables, clock, encryption, gtid, tables as seen};
use datain_sql_statement::TableFilter;

/// Everything that is asked for at once.
const VARIABLES: &[&str] = &[
    "read_only",
    "super_read_only",
    "innodb_read_only",
    "offline_mode",
    "gtid_mode",
    "enforce_gtid_consistency",
    "lower_case_table_names",
    "max_allowed_packet",
    "partial_revokes",
    "require_secure_transport",
    "explicit_defaults_for_timestamp",
    "sql_require_primary_key",
    "sql_generate_invisible_primary_key",
];

/// Why a comparison was not made.
const NO_FACTS: &str = "the source could not be looked at";

/// Which tables are replicated.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Patterns of tables to replicate; none means all.
    pub include: Vec<String>,
    /// Patterns of tables not to replicate.
    pub exclude: Vec<String>,
}

/// What all groups of checks look at.
struct Look<'a> {
    variables: Variables,
    rights: Rights,
    filter: TableFilter,
    facts: &'a [Fact],
    /// Letter case does not count in names of schemas and tables.
    insensitive: bool,
}

/// Looks at the server. `now` is datain's clock, microseconds since 1970; `facts` are the source's.
///
/// # Errors
/// `config.filter`; errors of the server and of the network.
pub async fn findings<S: Stream>(
    session: &mut Session<S>,
    patterns: &Filter,
    facts: &[Fact],
    now: impl Fn() -> u64,
) -> Result<Vec<Finding>, Error> {
    let version = session.server_version().clone();
    let known = crate::settings::writes_to(&version);
    let mut findings = vec![
        Finding::judge(
            "sink.flavour-unsupported",
            known,
            Severity::Fatal,
            format!("the target is {version}"),
        )
        .remedy("replicate to MySQL 5.6 or later, or to MariaDB 10.6 or later"),
    ];
    if !known {
        return Ok(findings);
    }
    let variables = Variables::ask(session, VARIABLES).await?;
    let insensitive = variables
        .get("lower_case_table_names")
        .is_some_and(|value| value != "0");
    let look = Look {
        rights: Rights::ask(session, &variables).await?,
        variables,
        filter: datain_server_facts::filter(&patterns.include, &patterns.exclude, insensitive)?,
        facts,
        insensitive,
    };
    pair::settings(&look, &version, &mut findings);
    mariadb::check(session, &look, &mut findings).await?;
    findings.push(zones::finding(session, &look).await?);
    server::writable(&look, &mut findings);
    findings.push(gtid::finding(
        &look.variables,
        &version,
        "target.gtid-off",
        Severity::Warning,
    ));
    findings
        .push(encryption::finding(session, &look.variables, "target.unencrypted", "target").await?);
    findings.push(clock::finding(session, now, "target.clock-skew", "target").await?);
    let own_schemas = seen::schemas(session, &look.filter).await?;
    let schemas = look.schemas(&own_schemas);
    tables::check(session, &look, &own_schemas, &mut findings).await?;
    findings.push(definers::check(session, &look, &version).await?);
    access::privileges(&look, &version, &schemas, &mut findings);
    // Last, since the session loses its roles.
    let direct = look.rights.without_roles(session, &look.variables).await?;
    access::triggers(&look, &direct, &schemas, &mut findings);
    Ok(findings)
}

impl Look<'_> {
    /// The schemas that rows are or will be written to: those of the source, and those that the configuration names. Only where neither is known, the
    /// target's own.
    fn schemas(&self, own: &[String]) -> Vec<String> {
        let mut schemas: Vec<String> = self.facts.values("schema").map(unquoted).collect();
        schemas.extend(self.filter.named_schemas().unwrap_or_default());
        if schemas.is_empty() && self.facts.is_empty() {
            schemas = own.to_vec();
        }
        if self.insensitive {
            for schema in &mut schemas {
                *schema = schema.to_lowercase();
            }
        }
        schemas.sort();
        schemas.dedup();
        schemas
    }

    /// The columns of the source's tables by `` `schema`.`table` ``; none if the source's tables are not known.
    fn source_columns(&self) -> Option<std::collections::HashMap<String, &str>> {
        self.facts.value("tables")?;
        Some(self.told("columns"))
    }

    /// Facts of this name by their subjects.
    fn told(&self, name: &str) -> std::collections::HashMap<String, &str> {
        self.facts
            .iter()
            .filter(|fact| fact.name == name)
            .filter_map(|fact| Some((self.folded(fact.subject.as_deref()?), fact.value.as_str())))
            .collect()
    }

    /// A table's name as it is compared.
    fn folded(&self, name: &str) -> String {
        if self.insensitive {
            name.to_lowercase()
        } else {
            name.to_owned()
        }
    }
}

/// The identifier in backticks.
fn unquoted(quoted: &str) -> String {
    let inner = quoted.strip_prefix('`').unwrap_or(quoted);
    inner.strip_suffix('`').unwrap_or(inner).replace("``", "`")
}
