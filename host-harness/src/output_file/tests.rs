//! What is left by each way in which a writer can end.

use super::*;

fn code(result: Result<OutputFile, Failure>) -> &'static str {
    result.map_or_else(|failure| failure.code, |_| "fine")
}

fn holds(path: &Path, expected: &[u8]) {
    assert_eq!(fs::read(path).unwrap(), expected);
}

#[test]
fn what_was_not_committed_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let mut file = OutputFile::open(&path).unwrap();
    assert_eq!(file.note(), None);
    file.append(b"lost\n").unwrap();
    drop(file);
    let mut file = OutputFile::open(&path).unwrap();
    holds(&path, b"");
    file.append(b"one\n").unwrap();
    file.append(b"two\n").unwrap();
    file.commit(b"after two").unwrap();
    file.append(b"thr").unwrap();
    assert_eq!(code(OutputFile::open(&path)), "file.in-use");
    assert_eq!(note_of(&path).unwrap().unwrap(), b"after two");
    drop(file);
    let mut file = OutputFile::open(&path).unwrap();
    assert_eq!(file.note(), Some(&b"after two"[..]));
    holds(&path, b"one\ntwo\n");
    file.append(b"three\n").unwrap();
    file.commit(b"").unwrap();
    drop(file);
    let file = OutputFile::open(&path).unwrap();
    assert_eq!(file.note(), Some(&b""[..]), "an empty note is a note");
    holds(&path, b"one\ntwo\nthree\n");
}

#[test]
fn a_file_of_somebody_else_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    fs::write(&path, "mine\n").unwrap();
    assert_eq!(code(OutputFile::open(&path)), "file.other");
    holds(&path, b"mine\n");
    fs::remove_file(&path).unwrap();
    let mut file = OutputFile::open(&path).unwrap();
    file.append(&vec![b'x'; 10_000]).unwrap();
    file.commit(b"n").unwrap();
    drop(file);
    for found in [vec![b'x'; 9_999], vec![b'y'; 20_000]] {
        fs::write(&path, &found).unwrap();
        assert_eq!(code(OutputFile::open(&path)), "file.other");
        holds(&path, &found);
    }
    fs::write(&path, vec![b'x'; 10_000]).unwrap();
    assert_eq!(code(OutputFile::open(&path)), "fine");
    let note = beside(&path, "note");
    let mut damaged = fs::read(&note).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&note, damaged).unwrap();
    assert_eq!(code(OutputFile::open(&path)), "file.other");
}

#[test]
fn a_file_that_was_moved_away_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let mut file = OutputFile::open(&path).unwrap();
    file.append(b"one\n").unwrap();
    file.commit(b"1").unwrap();
    drop(file);
    fs::rename(&path, folder.path().join("out.1")).unwrap();
    let mut file = OutputFile::open(&path).unwrap();
    assert_eq!(file.note(), Some(&b"1"[..]));
    file.append(b"two\n").unwrap();
    file.commit(b"2").unwrap();
    drop(file);
    assert_eq!(OutputFile::open(&path).unwrap().note(), Some(&b"2"[..]));
    holds(&path, b"two\n");
}

#[test]
fn a_folder_that_is_missing_is_said() {
    let path = Path::new("/nowhere/out");
    let failure = OutputFile::open(path).unwrap_err();
    assert_eq!(failure.code, "file.failed");
    assert!(failure.message.contains("/nowhere/out.lock"), "{failure:?}");
}
