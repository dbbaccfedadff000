use datain_row_block::ImageWriter;

use super::*;
use crate::definition::BINARY;

fn column(name: &str, kind: ColumnKind) -> ColumnDefinition {
    ColumnDefinition {
        name: name.to_owned(),
        kind,
        signedness: Signedness::Unknown,
        collation: None,
        charset: None,
        length: 0,
        scale: 0,
        nullable: false,
        members: 0,
        column_type: String::new(),
    }
}

/// A table whose columns are all in its key, those of `descending` downwards.
fn table(columns: Vec<ColumnDefinition>, descending: &[usize]) -> TableDefinition {
    let parts = (0..columns.len()).map(|column| KeyPart {
        column,
        descending: descending.contains(&column),
    });
    TableDefinition {
        schema: "s".to_owned(),
        name: "t".to_owned(),
        scan_key: Some(ScanKey {
            index: "PRIMARY".to_owned(),
            parts: parts.collect(),
        }),
        primary_key: Vec::new(),
        other_keys: Vec::new(),
        columns,
    }
}

fn check(
    table: &TableDefinition,
    write: impl FnOnce(&mut ImageWriter<'_>),
    after: &str,
    order: &str,
) {
    let scan_key = table.scan_key.as_ref().unwrap();
    let mut key = vec![1, table.columns.len() as u8];
    key.extend(table.kinds().iter().map(|kind| kind.code()));
    let mut image = ImageWriter::begin(&mut key, table.columns.len());
    write(&mut image);
    image.finish();
    let condition = Condition::between(table, scan_key, Some(&key), None).unwrap();
    assert_eq!(condition.after.as_deref(), Some(after));
    assert_eq!(condition.order, order);
}

#[test]
fn a_range_has_two_ends() {
    let table = table(
        vec![
            column("a", ColumnKind::Int),
            column("b", ColumnKind::Int),
            column("c", ColumnKind::Int),
        ],
        &[1],
    );
    let key = |values: [u64; 3]| {
        let mut key = vec![1, 3];
        key.extend(table.kinds().iter().map(|kind| kind.code()));
        let mut image = ImageWriter::begin(&mut key, 3);
        values
            .into_iter()
            .for_each(|value| image.push_int(value, 4));
        image.finish();
        key
    };
    let check = |after, up_to, expected: &str, order: &str| {
        let scan_key = table.scan_key.as_ref().unwrap();
        let after = after_key(after, &key);
        let up_to = after_key(up_to, &key);
        let condition =
            Condition::between(&table, scan_key, after.as_deref(), up_to.as_deref()).unwrap();
        assert_eq!(condition.after.as_deref(), Some(expected));
        assert_eq!(condition.order, order);
    };
    check(
        None,
        Some([1, 2, 3]),
        "t.`a` < 1 OR t.`a` = 1 AND t.`b` > 2 OR t.`a` = 1 AND t.`b` = 2 AND t.`c` < 3 OR t.`a` = 1 AND t.`b` = 2 AND t.`c` = 3",
        "t.`a`, t.`b` DESC, t.`c`",
    );
    check(
        Some([1, 9, 3]),
        Some([1, 2, 4]),
        "t.`a` = 1 AND (t.`b` < 9 OR t.`b` = 9 AND t.`c` > 3) AND (t.`b` > 2 OR t.`b` = 2 AND t.`c` < 4 OR t.`b` = 2 AND t.`c` = 4)",
        "t.`b` DESC, t.`c`",
    );
    check(
        Some([1, 9, 3]),
        Some([1, 9, 4]),
        "t.`a` = 1 AND t.`b` = 9 AND (t.`c` > 3) AND (t.`c` < 4 OR t.`c` = 4)",
        "t.`c`",
    );
    check(
        Some([1, 9, 3]),
        Some([1, 9, 3]),
        "t.`a` = 1 AND t.`b` = 9 AND t.`c` = 3 AND FALSE AND (TRUE)",
        "t.`c`",
    );
    let keys = [key([1, 2, 3]), key([4, 5, 6])];
    assert_eq!(
        Condition::any_of(&table, table.scan_key.as_ref().unwrap(), &keys).unwrap(),
        "t.`a` = 1 AND t.`b` = 2 AND t.`c` = 3 OR t.`a` = 4 AND t.`b` = 5 AND t.`c` = 6"
    );
}

fn after_key(values: Option<[u64; 3]>, key: &impl Fn([u64; 3]) -> Vec<u8>) -> Option<Vec<u8>> {
    values.map(key)
}

#[test]
fn a_key_of_several_columns_is_written_out() {
    let mut text = column("b`", ColumnKind::Varchar);
    text.charset = Some("utf8mb4".to_owned());
    let table = table(
        vec![
            column("a", ColumnKind::Int),
            text,
            column("c", ColumnKind::Datetime),
        ],
        &[1],
    );
    check(
        &table,
        |image| {
            image.push_int(-5_i64 as u64, 4);
            image.push_bytes(b"x'");
            image.push_bytes(b"2020-01-01 00:00:00");
        },
        "t.`a` > -5 OR t.`a` = -5 AND t.`b``` < _utf8mb4 X'7827' OR t.`a` = -5 AND t.`b``` = _utf8mb4 X'7827' AND t.`c` > '2020-01-01 00:00:00'",
        "t.`a`, t.`b``` DESC, t.`c`",
    );
    let beginning =
        Condition::between(&table, table.scan_key.as_ref().unwrap(), None, None).unwrap();
    assert_eq!(beginning.after, None);
}

#[test]
fn what_follows_in_an_enum_is_listed() {
    let mut member = column("e", ColumnKind::Enum);
    member.members = 3;
    let mut table = table(vec![member, column("n", ColumnKind::Tinyint)], &[]);
    let check = |table: &TableDefinition, index, after: &str, order: &str| {
        check(
            table,
            |image| {
                image.push_int(index, 2);
                image.push_int(7, 1);
            },
            after,
            order,
        );
    };
    check(
        &table,
        0,
        "t.`e` IN (1, 2, 3) OR t.`e` = 0 AND t.`n` > 7",
        "t.`e`, t.`n`",
    );
    check(&table, 3, "t.`e` = 3 AND t.`n` > 7", "t.`n`");
    if let Some(key) = &mut table.scan_key {
        key.parts[0].descending = true;
    }
    check(
        &table,
        2,
        "t.`e` IN (0, 1) OR t.`e` = 2 AND t.`n` > 7",
        "t.`e` DESC, t.`n`",
    );
    check(&table, 0, "t.`e` = 0 AND t.`n` > 7", "t.`n`");
}

#[test]
fn values_are_compared_exactly() {
    let check = |column: ColumnDefinition, write: &dyn Fn(&mut ImageWriter<'_>), after: &str| {
        check(&table(vec![column], &[]), write, after, "t.`k`");
    };
    let unsigned = ColumnDefinition {
        signedness: Signedness::Unsigned,
        ..column("k", ColumnKind::Bigint)
    };
    check(
        unsigned,
        &|i| i.push_int(u64::MAX, 8),
        "t.`k` > 18446744073709551615",
    );
    check(
        column("k", ColumnKind::Float),
        &|i| i.push_f32(0.3),
        "t.`k` > 3.0000001192092896e-1",
    );
    check(
        column("k", ColumnKind::Double),
        &|i| i.push_f64(-0.0),
        "t.`k` > -0e0",
    );
    check(
        column("k", ColumnKind::Set),
        &|i| i.push_int(u64::MAX, 8),
        "CAST(t.`k` AS UNSIGNED) > 18446744073709551615",
    );
    check(
        column("k", ColumnKind::Decimal),
        &|i| i.push_bytes(b"-1.50"),
        "t.`k` > -1.50",
    );
    let padded = ColumnDefinition {
        collation: Some(BINARY),
        length: 4,
        ..column("k", ColumnKind::Char)
    };
    check(padded, &|i| i.push_bytes(b"a"), "t.`k` > X'61000000'");
}

#[test]
fn a_last_member_alone_has_nothing_behind_it() {
    let mut member = column("e", ColumnKind::Enum);
    member.members = 2;
    check(
        &table(vec![member], &[]),
        |i| i.push_int(2, 2),
        "FALSE",
        "t.`e`",
    );
}

#[test]
fn no_key_brings_sql_of_its_own() {
    let table = table(vec![column("d", ColumnKind::Decimal)], &[]);
    let mut key = vec![1, 1, ColumnKind::Decimal.code(), 0, 2, 0, 0, 0];
    key.extend_from_slice(b"1;");
    let refused = Condition::between(&table, table.scan_key.as_ref().unwrap(), Some(&key), None);
    assert_eq!(refused.unwrap_err().code, "snapshot.key-unwritable");
}

#[test]
fn few_rows_are_found_by_whichever_index() {
    let table = table(
        vec![column("a", ColumnKind::Int), column("b", ColumnKind::Int)],
        &[],
    );
    let same = has_value(&table.columns[1], &Value::Integer(&[7, 0, 0, 0])).unwrap();
    let version = datain_mysql_client::ServerVersion::parse(b"8.4.0");
    let scan = crate::TableScan::new(table, &version).unwrap();
    let stretch = crate::Stretch {
        only: Some(&same),
        any_index: true,
        ..crate::Stretch::default()
    };
    let limits = crate::ChunkLimits {
        rows: 9,
        bytes: 100,
    };
    assert_eq!(
        scan.stretch_sql(&stretch, Some(limits), crate::Reading::Locking)
            .unwrap(),
        "SELECT t.`a`, t.`b` FROM `s`.`t` AS t WHERE t.`b` = 7 ORDER BY t.`a`, t.`b` LIMIT 9 LOCK IN SHARE MODE"
    );
}
