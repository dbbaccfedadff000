//! What a target can do of that which not every server can.

use datain_contract::types::Error;
use datain_mysql_client::{ClientError, Session, Stream};
use datain_server_facts::Variables;

/// What a target has. The default is a server that has nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Whether it has a keyring, and so can encrypt tables.
    pub encrypts: bool,
    /// General tablespaces of its own.
    pub tablespaces: Vec<String>,
    /// Folders outside its data folder in which it may put tables.
    pub directories: Vec<String>,
    /// Storage engines, secondary ones included.
    pub engines: Vec<String>,
}

impl Abilities {
    /// Asks a target. What its account may not see it is taken not to have; but for the keyring, since a table that was encrypted must not lose that for want of a privilege.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn ask<S: Stream>(session: &mut Session<S>) -> Result<Abilities, Error> {
        let variables = Variables::ask(session, &["innodb_directories"]).await?;
        let directories = variables.get("innodb_directories").unwrap_or_default();
        let keyrings = one(
            session,
            "SELECT STATUS_VALUE FROM performance_schema.keyring_component_status WHERE STATUS_KEY = 'Component_status' \
             UNION ALL SELECT 'Active' FROM information_schema.PLUGINS WHERE PLUGIN_NAME LIKE 'keyring\\_%' AND PLUGIN_STATUS = 'ACTIVE'",
        )
        .await?;
        Ok(Abilities {
            encrypts: keyrings.is_none_or(|found| found.iter().any(|status| status == "Active")),
            tablespaces: one(
                session,
                "SELECT NAME FROM information_schema.INNODB_TABLESPACES WHERE SPACE_TYPE = 'General'",
            )
            .await?
            .unwrap_or_default(),
            directories: directories
                .split(';')
                .filter(|folder| !folder.is_empty())
                .map(str::to_owned)
                .collect(),
            engines: one(
                session,
                "SELECT ENGINE FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')",
            )
            .await?
            .unwrap_or_default(),
        })
    }
}

/// errno of a table that this server's information_schema does not have.
const UNKNOWN_TABLE: u16 = 1109;

/// A column of text; none if the account may not see it, or there is no such table.
async fn one<S: Stream>(
    session: &mut Session<S>,
    sql: &str,
) -> Result<Option<Vec<String>>, ClientError> {
    match session.query_rows(sql.as_bytes()).await {
        Ok(rows) => Ok(Some(
            rows.into_iter()
                .filter_map(|row| row.into_iter().next().flatten())
                .collect(),
        )),
        Err(e)
            if matches!(
                e.code(),
                "server.privilege-missing" | "server.table-missing"
            ) || e.errno() == Some(UNKNOWN_TABLE) =>
        {
            Ok(None)
        }
        Err(e) => Err(e),
    }
}
