//! Files that are cut off, changed, or none: everything whole before is handed out, and the error says where.

use std::collections::BTreeMap;

use crate::{FILE, NEXT, NO_CHECKSUM, code, fails, offsets, read, read_with, transactions};

/// fidelity: file | cut off at any byte | all whole transactions before the cut, then an error that names file and offset
#[test]
fn a_file_that_is_cut_anywhere_gives_what_is_whole_before() {
    let file = FILE;
    let all = transactions(&read(&[file]));
    let starts = offsets(file);
    // Every boundary, its neighbours, and many places in between.
    let mut cuts: Vec<usize> = (0..200).collect();
    cuts.extend(
        starts
            .iter()
            .flat_map(|at| [at - 1, *at, at + 1, at + 18, at + 19, at + 20]),
    );
    cuts.extend((0..file.len()).step_by(997));
    cuts.retain(|cut| *cut < file.len());
    let mut codes = BTreeMap::new();
    for cut in cuts {
        let found = read(&[&file[..cut]]);
        let whole: Vec<_> = transactions(&found);
        assert_eq!(whole, all[..whole.len()], "cut at {cut}");
        // What ended before the cut is there.
        let next = all.get(whole.len()).map_or(file.len() as u64, |t| t.1);
        let open = all.get(whole.len() + 1).map_or(file.len() as u64, |t| t.1);
        assert!(
            (cut as u64) < open,
            "cut at {cut}: the transaction at {next} is missing"
        );
        *codes.entry(code(&found.ended).to_owned()).or_insert(0) += 1;
        match &found.ended {
            Ok(()) => {
                assert!(starts.contains(&cut), "cut at {cut}: not between events");
                assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
                assert!(
                    found.warnings[0].contains("cut off"),
                    "{:?}",
                    found.warnings
                );
            }
            Err(error) => {
                assert!(
                    error.code.starts_with("binlog.truncated"),
                    "cut at {cut}: {error:?}"
                );
                let position = error.position.as_deref().unwrap();
                let place: usize = position
                    .strip_prefix("log.000001:")
                    .unwrap()
                    .parse()
                    .unwrap();
                assert!(
                    place <= cut && error.hint.is_some(),
                    "cut at {cut}: {error:?}"
                );
                assert!(
                    place == 0 || starts.contains(&place),
                    "cut at {cut}: {error:?}"
                );
            }
        }
    }
    for expected in ["ok", "binlog.truncated", "binlog.truncated-transaction"] {
        assert!(codes.contains_key(expected), "{codes:?}");
    }
    // The end of a file that another one follows is no other end.
    let cut = *starts.last().unwrap() - 1;
    let error = read(&[&file[..cut], NEXT]).ended.unwrap_err();
    assert!(error.position.unwrap().starts_with("log.000001:"));
}

/// fidelity: file | a flipped byte, with checksums | found at the event in which it stands; nothing of its transaction is shown, everything before is
#[test]
fn a_flipped_byte_is_found_where_it_is() {
    let file = FILE;
    let all = transactions(&read(&[file]));
    let starts = offsets(file);
    let mut places: Vec<usize> = (0..140).collect();
    places.extend((140..file.len()).step_by(611));
    let around = |at: &usize| (0..19).map(|i| at + i).collect::<Vec<_>>();
    places.extend(starts.iter().step_by(9).take(12).flat_map(around));
    for at in places.into_iter().filter(|at| *at < file.len()) {
        for mask in [0x01, 0x80] {
            let mut damaged = file.to_vec();
            damaged[at] ^= mask;
            let found = read(&[&damaged]);
            // The flag of a file in use belongs to no checksum: the server changes it in place.
            if at == 4 + 17 && mask == 1 {
                assert_eq!(code(&found.ended), "ok");
                continue;
            }
            let error = found
                .ended
                .as_ref()
                .expect_err(&format!("byte {at} of mask {mask}"));
            assert!(error.code.starts_with("binlog."), "byte {at}: {error:?}");
            let event = starts
                .iter()
                .rev()
                .find(|s| **s <= at)
                .copied()
                .unwrap_or(0);
            // A length that leads too far is found at its event too.
            assert_eq!(
                error.position.as_deref(),
                Some(&*format!("log.000001:{event}")),
                "byte {at}: {error:?}"
            );
            let whole = transactions(&found);
            assert_eq!(whole, all[..whole.len()], "byte {at}");
            assert!(whole.iter().all(|t| t.1 < at as u64), "byte {at}");
            let missing = all.get(whole.len()).map_or(file.len() as u64, |t| t.1);
            let after = all.get(whole.len() + 1).map_or(file.len() as u64, |t| t.1);
            assert!(
                event as u64 <= after,
                "byte {at}: the transaction at {missing} was whole"
            );
        }
    }
}

