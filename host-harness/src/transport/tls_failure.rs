//! What a failed TLS handshake means, for people. The stand-alone component (standalone/adapter) has this file too, by its path.

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use super::failure::Failure;

const TOO_OLD: &str = "the server must offer TLS 1.2 or 1.3 with a modern cipher, which MySQL 5.6 and most builds of 5.7 do not: tls = \"disabled\", through a tunnel (ssh, stunnel) or a network that nobody else reads";

/// What a failed handshake with `server` means.
pub(crate) fn failure(error: &rustls::Error, server: &str) -> Failure {
    use CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(
            C::NotValidForName | C::NotValidForNameContext { .. },
        ) => Failure::new(
            "tls.name-mismatch",
            format!("the certificate of {server} is for another name ({error})"),
        )
        .hint("set `host` to a name in the certificate, or tls = \"verify-ca\" to accept any name"),
        rustls::Error::InvalidCertificate(reason) => {
            let failure = Failure::new(
                "tls.untrusted-certificate",
                format!("the certificate of {server} is not trusted ({error})"),
            );
            match reason {
                C::Expired | C::ExpiredContext { .. } => {
                    failure.hint("renew the server's certificate, or check this machine's clock")
                }
                C::NotValidYet | C::NotValidYetContext { .. } => {
                    failure.hint("check this machine's clock and the server's")
                }
                _ => failure.hint("name the PEM file of the authority that signed it with ca ="),
            }
        }
        // What a server that speaks no TLS after 1.1 answers with.
        rustls::Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion)
        | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => Failure::new(
            "tls.failed",
            format!("{server} speaks no TLS version since 1.2 ({error})"),
        )
        .hint(TOO_OLD),
        rustls::Error::AlertReceived(alert) => Failure::new(
            "tls.failed",
            format!("{server} ended the TLS handshake with the alert {alert:?}"),
        )
        .hint("does the account or the server require a client certificate (cert =, key =)?"),
        rustls::Error::PeerIncompatible(_) => Failure::new(
            "tls.failed",
            format!("no TLS version or cipher in common with {server} ({error})"),
        )
        .hint(TOO_OLD),
        _ => Failure::new(
            "tls.failed",
            format!("the TLS handshake with {server} failed ({error})"),
        ),
    }
}
