//! Session settings that change how a statement is read, and what a log message shows of it.

use datain_sql_statement::{Charset, Dialect, Options, first_words};

use crate::{check, check_with};

#[test]
fn session_settings() {
    let ansi = Options {
        ansi_quotes: true,
        ..Options::default()
    };
    assert_eq!(
        ansi,
        Options::from_sql_mode(4, Charset::Utf8, Dialect::MySql)
    );
    check_with(
        &ansi,
        br#"DROP TABLE "a""b", "c\", d"#,
        "Table(Drop) a\\\"b c\\\\ d",
    );
    check(r#"DROP TABLE "a""#, "Table(Drop) +incomplete");
    let plain = Options {
        no_backslash_escapes: true,
        ..Options::default()
    };
    assert_eq!(
        plain,
        Options::from_sql_mode(1 << 20, Charset::Utf8, Dialect::MySql)
    );
    let sql = br"SET @a = '\', PASSWORD = 'x'";
    check_with(&plain, sql, "Account");
    check_with(&Options::default(), sql, "Set");
}

#[test]
fn trail_bytes_do_not_close_quotes() {
    let gbk = Options {
        charset: Charset::Gbk,
        ..Options::default()
    };
    // 0x81 0x5C is one letter in gbk: the string ends at the next quote.
    check_with(&gbk, b"SET @a = '\x81\\', PASSWORD = 'x'", "Account");
    check_with(
        &Options::default(),
        b"SET @a = '\x81\\', PASSWORD = 'x'",
        "Set",
    );
    for (charset, name) in [
        (Charset::Gbk, "gbk"),
        (Charset::Sjis, "cp932"),
        (Charset::Gb18030, "gb18030"),
    ] {
        assert_eq!(Charset::from_name(name), charset);
        let options = Options {
            charset,
            ..Options::default()
        };
        check_with(&options, b"DROP TABLE `a\x81``, b", "Table(Drop) a\\x81` b");
        check_with(
            &options,
            b"DROP TABLE a\x81`, `b```",
            "Table(Drop) a\\x81` b`",
        );
    }
    // Behind a backslash the server skips a byte, not a letter: the second backslash escapes the quote. (Asked of 9.7.)
    check_with(&gbk, b"SET @a = '\\\x81\\', PASSWORD = 'x'", "Set");
    check_with(&gbk, b"SET @a = '\\\x81\\'', PASSWORD = 'x'", "Account");
    let big5 = Options {
        charset: Charset::Big5,
        ..Options::default()
    };
    check_with(&big5, b"DROP TABLE `\xA4\\`", "Table(Drop) \\xa4\\\\");
    let greek = Options {
        charset: Charset::from_name("greek"),
        ..Options::default()
    };
    check_with(&greek, b"CREATE\xA0USER a", "Account");
    let koi8r = Options {
        charset: Charset::from_name("koi8r"),
        ..Options::default()
    };
    check_with(&koi8r, b"CREATE\xA0USER a", "Other");
    let latin1 = Options {
        charset: Charset::Latin1,
        ..Options::default()
    };
    check_with(&latin1, b"CREATE\xA0USER a", "Account");
    check_with(&latin1, b"DROP TABLE `a\x81`", "Table(Drop) a\\x81");
}

#[test]
fn dialects() {
    let mariadb = Options {
        dialect: Dialect::MariaDb,
        ..Options::default()
    };
    check_with(
        &mariadb,
        b"CREATE /*M!100100 OR REPLACE */ /*M! USER */ a",
        "Account",
    );
    check("CREATE /*M! USER */ TABLE a (b INT)", "Table(Create) a");
    check_with(
        &mariadb,
        b"CREATE /*!80000 USER /* x */ y */ TABLE a (b INT)",
        "Table(Create) a",
    );
    check_with(
        &mariadb,
        b"CREATE /*!50100 TEMPORARY */ TABLE a (b INT)",
        "Table(Create) a +temporary",
    );
    check_with(
        &mariadb,
        b"CREATE /*!100100 TEMPORARY */ TABLE a (b INT)",
        "Table(Create) a +temporary",
    );
}

#[test]
fn messages_show_words_only() {
    for (sql, n, expected) in [
        (
            "alter user if exists 'bob'@'%' IDENTIFIED BY 'secret'",
            9,
            "alter user if exists",
        ),
        ("/* a */ GRANT ALL ON *.* TO x", 2, "GRANT ALL"),
        (
            "CREATE USER bob@host IDENTIFIED BY secret",
            5,
            "CREATE USER bob",
        ),
        ("SET PASSWORD = \"it\\\"s secret\"", 5, "SET PASSWORD"),
        ("CREATE TABLE `a` SELECT 5, word", 5, "CREATE TABLE SELECT"),
        ("", 3, ""),
    ] {
        for ansi_quotes in [false, true] {
            let options = Options {
                ansi_quotes,
                ..Options::default()
            };
            assert_eq!(first_words(sql.as_bytes(), n, &options), expected, "{sql}");
        }
    }
}
