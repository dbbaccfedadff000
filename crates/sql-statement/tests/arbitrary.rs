//! Any bytes under any options: no panic, and tokens that lie in order within the statement.

use datain_sql_statement::{
    Charset, Dialect, Options, TableFilter, Tokens, classify, data_change, first_words,
};
use proptest::prelude::*;

fn options() -> impl Strategy<Value = Options> {
    let charset = prop::sample::select(vec![
        Charset::Utf8,
        Charset::Latin1,
        Charset::Big5,
        Charset::Gbk,
        Charset::Gb18030,
        Charset::Sjis,
        Charset::OtherWithBlank(0xA0),
        Charset::Other,
    ]);
    let dialect = prop::sample::select(vec![Dialect::MySql, Dialect::MariaDb]);
    (any::<bool>(), any::<bool>(), charset, dialect).prop_map(
        |(ansi_quotes, no_backslash_escapes, charset, dialect)| Options {
            ansi_quotes,
            no_backslash_escapes,
            charset,
            dialect,
        },
    )
}

/// Statements made of the pieces that the code looks for, with raw bytes between them.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = "CREATE ALTER DROP RENAME TABLE TABLES INDEX ON TO IF NOT EXISTS USER SET STATEMENT FOR PASSWORD VIEW \
        DEFINER ALGORITHM SQL SECURITY OR REPLACE TEMPORARY LIKE SELECT START TRANSACTION XA COMMIT ONE PHASE TRIGGER \
        EVENT DO DATABASE WITH EXCHANGE FUNCTION RETURNS SONAME a `b` \"c\" 'd' x'64' 1 0x .5 . , ( ) = @ @@x /* */ /*! \
        /*!50701 /*M! -- # ` ' \" \\ ; \u{e9}";
    let word = prop::sample::select(
        words
            .split_ascii_whitespace()
            .map(|w| w.as_bytes().to_vec())
            .collect::<Vec<_>>(),
    );
    let blank = prop::sample::select(vec![b" ".to_vec(), b"\n".to_vec(), b"".to_vec()]);
    let piece = prop_oneof![8 => word, 6 => blank, 1 => prop::collection::vec(any::<u8>(), 0..4)];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn check(sql: &[u8], options: &Options) {
    let mut end = 0;
    for token in Tokens::new(sql, options) {
        assert!(token.start >= end && !token.text.is_empty());
        assert_eq!(&sql[token.start..token.end()], token.text);
        end = token.end();
        let _ = token.identifier();
    }
    let statement = classify(sql, options);
    if let Some(range) = &statement.start_transaction {
        assert!(
            sql[range.clone()]
                .to_ascii_uppercase()
                .ends_with(b"TRANSACTION")
        );
    }
    let filter = TableFilter::new(&[], &["a.b%".to_string()]).expect("a pattern that can be used");
    let _ = filter.judge(&statement, "a", options.charset);
    if let Some(change) = data_change(sql, options) {
        let _ = filter.judge_change(&change, "a", options.charset);
    }
    assert!(first_words(sql, 3, options).split(' ').count() <= 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(sql in prop::collection::vec(any::<u8>(), 0..200), options in options()) {
        check(&sql, &options);
    }

    #[test]
    fn arbitrary_pieces(sql in pieces(), options in options()) {
        check(&sql, &options);
    }

    /// Whatever a name is made of, quoting it as the server does gives it back.
    #[test]
    fn quoted_names_round_trip(name in "[^\0]{1,20}") {
        let sql = format!("DROP TABLE `{}`, b", name.replace('`', "``"));
        let statement = classify(sql.as_bytes(), &Options::default());
        prop_assert!(statement.complete);
        prop_assert_eq!(&statement.targets[0].name, name.as_bytes());
        prop_assert_eq!(statement.targets.len(), 2);
    }

    /// A pattern made of a name with every special letter escaped matches that name, and a `%` matches everything.
    #[test]
    fn escaped_patterns(name in ".{1,20}", other in ".{1,20}") {
        let escaped: String = name.chars().flat_map(|c| ['\\', c]).collect();
        let filter = TableFilter::new(&[format!("s.{escaped}")], &[]).expect("a pattern that can be used");
        prop_assert!(filter.matches("s", &name));
        prop_assert_eq!(filter.matches("s", &other), name == other);
        prop_assert!(TableFilter::new(&["%.%".to_string()], &[]).expect("a pattern that can be used").matches("s", &other));
    }
}

/// Long statements take time in proportion to their length: these would not end otherwise.
#[test]
fn long_statements() {
    let long = 2_000_000;
    for piece in [
        "/*",
        "/*!",
        "`",
        "'",
        "''",
        "(",
        "a.",
        "@",
        "SET STATEMENT a FOR ",
        "RENAME ",
        "\\",
        "-- ",
        "1e",
        "/*!50701 /*",
    ] {
        for start in [
            "",
            "CREATE TABLE a ",
            "ALTER TABLE a ",
            "SET ",
            "DROP TABLE ",
            "INSERT INTO t SELECT 1 FROM ",
            "DELETE FROM ",
            "WITH a AS ",
        ] {
            let sql = format!("{start}{}", piece.repeat(long / piece.len()));
            let options = Options {
                dialect: Dialect::MariaDb,
                ..Options::default()
            };
            let _ = classify(sql.as_bytes(), &options);
            let _ = data_change(sql.as_bytes(), &options);
        }
    }
    let many: String = (0..200_000).map(|n| format!("t{n}(), t{n},")).collect();
    let change = data_change(
        format!("DELETE a FROM {many}").as_bytes(),
        &Options::default(),
    );
    assert!(change.is_some_and(|change| !change.complete));
}
