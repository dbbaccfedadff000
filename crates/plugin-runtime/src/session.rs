//! Logging in to an endpoint with the credential and the policies that the host holds for it.

use datain_contract::transport::TlsPolicy as Policy;
use datain_contract::types::Error;
use datain_contract::{ErrorExt as _, INTERRUPTED, credentials};
use datain_mysql_client::{ConnectOptions, Password, Session, TlsPolicy};

use crate::clock::Moment;
use crate::executor::{Slice, Task};
use crate::stream::{HostStream, stream_error};

/// Connects and logs in. `configure` sets what the caller wants beyond account and TLS.
///
/// # Errors
/// `net.*`, `tls.*`, `auth.*`, `server.*`.
pub async fn connect(
    endpoint: &str,
    configure: impl FnOnce(&mut ConnectOptions),
) -> Result<Session<HostStream>, Error> {
    let credential = credentials::get(endpoint)?;
    let stream = HostStream::connect(endpoint)
        .map_err(|e| Error::from(datain_mysql_client::ClientError::from(e)))?;
    let info = stream.connection().endpoint();
    let mut options = ConnectOptions::new(credential.user);
    options.password = credential.password.map(Password::new);
    options.tls = match info.tls {
        Policy::Disabled => TlsPolicy::Disabled,
        Policy::Preferred => TlsPolicy::Preferred,
        Policy::Required => TlsPolicy::Required,
    };
    options.server_public_key = info.server_public_key;
    options.get_server_public_key = info.get_server_public_key;
    configure(&mut options);
    Ok(Session::connect(stream, &options).await?)
}

/// Runs a task that must end within one export's call, such as an `open` or a `check`.
///
/// # Errors
/// The task's; `net.timeout` when it has not ended by `deadline`.
pub fn finish<T>(task: Task<Result<T, Error>>, deadline: Moment) -> Result<T, Error> {
    match task.complete(deadline) {
        Slice::Finished(result) => result,
        Slice::Suspended => Err(
            Error::retry("net.timeout", "the server did not answer in time")
                .hint("see whether the server is overloaded, or a lock is held on its tables"),
        ),
        Slice::Ended(error) => Err(ended(error)),
    }
}

/// The error for a wait that the host ended.
#[must_use]
pub fn ended(error: datain_contract::transport::NetError) -> Error {
    let error = stream_error(error);
    if error.interrupted {
        return Error::retry(INTERRUPTED, error.message);
    }
    Error::retry(&error.code, error.message)
}
