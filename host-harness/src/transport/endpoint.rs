//! What the operator's configuration says of one server, loaded.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;

use super::tls;
use crate::config::{Address, ServerConfig, TlsMode};
use crate::error::{Error, Result};

/// Whether a plugin may, or must, ask the server for TLS. How far a certificate is verified is not its affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPolicy {
    /// Never.
    Disabled,
    /// If the server offers it.
    Preferred,
    /// Only with TLS.
    Required,
}

/// A server that a plugin may connect to, with everything loaded from the files that the configuration names.
#[derive(Debug)]
pub struct Endpoint {
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) connect_timeout: Duration,
    pub(super) server_name: ServerName<'static>,
    pub(super) tls_config: Option<Arc<rustls::ClientConfig>>,
    policy: TlsPolicy,
    server_public_key: Option<Vec<u8>>,
    get_server_public_key: bool,
}

impl Endpoint {
    /// Loads certificates and keys. Done for each new plugin instance, so that renewed files are taken at the next reconnect.
    ///
    /// # Errors
    /// `config.*` naming the file that cannot be read or used.
    pub fn load(name: &str, config: &ServerConfig) -> Result<Self> {
        let policy = match (config.tls, &config.address) {
            (TlsMode::Disabled, _) | (_, Address::Files(_) | Address::Output(_)) => {
                TlsPolicy::Disabled
            }
            // As MySQL's own client: what never leaves the machine needs no TLS unless it is asked for.
            (TlsMode::Preferred, Address::Unix(_)) => TlsPolicy::Disabled,
            (TlsMode::Preferred, Address::Tcp { .. }) => TlsPolicy::Preferred,
            (TlsMode::Required | TlsMode::VerifyCa | TlsMode::VerifyIdentity, _) => {
                TlsPolicy::Required
            }
        };
        let host = match &config.address {
            Address::Tcp { host, .. } => host.as_str(),
            Address::Unix(_) | Address::Files(_) | Address::Output(_) => "localhost",
        };
        let server_name = ServerName::try_from(
            host.trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
        )
        .map_err(|_| {
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
            Some(path) => Some(std::fs::read(path).map_err(|e| {
                Error::config(
                    "config.unreadable",
                    format!(
                        "failed to read [{name}] server_public_key {}",
                        path.display()
                    ),
                )
                .detail(e.to_string())
            })?),
        };
        Ok(Self {
            name: name.to_owned(),
            address: config.address.clone(),
            connect_timeout: config.connect_timeout,
            server_name,
            tls_config,
            policy,
            server_public_key,
            get_server_public_key: config.get_server_public_key,
        })
    }

    /// Whether TLS is to be asked for.
    pub fn policy(&self) -> TlsPolicy {
        self.policy
    }

    /// The pinned RSA key of the server (PEM).
    pub fn server_public_key(&self) -> Option<&[u8]> {
        self.server_public_key.as_deref()
    }

    /// Whether a key that the server sends may be trusted on a plain connection.
    pub fn get_server_public_key(&self) -> bool {
        self.get_server_public_key
    }

    /// For messages: `source 10.0.0.1:3306`.
    pub fn display(&self) -> String {
        format!("the {} server at {}", self.name, self.address)
    }

    /// Whether this is what a plugin may call it; for files, which of them is meant.
    pub(super) fn is_called(&self, name: &str) -> Option<usize> {
        let Address::Files(files) = &self.address else {
            return (name == self.name).then_some(0);
        };
        let number = name.strip_prefix(&self.name)?.strip_prefix('/')?;
        let number = number.parse().ok()?;
        (number < files.len()).then_some(number)
    }
}
