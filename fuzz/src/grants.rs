//! Lines of SHOW GRANTS, and questions about them.

use datain_privileges::{Account, Grants};

use crate::input::Input;

/// Reads lines; names in them are asked for.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let literal = input.u8() & 1 == 1;
    let (schema, table) = (input.chunk(), input.chunk());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (schema, table, lines) = (text(schema), text(table), text(input.rest()));
    let grants = Grants::read(lines.lines(), literal);
    for privilege in ["SELECT", "REPLICATION SLAVE", "SET_ANY_DEFINER", "ALL", ""] {
        let globally = grants.globally(privilege);
        let on_schema = grants.on_schema(privilege, &schema);
        let on_table = grants.on_table(privilege, &schema, &table);
        assert!(!grants.without_exception(privilege) || (globally && on_schema));
        assert!(!on_schema || on_table);
    }
    let _ = grants.roles().len();
    let account = Account::parse(&table);
    assert_eq!(
        Account::parse(&format!("{}@{}", account.user, account.host)),
        account
    );
    // A name written for GRANT stands for that name: for no less, and for no other.
    let line = format!(
        "GRANT SELECT ON {}.* TO {account}",
        grants.schema_in_grant(&schema)
    );
    let own = Grants::read([line.as_str()], literal);
    assert!(own.on_schema("SELECT", &schema), "{line}");
    assert_eq!(own.on_schema("SELECT", &table), schema == table, "{line}");
    assert!(!own.globally("SELECT") && !own.on_schema("INSERT", &schema));
}
