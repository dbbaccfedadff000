//! Patterns, tables, schemas and statements held against each other.

use datain_sql_statement::{
    Charset, NameCase, Options, PatternError, TableFilter, Verdict, classify, is_never_replicated,
};

fn filter(include: &[&str], exclude: &[&str]) -> TableFilter {
    let own = |patterns: &[&str]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>();
    TableFilter::new(&own(include), &own(exclude)).expect("patterns that can be used")
}

fn check(include: &[&str], exclude: &[&str], table: (&str, &str), expected: bool) {
    let found = filter(include, exclude).matches(table.0, table.1);
    assert_eq!(found, expected, "{include:?} but {exclude:?}: {table:?}");
}

#[test]
fn tables() {
    check(&[], &[], ("shop", "orders"), true);
    check(&["shop.*"], &[], ("shop", "orders"), true);
    check(&["shop.*"], &[], ("shop2", "orders"), false);
    check(&["sh%.o_ders"], &[], ("shop", "orders"), true);
    check(&["sh%.o_ders"], &[], ("shop", "oders"), false);
    check(&["%.%"], &[], ("ä", "ö"), true);
    check(&["_._"], &[], ("ä", "ö"), true);
    check(&["*.%a%b%"], &[], ("s", "xaxxaxbx"), true);
    check(&["*.%ab"], &[], ("s", "aab"), true);
    check(&["*.%ab"], &[], ("s", "aba"), false);
    check(&["shop.*"], &["shop.tmp_%"], ("shop", "tmp_1"), false);
    check(&["shop.*"], &["shop.tmp\\_%"], ("shop", "tmpx1"), true);
    check(&["s.100\\%"], &[], ("s", "100%"), true);
    check(&["s.100\\%"], &[], ("s", "1000"), false);
    check(&["a\\.b.\\*"], &[], ("a.b", "*"), true);
    check(&["Shop.*"], &[], ("shop", "a"), false);
    check(&["s.a"], &[], ("s", ""), false);
    for own in [
        "mysql",
        "sys",
        "information_schema",
        "INFORMATION_SCHEMA",
        "performance_schema",
        "datain",
    ] {
        check(&[], &[], (own, "a"), false);
        check(&["*.*", "mysql.*", "datain.*"], &[], (own, "a"), false);
        assert!(!filter(&["*.*"], &[]).matches_schema(own), "{own}");
    }
}

#[test]
fn letter_case() {
    let insensitive = filter(&["Shöp.*"], &["shöp.TMP%"]).with_case(NameCase::Insensitive);
    assert!(insensitive.matches("SHÖP", "a"));
    assert!(!insensitive.matches("SHÖP", "tmp1"));
    assert!(is_never_replicated("MySQL", NameCase::Insensitive));
    assert!(!is_never_replicated("MySQL", NameCase::Sensitive));
}

#[test]
fn schemas() {
    assert!(filter(&[], &[]).matches_schema("shop"));
    assert!(filter(&["shop.orders"], &[]).matches_schema("shop"));
    assert!(!filter(&["shop.orders"], &[]).matches_schema("other"));
    assert!(filter(&[], &["shop.a"]).matches_schema("shop"));
    assert!(!filter(&[], &["shop.*"]).matches_schema("shop"));
    assert!(!filter(&[], &["sh%.%"]).matches_schema("shop"));
}

#[test]
fn refused_patterns() {
    for (pattern, reason) in [
        ("shop", PatternError::NoDot),
        ("", PatternError::NoDot),
        ("a.b.c", PatternError::SecondDot),
        (".b", PatternError::Empty),
        ("a.", PatternError::Empty),
        ("a.tmp*", PatternError::Star),
        ("a*.b", PatternError::Star),
        ("a.**", PatternError::Star),
        ("a.b\\", PatternError::Backslash),
    ] {
        for (include, exclude) in [
            (vec![pattern.to_string()], vec![]),
            (vec![], vec![pattern.to_string()]),
        ] {
            let error = TableFilter::new(&include, &exclude).unwrap_err();
            assert_eq!((error.pattern.as_str(), error.reason), (pattern, reason));
            assert!(error.to_string().contains(&reason.to_string()));
        }
    }
}

fn judge(sql: &str, expected: Verdict) {
    let filter = filter(&["shop.*"], &["shop.tmp%"]);
    let statement = classify(sql.as_bytes(), &Options::default());
    assert_eq!(
        filter.judge(&statement, "shop", Charset::Utf8),
        expected,
        "{sql}"
    );
}

