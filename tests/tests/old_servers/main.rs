//! MySQL 5.6 as the source: what it logs and does not say, what newer servers know no more, and what is said then.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod copy;
mod messages;
mod removed;
mod stream;
mod temporals;
mod to_5_6;

use datain_throwaway_servers::{Flavor, Server, ServerBuilder};

/// A MySQL 5.6 with fast commits, which may be changed before it starts.
fn old() -> ServerBuilder {
    Server::builder(Flavor::Mysql56).relaxed()
}

fn started(builder: ServerBuilder) -> Server {
    builder.start().expect("a server")
}

/// What both servers being of one version is given up by.
const ANY_VERSION: &str = "[check]\nallow = [\"version\", \"no-primary-key\"]\n";
