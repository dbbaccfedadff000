//! A parent outside the filter, whose cascades into replicated tables the source does not log.

use datain_tests::host::Host;
use datain_throwaway_servers::{Flavor, Server};

use crate::pair::{LIMIT, NOW, Pair};

const CODE: &str = "source.unlogged-cascades";

/// A chain of four tables, and a child whose foreign key only refuses.
const TABLES: &str = "CREATE TABLE shop.region (id INT PRIMARY KEY);
    CREATE TABLE shop.customer (id INT PRIMARY KEY, region INT, CONSTRAINT of_region FOREIGN KEY (region) REFERENCES shop.region (id) ON DELETE CASCADE);
    CREATE TABLE shop.`order` (id INT PRIMARY KEY, customer INT, CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES shop.customer (id) ON DELETE SET NULL ON UPDATE CASCADE);
    CREATE TABLE shop.line (id INT PRIMARY KEY, o INT, CONSTRAINT of_order FOREIGN KEY (o) REFERENCES shop.`order` (id) ON UPDATE CASCADE);
    CREATE TABLE shop.refusing (id INT PRIMARY KEY, customer INT, CONSTRAINT refuses FOREIGN KEY (customer) REFERENCES shop.customer (id));";

const ROWS: &str = "INSERT INTO shop.region VALUES (1); INSERT INTO shop.customer VALUES (1, 1), (2, 1); INSERT INTO shop.`order` VALUES (1, 1), (2, 2)";

fn server(native: &str) -> Server {
    Server::builder(Flavor::Mysql97)
        .option(format!("innodb_native_foreign_keys={native}"))
        .start()
        .expect("a server")
}

fn pair(native: &str) -> Pair {
    let pair = Pair::of(server(native), server(native));
    pair.source.sql(TABLES).expect("tables");
    pair.source.sql(ROWS).expect("rows");
    pair.target.sql(TABLES).expect("tables");
    pair.target.sql(ROWS).expect("rows");
    pair
}

fn customers_of_orders(server: &Server) -> Vec<Option<String>> {
    let rows = server.query("SELECT customer FROM shop.`order` ORDER BY id");
    let cells = rows.expect("rows").into_iter().map(|mut row| row.remove(0));
    cells.collect()
}

/// fidelity: event | foreign-key cascades not logged, from a parent outside the filter | `source.unlogged-cascades` before the start
#[test]
fn cascades_from_outside_the_filter_that_are_not_logged() {
    let pair = pair("ON");
    pair.check().is(CODE, "passed", 0);
    // A child outside the filter is nobody's affair, nor is a foreign key that only refuses.
    let without = |tables: &str| format!("exclude = [{tables}]\n{NOW}");
    pair.check_with("", "", &without(r#""shop.line", "shop.refusing""#))
        .is(CODE, "passed", 0);
    pair.check_with(
        "",
        "",
        &without(r#""shop.region", "shop.customer", "shop.order", "shop.line""#),
    )
    .is(CODE, "passed", 0);
    // Outside the filter is the parent, and the parent's own; the third of the chain would be lost with the second.
    let rest = without(r#""shop.customer", "shop.region""#);
    let checked = pair.check_with("", "", &rest);
    let finding = checked.is(CODE, "fatal", 1);
    assert_eq!(finding["subjects"], serde_json::json!(["`shop`.`order`"]));
    let message = finding["message"].to_string();
    assert!(
        message.contains(
            "`of_customer` of `shop`.`order`, which refers to `shop`.`customer` ON DELETE SET NULL ON UPDATE CASCADE"
        ) && message.contains("innodb_native_foreign_keys is ON")
            && !message.contains("refuses"),
        "{finding:#}"
    );
    let remedy = finding["remedy"].as_str().expect("a remedy");
    for line in [
        "replicate the parents too ([replicate]): `shop`.`customer`, `shop`.`region`",
        "or leave out the children as well: `shop`.`line`, `shop`.`order`",
    ] {
        assert!(remedy.lines().any(|found| found == line), "{remedy}");
    }
    assert!(
        remedy.contains("innodb_native_foreign_keys = OFF"),
        "{remedy}"
    );
    // Each way out is one. First the middle of the chain alone, between two tables of the filter.
    pair.check_with("", "", &without(r#""shop.customer""#))
        .is(CODE, "fatal", 1);
    pair.check_with(
        "",
        "",
        &without(r#""shop.customer", "shop.region", "shop.order", "shop.line""#),
    )
    .is(CODE, "passed", 0);
    // A run does not begin.
    let config = pair.config("run", "", "", &rest);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stderr.contains("error[source.unlogged-cascades]"),
        "{exit}"
    );
    // Who knows better may say so; this is what the check is for.
    let allowed =
        without(r#""shop.customer", "shop.region""#) + "[check]\nallow = [\"unlogged-cascades\"]\n";
    let checked = pair.check_with("", "", &allowed);
    assert_eq!(checked.is(CODE, "note", 0)["allowed"], true);
    let config = pair.config("allowed", "", "", &allowed);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    pair.source
        .sql("DELETE FROM shop.customer WHERE id = 1")
        .expect("a cascade");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    let two = Some("2".to_owned());
    assert_eq!(customers_of_orders(&pair.source), [None, two.clone()]);
    assert_eq!(
        customers_of_orders(&pair.target),
        [Some("1".to_owned()), two]
    );
}

/// fidelity: event | foreign-key cascades logged (9.6 and later), from a parent outside the filter | the child's changes arrive
#[test]
fn cascades_from_outside_the_filter_that_are_logged() {
    let pair = pair("OFF");
    let rest = format!("exclude = [\"shop.customer\", \"shop.region\"]\n{NOW}");
    let checked = pair.check_with("", "", &rest);
    let message = checked.is(CODE, "passed", 0)["message"].to_string();
    assert!(
        message.contains("innodb_native_foreign_keys is OFF"),
        "{message}"
    );
    let config = pair.config("run", "", "", &rest);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    pair.source
        .sql("DELETE FROM shop.customer WHERE id = 1")
        .expect("a cascade");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(
        customers_of_orders(&pair.target),
        customers_of_orders(&pair.source)
    );
}