#[test]
fn statements() {
    judge("BEGIN", Verdict::NoObjects);
    judge("CREATE USER a", Verdict::NoObjects);
    judge("FLUSH TABLES", Verdict::NoObjects);
    judge("CREATE TABLE a (b INT)", Verdict::In);
    judge("CREATE TABLE x.a (b INT)", Verdict::Out);
    judge("DROP TABLE a, tmp1", Verdict::Mixed);
    judge("DROP TABLE tmp1, x.a", Verdict::Out);
    judge("DROP TABLE a, 'b'", Verdict::Unknown);
    judge("OPTIMIZE TABLE tmp1", Verdict::Out);
    judge("ALTER DATABASE CHARACTER SET utf8mb4", Verdict::In);
    judge("DROP DATABASE x", Verdict::Out);
    judge("CREATE PROCEDURE tmp1() SELECT 1", Verdict::In);
    judge(
        "CREATE TRIGGER g BEFORE INSERT ON tmp1 FOR EACH ROW SET @a = 1",
        Verdict::Out,
    );
    judge(
        "CREATE TRIGGER x.g BEFORE INSERT ON a FOR EACH ROW SET @a = 1",
        Verdict::Out,
    );
    judge(
        "CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW SET @a = 1",
        Verdict::In,
    );
}

#[test]
fn names_that_cannot_be_decoded() {
    let filter = filter(&[], &[]);
    let statement = classify(b"DROP TABLE `\xE4\x80`", &Options::default());
    assert_eq!(
        filter.judge(&statement, "s", Charset::Utf8),
        Verdict::Unknown
    );
    assert_eq!(
        filter.judge(&statement, "s", Charset::Gbk),
        Verdict::Unknown
    );
    assert_eq!(filter.judge(&statement, "s", Charset::Latin1), Verdict::In);
    assert_eq!(Charset::Latin1.decode(b"\x80\xE4").as_deref(), Some("€ä"));
    assert_eq!(Charset::Gbk.decode(b"a").as_deref(), Some("a"));
    assert_eq!(Charset::Utf8.decode(b"\xFF"), None);
}

#[test]
fn collations() {
    for (id, charset) in [
        (1, Charset::Big5),
        (8, Charset::Latin1),
        (13, Charset::Sjis),
        (25, Charset::OtherWithBlank(0xA0)),
        (36, Charset::OtherWithBlank(0xFF)),
        (28, Charset::Gbk),
        (33, Charset::Utf8),
        (45, Charset::Utf8),
        (63, Charset::Other),
        (95, Charset::Sjis),
        (248, Charset::Gb18030),
        (255, Charset::Utf8),
        (1024 + 28, Charset::Gbk),
        (2304, Charset::Utf8),
    ] {
        assert_eq!(Charset::from_collation(id), charset, "{id}");
    }
}

#[test]
fn schemas_that_are_named() {
    let check = |include: &[&str], expected: Option<&[&str]>| {
        let include: Vec<String> = include.iter().map(|&p| p.to_owned()).collect();
        let filter = TableFilter::new(&include, &[]).expect("patterns");
        let expected = expected.map(|names| names.iter().map(|&n| n.to_owned()).collect());
        assert_eq!(filter.named_schemas(), expected, "{include:?}");
    };
    check(
        &["shop.*", "a_b.t%", "shop.x", "c\\_d.*"],
        Some(&["a_b", "c_d", "shop"]),
    );
    check(&["shop.*", "s%.t"], None);
    check(&["*.*"], None);
    check(&[], None);
}

/// What a filter takes of what another one takes, or beyond it: tables by themselves, schemas where anything of them may be taken.
#[test]
fn within_and_beyond() {
    let filter = |include: &[&str]| {
        let include: Vec<String> = include.iter().map(|&p| p.to_owned()).collect();
        TableFilter::new(&include, &[]).expect("patterns")
    };
    let before = || filter(&["shop.orders", "all.*"]);
    let now = || filter(&["shop.*", "depot.b%", "all.x"]);
    let (within, beyond) = (now().within(before()), now().beyond(before()));
    for (schema, table, is_within, is_beyond) in [
        ("shop", "orders", true, false),
        ("shop", "items", false, true),
        ("depot", "boxes", false, true),
        ("depot", "other", false, false),
        ("all", "x", true, false),
        ("all", "y", false, false),
    ] {
        assert_eq!(within.matches(schema, table), is_within, "{schema}.{table}");
        assert_eq!(beyond.matches(schema, table), is_beyond, "{schema}.{table}");
    }
    let schemas = |filter: &TableFilter| {
        let all = ["shop", "depot", "all", "none"];
        let which = |is: &dyn Fn(&str) -> bool| all.into_iter().filter(|s| is(s)).collect();
        let found: [Vec<&str>; 3] = [
            which(&|s| filter.matches_schema(s)),
            which(&|s| filter.takes_schema_itself(s)),
            which(&|s| filter.covers_schema(s)),
        ];
        found
    };
    assert_eq!(
        schemas(&within),
        [vec!["shop", "all"], vec!["shop", "all"], vec![]]
    );
    // The schema of orders is there already, with its routines.
    assert_eq!(
        schemas(&beyond),
        [vec!["shop", "depot"], vec!["depot"], vec![]]
    );
    assert!(beyond.matches_before_or_now("shop", "orders"));
    assert!(!beyond.matches_before_or_now("depot", "other"));
}
