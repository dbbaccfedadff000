//! Whole files, one after the other.

use crate::{FILE, NEXT, NO_CHECKSUM, code, read, read_with, transactions};

/// fidelity: file | several files in order | read as one stream, whatever the pieces in which their bytes come
#[test]
fn files_are_read_in_order_in_pieces_of_any_size() {
    let file = FILE;
    let all = read(&[file, NEXT]);
    assert_eq!(code(&all.ended), "ok");
    let found = transactions(&all);
    assert!(found.len() > 10, "{}", found.len());
    for step in [1, 7, 1000] {
        let again = read_with(&[file, NEXT], false, step, 64 << 20);
        assert_eq!(transactions(&again), found);
    }
    let twice = read(&[file, file]);
    let names: Vec<_> = transactions(&twice).into_iter().map(|t| t.0).collect();
    assert_eq!(names.len(), 2 * found.len());
    assert!(names[..found.len()].iter().all(|name| name == "log.000001"));
    assert!(names[found.len()..].iter().all(|name| name == "log.000002"));
    assert_eq!(code(&read(&[NO_CHECKSUM]).ended), "ok");
}
