//! What a login needs to know.

use std::fmt;

use zeroize::Zeroizing;

/// A password: wiped from memory when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Takes over the bytes of a password.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

/// When to speak TLS. Which certificates are trusted is decided where the handshake is made: in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsPolicy {
    /// Never.
    Disabled,
    /// If the server offers it and the stream is not secure already (a Unix socket).
    #[default]
    Preferred,
    /// Always; a server that does not offer it is refused.
    Required,
}

/// How to log in.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The account's user name.
    pub user: String,
    /// The account's password; none is the same as an empty one.
    pub password: Option<Password>,
    /// The default database.
    pub database: Option<String>,
    /// When to speak TLS.
    pub tls: TlsPolicy,
    /// The server's RSA public key in PEM, pinned: lets caching_sha2_password and sha256_password log in over a plain
    /// connection.
    pub server_public_key: Option<Vec<u8>>,
    /// Ask the server for its RSA public key where none is pinned. Anyone in between can answer with their own key and
    /// read the password, so this is off by default.
    pub get_server_public_key: bool,
    /// Count matched rows rather than changed ones in `affected_rows` (CLIENT_FOUND_ROWS).
    pub found_rows: bool,
    /// Allow several statements in one query (CLIENT_MULTI_STATEMENTS).
    pub multi_statements: bool,
    /// Allow [`load_local`](crate::Session::load_local) (CLIENT_LOCAL_FILES). No file is ever read.
    pub local_files: bool,
    /// Connection attributes beside `program_name`, seen in performance_schema.session_connect_attrs.
    pub attributes: Vec<(String, String)>,
    /// The largest packet accepted from the server, in bytes.
    pub max_allowed_packet: u32,
}

impl ConnectOptions {
    /// Options for `user` with everything else at its default: TLS preferred, no extras, packets of up to 1 GiB.
    pub fn new(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: None,
            database: None,
            tls: TlsPolicy::default(),
            server_public_key: None,
            get_server_public_key: false,
            found_rows: false,
            multi_statements: false,
            local_files: false,
            attributes: Vec::new(),
            max_allowed_packet: 1 << 30,
        }
    }

    /// The same options with a password.
    #[must_use]
    pub fn with_password(mut self, password: impl Into<Password>) -> Self {
        self.password = Some(password.into());
        self
    }
}
