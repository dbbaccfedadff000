//! The column "then" of docs/errors.md, held against the places where errors are made: who makes an error says with the constructor what can be done about it.
//!
//! Codes that come out of a table (errors of servers, networks and plugins) are held against it where the table is: `contract/src/client_error.rs`.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

/// How an error is made, and what must then stand in the catalogue.
const MADE: &[(&str, &[&str])] = &[
    ("Error::retry(", &["again"]),
    ("Error::fatal(", &["ends"]),
    ("Error::reconfigure(", &["ends", "2"]),
    ("Error::resnapshot(", &["ends"]),
    ("Error::config(", &["2"]),
    ("Error::new(Kind::Retry,", &["again"]),
    ("Error::new(Kind::Fatal,", &["ends"]),
    ("Error::new(Kind::Reconfigure,", &["ends"]),
];

/// Errors of commands that do one thing and end, whatever the error: a retry is the person's.
const OF_COMMANDS: &[&str] = &[
    "control.failed",
    "skip.in-doubt",
    "cutover.behind",
    "cutover.writes-not-stopped",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The codes that `text` gives to this constructor: a literal as its first argument.
fn codes<'a>(text: &'a str, constructor: &str) -> Vec<&'a str> {
    text.split(constructor)
        .skip(1)
        .filter_map(|rest| rest.strip_prefix('"')?.split('"').next())
        .collect()
}

#[test]
fn the_catalogue_says_what_happens_after_each_error() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in [
        "crates",
        "host-harness/src",
        "source-plugin/src",
        "sink-plugin/src",
    ] {
        sources(&root.join(folder), &mut files);
    }
    let (mut held, mut wrong) = (0, Vec::new());
    for file in files.iter().filter(|file| {
        let text = file.to_string_lossy();
        text.contains("/src/") && !text.contains("/tests/") && !text.contains("throwaway")
    }) {
        let text = fs::read_to_string(file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        // As if it stood in one line.
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.replace("( ", "(").replace(", \"", ",\"");
        for (constructor, expected) in MADE {
            for code in codes(&text, constructor) {
                if OF_COMMANDS.contains(&code) {
                    continue;
                }
                let then = datain_catalogue::ERRORS
                    .iter()
                    .flat_map(|section| section.entries)
                    .find(|entry| entry.codes.contains(&code))
                    .map(|entry| entry.then);
                // A check's code is in the other list, where every finding that is fatal ends a run.
                let Some(then) = then else { continue };
                let said = |word: &&str| then.split([' ', ',']).any(|said| said == *word);
                if !expected.iter().any(said) {
                    wrong.push(format!(
                        "{}: {constructor} of {code:?}, of which the catalogue says {then:?}",
                        file.display()
                    ));
                }
                held += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        held > 80,
        "only {held} were found: how errors are made must have changed"
    );
}
