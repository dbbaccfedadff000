//! Global variables.

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

/// Some global variables of a server; those that it does not know are missing.
#[derive(Debug, Clone, Default)]
pub struct Variables(Vec<(String, String)>);

impl Variables {
    /// Asks for all of these at once.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn ask<S: Stream>(
        session: &mut Session<S>,
        names: &[&str],
    ) -> Result<Variables, Error> {
        let list: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        let sql = format!(
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})",
            list.join(", ")
        );
        let rows = session.query_rows(sql.as_bytes()).await?;
        Ok(Variables(
            rows.into_iter()
                .filter_map(|row| match <[Option<String>; 2]>::try_from(row) {
                    Ok([Some(name), Some(value)]) => Some((name, value)),
                    _ => None,
                })
                .collect(),
        ))
    }

    /// A variable's value, if the server knows it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value as text for people; `(none)` for an unknown variable.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or("(none)")
    }

    /// The value as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// Whether it is ON.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("ON") || value == "1")
    }
}
