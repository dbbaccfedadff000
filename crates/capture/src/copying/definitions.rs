//! What a copy makes besides rows: schemas, tables, views and routines before them, and behind them the indexes that large tables were made without.
//!
//! Definitions are read with the first step, not when the reader is opened: there may be thousands. Until they are, every table waits, so the stream brings nothing.
//!
//! Which tables are made without their indexes is decided once, by how large the source says they are, and kept in the checkpoint ([`Aside`]): after a restart the source may
//! say otherwise. The statements that add the indexes are read when all rows are there. They are in the order of the same list then, since no definition may change meanwhile.
//! Each is handed on alone, with its own place, like any other statement: a target with GTIDs knows after a kill whether it has run it.

use std::collections::{HashSet, VecDeque};

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity, Statement};
use datain_mysql_client::{Session, Stream};
use datain_schema_objects::plan::{Abilities, Choices, Plan, removed};
use datain_schema_objects::read::Reading;
use datain_schema_objects::{Kind, Phase, plan, read};
use datain_sql_statement::TableFilter;
use serde::{Deserialize, Serialize};

use super::statements;

/// The tables that were made without indexes, by their numbers in the list of all tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Aside(Vec<u64>);

impl Aside {
    /// None was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of a list.
    fn of(tables: impl Iterator<Item = bool>) -> Self {
        let numbered = (0_u64..).zip(tables);
        Self(numbered.filter(|(_, is)| *is).map(|(n, _)| n).collect())
    }

    /// Makes the plan set aside the indexes of just these tables.
    fn impose(&self, reading: &mut Reading) {
        let tables = reading.objects.iter_mut().filter(|o| o.kind == Kind::Table);
        for (number, table) in (0_u64..).zip(tables) {
            table.bytes = if self.0.contains(&number) {
                u64::MAX
            } else {
                0
            };
        }
    }
}

/// What is to be made.
#[derive(Debug)]
pub struct Definitions {
    /// Before the rows, without those that are done.
    pub before: VecDeque<Statement>,
    /// How many that are, with those that are done.
    pub all: u64,
    /// Whose indexes come behind the rows.
    pub aside: Aside,
    /// What people should read.
    pub notices: Vec<String>,
}

/// What the target is taken to have: nobody asks it here. What it lacks for an encrypted table it says itself; the other options say where a table is kept.
pub(crate) fn abilities() -> Abilities {
    Abilities {
        encrypts: true,
        ..Abilities::default()
    }
}

/// What a first copy would find fault with in the definitions; if none is to be made, that there is nothing to find. The session is left as
/// [`read::prepare`] makes it.
///
/// # Errors
/// Those of [`read::read`].
pub async fn findings<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    copies: bool,
) -> Result<Vec<Finding>, Error> {
    if !copies {
        let codes = [
            read::UNSEEN,
            read::UNUSABLE,
            plan::DROPPED,
            removed::REMOVED,
        ];
        let passed = |code| Finding::passed(code, "no first copy is to be made");
        return Ok(codes.map(passed).to_vec());
    }
    let reading = read::read(session, filter).await?;
    let mut findings = reading.findings.clone();
    let version = session.server_version();
    findings.push(if version.is_mariadb() || version.is_mysql_since(8, 0, 0) {
        Finding::passed(removed::REMOVED, "the source is no MySQL before 8.0")
    } else {
        removed::finding(&reading.objects)
    });
    findings.extend(plan::plan(reading, &abilities(), Choices::default()).findings);
    Ok(findings)
}

/// Reads what is to be made before the rows, of which so many are done. `aside` is what was decided before; nothing was when the copy has only just begun.
///
/// # Errors
/// `snapshot.definitions-unreadable`; errors of the server.
pub async fn before_rows<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    choices: Choices,
    done: u64,
    aside: Option<Aside>,
) -> Result<Definitions, Error> {
    let mut reading = read::read(session, filter).await?;
    statements::must_be_readable(&reading)?;
    let noted = reading.findings.clone();
    let aside = match (aside, done, choices.indexes_after) {
        (Some(decided), ..) => decided,
        (None, 0, Some(from)) => {
            let tables = reading.objects.iter().filter(|o| o.kind == Kind::Table);
            Aside::of(tables.map(|table| table.bytes >= from))
        }
        // It was begun by a version that made every table whole.
        (None, ..) => Aside::default(),
    };
    aside.impose(&mut reading);
    let tables = reading.objects.iter().filter(|o| o.kind == Kind::Table);
    let tables: Vec<_> = tables.map(|o| (o.schema.clone(), o.name.clone())).collect();
    let plan = plan(reading, choices);
    let has_indexes: HashSet<_> = plan
        .objects
        .iter()
        .filter(|object| object.kind == Kind::Indexes)
        .map(|object| (object.schema.clone(), object.name.clone()))
        .collect();
    let aside = Aside::of(tables.iter().map(|table| has_indexes.contains(table)));
    let mut notices: Vec<String> = noted
        .iter()
        .chain(&plan.findings)
        .filter(|finding| finding.severity != Severity::Passed)
        .map(|finding| format!("{}: {}", finding.message, finding.subjects.join(", ")))
        .collect();
    let before = plan
        .objects
        .into_iter()
        .filter(|o| o.kind.phase() != Phase::AfterRows);
    let (objects, refused): (Vec<_>, Vec<_>) = before.partition(|object| object.excuse.is_none());
    notices.extend(refused.iter().map(|object| {
        let why = object.excuse.as_deref().unwrap_or_default();
        format!("{} is left out of the first copy: {why}", object.quoted())
    }));
    let statements = statements::of(session, objects).await?;
    Ok(Definitions {
        all: statements.len() as u64,
        before: statements
            .into_iter()
            .skip(usize::try_from(done).unwrap_or(usize::MAX))
            .collect(),
        aside,
        notices,
    })
}

/// The statements that add the indexes of these tables, without those that are done.
///
/// # Errors
/// As [`before_rows`].
pub async fn behind_rows<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    choices: Choices,
    done: u64,
    aside: &Aside,
) -> Result<VecDeque<Statement>, Error> {
    if aside.is_empty() {
        return Ok(VecDeque::new());
    }
    let mut reading = read::read(session, filter).await?;
    statements::must_be_readable(&reading)?;
    aside.impose(&mut reading);
    let objects = plan(reading, choices).objects.into_iter();
    let indexes = objects.filter(|object| object.kind == Kind::Indexes);
    let statements = statements::of(session, indexes.collect()).await?;
    let done = usize::try_from(done).unwrap_or(usize::MAX);
    Ok(statements.into_iter().skip(done).collect())
}

/// The plan that sets aside what [`Aside::impose`] has marked.
fn plan(reading: Reading, choices: Choices) -> Plan {
    let choices = Choices {
        indexes_after: Some(u64::MAX),
        ..choices
    };
    plan::plan(reading, &abilities(), choices)
}
