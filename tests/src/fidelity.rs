//! docs/fidelity.md: what arrives as it was, and what stops the pipeline, written from the tests' own words, with a column for each pair of servers between which they run.
//!
//! A test says what it shows in a line of three parts, the first of which is `type`, `event`, `statement` or `file`:
//!
//! - a scenario in its first lines: `-- fidelity: type | YEAR | equal, 0 too`;
//! - a Rust test in its doc comment: `/// fidelity: event | INCIDENT | stops: source.incident`.
//!
//! What a Rust test shows is between two MySQL 9.7, or between the pairs that stand before the first part: `/// fidelity: mysql-5.6 → mysql-9.7: event | …`. What a scenario shows holds for all pairs between
//! which a Rust test runs the scenarios and which its line `-- servers:` means. Such a test says so: `/// scenarios: mysql-5.6 → mysql-9.7`.
//!
//! So no row, and no mark in one, is without a test. A line that belongs to no test is an error, and so is a scenario that no test runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::scenarios;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// A column type, or a property of columns.
    Type,
    /// An event of the binary log, or a setting that changes what is logged.
    Event,
    /// A statement.
    Statement,
    /// A file of the log, without a server.
    File,
}

/// Source and target, as their flavours are called, and the column's title.
struct Pair(&'static str, &'static str, &'static str);

/// The columns of the page.
const PAIRS: &[Pair] = &[
    Pair("mysql-9.7", "mysql-9.7", "9.7"),
    Pair("mysql-5.6", "mysql-9.7", "5.6 → 9.7"),
    Pair("mysql-5.6", "mysql-5.6", "5.6"),
    Pair("mariadb-11.8", "mariadb-11.8", "MariaDB 11.8"),
    Pair("mariadb-10.11", "mariadb-10.11", "MariaDB 10.11"),
    Pair("mariadb-11.8", "mysql-9.7", "MariaDB 11.8 → 9.7"),
];

/// Where a pair stands in [`PAIRS`].
type Column = usize;

/// What a test says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// What it is about.
    pub area: Area,
    /// The type, event or statement.
    pub what: String,
    /// What holds for it.
    pub holds: String,
}

/// Who shows a claim, and between which servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shown {
    columns: BTreeSet<Column>,
    tests: Vec<String>,
}

/// All that is known so far.
#[derive(Debug, Default)]
struct Found {
    claims: BTreeMap<Claim, Shown>,
    /// The tests that run the scenarios.
    runs: BTreeMap<Column, Vec<String>>,
}

const HEAD: &str = "# Fidelity

What the target holds of what the source logged, or the error that stops the pipeline: each row is shown by the test in its last column, between the pairs of real servers that are marked with ●. The
page is written from those tests by `cargo xtask docs`: [tests/src/fidelity.rs](../tests/src/fidelity.rs) says how. Where no mark is, no test shows it: types and statements that a pair does not have, and those of which
it is only likely ([old-servers.md](old-servers.md), [mariadb.md](mariadb.md)).

\"Equal\" is the servers' own word (`tests/src/compare.rs`): `SHOW CREATE` of tables, views, routines and schemas, every value by its bytes, and `JSON_TYPE` of every value
inside a document. Between two MySQL 9.7 a file in `tests/scenarios/` is replicated five times: straight; with `binlog_row_image = MINIMAL` and `binlog_row_metadata = FULL`; with `NOBLOB`; with the connection to the target cut
at many places; and through the program `datain`, which is killed in the middle of each. Such files are taken from one server to the other by:

";

/// The page, from all tests below `root`.
///
/// # Errors
/// File errors, and lines that cannot be read or belong to no test.
pub fn page(root: &Path) -> Result<String> {
    let mut found = Found::default();
    let all: Vec<(String, String, bool)> = sources(root)?
        .into_iter()
        .map(|(path, text)| {
            let shown = path.strip_prefix(root).unwrap_or(&path);
            let is_sql = path.extension().is_some_and(|end| end == "sql");
            (shown.display().to_string(), text, is_sql)
        })
        .collect();
    // The tests first: they say what happens to the scenarios.
    for (shown, text, _) in all.iter().filter(|file| !file.2) {
        of_rust(&mut found, text, shown).with_context(|| format!("in {shown}"))?;
    }
    for (shown, text, _) in all.iter().filter(|file| file.2) {
        of_scenario(&mut found, text, shown).with_context(|| format!("in {shown}"))?;
    }
    Ok(written(&found))
}

