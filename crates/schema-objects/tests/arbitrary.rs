//! Any bytes for what a server shows: no panic, and nothing lost.

#![allow(clippy::unwrap_used, reason = "a test")]

use datain_schema_objects::plan::{Abilities, Choices, Definer, plan};
use datain_schema_objects::read::Reading;
use datain_schema_objects::{Context, Kind, Object, default_characters, indexes, is_same};
use proptest::prelude::*;

/// Definitions made of the pieces that the code looks for, with raw bytes between them.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = "CREATE TABLE DATABASE DEFAULT CHARACTER SET COLLATE DEFINER = `a` `b``,` @`%` ( ) ( ) , , ' \" ` . /*!50100 */ KEY UNIQUE FULLTEXT SPATIAL CONSTRAINT \
        FOREIGN REFERENCES PRIMARY AUTO_INCREMENT float 'x' '1.5' DATA DIRECTORY TABLESPACE ENCRYPTION SECONDARY_ENGINE DO ROW EACH ON COMPLETION NOT PRESERVE RETURNS COMMENT 1 \
        \u{e9}";
    let word = prop::sample::select(
        words
            .split_ascii_whitespace()
            .map(|w| w.as_bytes().to_vec())
            .collect::<Vec<_>>(),
    );
    let blank = prop::sample::select(vec![b" ".to_vec(), b"\n".to_vec(), b"".to_vec()]);
    let piece = prop_oneof![8 => word, 6 => blank, 1 => prop::collection::vec(any::<u8>(), 0..4)];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn object(kind: Kind, sql: Vec<u8>, charset: &str) -> Object {
    Object {
        kind,
        schema: "s".to_owned(),
        name: "n".to_owned(),
        shown: sql.clone(),
        sql,
        context: Context {
            default_schema: None,
            sql_mode: "ANSI_QUOTES".to_owned(),
            character_set_client: charset.to_owned(),
            collation_connection: String::new(),
            database_collation: None,
            time_zone: None,
            default_collation_for_utf8mb4: None,
        },
        definer: None,
        excuse: None,
        bytes: 0,
    }
}

proptest! {
    #[test]
    fn any_definition_is_planned(sql in pieces(), kind in 0..8_usize, gbk in any::<bool>(), current in any::<bool>()) {
        let kind = [Kind::Schema, Kind::Library, Kind::Table, Kind::Function, Kind::Procedure, Kind::View, Kind::Trigger, Kind::Event][kind];
        let charset = if gbk { "gbk" } else { "utf8mb4" };
        let object = object(kind, sql, charset);
        prop_assert!(is_same(&object, &object));
        let _ = default_characters(&object.sql);
        let reading = Reading { objects: vec![object.clone()], ..Reading::default() };
        let definer = if current { Definer::CurrentUser } else { Definer::Keep };
        let choices = Choices { definer, indexes_after: Some(0) };
        let planned = plan(reading, &Abilities::default(), choices);
        prop_assert_eq!(planned.objects[0].kind, kind);
        prop_assert!(is_same(&planned.objects[0], &planned.objects[0]));
    }

    #[test]
    fn a_split_table_comes_together(sql in pieces(), head in any::<bool>()) {
        let sql = if head { [b"CREATE TABLE `n` (\n  ", sql.as_slice(), b",\n  KEY `k` (`a`)\n)"].concat() } else { sql };
        if let Some(split) = indexes::split(&sql, "n", &[]) {
            prop_assert_eq!(&split.steps.last().unwrap().shown, &sql);
            prop_assert!(split.table.len() < sql.len());
        }
    }
}
