//! What a plugin may try, one file each.

mod aliased_lists;
mod claimed_codes;
mod endless_loop;
mod endless_memory;
mod endless_recursion;
mod endless_waits;
mod huge_arguments;
mod invalid_text;
mod log_flood;
mod many_connections;
mod many_handles;
mod other_endpoint;
mod steering_words;
mod trap;
mod write_after_close;

use crate::bindings::datain::replication::transport::NetError;
use crate::bindings::datain::replication::types::Error;
use crate::error;

/// Does what is called so. Most of it never comes back.
pub(crate) fn run(what: &str) -> Result<(), Error> {
    match what {
        "trap" => trap::run(),
        "endless-loop" => endless_loop::run(),
        "endless-memory" => endless_memory::run(),
        "endless-recursion" => endless_recursion::run(),
        "endless-waits" => endless_waits::run(),
        "log-flood" => log_flood::run(),
        "huge-log-line" => huge_arguments::log_line(),
        "huge-wait-list" => huge_arguments::wait_list(),
        "huge-random" => huge_arguments::random(),
        "aliased-lists" => aliased_lists::run(),
        "invalid-text" => invalid_text::argument(),
        "invalid-text-answered" => invalid_text::answer(),
        "text-beyond-memory" => invalid_text::beyond_memory(),
        "other-endpoint" => other_endpoint::connect(),
        "other-credential" => other_endpoint::credential(),
        "many-connections" => many_connections::run(),
        "many-handles" => many_handles::run(),
        "write-after-close" => write_after_close::run(),
        "steering-words" => steering_words::run(),
        "claimed-code" => claimed_codes::run(),
        other => Err(error("hostile.unknown", other)),
    }
}

/// The host's own word for a refusal.
fn refusal(failure: NetError) -> Error {
    match failure {
        NetError::Interrupted => error("hostile.interrupted", "interrupted"),
        NetError::Failed(failure) => error(&failure.code, &failure.message),
    }
}
