//! The contract's `transport` over [`crate::transport`].

use std::time::Duration;

use wasmtime::component::Resource;

use crate::bindings::transport::{
    EndpointInfo, Host, HostConnection, Interest, NetError, NetFailure, ReadOutcome, TlsPolicy,
};
use crate::plugin::PluginState;
use crate::plugin::state::may_go_on;
use crate::transport::{self, Connection, Failure, Woken};

impl From<Failure> for NetError {
    fn from(failure: Failure) -> Self {
        Self::Failed(NetFailure {
            code: failure.code.to_owned(),
            message: failure.message,
            hint: failure.hint,
        })
    }
}

impl PluginState {
    /// The engine has checked that the handle is the plugin's own; a hole behind it is an error of the host.
    fn connection(&mut self, handle: &Resource<Connection>) -> wasmtime::Result<&mut Connection> {
        self.connections
            .get(handle.rep())
            .ok_or_else(|| wasmtime::Error::msg("a connection's handle leads nowhere"))
    }
}

impl HostConnection for PluginState {
    fn connect(
        &mut self,
        endpoint: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, NetError>> {
        Ok(self
            .connections
            .connect(&endpoint)
            .map(Resource::new_own)
            .map_err(NetError::from))
    }

    fn endpoint(&mut self, connection: Resource<Connection>) -> wasmtime::Result<EndpointInfo> {
        let endpoint = self.connection(&connection)?.endpoint();
        Ok(EndpointInfo {
            tls: match endpoint.policy() {
                transport::TlsPolicy::Disabled => TlsPolicy::Disabled,
                transport::TlsPolicy::Preferred => TlsPolicy::Preferred,
                transport::TlsPolicy::Required => TlsPolicy::Required,
            },
            server_public_key: endpoint.server_public_key().map(<[u8]>::to_vec),
            get_server_public_key: endpoint.get_server_public_key(),
        })
    }

    fn start_tls(
        &mut self,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<Result<(), NetError>> {
        Ok(self
            .connection(&connection)?
            .start_tls()
            .map_err(NetError::from))
    }

    fn secure(&mut self, connection: Resource<Connection>) -> wasmtime::Result<bool> {
        Ok(self.connection(&connection)?.secure())
    }

    fn read(
        &mut self,
        connection: Resource<Connection>,
        max: u32,
    ) -> wasmtime::Result<Result<ReadOutcome, NetError>> {
        let outcome = self.connection(&connection)?.read(max as usize);
        Ok(match outcome {
            Ok(transport::ReadOutcome::Data(data)) => Ok(ReadOutcome::Data(data)),
            Ok(transport::ReadOutcome::WouldBlock) => Ok(ReadOutcome::WouldBlock),
            Ok(transport::ReadOutcome::Closed) => Ok(ReadOutcome::Closed),
            Err(failure) => Err(failure.into()),
        })
    }

    fn write(
        &mut self,
        connection: Resource<Connection>,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<u32, NetError>> {
        let taken = self.connection(&connection)?.write(&data);
        Ok(match taken {
            // It fits: the data came with a length of 32 bits.
            Ok(taken) => Ok(u32::try_from(taken).unwrap_or(u32::MAX)),
            Err(failure) => Err(failure.into()),
        })
    }

    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.connections.close(connection.rep());
        Ok(())
    }
}

impl Host for PluginState {
    fn wait(
        &mut self,
        connections: Vec<(Resource<Connection>, Interest)>,
        timeout_ms: u32,
    ) -> wasmtime::Result<Result<Vec<u32>, NetError>> {
        // A list may name a connection again and again, and each entry costs the host more than the plugin.
        let most = self.connections.limit() * 2;
        if connections.len() > most {
            return Err(wasmtime::Error::msg(format!(
                "wait: a list of {} connections, {most} are allowed",
                connections.len()
            )));
        }
        let list: Vec<_> = connections
            .iter()
            .map(|(connection, interest)| {
                let readable = interest.contains(Interest::READABLE);
                (
                    connection.rep(),
                    transport::Interest {
                        readable,
                        writable: interest.contains(Interest::WRITABLE),
                    },
                )
            })
            .collect();
        let left = self.call.wall_left();
        if left.is_zero() || self.connections.waker().is_interrupted() {
            // It was told before, and had time to return: a plugin that only ever waits uses no processor time by which it could be stopped.
            may_go_on(self)?;
        }
        if left.is_zero() {
            self.call.overdue = true;
            return Ok(Err(NetError::Interrupted));
        }
        let timeout = Duration::from_millis(timeout_ms.into()).min(left);
        Ok(
            match self.connections.wait(&list, timeout, self.call.attention) {
                Woken::Ready(ready) => Ok(ready),
                Woken::TimedOut | Woken::Attention => Ok(Vec::new()),
                Woken::Interrupted => Err(NetError::Interrupted),
            },
        )
    }
}
