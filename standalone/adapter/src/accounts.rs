//! `credentials`: the account of the endpoint that this instance serves, read afresh at each call.

use std::path::Path;

use datain_standalone_config::config::Password;
use datain_standalone_wasi::{environment, files};

use crate::Adapter;
use crate::bindings::exports::datain::replication::credentials::{Credential, Guest};
use crate::bindings::exports::datain::replication::types::{Disposition, Error};
use crate::part;

impl Guest for Adapter {
    fn get(endpoint: String) -> Result<Credential, Error> {
        let own = part::role().endpoint();
        if endpoint != own {
            return Err(error(
                Disposition::Fatal,
                "config.endpoint-unknown",
                format!(
                    "this plugin may ask for the credential of {own:?} only, not of {endpoint:?}"
                ),
            ));
        }
        let part = part::part().map_err(|e| {
            error(
                Disposition::Reconfigure,
                e.code(),
                e.report().message.clone(),
            )
        })?;
        let server = part.server();
        Ok(Credential {
            user: server.user.clone(),
            password: password(&server.password)?,
        })
    }
}

fn password(source: &Password) -> Result<Option<Vec<u8>>, Error> {
    match source {
        Password::None => Ok(None),
        Password::Inline(password) => Ok(Some(password.as_bytes().to_vec())),
        Password::Env(name) => match environment::variable(name) {
            Some(value) => Ok(Some(value.into_bytes())),
            None => Err(unreadable(format!(
                "the environment variable {name} is not set"
            ))),
        },
        Password::File(path) => from_file(path).map(Some),
    }
}

fn from_file(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = files::read(&path.to_string_lossy()).map_err(|reason| {
        unreadable(format!(
            "failed to read the password file {}: {reason}",
            path.display()
        ))
    })?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(bytes)
}

fn unreadable(message: String) -> Error {
    let mut error = error(
        Disposition::Reconfigure,
        "config.password-unreadable",
        message,
    );
    error.hint = Some(
        "the password stands in password =, in the file of password_file =, or in the environment variable of password_env =; the runtime must show it to the program (wasmtime run --dir FOLDER, --env NAME)"
            .to_owned(),
    );
    error
}

fn error(disposition: Disposition, code: &str, message: String) -> Error {
    Error {
        disposition,
        code: code.to_owned(),
        message,
        detail: None,
        hint: None,
        server_errno: None,
        sqlstate: None,
        position: None,
        gtid: None,
        table: None,
    }
}
