//! The end of a migration, between two real servers: the source stops, the target takes its place, and there is a way back.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod comparing;
mod from_mariadb;
mod interrupted;
mod kept;
mod lab;
mod old_servers;
mod refused;
mod way;
