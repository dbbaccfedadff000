//! The session in which a statement runs on MariaDB.
//!
//! The log names character sets and collations by numbers. MariaDB takes a number only for the collation that a character set once had by itself, so they are given by name. Which
//! collation a character set has where none is named is a setting of its own (`character_set_collations`): the log tells it where the statement needs it.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, SessionContext};
use datain_mysql_client::ServerVersion;

use crate::ddl;
use crate::mapping::Collations;

/// The SET statement that makes the session look like the one in which the statement ran.
///
/// # Errors
/// `statement.collation-unknown`.
pub(crate) fn context_sql(
    context: &SessionContext,
    collations: &Collations,
    version: &ServerVersion,
) -> Result<Vec<u8>, Error> {
    let without = SessionContext {
        charset_client: None,
        collation_connection: None,
        collation_server: None,
        character_set_collations: None,
        ..context.clone()
    };
    let mut sql = ddl::context_sql(&without);
    let mut set = |name: &str, value: &str| {
        sql.extend_from_slice(format!(", SESSION {name} = {value}").as_bytes());
    };
    let named = |id: u16| collations.named(id).ok_or_else(|| unknown(id));
    if let Some(id) = context.charset_client {
        set("character_set_client", &named(id)?.0);
    }
    for (name, id) in [
        ("collation_connection", context.collation_connection),
        ("collation_server", context.collation_server),
    ] {
        if let Some(id) = id {
            set(name, &named(id)?.1);
        }
    }
    if version.is_mariadb_since(11, 2, 1) {
        let mut list = String::new();
        for (_, id) in context.character_set_collations.iter().flatten() {
            let (charset, collation) = named(*id)?;
            let glue = if list.is_empty() { "" } else { "," };
            list.push_str(&format!("{glue}{charset}={collation}"));
        }
        set("character_set_collations", &format!("'{list}'"));
    }
    Ok(sql)
}

fn unknown(id: u16) -> Error {
    Error::reconfigure(
        "statement.collation-unknown",
        format!("the statement was run with collation {id}, which the target does not know"),
    )
    .hint("run it on the target by hand, with a collation that it knows, then skip the transaction")
}
