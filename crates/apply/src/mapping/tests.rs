//! Which columns fit each other, and which do not.

use super::*;
use crate::target_table::ColumnDefault;

fn column(kind: ColumnKind) -> Column {
    Column {
        name: None,
        kind: kind.code(),
        signedness: Signedness::Unknown,
        collation: None,
        length: 0,
        scale: 0,
        nullable: true,
    }
}

fn target(data_type: &str, charset: Option<&str>) -> TargetColumn {
    TargetColumn {
        name: "c".to_owned(),
        data_type: data_type.to_owned(),
        unsigned: true,
        charset: charset.map(str::to_owned),
        collation: None,
        nullable: true,
        auto_increment: false,
        octet_length: 4,
        precision: 0,
        scale: 0,
        generated: false,
        default: ColumnDefault::Null,
        on_update: false,
    }
}

fn check(from: Column, to: TargetColumn, expected: Result<Form, &str>) {
    let source = Table {
        id: 1,
        schema: "s".to_owned(),
        name: "t".to_owned(),
        columns: vec![from],
        primary_key: vec![],
    };
    let table = TargetTable {
        schema: "s".to_owned(),
        name: "t".to_owned(),
        engine: "InnoDB".to_owned(),
        columns: vec![to],
        keys: vec![vec![0]],
        has_primary_key: true,
        unique: crate::target_table::Unique::default(),
        is_versioned: false,
        is_sequence: false,
        triggers: Some(0),
    };
    let collations = Collations::from_answer(&[["8", "latin1", "latin1_swedish_ci"]
        .map(|t| Some(t.to_owned()))
        .to_vec()]);
    let found = Mapping::new(&source, table, &collations)
        .map(|m| m.forms[0].clone())
        .map_err(|e| {
            assert_eq!(e.table.as_deref(), Some("s.t"));
            e.code
        });
    assert_eq!(found, expected.map_err(str::to_owned));
}

#[test]
fn the_target_decides_what_the_log_leaves_open() {
    check(
        column(ColumnKind::Int),
        target("int", None),
        Ok(Form::Integer { unsigned: true }),
    );
    let signed = Column {
        signedness: Signedness::Signed,
        ..column(ColumnKind::Int)
    };
    check(
        signed,
        target("int", None),
        Ok(Form::Integer { unsigned: false }),
    );
    let utf8 = Form::Characters {
        charset: "utf8mb4".to_owned(),
        same: true,
    };
    check(
        column(ColumnKind::Char),
        target("char", Some("utf8mb4")),
        Ok(utf8),
    );
    check(
        Column {
            length: 4,
            ..column(ColumnKind::Char)
        },
        target("binary", None),
        Ok(Form::Binary { pad_to: 4 }),
    );
    check(
        column(ColumnKind::Text),
        target("blob", None),
        Ok(Form::Binary { pad_to: 0 }),
    );
}

#[test]
fn the_source_s_character_set_labels_its_bytes() {
    let latin1 = Column {
        collation: Some(8),
        ..column(ColumnKind::Varchar)
    };
    check(
        latin1,
        target("varchar", Some("utf8mb4")),
        Ok(Form::Characters {
            charset: "latin1".to_owned(),
            same: false,
        }),
    );
    let unknown = Column {
        collation: Some(9999),
        ..column(ColumnKind::Varchar)
    };
    check(
        unknown,
        target("varchar", Some("utf8mb4")),
        Err("table.charset-unknown"),
    );
}

#[test]
fn deprecated_character_sets_are_not_named() {
    for (name, expected) in [
        (
            "utf8mb3",
            Form::Characters {
                charset: "utf8mb4".to_owned(),
                same: true,
            },
        ),
        (
            "ucs2",
            Form::Characters {
                charset: "utf16".to_owned(),
                same: true,
            },
        ),
        ("macroman", Form::Binary { pad_to: 0 }),
    ] {
        check(
            column(ColumnKind::Varchar),
            target("varchar", Some(name)),
            Ok(expected),
        );
    }
}

#[test]
fn differences_are_refused() {
    // BINARY(5) into BINARY(4), DATETIME(6) into DATETIME.
    let longer = Column {
        length: 5,
        ..column(ColumnKind::Char)
    };
    check(longer, target("binary", None), Err("table.column-type"));
    let finer = Column {
        length: 6,
        ..column(ColumnKind::Datetime)
    };
    check(finer, target("datetime", None), Err("table.column-type"));
    check(
        column(ColumnKind::Int),
        target("bigint", None),
        Err("table.column-type"),
    );
    let named = Column {
        name: Some("other".to_owned()),
        ..column(ColumnKind::Int)
    };
    check(named, target("int", None), Err("table.column-name"));
    let binary = Column {
        collation: Some(63),
        ..column(ColumnKind::Text)
    };
    check(
        binary,
        target("text", Some("latin1")),
        Err("table.column-type"),
    );
}
