//! Files that are not whole: everything readable is printed, then it ends with exit code 3 and says where.

use std::path::PathBuf;

use datain_tests::host::TempDir;
use serde_json::Value;

use crate::{all, assert_same, lines, logs, server, tail, text};

/// A file with small and large transactions, closed by the server, and its lines.
fn written(folder: &TempDir) -> (Vec<u8>, Vec<Value>) {
    let source = server();
    source
        .sql(
            "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(200)); INSERT INTO d.t VALUES (1, 'a'); BEGIN; INSERT INTO d.t VALUES (2, 'b'), (3, 'c'); \
             UPDATE d.t SET v = REPEAT('x', 200) WHERE id > 1; COMMIT; DELETE FROM d.t WHERE id = 1; \
             INSERT INTO d.t SELECT 100 + ROW_NUMBER() OVER (), REPEAT('y', 150) FROM information_schema.COLUMNS LIMIT 500; UPDATE d.t SET v = 'end' WHERE id = 2; FLUSH BINARY LOGS",
        )
        .expect("changes");
    let path = folder.path().join("binlog.000001");
    std::fs::copy(&logs(&source)[0], &path).expect("a copy");
    let expected = all(std::slice::from_ref(&path), &[]);
    assert!(expected.len() > 500, "{}", expected.len());
    (std::fs::read(&path).expect("the file"), expected)
}

/// Offsets of all events, and the file's length.
fn offsets(file: &[u8]) -> Vec<usize> {
    let mut at = 4;
    let mut found = vec![at];
    while at < file.len() {
        let size = file[at + 9..at + 13].try_into().expect("four bytes");
        at += u32::from_le_bytes(size) as usize;
        found.push(at);
    }
    found
}

/// The lines of transactions that begin before an offset and are whole there.
fn whole<'a>(lines: &'a [Value], found: &[Value]) -> &'a [Value] {
    let expected = &lines[..found.len()];
    let last = found.last().map(|line| line["source"]["pos"].clone());
    let next = lines
        .get(found.len())
        .map(|line| line["source"]["pos"].clone());
    assert!(
        last.is_none() || last != next,
        "half a transaction was printed"
    );
    expected
}

/// fidelity: file | cut off at any place, damaged | everything whole before is printed, then code, file and offset, exit code 3
#[test]
fn cuts_and_damage_end_it_after_everything_readable() {
    let folder = TempDir::new().expect("a folder");
    let (file, expected) = written(&folder);
    let starts = offsets(&file);
    let path = folder.path().join("damaged.000001");
    let files = [path.clone()];
    let middle = starts[starts.len() / 2];
    let mut cuts = vec![0, 1, 4, 10, 23, 100, file.len() - 1, file.len() - 5];
    cuts.extend([middle - 1, middle, middle + 1, middle + 19]);
    cuts.extend(starts.iter().copied().step_by(3));
    cuts.extend((0..file.len()).step_by(file.len() / 10));
    cuts.retain(|cut| *cut < file.len());
    let mut printed = std::collections::BTreeSet::new();
    for cut in cuts {
        std::fs::write(&path, &file[..cut]).expect("a file");
        let exit = tail(&files, &[]);
        let mut found = lines(&exit);
        for line in &mut found {
            line["source"]["file"] = "binlog.000001".into();
        }
        assert_same(&found, whole(&expected, &found));
        printed.insert(found.len());
        if exit.code == 0 {
            // Between two transactions nothing is missing that could be known.
            assert!(starts.contains(&cut), "cut at {cut}: {exit}");
            assert!(exit.stderr.contains("cut off"), "cut at {cut}: {exit}");
            continue;
        }
        assert_eq!(exit.code, 3, "cut at {cut}: {exit}");
        assert!(
            exit.stderr.contains("error[binlog.truncated"),
            "cut at {cut}: {exit}"
        );
        // The whole path, and an offset.
        assert!(
            exit.stderr.contains(&format!("position: {}:", text(&path))),
            "{exit}"
        );
        assert!(exit.stderr.contains("hint: "), "{exit}");
    }
    assert!(printed.len() > 4, "{printed:?}");

    // A flipped bit in a row; a length that leads nowhere; bytes of something else.
    let rows = starts
        .iter()
        .rposition(|at| file.get(at + 4) == Some(&31))
        .expect("an update");
    let mut flipped = file.clone();
    flipped[starts[rows] + 30] ^= 4;
    let mut long = file.clone();
    long[starts[rows] + 12] = 0x7f;
    let mut garbage = file.clone();
    for byte in &mut garbage[starts[rows]..] {
        *byte = 0xee;
    }
    for (bytes, code) in [
        (&flipped, "binlog.checksum"),
        (&long, "binlog.malformed"),
        (&garbage, "binlog.malformed"),
    ] {
        std::fs::write(&path, bytes).expect("a file");
        let exit = tail(&files, &[]);
        assert_eq!(exit.code, 3, "{exit}");
        assert!(
            exit.stderr.contains(&format!("error[{code}]")),
            "{code}: {exit}"
        );
        let place = format!("position: {}:{}", text(&path), starts[rows]);
        assert!(exit.stderr.contains(&place), "{place}: {exit}");
        let found = exit.stdout.lines().count();
        assert_eq!(found, expected.len() - 1, "{code}");
        // The counts stand before the error too.
        let exit = tail(&files, &["--stats", "--format", "json"]);
        assert_eq!(exit.code, 3, "{exit}");
        let counts: Value = serde_json::from_str(&exit.stdout).expect("an object");
        assert_eq!(counts["events"], rows, "{code}");
    }
    // The files before a damaged one are printed whole.
    std::fs::write(&path, &flipped).expect("a file");
    let both = [folder.path().join("binlog.000001"), path.clone()];
    let exit = tail(&both, &["--log-format", "json"]);
    assert_eq!(exit.code, 3, "{exit}");
    assert_eq!(exit.stdout.lines().count(), 2 * expected.len() - 1);
    let error: Value = serde_json::from_str(exit.stderr.lines().last().unwrap_or_default())
        .expect("an error in JSON");
    assert_eq!(error["error"]["code"], "binlog.checksum");
    assert_eq!(
        error["error"]["position"],
        format!("{}:{}", text(&path), starts[rows])
    );
    assert!(error["error"]["gtid"].is_string(), "{error}");

    // Files that are none.
    std::fs::write(&path, [&[0xfd, b'b', b'i', b'n'][..], &[7; 600]].concat()).expect("a file");
    let exit = tail(&files, &[]);
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("error[binlog.encrypted]"), "{exit}");
    std::fs::write(&path, "./binlog.000001\n").expect("a file");
    let exit = tail(&files, &[]);
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("error[binlog.magic]"), "{exit}");
    for missing in [folder.path().join("none"), PathBuf::from(folder.path())] {
        let exit = tail(&[both[0].clone(), missing], &[]);
        assert_eq!((exit.code, exit.stdout.as_str()), (2, ""), "{exit}");
        assert!(exit.stderr.contains("error[file.unreadable]"), "{exit}");
    }
}
