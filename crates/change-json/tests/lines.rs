//! Lines from row sets: each kind as it is documented in docs/tail.md, and no bytes that make a line anything but one JSON object.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by failing what it expected"
)]

use datain_change_json::{
    BranchEnd, Column, Orders, Place, Signedness, Statement, Table, Transaction, numbered_names,
    write_branch_end, write_row, write_statement,
};
use datain_row_block::{
    ColumnKind, ImageWriter, JSON_CHANGES, JsonChange, JsonOperation, Operation, RowSetReader,
    RowSetWriter, Width,
};
use proptest::prelude::*;
use serde_json::Value;

const TRANSACTION: Transaction<'_> = Transaction {
    pipeline: "orders",
    gtid: None,
    file: "binlog.000003",
    offset: 157,
    committed_at_micros: 1_700_000_000_123_456,
    xid: None,
};

fn column(name: &str, kind: ColumnKind) -> Column {
    Column {
        name: name.to_owned(),
        kind,
        signedness: Signedness::Signed,
        collation: Some(255),
        length: 0,
    }
}

fn table(columns: Vec<Column>) -> Table {
    Table::new("shop".to_owned(), "item".to_owned(), columns)
}

/// The line of the one row in `set`.
fn line(table: &Table, operation: Operation, set: &[u8]) -> Result<String, String> {
    let mut rows = RowSetReader::new(&table.kinds, operation, 1, set).unwrap();
    let row = rows.next_row().unwrap().unwrap();
    let (total_order, data_collection_order) = Orders::default().next(1);
    let place = Place {
        row: 0,
        total_order,
        data_collection_order,
        now_millis: 1_700_000_000_200,
    };
    let mut out = b"kept\n".to_vec();
    let id = TRANSACTION.id();
    let written = write_row(&mut out, &TRANSACTION, &id, table, operation, &row, &place);
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_prefix("kept\n").unwrap().to_owned();
    match written {
        Ok(()) => Ok(text),
        Err(error) => {
            assert_eq!(text, "", "nothing is left of a line that failed");
            Err(error.to_string())
        }
    }
}

fn set(operation: Operation, before: &[bool], after: &[bool]) -> Vec<u8> {
    let mut out = Vec::new();
    RowSetWriter::begin(&mut out, operation, Some(before), Some(after));
    out
}

#[test]
fn an_update_in_full() {
    let mut id = column("id", ColumnKind::Bigint);
    id.signedness = Signedness::Unsigned;
    let table = table(vec![
        id,
        column("name", ColumnKind::Varchar),
        column("note", ColumnKind::Text),
    ]);
    let mut bytes = set(Operation::Update, &[true, true, false], &[true, true, true]);
    let mut before = ImageWriter::begin(&mut bytes, 2);
    before.push_int(u64::MAX, 8);
    before.push_bytes(b"pen");
    before.finish();
    let mut after = ImageWriter::begin(&mut bytes, 3);
    after.push_int(7, 8);
    after.push_null();
    after.push_bytes(b"\xff");
    after.finish();
    assert_eq!(
        line(&table, Operation::Update, &bytes).unwrap(),
        concat!(
            r#"{"before":{"id":18446744073709551615,"name":"pen"},"after":{"id":7,"name":null,"note":{"base64":"/w=="}},"#,
            r#""source":{"version":""#,
            env!("CARGO_PKG_VERSION"),
            r#"","connector":"mysql","name":"orders","ts_ms":1700000000123,"ts_us":1700000000123456,"snapshot":"false","#,
            r#""db":"shop","table":"item","server_id":0,"gtid":null,"file":"binlog.000003","pos":157,"row":0,"thread":null,"query":null},"#,
            r#""op":"u","ts_ms":1700000000200,"transaction":{"id":"binlog.000003:157","total_order":1,"data_collection_order":1}}"#,
            "\n"
        )
    );
}

/// One value of a column, as it stands in the line.
fn value(column: Column, push: impl FnOnce(&mut ImageWriter<'_>)) -> Result<Value, String> {
    let mut bytes = set(Operation::Insert, &[true], &[true]);
    let mut image = ImageWriter::begin(&mut bytes, 1);
    push(&mut image);
    image.finish();
    let name = column.name.clone();
    let text = line(&table(vec![column]), Operation::Insert, &bytes)?;
    let mut line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["before"], Value::Null);
    Ok(line["after"][name].take())
}

