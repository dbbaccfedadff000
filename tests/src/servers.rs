//! Servers as most tests take them, and short questions to them.

use datain_throwaway_servers::{Flavor, Server};

/// A MySQL 9.7 that trades durability for speed.
///
/// # Panics
/// When it does not come up.
#[must_use]
pub fn server() -> Server {
    Server::builder(Flavor::Mysql97)
        .relaxed()
        .start()
        .expect("a server")
}

/// The first cell of a statement's rows; nothing for NULL, and where there are no rows.
///
/// # Panics
/// When the server refuses it.
#[must_use]
pub fn cell(server: &Server, sql: &str) -> String {
    let rows = server.query(sql).expect(sql);
    let cell = rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next());
    cell.flatten().unwrap_or_default()
}

/// Runs statements.
///
/// # Panics
/// When the server refuses one.
pub fn run(server: &Server, sql: &str) {
    server.sql(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// Two servers with fast commits, which take LOAD DATA LOCAL: a source and a target.
///
/// # Panics
/// When one does not start.
#[must_use]
pub fn loading_pair() -> [Server; 2] {
    [(); 2].map(|()| {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .option("local_infile=ON")
            .start()
            .expect("a server")
    })
}
