//! Real binary logs of MySQL 9.7 (tests/data/make.sh) are replayed into memory; at each mark the tables must hold what the server's own SELECT gave.

use std::collections::{BTreeMap, HashMap};

use datain_binary_json::Document;
use datain_binlog::{
    BinlogFile, ChecksumAlgorithm, Event, EventBody, EventType, GtidSet, RowsFlags, Signedness,
    TableColumns, TableMap,
};
use datain_row_block::{ColumnKind, Image, Operation, RowSetReader, Value};

type Row = Vec<String>;
type Tables = BTreeMap<String, BTreeMap<i64, Row>>;

fn data(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect()
}

/// A value as make.sh has the server print it.
fn render(value: Value<'_>, kind: ColumnKind, signedness: Signedness) -> String {
    match (kind, value) {
        (_, Value::Null) => "NULL".to_owned(),
        (ColumnKind::Json, Value::Bytes(bytes)) => {
            let text = Document::new(bytes).to_text().expect("a document");
            if text.len() > 10_000 {
                format!("crc32:{}", crc32fast::hash(text.as_bytes()))
            } else {
                hex(text.as_bytes())
            }
        }
        (ColumnKind::Year, Value::Unsigned(year)) => format!("{year:04}"),
        (_, Value::Unsigned(n)) => n.to_string(),
        (_, Value::Integer(_)) if signedness == Signedness::Unsigned => {
            value.as_u64().expect("a number").to_string()
        }
        (_, Value::Integer(_)) => value.as_i64().expect("a number").to_string(),
        (_, Value::Float(n)) => format!("{:?}", f64::from(n)),
        (_, Value::Double(n)) => format!("{n:?}"),
        (_, Value::Text(text)) => String::from_utf8(text.to_vec()).expect("ASCII"),
        (_, Value::Bytes(bytes)) => hex(bytes),
    }
}

/// The server's text in the form of `render`, where the two differ by form only.
fn normal(text: &str, kind: ColumnKind, collation: Option<u16>) -> String {
    match kind {
        _ if text == "NULL" => text.to_owned(),
        ColumnKind::Float | ColumnKind::Double => {
            format!("{:?}", text.parse::<f64>().expect("a number"))
        }
        // BINARY is logged without its trailing zeros.
        ColumnKind::Char if collation == Some(63) => {
            let mut text = text;
            while let Some(shorter) = text.strip_suffix("00") {
                text = shorter;
            }
            text.to_owned()
        }
        _ => text.to_owned(),
    }
}

/// All of a replay that later checks look at.
#[derive(Default)]
struct Replay {
    tables: Tables,
    columns: HashMap<String, TableColumns>,
    marks: BTreeMap<i64, Tables>,
    counts: HashMap<EventType, usize>,
    gtids: GtidSet,
    queries: Vec<String>,
    flags: Vec<RowsFlags>,
}

impl Replay {
    fn run(file: &str) -> Self {
        Self::run_with(file, &HashMap::new())
    }

    /// With the signedness of columns from elsewhere, where the log does not hold it.
    fn run_with(file: &str, known: &HashMap<String, Vec<Signedness>>) -> Self {
        let bytes = data(file);
        let mut replay = Self::default();
        let mut log = BinlogFile::new(&bytes).expect("a binary log");
        let mut maps: HashMap<u64, String> = HashMap::new();
        while let Some((offset, event)) = log.next_event().expect("an event") {
            *replay.counts.entry(event.header.event_type).or_default() += 1;
            let body = event.parse(log.format()).expect("a known body");
            assert_eq!(
                u64::from(event.header.log_pos),
                offset + u64::from(event.header.event_size)
            );
            match body {
                EventBody::TableMap(map) => replay.table_map(&map, &mut maps, known),
                EventBody::Rows(rows) => {
                    let name = maps[&rows.table_id].clone();
                    replay.flags.push(rows.flags);
                    replay.rows(&name, &rows);
                }
                EventBody::Gtid(gtid) => {
                    let gtid = gtid.gtid.expect("gtid_mode is ON");
                    replay.gtids.add(gtid);
                }
                EventBody::Query(query) => {
                    replay
                        .queries
                        .push(String::from_utf8_lossy(query.sql).into_owned());
                }
                EventBody::Unhandled(other) => panic!("{other} at {offset}"),
                _ => {}
            }
        }
        replay
    }

