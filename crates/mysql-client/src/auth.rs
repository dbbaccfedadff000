//! The authentication plugins, as a state machine over their packets.
//!
//! | plugin | first answer | then |
//! |---|---|---|
//! | `mysql_native_password` | SHA-1 scramble | – |
//! | `caching_sha2_password` | SHA-256 scramble | 0x03: known to the server, done. 0x04: the password itself: over a secure stream in clear, otherwise encrypted with the server's RSA key, which is asked for by 0x02 |
//! | `sha256_password` | over a secure stream the password; otherwise it encrypted with the key, or 0x01 to ask for the key | the encrypted password |
//! | `client_ed25519` of MariaDB | Ed25519's signature of the nonce, with the password as the secret | – |
//!
//! An account may use another plugin than the server's default: the server then sends an AuthSwitchRequest with a new nonce, and
//! the table starts over. Everything else is refused, `mysql_clear_password` and `mysql_old_password` among it: whoever answers
//! in the server's place could ask for those.
//!
//! Sources: page_protocol_connection_phase, page_caching_sha2_authentication_exchanges, and
//! page_protocol_connection_phase_authentication_methods of the MySQL source documentation; "Authentication Plugin - ed25519" of MariaDB's.

use mysql_common::auth::plugins::caching_sha2_password::scramble_sha256;
use mysql_common::auth::plugins::client_ed25519::{ClientEd25519, NONCE_BYTES};
use mysql_common::auth::plugins::mysql_native_password::scramble_native;
use mysql_common::auth::plugins::{ChallengeResponsePlugin, Context, Response};
use zeroize::Zeroizing;

use crate::options::ConnectOptions;
use crate::public_key::encrypt_password;
use crate::wire::Cursor;
use crate::{ClientError, Result};

const NONCE_LEN: usize = 20;
const KEY_HINT: &str =
    "use TLS, or pin the server's public key, or set get_server_public_key = true";

/// The plugins that this client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plugin {
    NativePassword,
    CachingSha2,
    Sha256,
    Ed25519,
}

impl Plugin {
    fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"mysql_native_password" => Some(Self::NativePassword),
            b"caching_sha2_password" => Some(Self::CachingSha2),
            b"sha256_password" => Some(Self::Sha256),
            b"client_ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::NativePassword => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
            Self::Sha256 => "sha256_password",
            Self::Ed25519 => "client_ed25519",
        }
    }
}

/// What to do with the server's packet.
pub(crate) enum Step {
    /// Send this and read the next packet.
    Send(Zeroizing<Vec<u8>>),
    /// Read the next packet.
    Wait,
    /// The server accepted the login; the OK packet is the one just given.
    Done,
}

/// One login.
pub(crate) struct Login<'a> {
    options: &'a ConnectOptions,
    secure: bool,
    plugin: Plugin,
    nonce: Vec<u8>,
    asked_for_key: bool,
}

impl<'a> Login<'a> {
    /// A login that starts with the server's default plugin, or one that leaves it to the server to switch.
    pub(crate) fn new(
        options: &'a ConnectOptions,
        secure: bool,
        plugin: &[u8],
        nonce: &[u8],
    ) -> Self {
        Self {
            options,
            secure,
            // A greeting has no nonce for Ed25519: only a switch to it brings one.
            plugin: Plugin::from_name(plugin)
                .filter(|plugin| *plugin != Plugin::Ed25519)
                .unwrap_or(Plugin::NativePassword),
            nonce: nonce.to_vec(),
            asked_for_key: false,
        }
    }

