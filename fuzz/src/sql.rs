//! Statements: tokens, kind and names, what the filter and the sink make of them, and patterns of the filter.

use datain_apply::ddl;
use datain_contract::types::{SessionContext, Statement};
use datain_sql_statement::{
    Charset, Dialect, NameCase, Options, TableFilter, Tokens, classify, data_change, first_words,
    is_transaction_control,
};

use crate::input::Input;

const CHARSETS: [Charset; 8] = [
    Charset::Utf8,
    Charset::Latin1,
    Charset::Big5,
    Charset::Gbk,
    Charset::Gb18030,
    Charset::Sjis,
    Charset::OtherWithBlank(0xA0),
    Charset::Other,
];

/// Reads a statement under some options, with a filter of one pattern.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.u8();
    let options = Options {
        ansi_quotes: choice & 1 != 0,
        no_backslash_escapes: choice & 2 != 0,
        dialect: if choice & 4 != 0 {
            Dialect::MariaDb
        } else {
            Dialect::MySql
        },
        charset: CHARSETS[usize::from(choice >> 3 & 7)],
    };
    let pattern = String::from_utf8_lossy(input.chunk()).into_owned();
    let sql = input.rest();
    let mut end = 0;
    for token in Tokens::new(sql, &options) {
        assert!(token.start >= end && !token.text.is_empty());
        assert_eq!(&sql[token.start..token.end()], token.text);
        end = token.end();
        let _ = token.identifier();
    }
    let statement = classify(sql, &options);
    let change = data_change(sql, &options);
    if let Some(range) = &statement.start_transaction {
        let words = sql[range.clone()].to_ascii_uppercase();
        assert!(words.ends_with(b"TRANSACTION"));
    }
    assert!(first_words(sql, 3, &options).split(' ').count() <= 3);
    let _ = is_transaction_control(sql, &options);
    let excluded = TableFilter::new(&[], &["a.b%".to_owned()]).expect("a good pattern");
    let _ = excluded.judge(&statement, "a", options.charset);
    if let Some(change) = &change {
        let _ = excluded.judge_change(change, "a", options.charset);
    }
    if let Ok(filter) = TableFilter::new(std::slice::from_ref(&pattern), &[]) {
        for case in [NameCase::Sensitive, NameCase::Insensitive] {
            let filter = filter.clone().with_case(case);
            let _ = filter.judge(&statement, "a", options.charset);
            let _ = filter.matches("a", &pattern);
        }
    }
    treat(sql, choice);
}

/// What a sink does with the statement.
fn treat(sql: &[u8], choice: u8) {
    let statement = statement(sql.to_vec(), choice);
    let _ = ddl::treatment(&statement);
    let _ = ddl::summary(&statement);
    let _ = ddl::numbered_tables(&statement);
    let context = ddl::context_sql(&statement.context);
    for token in Tokens::new(&context, &Options::default()) {
        assert!(token.closed, "a quote is not closed");
    }
}

fn statement(sql: Vec<u8>, choice: u8) -> Statement {
    const ANSI_QUOTES: u64 = 4;
    const NO_BACKSLASH_ESCAPES: u64 = 0x10_0000;
    let mut sql_mode = 0;
    if choice & 1 != 0 {
        sql_mode |= ANSI_QUOTES;
    }
    if choice & 2 != 0 {
        sql_mode |= NO_BACKSLASH_ESCAPES;
    }
    Statement {
        sql,
        default_schema: Some("a".to_owned()),
        error_code: 0,
        session: None,
        temporary: datain_contract::types::TemporaryTables::None,
        file: None,
        context: SessionContext {
            sql_mode: Some(sql_mode),
            flags2: None,
            charset_client: Some([45, 8, 1, 28, 248, 13, 11, 63][usize::from(choice >> 3 & 7)]),
            collation_connection: None,
            collation_server: None,
            collation_database: None,
            time_zone: Some("SYSTEM'".to_owned()),
            auto_increment_increment: None,
            auto_increment_offset: None,
            lc_time_names: None,
            default_collation_for_utf8mb4: None,
            character_set_collations: None,
            explicit_defaults_for_timestamp: None,
            sql_require_primary_key: None,
            default_table_encryption: None,
            timestamp_micros: 0,
        },
    }
}
