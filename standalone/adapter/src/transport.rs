//! `transport`: the contract's connections.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::Adapter;
use crate::bindings::exports::datain::replication::transport as contract;
use crate::bindings::exports::datain::replication::transport::{
    ConnectionBorrow, EndpointInfo, Guest, GuestConnection, NetError, ReadOutcome,
};
use crate::bindings::exports::datain::standalone::turns;
use crate::connection::{Connection, Interest};
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::part;
use crate::socket::Got;
use crate::wait;

thread_local! {
    static OPEN: Cell<usize> = const { Cell::new(0) };
}

/// A connection that a plugin holds.
pub(crate) struct Held(RefCell<Connection>);

impl Drop for Held {
    fn drop(&mut self) {
        OPEN.set(OPEN.get() - 1);
    }
}

fn open(endpoint: &str) -> Result<Held, Failure> {
    let own = part::role().endpoint();
    if endpoint != own {
        return Err(Failure::new(
            "net.endpoint-unknown",
            format!("this plugin may connect to the endpoint {own:?} only, not to {endpoint:?}"),
        ));
    }
    let part = part::part()?;
    let limit = part.connections();
    if OPEN.get() >= limit {
        return Err(Failure::new(
            "net.limit",
            format!("the plugin already has {limit} open connections"),
        )
        .hint("limits.connections in the configuration sets the limit"));
    }
    let endpoint = Rc::new(Endpoint::load(own, part.server())?);
    OPEN.set(OPEN.get() + 1);
    Ok(Held(RefCell::new(Connection::begin(endpoint))))
}

impl GuestConnection for Held {
    fn connect(endpoint: String) -> Result<contract::Connection, NetError> {
        Ok(contract::Connection::new(open(&endpoint)?))
    }

    fn endpoint(&self) -> EndpointInfo {
        self.0.borrow().endpoint().info()
    }

    fn start_tls(&self) -> Result<(), NetError> {
        Ok(self.0.borrow_mut().start_tls()?)
    }

    fn secure(&self) -> bool {
        self.0.borrow().secure()
    }

    fn read(&self, max: u32) -> Result<ReadOutcome, NetError> {
        Ok(match self.0.borrow_mut().read(max as usize)? {
            Got::Data(data) => ReadOutcome::Data(data),
            Got::WouldBlock => ReadOutcome::WouldBlock,
            Got::Closed => ReadOutcome::Closed,
        })
    }

    fn write(&self, data: Vec<u8>) -> Result<u32, NetError> {
        let taken = self.0.borrow_mut().write(&data)?;
        // It fits: the data came with a length of 32 bits.
        Ok(u32::try_from(taken).unwrap_or(u32::MAX))
    }
}

impl turns::Guest for Adapter {
    fn may_end(may: bool) {
        wait::may_end(may);
    }
}

impl Guest for Adapter {
    type Connection = Held;

    fn wait(
        connections: Vec<(ConnectionBorrow<'_>, contract::Interest)>,
        timeout_ms: u32,
    ) -> Result<Vec<u32>, NetError> {
        let list: Vec<(&RefCell<Connection>, Interest)> = connections
            .iter()
            .map(|(connection, interest)| {
                let interest = Interest {
                    readable: interest.contains(contract::Interest::READABLE),
                    writable: interest.contains(contract::Interest::WRITABLE),
                };
                (&connection.get::<Held>().0, interest)
            })
            .collect();
        Ok(wait::wait(&list, Duration::from_millis(timeout_ms.into())))
    }
}