fn written(found: &Found) -> String {
    let mut page = HEAD.to_owned();
    // Writing to a String cannot fail, here and below.
    for (column, tests) in &found.runs {
        let Pair(source, target, _) = PAIRS[*column];
        let _ = writeln!(page, "- {source} → {target}: {}", tests.join(", "));
    }
    let shown = |area: Area| {
        found
            .claims
            .iter()
            .filter(move |(claim, _)| claim.area == area)
    };
    for (area, title) in [
        (Area::Type, "Types and columns"),
        (Area::Event, "Events and formats"),
        (Area::Statement, "Statements"),
        (Area::File, "Files of the log"),
    ] {
        // A file has no target. A pair without a mark in the table has no column.
        let columns: BTreeSet<Column> = match area {
            Area::File => BTreeSet::new(),
            _ => shown(area)
                .flat_map(|(_, shown)| shown.columns.iter().copied())
                .collect(),
        };
        let titles = columns
            .iter()
            .map(|column| format!(" {} |", PAIRS[*column].2));
        let _ = writeln!(
            page,
            "\n## {title}\n\n| what | what holds |{} shown by |",
            titles.collect::<String>()
        );
        let _ = writeln!(page, "|---|---|{}---|", "---|".repeat(columns.len()));
        for (claim, shown) in shown(area) {
            let marks = columns.iter().map(|column| {
                if shown.columns.contains(column) {
                    " ● |"
                } else {
                    " |"
                }
            });
            let _ = writeln!(
                page,
                "| {} | {} |{} {} |",
                claim.what,
                claim.holds,
                marks.collect::<String>(),
                shown.tests.join(", ")
            );
        }
    }
    page
}

/// Scenarios and Rust tests, by path.
fn sources(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut folders = vec![root.join("tests/scenarios"), root.join("tests/tests")];
    for entry in std::fs::read_dir(root.join("crates")).context("failed to list the crates")? {
        folders.push(
            entry
                .context("failed to list the crates")?
                .path()
                .join("tests"),
        );
    }
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        // Not every crate has tests of this kind.
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.context("failed to list tests")?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|end| end == "rs" || end == "sql")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read(&path)
                .with_context(|| format!("failed to read {}", path.display()))?;
            Ok((path, String::from_utf8_lossy(&text).into_owned()))
        })
        .collect()
}

/// A list of pairs, `SOURCE → TARGET, …`, as columns.
fn columns(text: &str) -> Result<BTreeSet<Column>> {
    text.split(',')
        .map(|pair| {
            let (source, target) = pair
                .split_once('→')
                .with_context(|| format!("`{pair}` is no pair of servers"))?;
            let is_it = |Pair(from, to, _): &Pair| *from == source.trim() && *to == target.trim();
            PAIRS
                .iter()
                .position(is_it)
                .with_context(|| format!("the page has no column for `{pair}`"))
        })
        .collect()
}

impl Found {
    /// Takes note of a line, with the pairs in it or those given.
    fn add(&mut self, line: &str, pairs: &BTreeSet<Column>, test: &str) -> Result<()> {
        let parts: Vec<&str> = line.splitn(3, '|').map(str::trim).collect();
        let [head, what, holds] = parts.as_slice() else {
            bail!("a fidelity line has three parts, with | between them: {line}");
        };
        if what.is_empty() || holds.is_empty() {
            bail!("a fidelity line has three parts, none of them empty: {line}");
        }
        let (named, area) = match head.rsplit_once(':') {
            Some((named, area)) => (columns(named)?, area.trim()),
            None => (pairs.clone(), *head),
        };
        let area = match area {
            "type" => Area::Type,
            "event" => Area::Event,
            "statement" => Area::Statement,
            "file" => Area::File,
            other => bail!("`{other}` is not type, event, statement or file: {line}"),
        };
        let claim = Claim {
            area,
            what: (*what).to_owned(),
            holds: (*holds).to_owned(),
        };
        let shown = self.claims.entry(claim).or_default();
        shown.columns.extend(named);
        shown.tests.push(test.to_owned());
        Ok(())
    }
}

fn of_scenario(found: &mut Found, text: &str, path: &str) -> Result<()> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("-- fidelity:"));
    let number = lines.count();
    // Files under crates/ that are no scenarios have no such lines.
    if number == 0 {
        if path.contains("scenarios/") {
            bail!("the scenario has no line `-- fidelity: …`");
        }
        return Ok(());
    }
    let servers = scenarios::servers(text);
    let pairs: BTreeSet<Column> = found
        .runs
        .keys()
        .copied()
        .filter(|column| scenarios::is_between(&servers, PAIRS[*column].0, PAIRS[*column].1))
        .collect();
    if pairs.is_empty() {
        bail!("no test runs a scenario of {}", servers.join(", "));
    }
    let head: Vec<&str> = text
        .lines()
        .take_while(|line| line.starts_with("--"))
        .collect();
    let lines: Vec<&str> = head
        .iter()
        .filter_map(|line| line.strip_prefix("-- fidelity:"))
        .collect();
    if lines.len() != number {
        bail!("a fidelity line stands behind the file's first comment");
    }
    lines
        .iter()
        .try_for_each(|line| found.add(line, &pairs, &format!("`{path}`")))
}

