//! Tables of both sides.

use datain_tests::host::Host;

use crate::pair::{LIMIT, NOW, Pair};

#[test]
fn tables() {
    let pair = Pair::start();
    let (source, target) = (&pair.source, &pair.target);
    pair.provoke(
        source,
        "CREATE TABLE shop.a (v INT)",
        "table.no-primary-key",
        "fatal",
    );
    pair.provoke(
        source,
        "CREATE TABLE shop.`b``b` (id INT, v INT NOT NULL UNIQUE)",
        "table.no-primary-key",
        "fatal",
    );
    pair.provoke(
        source,
        "CREATE TABLE shop.c (id INT PRIMARY KEY) ENGINE = MyISAM",
        "source.table-engine",
        "fatal",
    );
    pair.provoke(
        target,
        "ALTER TABLE shop.item ENGINE = MyISAM",
        "table.engine",
        "fatal",
    );
    pair.provoke(
        target,
        "CREATE TRIGGER shop.g BEFORE INSERT ON shop.item FOR EACH ROW SET NEW.name = 'x'",
        "table.triggers",
        "fatal",
    );
    // Allowed by name, and both sides named.
    source.sql("CREATE TABLE shop.d (v INT)").expect("a table");
    let fatal = pair.check();
    assert_eq!(
        fatal.is("table.no-primary-key", "fatal", 1)["subjects"],
        serde_json::json!(["`shop`.`d`"])
    );
    let allowed = pair.check_with(
        "",
        "",
        &format!("[check]\nallow = [\"no-primary-key\"]\n{NOW}"),
    );
    assert_eq!(
        allowed.is("table.no-primary-key", "note", 0)["allowed"],
        true
    );
    source.sql("DROP TABLE shop.d").expect("a table");
    target
        .sql("ALTER TABLE shop.item DROP PRIMARY KEY")
        .expect("no key");
    assert_eq!(
        pair.check().is("table.no-key", "fatal", 1)["side"],
        "target"
    );
    target
        .sql("ALTER TABLE shop.item MODIFY id INT NOT NULL, ADD UNIQUE (id)")
        .expect("a key");
    pair.check().is("table.no-key", "passed", 0);
    // Tables of the target that the source does not have are nobody's affair.
    target
        .sql("CREATE TABLE shop.own (v INT) ENGINE = MyISAM")
        .expect("a table");
    assert_eq!(pair.check().codes("fatal"), [""; 0]);
    // Another order of columns: also where something is still to come, unless a person knows that it is the ALTER.
    target
        .sql("ALTER TABLE shop.item MODIFY n INT AFTER id")
        .expect("another order");
    let finding = pair.check().is("table.column-order", "fatal", 1).clone();
    assert!(
        finding["remedy"]
            .to_string()
            .contains("ALTER TABLE `shop`.`item` MODIFY `name` … AFTER `id`; "),
        "{finding:#}"
    );
    assert!(
        !finding["remedy"].to_string().contains("allow"),
        "nothing is to come: {finding:#}"
    );
    let pending = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n";
    let finding = pair
        .check_with("", "", pending)
        .is("table.column-order", "fatal", 1)
        .clone();
    assert!(
        finding["remedy"]
            .to_string()
            .contains(r#"[check] allow = [\"column-order\"]"#),
        "{finding:#}"
    );
    // A run does not even begin.
    let config = pair.config("swapped", "", "", pending);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert!(
        exit.code == 3 && exit.stderr.contains("error[table.column-order]"),
        "{exit}"
    );
    let allowed = pair.check_with(
        "",
        "",
        &format!("[check]\nallow = [\"column-order\"]\n{pending}"),
    );
    assert_eq!(allowed.is("table.column-order", "note", 0)["allowed"], true);
    target
        .sql("ALTER TABLE shop.item MODIFY name VARCHAR(20) AFTER id")
        .expect("the source's order");
    pair.check().is("table.column-order", "passed", 0);
}
