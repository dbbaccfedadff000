//! Relay logs.

use crate::{FILE, code, fails, log, offsets, read, transactions};

/// The events of a file as a replica puts them into its relay log. `at` is where the source's file begins anew after a reconnect, in events.
pub(crate) fn relay_log(file: &[u8], from: usize, to: usize) -> Vec<u8> {
    let starts = offsets(file);
    let own = |mut event: Vec<u8>| {
        // LOG_EVENT_RELAY_LOG_F; the checksum follows from it.
        event[17] |= 0x40;
        seal(event)
    };
    let format = file[starts[0]..starts[1]].to_vec();
    let mut log = file[..4].to_vec();
    log.extend(own(format.clone()));
    log.extend(own(file[starts[1]..starts[2]].to_vec()));
    // An artificial Rotate event: where the source's events that follow begin.
    let name = b"source.000007";
    let mut rotate = vec![0, 0, 0, 0, 4, 9, 0, 0, 0];
    rotate.extend_from_slice(&(19 + 8 + 13 + 4_u32).to_le_bytes());
    rotate.extend_from_slice(&[0, 0, 0, 0, 0x20, 0]);
    rotate.extend_from_slice(&(starts[from] as u64).to_le_bytes());
    rotate.extend_from_slice(name);
    rotate.extend_from_slice(&[0; 4]);
    log.extend(seal(rotate));
    let mut format = format;
    if from > 0 {
        // A copy for a replica that goes on in mid-file stands at no position.
        format[13..17].fill(0);
    }
    log.extend(seal(format));
    log.extend_from_slice(&file[starts[from.max(1)]..starts[to]]);
    let mut end = vec![0, 0, 0, 0, 4, 9, 0, 0, 0];
    end.extend_from_slice(&(19 + 8 + 5 + 4_u32).to_le_bytes());
    end.extend_from_slice(&[0, 0, 0, 0, 0x40, 0]);
    end.extend_from_slice(&4_u64.to_le_bytes());
    end.extend_from_slice(b"r.002");
    end.extend_from_slice(&[0; 4]);
    log.extend(seal(end));
    log
}

/// With the right checksum.
fn seal(mut event: Vec<u8>) -> Vec<u8> {
    let in_use = event[17] & 1;
    if event[4] == 15 {
        // The flag of a file in use belongs to no checksum.
        event[17] &= !1;
    }
    log::seal(&mut event);
    event[17] |= in_use;
    event
}

/// fidelity: file | relay logs | the source's changes at the source's positions; a transaction may go on in the next relay log
#[test]
fn a_relay_log_is_read_as_the_source_s_log() {
    let file = FILE;
    let starts = offsets(file);
    let last = starts.len() - 1;
    let expected: Vec<_> = transactions(&read(&[file]))
        .into_iter()
        .map(|t| ("source.000007".to_owned(), t.1, t.2))
        .collect();
    let found = read(&[&relay_log(file, 0, last)]);
    assert_eq!(code(&found.ended), "ok");
    assert_eq!(transactions(&found), expected);
    assert_eq!(found.warnings, Vec::<String>::new());

    // A replica that lost its source in the middle of a transaction goes on with the rest of it, in its next relay log.
    let middle = (1..last)
        .find(|event| {
            let kind = file[starts[*event] + 4];
            kind == 30 && *event > last / 2
        })
        .unwrap();
    let parts = [relay_log(file, 0, middle), relay_log(file, middle, last)];
    let found = read(&[&parts[0], &parts[1]]);
    assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
    assert_eq!(transactions(&found), expected);
    // The first part alone is not whole.
    let error = fails(&parts[0], "binlog.truncated-transaction");
    assert!(error.hint.unwrap().contains("next relay log"));

    // By GTID it is sent the whole transaction again.
    let begins = (1..middle)
        .rev()
        .find(|e| matches!(file[starts[*e] + 4], 33 | 42))
        .unwrap();
    let again = relay_log(file, begins, last);
    let found = read(&[&parts[0], &again]);
    assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
    assert_eq!(transactions(&found), expected);

    // Damage is told by the place in the relay log itself.
    let mut damaged = relay_log(file, 0, last);
    let at = damaged.len() / 2;
    damaged[at] ^= 1;
    let event = *offsets(&relay_log(file, 0, last))
        .iter()
        .rev()
        .find(|s| **s <= at)
        .unwrap();
    let error = fails(&damaged, "binlog.checksum");
    assert_eq!(error.position, Some(format!("log.000001:{event}")));
}