fn of_rust(found: &mut Found, text: &str, path: &str) -> Result<()> {
    let between_newest = BTreeSet::from([0]);
    let mut waiting: Vec<&str> = Vec::new();
    let mut runs: BTreeSet<Column> = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("/// fidelity:") {
            waiting.push(rest);
        } else if let Some(rest) = line.strip_prefix("/// scenarios:") {
            runs.extend(columns(rest)?);
        } else if line == "#[test]" {
            is_test = true;
        } else if line.starts_with("///") || line.starts_with("#[") {
            // Between the line and its function.
        } else {
            let name = line
                .trim_start_matches("pub ")
                .strip_prefix("fn ")
                .and_then(|rest| rest.split(['(', '<']).next());
            let is_waited = !waiting.is_empty() || !runs.is_empty();
            match name.filter(|_| is_test) {
                Some(name) => {
                    let test = format!("`{name}` in `{path}`");
                    for rest in waiting.drain(..) {
                        found.add(rest, &between_newest, &test)?;
                    }
                    for column in std::mem::take(&mut runs) {
                        found.runs.entry(column).or_default().push(test.clone());
                    }
                }
                None if is_waited => bail!("no #[test] follows: {} {runs:?}", waiting.join(";")),
                None => {}
            }
            is_test = false;
        }
    }
    if !waiting.is_empty() || !runs.is_empty() {
        bail!("no #[test] follows: {} {runs:?}", waiting.join(";"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the page says of one Rust file and one scenario.
    fn of(rust: &str, sql: &str) -> Result<Found> {
        let mut found = Found::default();
        of_rust(&mut found, rust, "tests/a.rs")?;
        of_scenario(&mut found, sql, "tests/scenarios/a.sql")?;
        Ok(found)
    }

    const RUNS: &str = "/// scenarios: mysql-9.7 → mysql-9.7\n#[test]\nfn all() {}\n/// scenarios: mysql-5.6 → mysql-9.7\n#[test]\nfn old() {}\n";
    const SQL: &str = "-- schemas: a\n-- fidelity: type | INT | equal\nSELECT 1;\n";

    #[test]
    fn a_line_belongs_to_the_test_that_follows() {
        let line = "/// fidelity: event | INCIDENT | stops";
        let old = "/// fidelity: mysql-5.6 → mysql-9.7: event | INCIDENT | stops";
        let text = format!(
            "{RUNS}{line}\n#[test]\nfn it_stops() {{}}\n{old}\n#[test]\nfn old_too() {{}}\n"
        );
        let found = of(&text, SQL).expect("rows");
        let (claim, shown) = found.claims.last_key_value().expect("a row");
        assert_eq!((claim.area, claim.holds.as_str()), (Area::Event, "stops"));
        assert_eq!(
            shown.tests,
            ["`it_stops` in `tests/a.rs`", "`old_too` in `tests/a.rs`"]
        );
        assert_eq!(shown.columns, BTreeSet::from([0, 1]));
        let page = written(&found);
        assert!(
            page.contains("| what | what holds | 9.7 | 5.6 → 9.7 | shown by |"),
            "{page}"
        );
        assert!(
            page.contains("| INCIDENT | stops | ● | ● | `it_stops`"),
            "{page}"
        );
        for orphan in [
            format!("{line}\nfn no_test() {{}}\n#[test]\nfn other() {{}}\n"),
            format!("#[test]\nfn before() {{}}\n{line}\n"),
            "/// fidelity: event | two parts\n#[test]\nfn t() {}\n".to_owned(),
            "/// fidelity: thing | a | b\n#[test]\nfn t() {}\n".to_owned(),
            "/// fidelity: mysql-3.23 → mysql-9.7: event | a | b\n#[test]\nfn t() {}\n".to_owned(),
            "/// scenarios: mysql-9.7 → mysql-9.7\nfn no_test() {}\n".to_owned(),
        ] {
            assert!(of(&format!("{RUNS}{orphan}"), SQL).is_err(), "{orphan}");
        }
    }

    #[test]
    fn a_scenario_says_it_in_its_first_lines_and_some_test_runs_it() {
        let found = of(RUNS, SQL).expect("rows");
        let (_, shown) = found.claims.first_key_value().expect("a row");
        assert_eq!(shown.tests, ["`tests/scenarios/a.sql`"]);
        assert_eq!(shown.columns, BTreeSet::from([0]));
        let both = format!("-- servers: mysql-9.7, mysql-5.6\n{SQL}");
        let found = of(RUNS, &both).expect("rows");
        let (_, shown) = found.claims.first_key_value().expect("a row");
        assert_eq!(shown.columns, BTreeSet::from([0, 1]));
        for wrong in [
            "SELECT 1;\n-- fidelity: type | INT | equal\n",
            "-- schemas: a\nSELECT 1;\n",
            "-- servers: mariadb-11.8\n-- fidelity: type | INT | equal\n",
            "-- servers: mysql-5.6 → mysql-5.6\n-- fidelity: type | INT | equal\n",
        ] {
            assert!(of(RUNS, wrong).is_err(), "{wrong}");
        }
    }
}
