//! The connection phase: greeting, TLS, login.
//!
//! The server speaks first. If TLS is wanted, a short request with the capabilities goes out in the clear, and everything
//! after it (user name included) travels encrypted. Nothing the server sent in the clear before the TLS handshake is used after
//! it: bytes that arrive too early are refused, or whoever put them there would be speaking for the server.

use mysql_common::constants::CapabilityFlags;

use crate::auth::{Login, Step};
use crate::error::Refusal;
use crate::handshake::{self, Greeting};
use crate::options::{ConnectOptions, TlsPolicy};
use crate::result::parse_ok;
use crate::session::{Session, State, server_error};
use crate::{ClientError, Result, Stream};

/// More packets than any plugin exchanges in a login.
const MAX_LOGIN_PACKETS: usize = 16;
const CONTEXT: &str = "login";

impl<S: Stream> Session<S> {
    /// Logs in over a fresh connection.
    pub async fn connect(stream: S, options: &ConnectOptions) -> Result<Self> {
        if options.user.contains('\0')
            || options.database.as_ref().is_some_and(|d| d.contains('\0'))
        {
            return Err(ClientError::usage(
                "session.bad-name",
                "a user name or database name holds a NUL character",
                None,
            ));
        }
        let mut session = Self::new(stream, options.max_allowed_packet);
        let greeting = session.greeting().await?;
        session.version = greeting.version.clone();
        session.connection_id = greeting.connection_id;
        session.status = greeting.status;
        session.secure(options, &greeting).await?;
        let result = session.login(options, &greeting).await;
        session.wipe();
        result?;
        session.state = State::Ready;
        Ok(session)
    }

    async fn greeting(&mut self) -> Result<Greeting> {
        match self.receive().await? {
            // "Too many connections" and "host … is not allowed" come in place of a greeting.
            payload @ [0xff, ..] => Err(server_error(payload, "connecting")),
            payload => Greeting::parse(payload),
        }
    }

    /// Agrees on the capabilities, and switches to TLS where the policy wants it.
    async fn secure(&mut self, options: &ConnectOptions, greeting: &Greeting) -> Result<()> {
        let offered = greeting.capabilities.contains(CapabilityFlags::CLIENT_SSL);
        let tls = match options.tls {
            TlsPolicy::Disabled => false,
            TlsPolicy::Preferred => offered && !self.stream.secure(),
            TlsPolicy::Required if offered => true,
            TlsPolicy::Required => {
                return Err(ClientError::Tls(Refusal {
                    code: "tls.not-offered",
                    message: "TLS is required and the server does not offer it".to_owned(),
                    hint: Some(
                        "give the server a certificate, or set tls to preferred or disabled",
                    ),
                }));
            }
        };
        self.capabilities = handshake::capabilities(options, greeting.capabilities, tls);
        if !tls {
            return Ok(());
        }
        let request = handshake::ssl_request(options, self.capabilities);
        if self.reader.buffered() > 0 {
            return Err(ClientError::protocol(
                "protocol.early-data",
                "the server sent data in the clear where the TLS handshake was expected",
            ));
        }
        self.reply(&request, &[]).await?;
        self.stream.start_tls().await?;
        Ok(())
    }

    async fn login(&mut self, options: &ConnectOptions, greeting: &Greeting) -> Result<()> {
        let secure = self.stream.secure();
        let mut login = Login::new(options, secure, &greeting.plugin, &greeting.nonce);
        let answer = login.first_answer(|buf| self.stream.random(buf))?;
        let response = handshake::response(
            options,
            self.capabilities,
            login.plugin_name().as_bytes(),
            &answer,
        );
        self.reply(&response, &[]).await?;
        for _ in 0..MAX_LOGIN_PACKETS {
            self.fill().await?;
            let Self { reader, stream, .. } = self;
            let payload = reader.next_packet()?.unwrap_or_default();
            if payload.first() == Some(&0xff) {
                return Err(server_error(payload, CONTEXT));
            }
            match login.step(payload, |buf| stream.random(buf))? {
                Step::Done => {
                    self.status = parse_ok(payload)?.status;
                    return Ok(());
                }
                Step::Wait => {}
                Step::Send(answer) => {
                    let sent = self.reply(&answer, &[]).await;
                    self.wipe();
                    sent?;
                }
            }
        }
        Err(ClientError::malformed("the login does not come to an end"))
    }
}
