//! What the configuration says of the server, loaded.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use datain_standalone_config::config::{Address, ServerConfig, TlsMode};
use datain_standalone_config::error::{Error, Result};
use datain_standalone_wasi::files;
use rustls::pki_types::ServerName;

use crate::bindings::exports::datain::replication::transport::{EndpointInfo, TlsPolicy};
use crate::tls;

/// A server that the plugin may connect to, with everything loaded from the files that the configuration names.
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) connect_timeout: Duration,
    pub(crate) server_name: ServerName<'static>,
    pub(crate) tls_config: Option<Arc<rustls::ClientConfig>>,
    policy: TlsPolicy,
    server_public_key: Option<Vec<u8>>,
    get_server_public_key: bool,
    display: String,
}

impl Endpoint {
    /// Loads certificates and keys.
    ///
    /// # Errors
    /// `config.*` naming what cannot be read or used.
    pub(crate) fn load(name: &str, config: &ServerConfig) -> Result<Self> {
        let Address::Tcp { host, port } = &config.address else {
            return Err(Error::config(
                "config.invalid-value",
                format!("[{name}] is no server by TCP, and WASI 0.2 has no other connections"),
            )
            .hint("name the server's host and port"));
        };
        let policy = match config.tls {
            TlsMode::Disabled => TlsPolicy::Disabled,
            TlsMode::Preferred => TlsPolicy::Preferred,
            TlsMode::Required | TlsMode::VerifyCa | TlsMode::VerifyIdentity => TlsPolicy::Required,
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let server_name = ServerName::try_from(host.clone()).map_err(|_| {
            Error::config(
                "config.invalid-value",
                format!("[{name}] host {host:?} is neither a host name nor an address"),
            )
        })?;
        let tls_config = match policy {
            TlsPolicy::Disabled => None,
            TlsPolicy::Preferred | TlsPolicy::Required => Some(tls::client_config(name, config)?),
        };
        let server_public_key = match &config.server_public_key {
            None => None,
            Some(path) => Some(read(name, "server_public_key", path)?),
        };
        Ok(Self {
            display: format!("the {name} server at {}", config.address),
            host,
            port: *port,
            connect_timeout: config.connect_timeout,
            server_name,
            tls_config,
            policy,
            server_public_key,
            get_server_public_key: config.get_server_public_key,
        })
    }

    /// What the plugin is told of it.
    pub(crate) fn info(&self) -> EndpointInfo {
        EndpointInfo {
            tls: self.policy,
            server_public_key: self.server_public_key.clone(),
            get_server_public_key: self.get_server_public_key,
        }
    }

    /// For messages: `the source server at 10.0.0.1:3306`.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }
}

/// A file that a key of the section names.
pub(crate) fn read(name: &str, key: &str, path: &Path) -> Result<Vec<u8>> {
    files::read(&path.to_string_lossy()).map_err(|reason| unreadable(name, key, path, &reason))
}

pub(crate) fn unreadable(name: &str, key: &str, path: &Path, reason: &str) -> Error {
    Error::config(
        "config.unreadable",
        format!("failed to read [{name}] {key} {}", path.display()),
    )
    .detail(reason)
}
