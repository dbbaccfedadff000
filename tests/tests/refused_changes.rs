//! Changes that a target cannot make as they stand, each with its code, its message and where it stands; and nothing of it is done. They are a real source's, changed
//! on their way to what only an old server, or one that has failed half-way, would have logged.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::hash::RandomState;

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::Engine;
use datain_capture::reader::{Reader, Settings};
use datain_contract::types::{Batch, Change, Disposition, Error, Statement};
use datain_mysql_client::blocking::block_on;
use datain_tests::native::{replicate, session, settings};
use datain_tests::pipeline_run::{server, value};
use datain_throwaway_servers::Server;

/// As [`replicate`], with each batch changed on its way.
fn replicate_changed(
    source: &Server,
    target: &Server,
    settings: &Settings,
    change: impl Fn(&mut Batch),
) -> Result<(), Error> {
    block_on(async {
        let opened = Engine::<_, RandomState>::open(
            session(target),
            &settings.stream,
            &Beginning::default(),
        )
        .await?;
        let mut engine = opened.engine;
        let mut reader =
            Reader::open(session(source), settings, opened.checkpoint.as_ref(), false).await?;
        while !reader.progress().reached_head {
            let mut batch = reader.next_batch(64 << 10, |_| {}).await?;
            change(&mut batch);
            engine.add_tables(batch.tables);
            for transaction in batch.transactions {
                engine.apply(transaction, &batch.rows).await?;
            }
            if engine.can_commit() {
                engine.commit().await?;
            }
        }
        Ok(())
    })
}

fn of_statements(change: impl Fn(&mut Statement)) -> impl Fn(&mut Batch) {
    move |batch| {
        for transaction in &mut batch.transactions {
            if let Some(Change::Statement(statement)) = transaction.changes.first_mut() {
                change(statement);
            }
        }
    }
}

/// fidelity: statement | a statement that failed half-way on the source | stops: `statement.failed-on-source`
/// fidelity: statement | a statement of a kind that is not known | stops: `statement.unknown`
/// fidelity: statement | a statement together with other changes, other than `CREATE TABLE … SELECT` | stops: `statement.mixed`
#[test]
fn statements_that_cannot_be_run_as_they_stand() {
    let (source, target) = (server(), server());
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)")
        .expect("a table");
    replicate(&source, &target, &settings).expect("replication");
    source
        .sql("ALTER TABLE d.t ADD COLUMN v INT COMMENT 'secret'")
        .expect("a statement");
    let refused = |change: &dyn Fn(&mut Batch), code: &str, message: &str| {
        let error = replicate_changed(&source, &target, &settings, change).expect_err(code);
        assert_eq!(error.code, code, "{error:?}");
        assert_eq!(error.message, message);
        assert!(matches!(error.disposition, Disposition::Fatal));
        assert!(
            error.position.is_some() && error.gtid.is_some(),
            "{error:?}"
        );
        let detail = error.detail.unwrap_or_default();
        assert!(detail.starts_with("statement: "), "{detail}");
        assert!(!detail.contains("secret"), "{detail}");
        let columns = "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'd'";
        assert_eq!(
            value(&target, columns).as_deref(),
            Some("1"),
            "nothing was run"
        );
    };
    refused(
        &of_statements(|statement| statement.error_code = 1317),
        "statement.failed-on-source",
        "the statement failed half-way on the source, so what it changed is not known",
    );
    for sql in [
        "HANDLER d.t OPEN",
        "SET GLOBAL x = 'secret'",
        "BOGUS 'secret'",
    ] {
        refused(
            &of_statements(|statement| statement.sql = sql.as_bytes().to_vec()),
            "statement.unknown",
            "the source logged a statement of a kind that the sink does not know how to apply",
        );
    }
    refused(
        &|batch| {
            for transaction in &mut batch.transactions {
                let again = transaction.changes.clone();
                transaction.changes.extend(again);
            }
        },
        "statement.mixed",
        "the transaction holds a statement together with other changes, which only CREATE TABLE … SELECT may",
    );
    // As it was written it passes.
    replicate(&source, &target, &settings).expect("replication");
    datain_tests::compare::assert_equal(&source, &target, &["d"]);
}

/// fidelity: type | JSON with bytes of a type that no column has | stops: `row.value`
#[test]
fn a_document_with_a_value_that_sql_cannot_say() {
    let (source, target) = (server(), server());
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.j (id INT PRIMARY KEY, doc JSON)")
        .expect("a table");
    replicate(&source, &target, &settings).expect("replication");
    source
        .sql("INSERT INTO d.j VALUES (1, JSON_ARRAY(X'6D61726B6572', 1))")
        .expect("a row");
    // An opaque value is its type, its length and its bytes.
    let of_no_column = |batch: &mut Batch| {
        let found = batch.rows.windows(6).position(|bytes| bytes == b"marker");
        if let Some(kind) = found.and_then(|at| batch.rows.get_mut(at - 2)) {
            assert_eq!(*kind, 15, "VARCHAR");
            *kind = 253;
        }
    };
    let error = replicate_changed(&source, &target, &settings, of_no_column).expect_err("a value");
    assert_eq!(error.code, "row.value", "{error:?}");
    assert_eq!(
        error.message,
        "a value of column `doc` cannot be written: the JSON document holds 6 bytes of MySQL's type 253, which no SQL expression gives"
    );
    assert!(
        error.position.is_some() && error.gtid.is_some(),
        "{error:?}"
    );
    assert_eq!(error.table.as_deref(), Some("d.j"));
    assert_eq!(
        value(&target, "SELECT COUNT(*) FROM d.j").as_deref(),
        Some("0")
    );
    replicate(&source, &target, &settings).expect("as it was written it passes");
    datain_tests::compare::assert_equal(&source, &target, &["d"]);
}