    fn table_map(
        &mut self,
        map: &TableMap<'_>,
        maps: &mut HashMap<u64, String>,
        known: &HashMap<String, Vec<Signedness>>,
    ) {
        let mut columns = map.columns().expect("known columns");
        if let Some(signs) = known.get(map.table) {
            for (column, signedness) in columns.columns.iter_mut().zip(signs) {
                assert_eq!(
                    (column.signedness, column.collation),
                    (Signedness::Unknown, None)
                );
                column.signedness = *signedness;
            }
        }
        assert_eq!(map.schema, "types");
        maps.insert(map.table_id, map.table.to_owned());
        self.columns.insert(map.table.to_owned(), columns);
    }

    fn rows(&mut self, name: &str, rows: &datain_binlog::RowsEvent<'_>) {
        let columns = &self.columns[name];
        let mut block = Vec::new();
        let count = rows.transcode(columns, &mut block).expect("rows");
        let kinds = columns.kinds();
        let mut reader = RowSetReader::new(&kinds, rows.operation, count, &block).expect("a set");
        // Where the log has no names, the only table without `id` in front is the one with odd names.
        let id_at = usize::from(name.starts_with("odd"));
        let table = self.tables.entry(name.to_owned()).or_default();
        let id = |image: &Image<'_, '_>| image.get(id_at).and_then(|v| v.as_i64());
        while let Some(row) = reader.next_row().expect("a row") {
            let old = row.before.map(|image| {
                let id = id(&image).expect("an id");
                let old = table.remove(&id).expect("the row is there");
                check_before(&image, &old, columns);
                (id, old)
            });
            if let Some(after) = row.after {
                let mut values = old
                    .as_ref()
                    .map_or(vec!["absent".to_owned(); kinds.len()], |(_, old)| {
                        old.clone()
                    });
                for (i, value) in after.values().enumerate() {
                    if let Some(value) = value {
                        values[i] = render(value, kinds[i], columns.columns[i].signedness);
                    }
                }
                let id = id(&after).or(old.map(|(id, _)| id)).expect("an id");
                assert!(table.insert(id, values).is_none(), "{name} {id} twice");
            }
        }
        if name == "marks" && rows.operation == Operation::Insert {
            let mark = *table.keys().next_back().expect("a mark");
            self.marks.insert(mark, self.tables.clone());
        }
    }

    /// Holds the state at the marks against the server's own.
    fn check_against_server(&self) {
        self.check_tables(|_, _| true, |column| column.collation);
    }

    /// The same for some tables and marks, with a column's collation from elsewhere.
    fn check_tables(
        &self,
        wanted: impl Fn(i64, &str) -> bool,
        collation: impl Fn(&datain_binlog::Column) -> Option<u16>,
    ) {
        let text = String::from_utf8(data("types.txt")).expect("UTF-8");
        let mut expected: BTreeMap<i64, BTreeMap<String, Vec<Vec<&str>>>> = BTreeMap::new();
        for line in text.lines() {
            let mut fields = line.split('\t');
            let mark = fields.next().expect("a mark").parse().expect("a number");
            let table = fields.next().expect("a table").to_owned();
            let tables = expected.entry(mark).or_default();
            tables.entry(table).or_default().push(fields.collect());
        }
        assert_eq!(expected.len(), 2);
        for (mark, tables) in expected {
            for (table, rows) in tables {
                if !wanted(mark, &table) {
                    continue;
                }
                let columns = &self.columns_at_marks(&table, &collation);
                let ours: Vec<&Row> = self.marks[&mark][&table].values().collect();
                assert_eq!(ours.len(), rows.len(), "rows of {table} at mark {mark}");
                for (ours, theirs) in ours.into_iter().zip(rows) {
                    for (i, their) in theirs.iter().enumerate() {
                        if ours[i] == "absent" {
                            // A minimal image of an INSERT lacks the columns that it gave no value for; they have their default.
                            assert_eq!((table.as_str(), i, *their), ("odd `name.ü", 2, "5"));
                            continue;
                        }
                        let (kind, collation) = columns[i];
                        let their = normal(their, kind, collation);
                        assert_eq!(
                            ours[i], their,
                            "{table} row {} column {i} mark {mark}",
                            ours[0]
                        );
                    }
                    assert_eq!(ours.len(), theirs.len());
                }
            }
        }
    }

    /// Kind and collation of a table's columns before types-3-ddl.sql has changed `ints`, which has numbers only.
    fn columns_at_marks(
        &self,
        table: &str,
        collation: impl Fn(&datain_binlog::Column) -> Option<u16>,
    ) -> Vec<(ColumnKind, Option<u16>)> {
        let columns = self.columns[table].columns.iter();
        let columns: Vec<_> = columns.map(|c| (c.kind, collation(c))).collect();
        if table == "ints" {
            vec![(ColumnKind::Int, None); columns.len()]
        } else {
            columns
        }
    }
}

