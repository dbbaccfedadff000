//! The greeting, and our answer to it.
//!
//! Formats: page_protocol_connection_phase_packets_protocol_handshake_v10, …_handshake_response and …_ssl_request of the
//! MySQL source documentation. The greeting is read here rather than by mysql_common, which takes some of its lengths on trust;
//! our own packets are mysql_common's.

use std::collections::HashMap;

use mysql_common::constants::{CapabilityFlags, StatusFlags};
use mysql_common::packets::{AuthPlugin, HandshakeResponse, SslRequest};
use mysql_common::proto::MySerialize;
use zeroize::Zeroizing;

use crate::options::ConnectOptions;
use crate::version::ServerVersion;
use crate::wire::Cursor;
use crate::{ClientError, Result};

/// utf8mb4_general_ci, which every server since 5.5.3 knows. Sessions set what they need by `SET NAMES`.
const COLLATION: u8 = 45;

/// The server's greeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub(crate) version: ServerVersion,
    pub(crate) connection_id: u32,
    pub(crate) capabilities: CapabilityFlags,
    pub(crate) status: StatusFlags,
    pub(crate) nonce: Vec<u8>,
    pub(crate) plugin: Vec<u8>,
}

impl Greeting {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(payload, "the server's greeting");
        let protocol = cursor.u8()?;
        if protocol != 10 {
            return Err(ClientError::protocol(
                "protocol.version",
                format!(
                    "the server speaks protocol version {protocol}; only version 10 is known here"
                ),
            ));
        }
        let version = ServerVersion::parse(cursor.nul_str()?);
        let connection_id = cursor.u32()?;
        let mut nonce = cursor.take(8)?.to_vec();
        cursor.take(1)?;
        let lower = cursor.u16()?;
        let _collation = cursor.u8()?;
        let status = StatusFlags::from_bits_truncate(cursor.u16()?);
        let upper = cursor.u16()?;
        let bits = u32::from(lower) | u32::from(upper) << 16;
        let capabilities = CapabilityFlags::from_bits_truncate(bits);
        let needed =
            CapabilityFlags::CLIENT_PROTOCOL_41 | CapabilityFlags::CLIENT_SECURE_CONNECTION;
        if !capabilities.contains(needed) {
            return Err(ClientError::protocol(
                "protocol.version",
                "the server does not speak the protocol of MySQL 4.1 and later",
            ));
        }
        let nonce_len = usize::from(cursor.u8()?);
        cursor.take(10)?;
        // The second part has at least 13 bytes, whatever the length says, and ends in NUL.
        let second = cursor.take(nonce_len.saturating_sub(8).max(13))?;
        nonce.extend_from_slice(second.strip_suffix(&[0]).unwrap_or(second));
        // The terminating NUL of the name is missing in some old versions.
        let plugin = cursor.rest();
        let plugin = plugin
            .split(|&b| b == 0)
            .next()
            .unwrap_or_default()
            .to_vec();
        Ok(Self {
            version,
            connection_id,
            capabilities,
            status,
            nonce,
            plugin,
        })
    }
}

/// The capabilities to ask for: what we want and the server has.
pub(crate) fn capabilities(
    options: &ConnectOptions,
    server: CapabilityFlags,
    tls: bool,
) -> CapabilityFlags {
    // CLIENT_LONG_PASSWORD is also how a client tells MariaDB that it is no MariaDB client.
    let mut wanted = CapabilityFlags::CLIENT_LONG_PASSWORD
        | CapabilityFlags::CLIENT_LONG_FLAG
        | CapabilityFlags::CLIENT_PROTOCOL_41
        | CapabilityFlags::CLIENT_TRANSACTIONS
        | CapabilityFlags::CLIENT_SECURE_CONNECTION
        | CapabilityFlags::CLIENT_MULTI_RESULTS
        | CapabilityFlags::CLIENT_PLUGIN_AUTH
        | CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
        | CapabilityFlags::CLIENT_CONNECT_ATTRS
        | CapabilityFlags::CLIENT_DEPRECATE_EOF;
    wanted.set(
        CapabilityFlags::CLIENT_CONNECT_WITH_DB,
        options.database.is_some(),
    );
    wanted.set(CapabilityFlags::CLIENT_FOUND_ROWS, options.found_rows);
    wanted.set(
        CapabilityFlags::CLIENT_MULTI_STATEMENTS,
        options.multi_statements,
    );
    wanted.set(CapabilityFlags::CLIENT_LOCAL_FILES, options.local_files);
    wanted.set(CapabilityFlags::CLIENT_SSL, tls);
    // MariaDB 10.2+ leaves out CLIENT_LONG_PASSWORD, whose absence it uses as a mark of its own.
    wanted & (server | CapabilityFlags::CLIENT_LONG_PASSWORD)
}

/// The request to switch to TLS: the beginning of the handshake response, sent in the clear.
pub(crate) fn ssl_request(options: &ConnectOptions, capabilities: CapabilityFlags) -> Vec<u8> {
    let mut out = Vec::new();
    SslRequest::new(capabilities, options.max_allowed_packet, COLLATION).serialize(&mut out);
    out
}

/// The login packet. It may hold a clear-text password (sha256_password over TLS), hence the wiping.
pub(crate) fn response(
    options: &ConnectOptions,
    capabilities: CapabilityFlags,
    plugin: &[u8],
    auth_data: &[u8],
) -> Zeroizing<Vec<u8>> {
    let attributes = capabilities
        .contains(CapabilityFlags::CLIENT_CONNECT_ATTRS)
        .then(|| {
            let own = [("program_name".to_owned(), "datain".to_owned())];
            own.into_iter()
                .chain(options.attributes.iter().cloned())
                .collect::<HashMap<_, _>>()
        });
    let plugin = capabilities
        .contains(CapabilityFlags::CLIENT_PLUGIN_AUTH)
        .then(|| AuthPlugin::from_bytes(plugin));
    let packet = HandshakeResponse::new(
        Some(auth_data),
        // Stands for "knows utf8mb4", which selects COLLATION.
        (5, 5, 3),
        Some(options.user.as_bytes()),
        options.database.as_deref().map(str::as_bytes),
        plugin,
        capabilities,
        attributes,
        options.max_allowed_packet,
    );
    // Large enough not to be moved while it grows, which would leave copies behind.
    let mut out = Zeroizing::new(Vec::with_capacity(4096 + auth_data.len()));
    packet.serialize(&mut out);
    out
}
