//! From what a source holds to what a target is to run, in order.
//!
//! 1. Schemas. 2. Libraries. 3. Tables, in no order that matters: they are made with `foreign_key_checks = 0`, since foreign keys may lead in circles. 4. Functions and procedures, whose
//!    bodies are not looked into before they are called. 5. Views, each behind those that it uses ([`views`]). Then the rows are copied. 6. Indexes that were set aside
//!    ([`crate::indexes`]). At the cutover: 7. triggers and 8. events.
//!
//! Cut are options for which the target lacks the means ([`options`]), modes that no server has since 8.0, and, where the operator wants it so, definers.

mod abilities;
mod options;
pub mod removed;
pub(crate) mod views;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datain_contract::FindingExt as _;
use datain_contract::types::{Finding, Severity};
use datain_server_facts::list as shorten;
use datain_sql_statement::{Charset, NameCase, is_never_replicated};
use serde::Deserialize;

use crate::edit::options as reading_options;
use crate::indexes;
use crate::read::{Reading, UNUSABLE};
use crate::{Kind, Object, definer};
pub use abilities::Abilities;

/// The check that says which options the target lacks the means for.
pub const DROPPED: &str = "pair.options-dropped";

/// As whom views, routines, triggers and events run on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Definer {
    /// As the account that they run as on the source, whether the target has it or not.
    #[default]
    Keep,
    /// As the account that makes them there.
    CurrentUser,
}

/// From this many bytes of data on, indexes are faster made after the rows. Measured on MySQL 9.7 with a buffer pool of 128 MiB on a busy machine of 2 cores: rows of 96 bytes with two such
/// indexes, in the order of the primary key, by LOAD DATA; indexes before, and after: 20,000 rows 3.8 s and 3.9 s, 200,000 rows 34 s and 19 s, 2,000,000 rows 758 s and 120 s.
pub const INDEXES_AFTER: u64 = 16 << 20;

/// What the operator may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choices {
    /// As whom things run.
    pub definer: Definer,
    /// Tables from this many bytes of data on get their indexes after their rows: [`INDEXES_AFTER`]. None: no table does.
    pub indexes_after: Option<u64>,
}

/// What is to be run, and what must be said of it.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In the order in which they are to be made. By [`Kind::phase`], the phases follow each other.
    pub objects: Vec<Object>,
    /// What was cut, and which views may be refused.
    pub findings: Vec<Finding>,
}

/// Modes that old servers have in what they keep, and MySQL 8.0 and later refuse ("Changes in MySQL 8.0.11").
const GONE_MODES: [&str; 11] = [
    "DB2",
    "MAXDB",
    "MSSQL",
    "MYSQL323",
    "MYSQL40",
    "ORACLE",
    "POSTGRESQL",
    "NO_FIELD_OPTIONS",
    "NO_KEY_OPTIONS",
    "NO_TABLE_OPTIONS",
    "NO_AUTO_CREATE_USER",
];

/// Puts what was read into order and form.
#[must_use]
pub fn plan(reading: Reading, target: &Abilities, choices: Choices) -> Plan {
    let Reading {
        mut objects,
        others,
        uses,
        keeps_modes,
        ..
    } = reading;
    let mut dropped = Vec::new();
    for object in &mut objects {
        if !keeps_modes {
            object.context.sql_mode = known_modes(&object.context.sql_mode);
        }
        let (sql, names) = options::without_lacking(object.kind, &object.sql, target);
        object.sql = sql;
        (object.shown, _) = options::without_lacking(object.kind, &object.shown, target);
        if !names.is_empty() {
            dropped.push((object.quoted(), names.join(", ")));
        }
        if choices.definer == Definer::CurrentUser && object.kind.has_definer() {
            let charset = Charset::from_name(&object.context.character_set_client);
            let options = reading_options(&object.context.sql_mode, charset);
            object.sql = definer::without(&object.sql, &options);
            object.shown = definer::without(&object.shown, &options);
            object.definer = None;
        }
    }
    let (views, mut rest): (Vec<_>, Vec<_>) =
        objects.into_iter().partition(|o| o.kind == Kind::View);
    let mut views = views::in_order(views, &uses);
    let missing = excuse(&mut views, &uses, &others);
    let aside = match choices.indexes_after {
        Some(bytes) => set_aside(&mut rest, bytes),
        None => Vec::new(),
    };
    rest.extend(views);
    rest.extend(aside);
    // Stable: views stay in their order, triggers too.
    rest.sort_by_key(|object| place(object.kind));
    let mut findings = vec![dropped_finding(&dropped)];
    if !missing.is_empty() {
        findings.push(missing_finding(&missing));
    }
    Plan {
        objects: rest,
        findings,
    }
}

