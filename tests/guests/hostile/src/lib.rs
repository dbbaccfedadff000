//! A plugin that misbehaves: what the sandbox must hold against.
//!
//! One component is both a source and a sink. What it does is chosen by the name of its endpoint's account, the only word of the configuration that every call can ask for:
//! `endless-loop@poll` does what `behaviours/endless_loop.rs` says when `poll` is called, and all other calls are answered as a quiet plugin would. Several stand with `+`
//! between them. Any other name, such as `calm`, is a quiet plugin.
//!
//! The quiet source hands out a transaction without changes every 20 ms; the quiet sink calls everything durable, and keeps nothing.
//!
//! `tests/tests/hostile_guests/` runs all of it.

mod behaviours;
mod hostile_sink;
mod hostile_source;
mod results;

mod bindings {
    //! Generated from `wit/`.
    #![allow(missing_docs, reason = "the documentation is in wit/")]
    #![allow(clippy::all, clippy::pedantic, reason = "generated code")]

    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package datain:hostile;

            world hostile {
                include datain:replication/source-plugin@0.1.0;
                include datain:replication/sink-plugin@0.1.0;
            }
        ",
        world: "datain:hostile/hostile",
        generate_all,
    });
}

use bindings::datain::replication::credentials;
use bindings::datain::replication::types::{Checkpoint, Contact, Description, Disposition, Error};
use bindings::export;

/// The component: a source and a sink.
struct Hostile;

export!(Hostile with_types_in bindings);

/// What the account's name tells the plugin to do at this call; none if something else, or something at another call.
fn wanted(call: &str) -> Option<String> {
    let account = ["source", "target"]
        .into_iter()
        .find_map(|endpoint| credentials::get(endpoint).ok())?;
    let mut acts = account
        .user
        .split('+')
        .filter_map(|act| act.split_once('@'));
    acts.find(|(_, at)| *at == call)
        .map(|(what, _)| what.to_owned())
}

/// Misbehaves if this is the call to do so at; what it returns is for calls that can report an error.
fn act(call: &str) -> Result<(), Error> {
    match wanted(call) {
        Some(what) => behaviours::run(&what),
        None => Ok(()),
    }
}

fn error(code: &str, message: &str) -> Error {
    Error {
        disposition: Disposition::Fatal,
        code: code.to_owned(),
        message: message.to_owned(),
        detail: None,
        hint: Some("this plugin is hostile on purpose".to_owned()),
        server_errno: None,
        sqlstate: None,
        position: None,
        gtid: None,
        table: None,
    }
}

fn describe() -> Description {
    // It cannot report an error.
    let _ = act("describe");
    Description {
        name: "hostile guest".to_owned(),
        version: "0.1.0".to_owned(),
        row_block_versions: vec![1],
    }
}

fn checkpoint(ordinal: u64) -> Checkpoint {
    Checkpoint {
        ordinal,
        data: ordinal.to_le_bytes().to_vec(),
        display: format!("nowhere:{ordinal}"),
    }
}

fn contact() -> Contact {
    Contact {
        silent_ms: 0,
        expected_ms: 3000,
    }
}

fn not_there<T>() -> Result<T, Error> {
    Err(error(
        "hostile.nothing-here",
        "this plugin can do nothing useful",
    ))
}
