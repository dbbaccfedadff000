//! Files that servers from MySQL 5.0 to 9.0 and MariaDB 5.5 to 10.6 wrote, from their own test suites.
//!
//! Files that are whole are read all in one go. Those that their makers have cut, damaged, encrypted or written in a form of their own are listed here, each with what is said of it; so is what is not
//! replicated yet. How many events of which type there are is held against mysqlbinlog of 9.7 where it reads a file, and everywhere against a walk from header to header.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use datain_throwaway_servers::{Flavor, Silent, fetch, old_logs};
use serde_json::Value;

use crate::{tail, text};

/// Ends of names, and what is said: of the changes, and of the count of events. `ok` is no error.
const STOPS: &[(&str, &str, &str)] = &[
    // Made by hand for tests of crash recovery: what is in them ends or goes on in the wrong place.
    (
        "ddl_in_transaction.000001",
        "binlog.truncated-transaction",
        "ok",
    ),
    (
        "orphan_begin_start.000001",
        "binlog.truncated-transaction",
        "ok",
    ),
    (
        "orphan_xa_commit.000001",
        "binlog.truncated-transaction",
        "ok",
    ),
    (
        "orphan_xa_rollback.000001",
        "binlog.truncated-transaction",
        "ok",
    ),
    ("orphan_xa_prepare.000001", "binlog.malformed", "ok"),
    ("duplicate_xid.000001", "binlog.checksum", "binlog.checksum"),
    (
        "duplicate_xid_ddl.000001",
        "binlog.checksum",
        "binlog.checksum",
    ),
    (
        "duplicate_xid_xa_prepare.000001",
        "binlog.checksum",
        "binlog.checksum",
    ),
    (
        "malformed_xid_xa_commit.000001",
        "binlog.checksum",
        "binlog.checksum",
    ),
    (
        "malformed_xid_xa_rollback.000001",
        "binlog.checksum",
        "binlog.checksum",
    ),
    (
        "mdev-39404-binlog.000001",
        "binlog.checksum",
        "binlog.checksum",
    ),
    (
        "binlog_invalid_row_v2_tag.001",
        "binlog.checksum",
        "binlog.checksum",
    ),
    (
        "corrupt-relay-bin.000624",
        "binlog.malformed",
        "binlog.malformed",
    ),
    (
        "binlog_no_fd_event.000001",
        "binlog.malformed",
        "binlog.malformed",
    ),
    // Cut off.
    (
        "binlog_truncated_event.000001",
        "binlog.truncated",
        "binlog.truncated",
    ),
    (
        "binlog_truncated_prev_gtid_event.000001",
        "binlog.truncated",
        "binlog.truncated",
    ),
    (
        "bug11747416_32228_binlog.000001",
        "binlog.truncated",
        "binlog.truncated",
    ),
    ("bug40482-bin.000001", "source.incident", "ok"),
    (
        "rpl_nogtid_encryption_master-bin.000002",
        "binlog.encrypted",
        "binlog.encrypted",
    ),
    (
        "binlog_before_20574.bin",
        "binlog.encrypted",
        "binlog.encrypted",
    ),
    // Of no released server.
    (
        "ver_5_1-wl2325_r.001",
        "binlog.other-layout",
        "binlog.other-layout",
    ),
    (
        "ver_5_1-wl2325_s.001",
        "binlog.other-layout",
        "binlog.other-layout",
    ),
    (
        "mdev-4645-binlog_checksum.binlog",
        "binlog.other-layout",
        "binlog.other-layout",
    ),
    (
        "mdev-4645-binlog_group_id.binlog",
        "binlog.other-layout",
        "binlog.other-layout",
    ),
    (
        "mdev-4645-binlog_group_id_checksum.binlog",
        "binlog.other-layout",
        "binlog.other-layout",
    ),
];

/// Whole files that mysqlbinlog of 9.7 does not read, besides those of MariaDB from 10.0 on: rows of MySQL Cluster's 5.1.
const NOT_ITS_OWN: &[&str] = &["-full-row.binlog", "-partial-row.binlog"];

/// Others that mysqlbinlog of 9.7 gives up at an early row event: of versions of 5.1 and 5.6 before their release.
const GIVEN_UP: &[&str] = &["ver_5_1_23.001", "ver_trunk_row_v2.001"];

/// Versions without which the test would show less than it says.
const VERSIONS: &[&str] = &[
    "5.0.",
    "5.1.",
    "5.5.",
    "5.6.",
    "5.7.",
    "8.0.2",
    "8.0.11",
    "8.0.22",
    "8.0.32",
    "8.3.",
    "8.4.",
    "9.0.",
    "5.5.36-MariaDB",
    "10.0.",
    "10.3.",
];

/// The version that a file's first event names: 50 bytes behind the magic, the header and the format's number.
fn version(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("a file");
    let field = bytes.get(25..75).unwrap_or_default();
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// What is said of a file that does not end well.
fn stop(path: &Path) -> Option<&'static (&'static str, &'static str, &'static str)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    STOPS.iter().find(|(end, ..)| {
        name.strip_suffix(end)
            .is_some_and(|rest| rest.ends_with('.'))
    })
}

/// Types as datain and mysqlbinlog both name them, letters only; mysqlbinlog does not tell the versions of rows events apart.
fn plain(name: &str) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let lower = letters.to_ascii_lowercase();
    let lower = lower.strip_suffix("v1").unwrap_or(&lower);
    lower.strip_suffix("partial").unwrap_or(lower).to_owned()
}