/// The place of a kind in the order of the module.
fn place(kind: Kind) -> u8 {
    match kind {
        Kind::Schema => 1,
        Kind::Library => 2,
        Kind::Table => 3,
        Kind::Function | Kind::Procedure => 4,
        Kind::View => 5,
        Kind::Indexes => 6,
        Kind::Trigger => 7,
        Kind::Event => 8,
    }
}

fn known_modes(modes: &str) -> String {
    let known: Vec<&str> = modes
        .split(',')
        .filter(|mode| !GONE_MODES.contains(mode))
        .collect();
    known.join(",")
}

type Uses = BTreeMap<views::Pair, BTreeSet<views::Pair>>;

/// Gives views an excuse that use a table or view that exists and is not replicated, or another view that has one. Says which, and what they use.
fn excuse(views: &mut [Object], uses: &Uses, others: &[views::Pair]) -> Vec<(String, String)> {
    let others: BTreeSet<&views::Pair> = others
        .iter()
        .filter(|(schema, _)| !is_never_replicated(schema, NameCase::Insensitive))
        .collect();
    let mut excused = BTreeSet::new();
    let mut missing = Vec::new();
    for view in views {
        let own = (view.schema.clone(), view.name.clone());
        if view.excuse.is_none() {
            let used = uses.get(&own).into_iter().flatten();
            let absent = used
                .into_iter()
                .find(|pair| **pair != own && (others.contains(pair) || excused.contains(*pair)));
            if let Some((schema, name)) = absent {
                let what = crate::object::quoted(Kind::View, schema, name);
                view.excuse = Some(format!(
                    "it uses {what}, which is not copied, or may not be"
                ));
                missing.push((view.quoted(), what));
            }
        }
        if view.excuse.is_some() {
            excused.insert(own);
        }
    }
    missing
}

/// Takes indexes out of large tables, and returns what adds them.
fn set_aside(objects: &mut [Object], from: u64) -> Vec<Object> {
    // Columns that foreign keys of other tables lead to.
    let mut referenced: HashMap<(String, String), Vec<Vec<u8>>> = HashMap::new();
    for table in objects.iter().filter(|o| o.kind == Kind::Table) {
        for found in indexes::references(&table.sql).unwrap_or_default() {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            let schema = found.schema.map_or_else(|| table.schema.clone(), text);
            referenced
                .entry((schema.to_lowercase(), text(found.table).to_lowercase()))
                .or_default()
                .extend(found.columns.into_iter().next());
        }
    }
    let mut aside = Vec::new();
    for table in objects {
        if table.kind != Kind::Table || table.bytes < from || !indexes::tells_rows_apart(&table.sql)
        {
            continue;
        }
        let key = (table.schema.to_lowercase(), table.name.to_lowercase());
        let needed = referenced.get(&key).map_or(&[][..], Vec::as_slice);
        let split = |sql| indexes::split(sql, &table.name, needed);
        let (Some(sql), Some(split)) = (split(&table.sql), split(&table.shown)) else {
            continue;
        };
        table.sql = sql.table;
        table.shown = split.table;
        aside.extend(split.steps.into_iter().map(|step| Object {
            kind: Kind::Indexes,
            sql: step.alter,
            shown: step.shown,
            ..table.clone()
        }));
    }
    aside
}

fn dropped_finding(dropped: &[(String, String)]) -> Finding {
    let lines: Vec<String> = dropped
        .iter()
        .map(|(table, names)| format!("{table}: {names}"))
        .collect();
    let message = if lines.is_empty() {
        "the target can do all that the definitions ask for".to_owned()
    } else {
        format!("made without what the target lacks: {}", shorten(&lines))
    };
    Finding::judge(DROPPED, lines.is_empty(), Severity::Warning, message)
        .remedy("give the target a keyring, the tablespace, or the folder in innodb_directories, if it shall have them; else nothing is to be done")
        .subjects(dropped.iter().map(|(table, _)| table.clone()).collect())
}

fn missing_finding(missing: &[(String, String)]) -> Finding {
    let lines: Vec<String> = missing
        .iter()
        .map(|(view, used)| format!("the view {view} uses {used}, which is not replicated"))
        .collect();
    Finding::about(UNUSABLE, Severity::Warning, shorten(&lines))
        .remedy(
            "include what the views use, or exclude the views; what the target refuses is left out",
        )
        .subjects(missing.iter().map(|(view, _)| view.clone()).collect())
}
