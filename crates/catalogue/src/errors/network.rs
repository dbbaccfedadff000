//! Network, TLS, login.

use super::{ErrorEntry, Section};

pub(super) const SECTION: Section = Section {
    title: "Network, TLS, login",
    entries: &[
        ErrorEntry {
            codes: &[
                "net.refused",
                "net.unreachable",
                "net.name-unknown",
                "net.timeout",
                "net.reset",
                "net.closed",
                "net.failed",
                "net.read",
                "net.write",
            ],
            then: "again",
            meaning: "the network, or the server is down",
        },
        ErrorEntry {
            codes: &["net.limit"],
            then: "again",
            meaning: "a plugin wants more connections than `limits.connections`",
        },
        ErrorEntry {
            codes: &["net.endpoint-unknown"],
            then: "again",
            meaning: "a plugin asked for a server that is not its own",
        },
        ErrorEntry {
            codes: &["tls.not-offered"],
            then: "ends",
            meaning: "TLS is required, and the server has none",
        },
        ErrorEntry {
            codes: &["tls.untrusted-certificate"],
            then: "ends",
            meaning: "not signed by a trusted authority: `ca =`",
        },
        ErrorEntry {
            codes: &["tls.name-mismatch"],
            then: "ends",
            meaning: "for another name: `host =` as in the certificate, or `tls = \"verify-ca\"`",
        },
        ErrorEntry {
            codes: &["tls.failed"],
            then: "ends",
            meaning: "the handshake failed: versions, ciphers, or a client certificate that is wanted",
        },
        ErrorEntry {
            codes: &["tls.unavailable"],
            then: "ends",
            meaning: "the stream has no TLS (never in `datain`)",
        },
        ErrorEntry {
            codes: &["auth.rsa-key-required"],
            then: "ends",
            meaning: "a password may not be sent as it is: use TLS, or `server_public_key`, or `get_server_public_key`",
        },
        ErrorEntry {
            codes: &["auth.bad-public-key", "auth.password-too-long"],
            then: "ends",
            meaning: "the RSA key cannot be used, or the password is too long for it",
        },
        ErrorEntry {
            codes: &["auth.plugin-unsupported"],
            then: "ends",
            meaning: "give the account `caching_sha2_password`; on MariaDB `ed25519` or `mysql_native_password`",
        },
    ],
};