    /// The name of the plugin in use.
    pub(crate) fn plugin_name(&self) -> &'static str {
        self.plugin.name()
    }

    fn password(&self) -> &'a [u8] {
        self.options.password.as_ref().map_or(&[], |p| p.bytes())
    }

    /// The plugin's first answer to the nonce.
    pub(crate) fn first_answer(
        &mut self,
        random: impl FnMut(&mut [u8]),
    ) -> Result<Zeroizing<Vec<u8>>> {
        let password = self.password();
        // Here no password is one too: it is signed with.
        if password.is_empty() && self.plugin != Plugin::Ed25519 {
            return Ok(Zeroizing::new(Vec::new()));
        }
        if self.plugin == Plugin::Ed25519 {
            return signature(password, &self.nonce);
        }
        let nonce: &[u8; NONCE_LEN] = self.nonce.as_slice().try_into().map_err(|_| {
            ClientError::malformed(format!(
                "the server's nonce was expected to have {NONCE_LEN} bytes and has {}",
                self.nonce.len()
            ))
        })?;
        let answer = match self.plugin {
            Plugin::NativePassword => scramble_native(nonce, password)
                .map(Vec::from)
                .unwrap_or_default(),
            Plugin::CachingSha2 => scramble_sha256(nonce, password)
                .map(Vec::from)
                .unwrap_or_default(),
            Plugin::Sha256 => return self.whole_password(random),
            Plugin::Ed25519 => return signature(password, &self.nonce),
        };
        Ok(Zeroizing::new(answer))
    }

    /// Looks at the server's next packet.
    pub(crate) fn step(&mut self, payload: &[u8], random: impl FnMut(&mut [u8])) -> Result<Step> {
        match payload {
            [0x00, ..] => Ok(Step::Done),
            [0xfe] => Err(unsupported("mysql_old_password")),
            [0xfe, ..] => self.switch(payload, random).map(Step::Send),
            [0x01, data @ ..] => self.more(data, random),
            [0x02, ..] => Err(ClientError::auth(
                "auth.plugin-unsupported",
                "the account needs a second authentication factor",
                Some("use an account with one factor for replication"),
            )),
            _ => Err(ClientError::malformed(
                "OK, an error or an authentication packet was expected during login",
            )),
        }
    }

    /// AuthSwitchRequest: 0xfe, name, NUL, nonce.
    fn switch(
        &mut self,
        payload: &[u8],
        random: impl FnMut(&mut [u8]),
    ) -> Result<Zeroizing<Vec<u8>>> {
        let mut cursor = Cursor::new(payload, "an AuthSwitchRequest");
        cursor.expect_byte(0xfe)?;
        let name = cursor.nul_str()?;
        let nonce = cursor.rest();
        self.plugin =
            Plugin::from_name(name).ok_or_else(|| unsupported(&String::from_utf8_lossy(name)))?;
        // MySQL's nonces hold no NUL and end with one; this one is any 32 bytes.
        self.nonce = match self.plugin {
            Plugin::Ed25519 => nonce.to_vec(),
            _ => nonce.strip_suffix(&[0]).unwrap_or(nonce).to_vec(),
        };
        self.asked_for_key = false;
        self.first_answer(random)
    }

    /// AuthMoreData: 0x01, then what the plugin says.
    fn more(&mut self, data: &[u8], random: impl FnMut(&mut [u8])) -> Result<Step> {
        if self.asked_for_key {
            self.asked_for_key = false;
            return encrypt_password(self.password(), &self.nonce, data, random)
                .map(|answer| Step::Send(Zeroizing::new(answer)));
        }
        match (self.plugin, data) {
            (Plugin::CachingSha2, [0x03]) => Ok(Step::Wait),
            (Plugin::CachingSha2, [0x04]) => self.whole_password(random).map(Step::Send),
            _ => Err(ClientError::malformed(format!(
                "{} sent data that it should not send at this point of the login",
                self.plugin.name()
            ))),
        }
    }

    /// The password itself, as openly as the stream allows, or the request for a key.
    fn whole_password(&mut self, random: impl FnMut(&mut [u8])) -> Result<Zeroizing<Vec<u8>>> {
        let password = self.password();
        if self.secure {
            let mut clear = Zeroizing::new(Vec::with_capacity(password.len() + 1));
            clear.extend_from_slice(password);
            clear.push(0);
            return Ok(clear);
        }
        if let Some(pem) = &self.options.server_public_key {
            return encrypt_password(password, &self.nonce, pem, random).map(Zeroizing::new);
        }
        if !self.options.get_server_public_key {
            return Err(ClientError::auth(
                "auth.rsa-key-required",
                format!(
                    "{} needs TLS or the server's public key to send the password",
                    self.plugin.name()
                ),
                Some(KEY_HINT),
            ));
        }
        self.asked_for_key = true;
        let request = match self.plugin {
            Plugin::Sha256 => 0x01,
            Plugin::CachingSha2 | Plugin::NativePassword | Plugin::Ed25519 => 0x02,
        };
        Ok(Zeroizing::new(vec![request]))
    }
}

/// What Ed25519 asks for: the plugin looks at nothing but the password.
struct Password<'a>(&'a [u8]);

impl Context for Password<'_> {
    fn pass(&self) -> &[u8] {
        self.0
    }

    fn is_ipc_transport(&self) -> bool {
        false
    }

    fn is_tls_transport(&self) -> bool {
        false
    }

    fn scramble(&self) -> &[u8] {
        &[]
    }

    fn server_key_pem(&self) -> Option<&[u8]> {
        None
    }
}

/// The signature of the nonce. Whoever asked for it learns nothing of the password but what a guess can be held against.
fn signature(password: &[u8], nonce: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    match ClientEd25519::default().run(Password(password), nonce) {
        Ok(Response::Last {
            packet: Some(packet),
        }) => Ok(Zeroizing::new(packet)),
        _ => Err(ClientError::malformed(format!(
            "the server's nonce was expected to have {NONCE_BYTES} bytes and has {}",
            nonce.len()
        ))),
    }
}

fn unsupported(name: &str) -> ClientError {
    let hint = match name {
        "mysql_old_password" => {
            "its password is kept in the form of before MySQL 4.1: UPDATE mysql.user SET plugin = 'mysql_native_password', password = '' for the account, FLUSH PRIVILEGES, SET old_passwords = 0, then SET PASSWORD anew"
        }
        "parsec" | "dialog" | "auth_gssapi_client" => {
            "CREATE USER … IDENTIFIED VIA ed25519 USING PASSWORD('…'), or VIA mysql_native_password, for replication"
        }
        _ => {
            "let the account use caching_sha2_password (MySQL 5.6, MariaDB: mysql_native_password; MariaDB also: ed25519)"
        }
    };
    ClientError::auth(
        "auth.plugin-unsupported",
        format!("the account logs in by {name}, which is not supported"),
        Some(hint),
    )
}
