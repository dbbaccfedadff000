//! What a person does with a pipeline: stop, start, skip, remove, another place in [start], and status, each between two real servers.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod beginning;
mod behind;
mod endings;
mod failover;
mod lab;
mod locked;
mod skip;
mod status;
mod stop;
