//! Generations: what ends one, and what follows. As the host's `pipeline/supervisor.rs`, without what needs a second thread.
//!
//! | a generation ends with | then |
//! |---|---|
//! | having caught up, if that was asked for | the end |
//! | `retry`, before both servers were ever reached | the error, unless the target's rows are only locked |
//! | `retry`, later | a pause that grows, then a new reader and writer from the checkpoint, for ever |
//! | anything else, while several transactions were under way | the same one by one, to stand right before the one that fails |
//! | anything else | the error, which is left in the target too |

use std::time::Duration;

use datain_standalone_config::command::Options;
use datain_standalone_config::config::Config;
use datain_standalone_config::engine::Role;
use datain_standalone_config::error::{Error, Kind, Result};
use datain_standalone_config::{Told, plugin_json};
use datain_standalone_wasi::clock::{self, Moment};
use datain_standalone_wasi::log::{Level, line};

use crate::bindings::datain::replication::{sink, source};
use crate::generation::{self, Ending, Memory};
use crate::pause::Pauses;
use crate::preflight;

/// A generation that lived for so long counts as progress even if the source was idle.
const SETTLED: Duration = Duration::from_secs(60);

/// Replicates; returns a summary for programs when it has caught up and that was asked for.
///
/// # Errors
/// What ends the run.
pub(crate) fn run(config: &Config, options: &Options) -> Result<String> {
    let row_block = row_block_version()?;
    let outcome = generations(config, options, row_block);
    if let Err(error) = &outcome {
        leave_note(
            error,
            &plugin_json(Role::Sink, config, row_block, Told::default()),
        );
    }
    outcome
}

fn generations(config: &Config, options: &Options, row_block: u8) -> Result<String> {
    let json = |role| plugin_json(role, config, row_block, Told::default());
    let mut memory = Memory::default();
    let mut pauses = Pauses::new();
    let mut checked = false;
    let mut newest = 0;
    loop {
        let begun = Moment::now();
        let ended = match checked {
            true => Ok(()),
            false => preflight::require(config, &json(Role::Source), &json(Role::Sink)),
        };
        let ended = ended.and_then(|()| {
            checked = true;
            generation::run(config, row_block, options.until_caught_up, &mut memory)
        });
        let error = match ended {
            Ok(Ending::CaughtUp) => return Ok(summary(&memory)),
            Ok(Ending::WentThrough) => {
                line(
                    Level::Info,
                    "runner",
                    "what failed in a group has gone through one by one: going on in groups",
                    &[],
                );
                memory.one_by_one = None;
                continue;
            }
            Err(error) => error,
        };
        if error.kind() != Kind::Retry {
            if slower(&error, &mut memory) {
                let message = "applying one by one from the checkpoint, to stand right before the transaction that fails";
                warn(message, &error, None);
                continue;
            }
            return Err(error);
        }
        if error.code() == "checkpoint.overruled" {
            continue;
        }
        // A server whose rows are locked was reached: the lock is most likely the predecessor's, which is still rolling back.
        if !memory.reached && error.code() != "server.lock-wait-timeout" {
            return Err(error);
        }
        if memory.durable > newest || begun.elapsed() >= SETTLED {
            pauses.reset();
        }
        newest = newest.max(memory.durable);
        let pause = pauses.next();
        warn(&error.report().message, &error, Some(pause));
        clock::sleep(pause);
    }
}

/// The version of the row block that both plugins know.
fn row_block_version() -> Result<u8> {
    let (writes, reads) = (source::describe(), sink::describe());
    let common = writes.row_block_versions.iter();
    let common = common.filter(|version| reads.row_block_versions.contains(version));
    common.max().copied().ok_or_else(|| {
        Error::config(
            "row-block.version",
            "the two plugins know no common version of the row block",
        )
        .hint("compose source and sink plugins of the same release")
    })
}

/// Whether the cause is looked for one by one: where several transactions were under way, the checkpoint stands before the first of them.
fn slower(error: &Error, memory: &mut Memory) -> bool {
    // Another host has the pipeline now, or nobody: to open it again would take it back. A statement of which nobody knows whether it was done stands alone, and the checkpoint before it.
    let alone = matches!(
        error.code(),
        "checkpoint.fenced" | "checkpoint.removed" | "server.replica-id-in-use" | "ddl.undecided"
    );
    let several = memory.durable < memory.read;
    let slower =
        !alone && several && memory.one_by_one.is_none() && error.report().position.is_some();
    if slower {
        memory.one_by_one = Some(memory.read);
    }
    slower
}

/// Leaves the error that ends the run in the target, for `datain status`.
fn leave_note(error: &Error, sink_json: &str) {
    // The owner of the pipeline has an error of its own, or none.
    let not_ours = matches!(
        error.code(),
        "checkpoint.fenced"
            | "checkpoint.removed"
            | "config.start-changed"
            | "server.replica-id-in-use"
            | "sink.stopped"
    );
    let of_target = error
        .report()
        .server
        .as_ref()
        .is_some_and(|server| server.starts_with(Role::Sink.endpoint()));
    let unreachable = error.kind() == Kind::Retry && of_target;
    if not_ours || unreachable || error.kind() == Kind::Config {
        return;
    }
    let Ok(report) = serde_json::to_string(error.report()) else {
        return;
    };
    if let Err(failed) = sink::note_error(sink_json, &report) {
        let fields = [("reason".to_owned(), failed.message)];
        line(
            Level::Warn,
            "runner",
            "the error could not be noted in the target",
            &fields,
        );
    }
}

fn warn(message: &str, error: &Error, pause: Option<Duration>) {
    let report = error.report();
    let mut fields = vec![("code".to_owned(), report.code.clone())];
    let more = [
        ("server", &report.server),
        ("detail", &report.detail),
        ("position", &report.position),
        ("table", &report.table),
        ("hint", &report.hint),
    ];
    for (name, value) in more {
        fields.extend(value.clone().map(|value| (name.to_owned(), value)));
    }
    fields.extend(pause.map(|pause| ("retry_in_ms".to_owned(), pause.as_millis().to_string())));
    line(Level::Warn, "runner", message, &fields);
}

fn summary(memory: &Memory) -> String {
    serde_json::json!({
        "outcome": "caught-up",
        "transactions_applied": memory.transactions,
        "rows_applied": memory.rows,
        "checkpoint": memory.position,
    })
    .to_string()
}
