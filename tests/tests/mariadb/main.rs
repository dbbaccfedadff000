//! MariaDB as source and target: docs/mariadb.md says what is right for what is tested here.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod copy;
mod program;
mod shared;
mod stream;
mod to_mysql;

use datain_throwaway_servers::{Flavor, Server};

/// A server with fast commits.
fn server(flavor: Flavor, options: &[&str]) -> Server {
    let mut builder = Server::builder(flavor).relaxed();
    for option in options {
        builder = builder.option(*option);
    }
    builder.start().expect("a server")
}