fn check_before(image: &Image<'_, '_>, old: &Row, columns: &TableColumns) {
    for (i, value) in image.values().enumerate() {
        let column = &columns.columns[i];
        if let Some(value) = value {
            assert_eq!(
                render(value, column.kind, column.signedness),
                old[i],
                "column {i}"
            );
        }
    }
}

#[test]
fn values_equal_the_servers_with_minimal_metadata() {
    Replay::run("minimal-metadata.binlog").check_against_server();
}

#[test]
fn values_equal_the_servers_with_full_metadata() {
    Replay::run("full-metadata.binlog").check_against_server();
}

#[test]
fn values_equal_the_servers_with_minimal_images() {
    let replay = Replay::run("minimal-image.binlog");
    replay.check_against_server();
}

/// Version 1 of the rows events, and table maps that know neither signedness nor charset.
#[test]
fn values_of_mysql_5_6_equal_the_servers() {
    let (s, u) = (Signedness::Signed, Signedness::Unsigned);
    let ints = vec![s, s, u, s, u, s, u, s, u, s, u, s, s];
    let known = HashMap::from([("ints".to_owned(), ints)]);
    let replay = Replay::run_with("mysql-5.6-rows-v1.binlog", &known);
    let tables = ["ints", "numbers", "strings", "times", "sets"];
    // Every CHAR is taken for BINARY: no value of the others ends with 00.
    replay.check_tables(
        |mark, table| mark == 1 && tables.contains(&table),
        |_| Some(63),
    );
    for event_type in [
        EventType::WriteRowsV1,
        EventType::UpdateRowsV1,
        EventType::DeleteRowsV1,
    ] {
        assert!(replay.counts.contains_key(&event_type), "{event_type}");
    }
}

#[test]
fn gtids_equal_the_servers() {
    for name in ["minimal-metadata", "full-metadata", "minimal-image"] {
        let executed = String::from_utf8(data(&format!("{name}-next.gtids.txt"))).expect("UTF-8");
        let seen = Replay::run(&format!("{name}.binlog")).gtids;
        assert!(seen.has_tags());
        assert_eq!(seen.to_string(), executed.trim_end());
        // The next file's first event says the same in the tagged binary form.
        let previous = previous_gtids(&format!("{name}-next.binlog"), ChecksumAlgorithm::Crc32);
        assert_eq!(previous, seen);
        assert_eq!(executed.parse::<GtidSet>(), Ok(seen.clone()));
        assert_eq!(GtidSet::decode(&seen.encode()), Ok(seen));
    }
}

#[test]
fn a_file_without_checksums() {
    let executed = String::from_utf8(data("no-checksum-next.gtids.txt")).expect("UTF-8");
    let previous = previous_gtids("no-checksum-next.binlog", ChecksumAlgorithm::Off);
    assert_eq!(previous.to_string(), executed.trim_end());
}