/// What `datain tail --stats` counts, by names and by codes' bytes.
fn counted(files: &[PathBuf]) -> (BTreeMap<String, u64>, u64, u64) {
    let exit = tail(files, &["--stats", "--format", "json"]);
    assert_eq!(exit.code, 0, "{exit}");
    let found: Value = serde_json::from_str(&exit.stdout).expect("an object");
    let mut by_name = BTreeMap::new();
    let (mut events, mut bytes) = (0, 0);
    for count in found["types"].as_array().expect("a list") {
        let number = |key: &str| count[key].as_u64().expect("a number");
        *by_name
            .entry(plain(count["type"].as_str().expect("a name")))
            .or_default() += number("events");
        events += number("events");
        bytes += number("bytes");
    }
    (by_name, events, bytes)
}

/// The events that mysqlbinlog prints, by name. What it prints from inside a compressed transaction has that event's own end.
fn printed(files: &[PathBuf]) -> BTreeMap<String, u64> {
    let distribution = fetch(Flavor::Mysql97, &Silent).expect("MySQL 9.7");
    let mut command = distribution.mysqlbinlog_command().expect("mysqlbinlog");
    let output = command.args(files).output().expect("mysqlbinlog runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
    let mut payload = None;
    while let Some(line) = lines.next() {
        let Some((head, rest)) = line.split_once(" end_log_pos ") else {
            continue;
        };
        let is_header = head.starts_with('#') && head.contains(" server id ");
        let Some((end, rest)) = rest.split_once(char::is_whitespace).filter(|_| is_header) else {
            continue;
        };
        if payload.as_deref() == Some(end) {
            continue;
        }
        let rest = rest.trim_start();
        let rest = match rest.strip_prefix("CRC32 ") {
            Some(rest) => rest.split_once('\t').map_or("", |(_, rest)| rest),
            None => rest,
        };
        let name = match rest.trim() {
            "" => lines
                .next()
                .expect("an event's second line")
                .trim_start_matches('#'),
            name => name,
        };
        let name = name.split(['\t', ':', '=']).next().unwrap_or_default();
        let name = match name.trim() {
            "Start" => "Format_desc",
            rotate if rotate.starts_with("Rotate to") => "Rotate",
            prepare if prepare.starts_with("XA PREPARE") => "XA_prepare",
            name => name,
        };
        payload = (name == "Transaction_Payload").then(|| end.to_owned());
        *by_name.entry(plain(name)).or_default() += 1;
    }
    by_name
}

/// Events of a whole file, from one header to the next: how many, and their bytes.
fn walked(path: &Path) -> (u64, u64) {
    let bytes = std::fs::read(path).expect("a file");
    let (mut at, mut events) = (4, 0);
    while let Some(length) = bytes.get(at + 9..at + 13) {
        at += u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        events += 1;
    }
    assert_eq!(at, bytes.len(), "{}", path.display());
    (events, bytes.len() as u64 - 4)
}

/// fidelity: file | files of MySQL 5.0, 5.1, 5.5, 5.6, 5.7, 8.0, 8.3, 8.4 and 9.0, of MariaDB 5.5 to 10.6, from the servers' own test suites | shown to the end, or an error that says what is wrong; as many events of each type as mysqlbinlog of 9.7 prints
#[test]
fn files_of_other_versions_are_read_to_the_end_or_refused_by_name() {
    let files = old_logs::fetch(&Silent).expect("the files");
    assert!(files.len() > 100, "{} files", files.len());
    let versions: Vec<String> = files.iter().map(|path| version(path)).collect();
    for wanted in VERSIONS {
        assert!(
            versions.iter().any(|found| found.starts_with(wanted)),
            "no file of {wanted}"
        );
    }
    for (path, version) in files.iter().zip(&versions) {
        println!(
            "{version:34} {}",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    let (stopping, whole): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|path| stop(path).is_some());
    assert_eq!(stopping.len(), STOPS.len(), "{stopping:?}");

    let exit = tail(&whole, &[]);
    assert_eq!(exit.code, 0, "{exit}");
    assert!(exit.stdout.lines().count() > 1000, "{}", exit.stdout.len());
    let (mysql, others): (Vec<_>, Vec<_>) = whole.iter().cloned().partition(|path| {
        let version = version(path);
        let name = text(path);
        let cluster = version.contains("ndb") && NOT_ITS_OWN.iter().any(|end| name.ends_with(end));
        let given_up = GIVEN_UP.iter().any(|end| name.ends_with(end));
        !cluster && !given_up && (!version.contains("MariaDB") || version.starts_with("5."))
    });
    assert_eq!(counted(&mysql).0, printed(&mysql));
    for files in [mysql, others] {
        let (_, events, bytes) = counted(&files);
        let walked: Vec<_> = files.iter().map(|path| walked(path)).collect();
        assert_eq!(events, walked.iter().map(|file| file.0).sum::<u64>());
        assert_eq!(bytes, walked.iter().map(|file| file.1).sum::<u64>());
    }

    for path in &stopping {
        let (name, changes, count) = stop(path).expect("it is listed");
        for (arguments, code) in [(&[][..], *changes), (&["--stats"][..], *count)] {
            let exit = tail(std::slice::from_ref(path), arguments);
            if code == "ok" {
                assert_eq!(exit.code, 0, "{name}: {exit}");
                continue;
            }
            assert_eq!(exit.code, 3, "{name}: {exit}");
            assert!(
                exit.stderr.contains(&format!("error[{code}]")),
                "{name}: {exit}"
            );
            // Where it stopped, and what to do.
            assert!(exit.stderr.contains(&format!("{name}:")), "{name}: {exit}");
            assert!(exit.stderr.contains("hint: "), "{name}: {exit}");
        }
    }
}
