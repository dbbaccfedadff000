//! Whether the session is encrypted.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{Session, Stream};

use crate::Variables;

/// Looks at the session itself. `section` is the configuration's. `variables` should hold `require_secure_transport`. A server that demands TLS from a session
/// without it refuses the login, so that it never comes to this.
///
/// # Errors
/// Errors of the server.
pub async fn finding<S: Stream>(
    session: &mut Session<S>,
    variables: &Variables,
    code: &str,
    section: &str,
) -> Result<Finding, Error> {
    let row = session
        .query_first(b"SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        .await?;
    let cipher = row
        .and_then(|row| row.into_iter().nth(1).flatten())
        .filter(|cipher| !cipher.is_empty());
    let demanded = if variables.is_on("require_secure_transport") {
        "the server demands it"
    } else {
        "the server does not demand it"
    };
    let local = cipher.is_none() && session.stream().secure();
    let message = match cipher {
        Some(cipher) => format!("encrypted with {cipher}; {demanded}"),
        None if local => "over a local socket".to_owned(),
        None => format!("the connection is not encrypted; {demanded}"),
    };
    let encrypted = !message.starts_with("the connection");
    Ok(
        Finding::judge(code, encrypted, Severity::Warning, message).remedy(format!(
            "tls = \"verify-identity\" (or \"verify-ca\", \"required\") in [{section}] of the configuration"
        )),
    )
}
