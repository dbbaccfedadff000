//! docs/fidelity.md: what arrives as it was, and what stops the pipeline, written from the tests' own words.
//!
//! A test says what it shows in a line of three parts, the first of which is `type`, `event` or `statement`:
//!
//! - a scenario in its first lines: `-- fidelity: type | YEAR | equal, 0 too`;
//! - a Rust test in its doc comment: `/// fidelity: event | INCIDENT | stops: source.incident`.
//!
//! So no row of the page is without a test. A line that belongs to no test is an error.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

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

/// A row of the page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// What it is about.
    pub area: Area,
    /// The type, event or statement.
    pub what: String,
    /// What holds for it on MySQL 9.7.
    pub holds: String,
    /// The test that shows it.
    pub test: String,
}

const HEAD: &str = "# Fidelity

What the target holds of what the source logged, or the error that stops the pipeline: each row is shown by the test in its last column, between two real servers. The
page is written from those tests by `cargo xtask docs`: [tests/src/fidelity.rs](../tests/src/fidelity.rs) says how.

\"Equal\" is the servers' own word (`tests/src/compare.rs`): `SHOW CREATE` of tables, views, routines and schemas, every value by its bytes, and `JSON_TYPE` of every value
inside a document. A file in `tests/scenarios/` is replicated five times: straight; with `binlog_row_image = MINIMAL` and `binlog_row_metadata = FULL`; with `NOBLOB`; with the connection to the target cut
at many places; and through the program `datain`, which is killed in the middle of each.
";

/// The page, from all tests below `root`.
///
/// # Errors
/// File errors, and lines that cannot be read or belong to no test.
pub fn page(root: &Path) -> Result<String> {
    let mut rows = Vec::new();
    for (path, text) in sources(root)? {
        let shown = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        let found = if path.extension().is_some_and(|end| end == "sql") {
            of_scenario(&text, &shown)
        } else {
            of_rust(&text, &shown)
        };
        rows.extend(found.with_context(|| format!("in {shown}"))?);
    }
    rows.sort();
    let mut page = HEAD.to_owned();
    for (area, title) in [
        (Area::Type, "Types and columns"),
        (Area::Event, "Events and formats"),
        (Area::Statement, "Statements"),
        (Area::File, "Files of the log"),
    ] {
        // Writing to a String cannot fail, here and below.
        let _ = write!(
            page,
            "\n## {title}\n\n| what | MySQL 9.7 | shown by |\n|---|---|---|\n"
        );
        for row in rows.iter().filter(|row| row.area == area) {
            let _ = writeln!(page, "| {} | {} | {} |", row.what, row.holds, row.test);
        }
    }
    Ok(page)
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

fn row(line: &str, test: String) -> Result<Row> {
    let parts: Vec<&str> = line.splitn(3, '|').map(str::trim).collect();
    let [area, what, holds] = parts.as_slice() else {
        bail!("a fidelity line has three parts, with | between them: {line}");
    };
    if what.is_empty() || holds.is_empty() {
        bail!("a fidelity line has three parts, none of them empty: {line}");
    }
    let area = match *area {
        "type" => Area::Type,
        "event" => Area::Event,
        "statement" => Area::Statement,
        "file" => Area::File,
        other => bail!("`{other}` is not type, event, statement or file: {line}"),
    };
    Ok(Row {
        area,
        what: (*what).to_owned(),
        holds: (*holds).to_owned(),
        test,
    })
}

fn of_scenario(text: &str, path: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut head = true;
    for line in text.lines() {
        head = head && line.starts_with("--");
        let Some(rest) = line.strip_prefix("-- fidelity:") else {
            continue;
        };
        if !head {
            bail!("a fidelity line stands behind the file's first comment: {line}");
        }
        rows.push(row(rest, format!("`{path}`"))?);
    }
    // Files under crates/ that are no scenarios have no such lines.
    if rows.is_empty() && path.starts_with("tests/scenarios/") {
        bail!("the scenario has no line `-- fidelity: …`");
    }
    Ok(rows)
}

fn of_rust(text: &str, path: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut waiting: Vec<&str> = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("/// fidelity:") {
            waiting.push(rest);
        } else if line == "#[test]" {
            is_test = true;
        } else if line.starts_with("///") || line.starts_with("#[") {
            // Between the line and its function.
        } else {
            let name = line
                .trim_start_matches("pub ")
                .strip_prefix("fn ")
                .and_then(|rest| rest.split(['(', '<']).next());
            match (name, waiting.is_empty()) {
                (Some(name), _) if is_test => {
                    for rest in waiting.drain(..) {
                        rows.push(row(rest, format!("`{name}` in `{path}`"))?);
                    }
                }
                (_, true) => {}
                _ => bail!("no #[test] follows: {}", waiting.join(";")),
            }
            is_test = false;
        }
    }
    if !waiting.is_empty() {
        bail!("no #[test] follows: {}", waiting.join(";"));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_belongs_to_the_test_that_follows() {
        let line = "/// fidelity: event | INCIDENT | stops";
        let rows = of_rust(
            &format!("{line}\n#[test]\nfn it_stops() {{}}\n"),
            "tests/a.rs",
        )
        .expect("rows");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].test, "`it_stops` in `tests/a.rs`");
        assert_eq!(
            (rows[0].area, rows[0].holds.as_str()),
            (Area::Event, "stops")
        );
        for orphan in [
            format!("{line}\nfn no_test() {{}}\n#[test]\nfn other() {{}}\n"),
            format!("#[test]\nfn before() {{}}\n{line}\n"),
            "/// fidelity: event | two parts\n#[test]\nfn t() {}\n".to_owned(),
            "/// fidelity: thing | a | b\n#[test]\nfn t() {}\n".to_owned(),
        ] {
            assert!(of_rust(&orphan, "a.rs").is_err(), "{orphan}");
        }
    }

    #[test]
    fn a_scenario_says_it_in_its_first_lines() {
        let path = "tests/scenarios/a.sql";
        let rows = of_scenario(
            "-- schemas: a\n-- fidelity: type | INT | equal\nSELECT 1;\n",
            path,
        );
        assert_eq!(rows.expect("rows")[0].test, "`tests/scenarios/a.sql`");
        assert!(of_scenario("SELECT 1;\n-- fidelity: type | INT | equal\n", path).is_err());
        assert!(of_scenario("-- schemas: a\nSELECT 1;\n", path).is_err());
    }
}
