//! The small commands: ping, reset, quit.
//!
//! page_protocol_com_ping, page_protocol_com_reset_connection and page_protocol_com_quit of the MySQL source documentation.

use mysql_common::constants::Command;

use crate::result::parse_ok;
use crate::session::{Session, State, server_error};
use crate::{ClientError, Result, Stream};

impl<S: Stream> Session<S> {
    /// Asks the server for a sign of life.
    pub async fn ping(&mut self) -> Result<()> {
        self.simple(&[Command::COM_PING as u8], &[], "ping").await
    }

    /// Rolls back, and drops temporary tables, session variables and locks, without a new login. Needs MySQL 5.7.3
    /// or MariaDB 10.2; older servers answer with error 1047.
    pub async fn reset_connection(&mut self) -> Result<()> {
        self.simple(
            &[Command::COM_RESET_CONNECTION as u8],
            &[],
            "resetting the session",
        )
        .await
    }

    /// Says goodbye. The server closes the connection without an answer. Can be called in any state.
    pub async fn quit(mut self) -> Result<()> {
        if matches!(self.state, State::Busy | State::Broken | State::Ended) {
            return Ok(());
        }
        self.command(&[Command::COM_QUIT as u8], &[]).await?;
        Ok(())
    }

    /// Sends a command that is answered by OK or an error.
    pub(crate) async fn simple(&mut self, head: &[u8], body: &[u8], context: &str) -> Result<()> {
        self.require_idle()?;
        self.state = State::Busy;
        let result = self.answered_by_ok(head, body, context).await;
        self.settle(result)
    }

    async fn answered_by_ok(&mut self, head: &[u8], body: &[u8], context: &str) -> Result<()> {
        let sequence = self.command(head, body).await?;
        self.reader.expect_sequence(sequence);
        let payload = self.receive().await?;
        match payload {
            [0x00, ..] => {
                self.status = parse_ok(payload)?.status;
                Ok(())
            }
            [0xff, ..] => Err(server_error(payload, context)),
            // COM_RESET_CONNECTION and COM_PING of some versions answer by EOF.
            [0xfe, ..] => Ok(()),
            _ => Err(ClientError::malformed(format!(
                "OK or an error was expected after {context}"
            ))),
        }
    }
}
