//! Table maps: the body of the event, and the columns that are made of it.

use datain_binlog::{ChecksumAlgorithm, Event, EventBody, EventType, FormatDescription, TableMap};

use crate::events::event;
use crate::input::Input;

/// Parses a map. One that differs in its number only describes the same table.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.u8();
    let mut format = FormatDescription::assumed(ChecksumAlgorithm::Off);
    if choice & 1 != 0 {
        // Before 5.1.4 a table's number had four bytes.
        let mut lengths = vec![8; usize::from(EventType::TableMap.code())];
        lengths[usize::from(EventType::TableMap.code()) - 1] = match choice & 2 {
            0 => 6,
            _ => choice,
        };
        format.post_header_lengths = lengths;
    }
    let body = input.rest();
    with_map(&format, body, |map| {
        assert_eq!(map.column_count(), map.types.len());
        if let Ok(metadata) = map.optional_metadata() {
            let names = metadata.column_names.as_ref();
            assert!(names.is_none_or(|names| names.len() == map.column_count()));
        }
        let Ok(columns) = map.columns() else { return };
        assert_eq!(columns.columns.len(), map.column_count());
        assert_eq!(columns.kinds().len(), map.column_count());
        assert_eq!(columns.table_id, map.table_id);
        let key = &columns.primary_key;
        assert!(
            key.iter()
                .all(|part| (part.column as usize) < map.column_count())
        );
        let members: usize = columns
            .columns
            .iter()
            .flat_map(|c| &c.members)
            .map(Vec::len)
            .sum();
        assert!(members <= body.len(), "members are more than the event");
        let mut other = body.to_vec();
        other[0] ^= 1;
        with_map(&format, &other, |other| {
            assert_ne!(other.table_id, map.table_id);
            assert_eq!(other.definition(), map.definition());
            let mut again = other.columns().expect("the same columns");
            again.table_id = columns.table_id;
            assert_eq!(again, columns);
        });
    });
}

/// Calls `then` if the body is that of a map.
pub fn with_map(format: &FormatDescription, body: &[u8], then: impl FnOnce(&TableMap<'_>)) {
    let bytes = event(EventType::TableMap.code(), 0, 0, body);
    let event = Event::split(&bytes, ChecksumAlgorithm::Off).expect("the header is right");
    if let Ok(EventBody::TableMap(map)) = event.parse(format) {
        then(&map);
    }
}
