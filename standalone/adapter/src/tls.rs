//! TLS settings from the configuration.
//!
//! The protocol is rustls; the cryptography is RustCrypto's, in Rust, since rustls' own needs C and assembler. docs/standalone.md says what it is worth.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use datain_standalone_config::config::{ServerConfig, TlsMode};
use datain_standalone_config::error::{Error, Result};
use datain_standalone_wasi::clock;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use crate::endpoint::{read, unreadable};
use crate::verifier::{AnyCertificate, AnyName};

/// The runtime's wall clock, by which certificates are valid or not.
#[derive(Debug)]
struct WallClock;

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = clock::since_1970().as_secs();
        // Before 1970 the clock is not set.
        (seconds > 0).then(|| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

pub(crate) fn client_config(name: &str, config: &ServerConfig) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls_rustcrypto::provider());
    let verifier = verifier(name, config, &provider)?;
    let unusable = |e: rustls::Error| {
        Error::config(
            "config.tls",
            format!("the TLS settings of [{name}] cannot be used"),
        )
        .detail(e.to_string())
    };
    let builder = ClientConfig::builder_with_details(provider, Arc::new(WallClock))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match &config.client_certificate {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = certificates(name, "cert", cert)?;
            let key = PrivateKeyDer::from_pem_slice(&read(name, "key", key)?)
                .map_err(|e| unreadable(name, "key", key, &e.to_string()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(unusable)?
        }
    };
    Ok(Arc::new(config))
}

fn verifier(
    name: &str,
    config: &ServerConfig,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>> {
    let by_chain = || -> Result<Arc<WebPkiServerVerifier>> {
        let roots = Arc::new(roots(name, config.ca.as_deref())?);
        WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
            .build()
            .map_err(|e| {
                Error::config(
                    "config.tls",
                    format!("the trusted roots of [{name}] cannot be used"),
                )
                .detail(e.to_string())
            })
    };
    Ok(match config.tls {
        TlsMode::Disabled | TlsMode::Preferred | TlsMode::Required => {
            Arc::new(AnyCertificate(Arc::clone(provider)))
        }
        TlsMode::VerifyCa => Arc::new(AnyName(by_chain()?)),
        TlsMode::VerifyIdentity => by_chain()?,
    })
}

fn roots(name: &str, ca: Option<&Path>) -> Result<RootCertStore> {
    let Some(path) = ca else {
        return Err(Error::config(
            "config.tls",
            format!("[{name}] names no `ca`, and a component has no trusted roots of its own"),
        )
        .hint("name the PEM file of the server's certificate authority with ca ="));
    };
    let mut store = RootCertStore::empty();
    for certificate in certificates(name, "ca", path)? {
        store
            .add(certificate)
            .map_err(|e| unreadable(name, "ca", path, &e.to_string()))?;
    }
    Ok(store)
}

fn certificates(name: &str, key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read(name, key, path)?;
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(certificates) if certificates.is_empty() => {
            Err(unreadable(name, key, path, "it holds no PEM certificate"))
        }
        Ok(certificates) => Ok(certificates),
        Err(e) => Err(unreadable(name, key, path, &e.to_string())),
    }
}