#[test]
fn values() {
    let check = |column: Column, bytes: &[u8], expected: &str| {
        let found = value(column, |image| image.push_bytes(bytes)).unwrap();
        assert_eq!(found.to_string(), expected);
    };
    use ColumnKind as K;
    check(column("c", K::Decimal), b"-1.50", r#""-1.50""#);
    check(column("c", K::Date), b"0000-00-00", r#""0000-00-00""#);
    check(
        column("c", K::Datetime),
        b"2024-01-02 03:04:05.6",
        r#""2024-01-02 03:04:05.6""#,
    );
    check(
        column("c", K::Timestamp),
        b"2024-01-02 03:04:05.6",
        r#""2024-01-02T03:04:05.6Z""#,
    );
    check(
        column("c", K::Timestamp),
        b"0000-00-00 00:00:00",
        r#""0000-00-00T00:00:00Z""#,
    );
    check(column("c", K::Geometry), b"\0\0\0\0\x01", r#""AAAAAAE=""#);
    // MySQL's binary JSON: the literal true; an empty document of an old server.
    check(column("c", K::Json), b"\x04\x01", r#""true""#);
    let binary = Column {
        collation: Some(63),
        length: 4,
        ..column("c", K::Char)
    };
    check(binary.clone(), b"\x01", r#""AQAAAA==""#);
    let varying = Column {
        kind: K::Varchar,
        ..binary
    };
    check(varying, b"\x01", r#""AQ==""#);
    let unknown = Column {
        collation: None,
        ..column("c", K::Varchar)
    };
    check(unknown.clone(), b"text", r#""text""#);
    check(unknown, b"\xe9", r#"{"base64":"6Q=="}"#);
    let float = value(column("c", K::Float), |image| image.push_f32(0.1)).unwrap();
    assert_eq!(float.to_string(), "0.1");
    let double = value(column("c", K::Double), |image| image.push_f64(1e300)).unwrap();
    assert_eq!(double.as_f64(), Some(1e300));
    let medium = value(column("c", K::Mediumint), |image| {
        image.push_int(0xff_ffff, 3);
    })
    .unwrap();
    assert_eq!(medium.to_string(), "-1");
    let set = value(column("c", K::Set), |image| image.push_int(u64::MAX, 8)).unwrap();
    assert_eq!(set.to_string(), "18446744073709551615");
    let broken = value(column("c", K::Json), |image| image.push_bytes(b"\x04\x77"));
    assert!(
        broken
            .unwrap_err()
            .starts_with("not a binary JSON document")
    );
    assert!(value(column("c", K::Decimal), |image| image.push_bytes(b"\xff")).is_err());
}

#[test]
fn statements() {
    let check = |sql: &[u8], charset: u16, expected: Option<(&str, &str, &str)>| {
        let statement = Statement {
            sql,
            default_schema: Some("shop"),
            sql_mode: Some(0),
            charset_client: Some(charset),
        };
        let mut out = Vec::new();
        let written = write_statement(&mut out, &TRANSACTION, &statement, 1).unwrap();
        assert_eq!(written, expected.is_some());
        let Some((schema, table, ddl)) = expected else {
            assert_eq!(out, b"");
            return;
        };
        let line: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(line["databaseName"], schema);
        assert_eq!(line["source"]["db"], schema);
        assert_eq!(line["source"]["table"].to_string(), table);
        assert_eq!(line["ddl"].to_string(), ddl);
    };
    check(
        b"DROP TABLE a, b",
        255,
        Some(("shop", "\"a,b\"", "\"DROP TABLE a, b\"")),
    );
    check(
        b"ALTER TABLE x.t COMMENT '\xe9'",
        8,
        Some(("x", "\"t\"", "\"ALTER TABLE x.t COMMENT 'é'\"")),
    );
    check(
        b"CREATE DATABASE d",
        255,
        Some(("d", "null", "\"CREATE DATABASE d\"")),
    );
    check(b"\xff", 255, Some(("shop", "null", r#"{"base64":"/w=="}"#)));
    check(b"CREATE USER u IDENTIFIED BY 'x'", 255, None);
    check(b"SET PASSWORD FOR u = 'x'", 255, None);
}

#[test]
fn names_that_nobody_knows_are_numbers() {
    assert_eq!(numbered_names(2), ["@1", "@2"]);
}

fn cell(kind: ColumnKind) -> BoxedStrategy<Option<Vec<u8>>> {
    let bytes = match kind.width() {
        Width::Fixed(width) => prop::collection::vec(any::<u8>(), width),
        Width::Prefixed => prop::collection::vec(any::<u8>(), 0..20),
    };
    prop::option::of(bytes).boxed()
}

type Cells = Vec<(ColumnKind, Option<u16>, Option<Vec<u8>>)>;

fn cells() -> impl Strategy<Value = Cells> {
    let one = prop::sample::select(ColumnKind::ALL.to_vec())
        .prop_flat_map(|kind| (Just(kind), any::<Option<u16>>(), cell(kind)));
    prop::collection::vec(one, 1..8)
}

proptest! {
    /// Any row that the reader takes becomes one line with one JSON object and all columns in it, or an error.
    #[test]
    fn any_row_is_one_object_or_an_error(cells in cells()) {
        let columns = cells.iter().enumerate().map(|(number, (kind, collation, _))| Column {
            collation: *collation,
            length: 30,
            ..column(&format!("c\n\"{number}"), *kind)
        });
        let table = table(columns.collect());
        let present = vec![true; cells.len()];
        let mut bytes = set(Operation::Delete, &present, &present);
        let mut image = ImageWriter::begin(&mut bytes, cells.len());
        for (kind, _, value) in &cells {
            match (value, kind.width()) {
                (None, _) => image.push_null(),
                (Some(value), Width::Fixed(_)) => image.push_fixed(value),
                (Some(value), Width::Prefixed) => image.push_bytes(value),
            }
        }
        image.finish();
        if let Ok(text) = line(&table, Operation::Delete, &bytes) {
            prop_assert_eq!(text.matches('\n').count(), 1);
            let line: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(line["before"].as_object().map(serde_json::Map::len), Some(cells.len()));
            prop_assert_eq!(&line["after"], &Value::Null);
        }
    }
}

#[test]
fn the_end_of_a_branch_is_a_line_of_its_own() {
    let mut out = Vec::new();
    for end in [BranchEnd::Commit, BranchEnd::Rollback] {
        write_branch_end(&mut out, &TRANSACTION, "X'67',X'',1", end, 7).unwrap();
    }
    let ends: Vec<Value> = std::str::from_utf8(&out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(ends[0]["xa"]["xid"], "X'67',X'',1");
    assert_eq!(ends[0]["xa"]["end"], "commit");
    assert_eq!(ends[1]["xa"]["end"], "rollback");
    assert_eq!(ends[1]["source"]["pos"], 157);
}

#[test]
fn changes_of_a_document_are_an_object() {
    let mut value = vec![JSON_CHANGES];
    for change in [
        JsonChange {
            operation: JsonOperation::Replace,
            path: "$.a",
            value: Some(&[4, 1]),
        },
        JsonChange {
            operation: JsonOperation::Remove,
            path: "$.b[0]",
            value: None,
        },
    ] {
        change.push(&mut value);
    }
    let table = table(vec![column("j", ColumnKind::Json)]);
    let line_of = |value: &[u8]| {
        let mut set = Vec::new();
        let mut writer = RowSetWriter::begin(&mut set, Operation::Insert, None, Some(&[true]));
        let mut image = writer.begin_image(1);
        image.push_bytes(value);
        image.finish();
        line(&table, Operation::Insert, &set)
    };
    let parsed: Value = serde_json::from_str(&line_of(&value).unwrap()).unwrap();
    let expected = serde_json::json!({"changes": [
        {"op": "replace", "path": "$.a", "value": "true"},
        {"op": "remove", "path": "$.b[0]"},
    ]});
    assert_eq!(parsed["after"]["j"], expected);
    value.push(9);
    assert!(line_of(&value).is_err());
}