/// fidelity: file | encrypted, of another kind, or older than MySQL 5.0 | an error that says what it is
#[test]
fn what_is_no_readable_log_is_named() {
    let magic = |bytes: &[u8]| [&[0xfe, b'b', b'i', b'n'][..], bytes].concat();
    fails(&[0xfd, b'b', b'i', b'n', 1, 2, 3], "binlog.encrypted");
    fails(b"-- MySQL dump 10.13", "binlog.magic");
    fails(b"./binlog.000001\n", "binlog.magic");
    fails(b"xy", "binlog.magic");
    fails(b"", "binlog.truncated");
    fails(&[0xfd], "binlog.truncated");
    fails(&magic(&[]), "binlog.truncated");
    fails(&magic(&[0; 400]), "binlog.malformed");
    fails(&magic(&[0xff; 400]), "binlog.malformed");
    let event = |kind: u8, size: u32| {
        let mut event = vec![0, 0, 0, 0, kind, 1, 0, 0, 0];
        event.extend_from_slice(&size.to_le_bytes());
        event.resize(size as usize, 0);
        event
    };
    fails(&magic(&event(1, 69)), "binlog.version");
    fails(&magic(&event(2, 69)), "binlog.malformed");
    // MariaDB says in an event that the rest is encrypted.
    let first = offsets(FILE)[1];
    let mut encrypted = FILE[..first].to_vec();
    encrypted.extend_from_slice(&event(164, 40));
    encrypted.extend_from_slice(&[7; 100]);
    fails(&encrypted, "binlog.encrypted");
}

#[test]
fn an_event_that_is_not_known_ends_it_and_one_that_may_be_passed_over_does_not() {
    let first = offsets(NO_CHECKSUM)[1];
    let with = |flags: u8| {
        let mut file = NO_CHECKSUM[..first].to_vec();
        file.extend_from_slice(&[
            0, 0, 0, 0, 200, 1, 0, 0, 0, 21, 0, 0, 0, 0, 0, 0, 0, flags, 0, 9, 9,
        ]);
        file
    };
    let error = fails(&with(0), "binlog.unknown-event");
    assert_eq!(error.position, Some(format!("log.000001:{first}")));
    assert_eq!(code(&read(&[&with(0x80)]).ended), "ok");
    let counted = read_with(&[&with(0)], true, 1000, 1 << 20);
    assert_eq!(code(&counted.ended), "ok");
    assert_eq!(counted.counts.by_type[&200].events, 1);
}

#[test]
fn a_length_is_believed_only_as_far_as_bytes_come() {
    let first = offsets(FILE)[1];
    let claims = |size: u32, end: u32| {
        let mut file = FILE[..first].to_vec();
        file.extend_from_slice(&[0, 0, 0, 0, 30, 1, 0, 0, 0]);
        file.extend_from_slice(&size.to_le_bytes());
        file.extend_from_slice(&end.to_le_bytes());
        file.extend_from_slice(&[0; 100]);
        file
    };
    let end = |size: u32| u32::try_from(first).unwrap().wrapping_add(size);
    fails(&claims(0xffff_fff0, 17), "binlog.malformed");
    let large = 0xf000_0000;
    fails(&claims(large, end(large)), "binlog.truncated");
    fails(&claims(large, end(large) + 1), "binlog.malformed");
    fails(&claims(1000, end(1000)), "binlog.truncated");
    fails(&claims(1000, 17), "binlog.malformed");
    fails(&claims(18, end(18)), "binlog.malformed");
}