fn previous_gtids(file: &str, checksum: ChecksumAlgorithm) -> GtidSet {
    let bytes = data(file);
    let mut log = BinlogFile::new(&bytes).expect("a binary log");
    log.next_event()
        .expect("an event")
        .expect("a format description");
    assert_eq!(log.format().checksum, checksum);
    assert!(log.format().server_version.starts_with("9."));
    let (_, event) = log.next_event().expect("an event").expect("two events");
    match event.parse(log.format()).expect("a body") {
        EventBody::PreviousGtids(set) => {
            // What the server wrote, we write too.
            assert_eq!(set.encode(), event.body());
            set
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_event_type_was_there() {
    let replay = Replay::run("minimal-metadata.binlog");
    for event_type in [
        EventType::FormatDescription,
        EventType::PreviousGtids,
        EventType::Gtid,
        EventType::GtidTagged,
        EventType::Query,
        EventType::TableMap,
        EventType::WriteRows,
        EventType::UpdateRows,
        EventType::DeleteRows,
        EventType::Xid,
        EventType::XaPrepare,
        EventType::RowsQuery,
        EventType::TransactionPayload,
        EventType::UserVar,
        EventType::Intvar,
        EventType::Rand,
        EventType::Rotate,
    ] {
        assert!(replay.counts.contains_key(&event_type), "{event_type}");
    }
    let all: Vec<&str> = replay.queries.iter().map(String::as_str).collect();
    assert!(
        all.iter()
            .any(|sql| sql.starts_with("ALTER TABLE ints ADD COLUMN m"))
    );
    let unchecked = RowsFlags::NO_FOREIGN_KEY_CHECKS | RowsFlags::RELAXED_UNIQUE_CHECKS;
    assert!(replay.flags.iter().any(|flags| flags.contains(unchecked)));
    let by_sql_layer = RowsFlags::USE_SQL_FOREIGN_KEY;
    assert!(
        replay
            .flags
            .iter()
            .any(|flags| flags.contains(by_sql_layer))
    );
}

#[test]
fn full_metadata_names_everything() {
    let replay = Replay::run("full-metadata.binlog");
    let odd = &replay.columns["odd `name.ü"];
    let names: Vec<_> = odd.columns.iter().map(|c| c.name.as_deref()).collect();
    assert_eq!(
        names[..4],
        [Some("a b"), Some("id"), Some("hidden"), Some("txt")]
    );
    let visible: Vec<_> = odd.columns.iter().map(|c| c.visible).collect();
    assert_eq!(visible[1..4], [Some(true), Some(false), Some(true)]);
    let key: Vec<_> = odd
        .primary_key
        .iter()
        .map(|p| (p.column, p.prefix))
        .collect();
    assert_eq!(key, [(3, 5), (1, 0)]);
    let sets = &replay.columns["sets"].columns;
    assert_eq!(sets[1].members[2], "drei ä".as_bytes());
    assert_eq!(sets[2].members, [b"a", b"b", b"c"]);
    assert_eq!(sets[9].collation, Some(8));
    let shapes = &replay.columns["shapes"].columns;
    assert_eq!(shapes[2].subtype, Some(1));
    assert_eq!(shapes[3].subtype, Some(3));
}

#[test]
fn columns_are_what_the_table_was_made_with() {
    for file in ["minimal-metadata.binlog", "full-metadata.binlog"] {
        let replay = Replay::run(file);
        let ints = &replay.columns["ints"].columns;
        // After the ALTER: id, m, a, b …; k is YEAR.
        assert_eq!(ints[1].collation, Some(8));
        assert_eq!(ints[1].length, 10);
        assert!(!ints[1].nullable && ints[2].nullable);
        let signs: Vec<_> = ints[2..8].iter().map(|c| c.signedness).collect();
        let (signed, unsigned) = (Signedness::Signed, Signedness::Unsigned);
        assert_eq!(
            signs,
            [signed, unsigned, signed, unsigned, signed, unsigned]
        );
        let numbers = &replay.columns["numbers"].columns;
        assert_eq!((numbers[1].length, numbers[1].scale), (65, 30));
        assert_eq!(numbers[2].signedness, Signedness::Unsigned);
        assert_eq!(numbers[8].signedness, Signedness::Unsigned);
        let strings = &replay.columns["strings"].columns;
        let collations: Vec<_> = strings[1..]
            .iter()
            .map(|c| c.collation.expect("known"))
            .collect();
        let (utf8mb4, binary, latin1) = (255, 63, 8);
        let expected = [
            utf8mb4, utf8mb4, utf8mb4, utf8mb4, latin1, 28, 13, 35, 54, 60, 33, binary, binary,
            binary, utf8mb4, latin1, utf8mb4, utf8mb4, binary, binary, binary, binary, utf8mb4,
            binary, binary,
        ];
        assert_eq!(collations, expected);
        assert_eq!(strings[4].length, 800);
        let times = &replay.columns["times"].columns;
        let digits: Vec<_> = times[2..=8].iter().map(|c| c.length).collect();
        assert_eq!(digits, [0, 1, 2, 3, 4, 5, 6]);
        let sets = &replay.columns["sets"].columns;
        let bits: Vec<_> = sets[3..=7].iter().map(|c| c.length).collect();
        assert_eq!(bits, [1, 8, 9, 64, 17]);
        assert_eq!(sets[8].kind, ColumnKind::Set);
    }
}

#[test]
fn a_flipped_bit_is_found() {
    let mut bytes = data("minimal-metadata.binlog");
    let (offset, size) = {
        let mut log = BinlogFile::new(&bytes).expect("a binary log");
        let mut last = (0, 0);
        while let Some((offset, event)) = log.next_event().expect("an event") {
            if event.header.event_type == EventType::WriteRows {
                last = (offset as usize, event.header.event_size as usize);
            }
        }
        last
    };
    bytes[offset + 30] ^= 1;
    let event = &bytes[offset..offset + size];
    let error = Event::split(event, ChecksumAlgorithm::Crc32).expect_err("a wrong checksum");
    assert_eq!(error.code(), "binlog.checksum");
}
