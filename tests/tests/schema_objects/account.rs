//! What an account with few privileges reads, and what it is told of those that it lacks.

use datain_contract::types::{Finding, Severity};
use datain_schema_objects::read::{Reading, UNSEEN};
use datain_tests::native::session;
use datain_tests::servers::{run, server};
use datain_throwaway_servers::Server;

use crate::lab;

/// All that has to do with sight, worst first.
fn unseen(reading: &Reading) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = reading
        .findings
        .iter()
        .filter(|finding| finding.code == UNSEEN)
        .collect();
    findings.sort_by_key(|finding| finding.severity != Severity::Fatal);
    findings
}

fn read(source: &Server) -> Reading {
    lab::read_as(lab::session_of(source, "few"), &["shop.*"]).unwrap()
}

/// Without a privilege there is one finding of this severity, which says so, and with what it is mended.
fn check(source: &Server, revoke: &str, grant: &str, severity: Severity, remedy: &str) {
    run(source, revoke);
    let reading = read(source);
    let findings = unseen(&reading);
    assert!(
        findings.iter().any(|found| found.severity == severity
            && found.remedy.as_deref() == Some(remedy)
            && found.message.contains("'few'@'%'")),
        "{revoke}: {findings:#?}"
    );
    run(source, grant);
    let whole = read(source);
    assert_eq!(unseen(&whole)[0].severity, Severity::Passed, "{grant}");
}

#[test]
fn few_privileges_are_enough_and_each_that_is_missing_is_named() {
    let source = server();
    source
        .sql(
            "CREATE DATABASE shop; USE shop;
            CREATE TABLE t (id INT PRIMARY KEY); CREATE VIEW v AS SELECT id, f() AS x FROM t JOIN (SELECT 1) AS d;"
                .replace("CREATE VIEW", "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1; CREATE VIEW")
                .as_str(),
        )
        .unwrap();
    run(
        &source,
        "CREATE PROCEDURE shop.p() SELECT 1; CREATE TRIGGER shop.tr BEFORE INSERT ON shop.t FOR EACH ROW SET @a = 1;
         CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1;
         CREATE USER few IDENTIFIED BY 'secret'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON shop.* TO few; GRANT SHOW_ROUTINE ON *.* TO few;",
    );
    let all = lab::read_as(session(&source), &["shop.*"]).unwrap();
    let few = read(&source);
    assert_eq!(few.objects, all.objects);
    assert_eq!(few.objects.len(), 7);
    assert_eq!(unseen(&few)[0].severity, Severity::Passed);
    for privilege in ["TRIGGER", "EVENT", "SELECT"] {
        check(
            &source,
            &format!("REVOKE {privilege} ON shop.* FROM few"),
            &format!("GRANT {privilege} ON shop.* TO few"),
            Severity::Warning,
            &format!("GRANT {privilege} ON `shop`.* TO 'few'@'%';"),
        );
    }
    check(
        &source,
        "REVOKE SHOW VIEW ON shop.* FROM few",
        "GRANT SHOW VIEW ON shop.* TO few",
        Severity::Fatal,
        "GRANT SHOW VIEW ON `shop`.* TO 'few'@'%';",
    );
    check(
        &source,
        "REVOKE SHOW_ROUTINE ON *.* FROM few",
        "GRANT SHOW_ROUTINE ON *.* TO few",
        Severity::Warning,
        "GRANT SHOW_ROUTINE ON *.* TO 'few'@'%';",
    );
    // Whoever may call a routine sees its name.
    check(
        &source,
        "REVOKE SHOW_ROUTINE ON *.* FROM few; GRANT EXECUTE ON shop.* TO few",
        "GRANT SHOW_ROUTINE ON *.* TO few",
        Severity::Fatal,
        "GRANT SHOW_ROUTINE ON *.* TO 'few'@'%';",
    );
    run(&source, "REVOKE SELECT ON shop.* FROM few");
    let reading = read(&source);
    assert!(
        unseen(&reading).iter().any(
            |found| found.severity == Severity::Fatal && found.message.contains("lacks SELECT")
        ),
        "the view: {:#?}",
        reading.findings
    );
}
