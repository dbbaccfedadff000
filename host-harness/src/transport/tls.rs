//! TLS settings from the configuration.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::verifier::{AnyCertificate, AnyName};
use crate::config::{ServerConfig, TlsMode};
use crate::error::{Error, Result};

pub(super) fn client_config(name: &str, config: &ServerConfig) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(name, config, &provider)?;
    let unusable = |e: rustls::Error| {
        Error::config(
            "config.tls",
            format!("the TLS settings of [{name}] cannot be used"),
        )
        .detail(e.to_string())
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match &config.client_certificate {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = certificates(name, "cert", cert)?;
            let key = PrivateKeyDer::from_pem_file(key)
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
    let mut store = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates(name, "ca", path)? {
                store
                    .add(certificate)
                    .map_err(|e| unreadable(name, "ca", path, &e.to_string()))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                return Err(Error::config(
                    "config.tls",
                    format!("[{name}] names no `ca`, and this system has no trusted roots"),
                )
                .hint("name the PEM file of the server's certificate authority with ca ="));
            }
        }
    }
    Ok(store)
}

fn certificates(name: &str, key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match found {
        Ok(certificates) if certificates.is_empty() => {
            Err(unreadable(name, key, path, "it holds no PEM certificate"))
        }
        Ok(certificates) => Ok(certificates),
        Err(e) => Err(unreadable(name, key, path, &e.to_string())),
    }
}

fn unreadable(name: &str, key: &str, path: &Path, reason: &str) -> Error {
    Error::config(
        "config.unreadable",
        format!("failed to read [{name}] {key} {}", path.display()),
    )
    .detail(reason)
}
