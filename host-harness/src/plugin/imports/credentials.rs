//! The account of the plugin's own endpoint, read afresh at each call.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::bindings::credentials::{Credential, Host};
use crate::bindings::types::{Disposition, Error};
use crate::config::Password;
use crate::plugin::PluginState;

impl Host for PluginState {
    fn get(&mut self, endpoint: String) -> wasmtime::Result<Result<Credential, Error>> {
        let own = self.role.endpoint();
        if endpoint != own {
            return Ok(Err(error(
                Disposition::Fatal,
                "config.endpoint-unknown",
                format!(
                    "this plugin may ask for the credential of {own:?} only, not of {endpoint:?}"
                ),
            )));
        }
        Ok(password(&self.account.password).map(|password| Credential {
            user: self.account.user.clone(),
            password,
        }))
    }
}

fn password(source: &Password) -> Result<Option<Vec<u8>>, Error> {
    match source {
        Password::None => Ok(None),
        Password::Inline(password) => Ok(Some(password.as_bytes().to_vec())),
        Password::Env(name) => std::env::var_os(name)
            .map(|value| Some(value.into_encoded_bytes()))
            .ok_or_else(|| {
                error(
                    Disposition::Reconfigure,
                    "config.password-unreadable",
                    format!("the environment variable {name} is not set"),
                )
            }),
        Password::File(path) => from_file(path).map(Some),
    }
}

fn from_file(path: &Path) -> Result<Vec<u8>, Error> {
    // Read at once, so that no buffer that grew has left a part of it behind.
    let bytes = std::fs::read(path).map(Zeroizing::new).map_err(|e| {
        let message = format!("failed to read the password file {}: {e}", path.display());
        error(
            Disposition::Reconfigure,
            "config.password-unreadable",
            message,
        )
    })?;
    let text = match bytes.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => &bytes,
    };
    if std::fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o044 != 0) {
        tracing::warn!(path = %path.display(), "the password file can be read by other users; chmod 600 mends that");
    }
    Ok(text.to_vec())
}

fn error(disposition: Disposition, code: &str, message: String) -> Error {
    Error {
        disposition,
        code: code.to_owned(),
        message,
        detail: None,
        hint: Some(
            match code {
                "config.password-unreadable" => {
                    "the password stands in password =, in the file of password_file =, or in the environment variable of password_env ="
                }
                _ => "datain's own plugins never do that: is the component one that you trust?",
            }
            .to_owned(),
        ),
        server_errno: None,
        sqlstate: None,
        position: None,
        gtid: None,
        table: None,
    }
}
