//! Who the session is, and what it may do.

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_privileges::{Account, Grants};

use crate::Variables;

/// The session's account and its privileges.
#[derive(Debug, Clone)]
pub struct Rights {
    /// The account that the server took the session for.
    pub account: Account,
    /// Its privileges, with those of active roles.
    pub grants: Grants,
}

impl Rights {
    /// Asks the server. `variables` should hold `partial_revokes`.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn ask<S: Stream>(
        session: &mut Session<S>,
        variables: &Variables,
    ) -> Result<Rights, Error> {
        let account = session
            .query_first(b"SELECT CURRENT_USER()")
            .await?
            .and_then(|row| row.into_iter().next().flatten())
            .unwrap_or_default();
        Ok(Rights {
            account: Account::parse(&account),
            grants: grants(session, variables).await?,
        })
    }

    /// The privileges that the account has by itself, without roles. The session has no active role afterwards: to be called last.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn without_roles<S: Stream>(
        &self,
        session: &mut Session<S>,
        variables: &Variables,
    ) -> Result<Grants, Error> {
        if self.grants.roles().is_empty() {
            return Ok(self.grants.clone());
        }
        session.exec(b"SET ROLE NONE").await?;
        grants(session, variables).await
    }

    /// The statement that grants the account privileges on a schema.
    #[must_use]
    pub fn grant_on_schema(&self, privileges: &[&str], schema: &str) -> String {
        format!(
            "GRANT {} ON {}.* TO {};",
            privileges.join(", "),
            self.grants.schema_in_grant(schema),
            self.account
        )
    }

    /// The statement that grants the account privileges on everything.
    #[must_use]
    pub fn grant_globally(&self, privileges: &[&str]) -> String {
        format!(
            "GRANT {} ON *.* TO {};",
            privileges.join(", "),
            self.account
        )
    }
}

async fn grants<S: Stream>(
    session: &mut Session<S>,
    variables: &Variables,
) -> Result<Grants, Error> {
    let rows = session.query_rows(b"SHOW GRANTS").await?;
    let lines = rows.iter().filter_map(|row| row.first()?.as_deref());
    Ok(Grants::read(lines, variables.is_on("partial_revokes")))
}
