//! What the host itself must hold against: both plugins of each pipeline are the guest.

use datain_tests::host::Exit;

use crate::lab::Hostile;

fn source(what: &str, call: &str, code: &'static str) -> Hostile {
    Hostile::new("source", what, call, code)
}

fn sink(what: &str, call: &str, code: &'static str) -> Hostile {
    Hostile::new("target", what, call, code)
}

/// What they try, at which call, and the error that it ends with.
pub(crate) fn all() -> Vec<Hostile> {
    vec![
        source("endless-loop", "open", "plugin.cpu-limit"),
        sink("endless-loop", "describe", "plugin.cpu-limit"),
        source("endless-memory", "poll", "plugin.memory-limit"),
        sink("endless-memory", "apply", "plugin.memory-limit"),
        source("endless-recursion", "open", "plugin.trap"),
        // It never returns, and uses no processor time.
        source("endless-waits", "poll", "plugin.deadline").short(),
        sink("endless-waits", "open", "plugin.deadline").short(),
        source("log-flood", "open", "plugin.cpu-limit"),
        source("huge-log-line", "open", "plugin.call-limit").large(),
        source("huge-batch", "batch", "plugin.call-limit").large(),
        source("aliased-lists", "open", "plugin.call-limit"),
        sink("huge-random", "open", "plugin.trap"),
        source("huge-wait-list", "open", "plugin.trap"),
        source("invalid-text", "open", "plugin.trap"),
        sink("invalid-text-answered", "open", "plugin.trap"),
        sink("text-beyond-memory", "check", "plugin.trap"),
        source("other-endpoint", "open", "net.endpoint-unknown"),
        sink("other-endpoint", "open", "net.endpoint-unknown"),
        source("other-credential", "open", "config.endpoint-unknown"),
        sink("other-credential", "inspect", "config.endpoint-unknown"),
        source("many-connections", "open", "net.limit"),
        source("many-handles", "open", "plugin.trap"),
        source("write-after-close", "open", "plugin.trap"),
        sink("steering-words", "advance", "hostile.words"),
        source("claimed-code", "open", "plugin.error-code"),
        // The largest numbers there are, which the host adds up over five instances.
        Hostile {
            source: Some("largest-numbers@source-status+trap@poll".to_owned()),
            target: Some("largest-numbers@sink-status".to_owned()),
            ..source("largest-numbers", "status", "plugin.trap")
        },
    ]
}

/// A trap in each call that a pipeline makes.
pub(crate) fn traps() -> Vec<Hostile> {
    let of_source = ["describe", "check", "open", "poll", "ack", "status"];
    let of_sink = [
        "describe",
        "check",
        "inspect",
        "open",
        "resume-from",
        "apply",
        "advance",
        "status",
    ];
    of_source
        .map(|call| source("trap", call, "plugin.trap"))
        .into_iter()
        .chain(of_sink.map(|call| sink("trap", call, "plugin.trap")))
        .collect()
}

/// What hostile plugins have said is cut, and looks like nobody else's words.
pub(crate) fn the_log_stays_readable(exit: &Exit) {
    // 500 lines at once and 100 a second are let through, of many thousands.
    let lines = exit.stderr.matches("a line of a flood").count();
    assert!((1..5000).contains(&lines), "{lines} lines of the flood");
    assert!(exit.stderr.contains("log lines were left out"));
    assert!(exit.stderr.len() < 4 << 20, "{} bytes", exit.stderr.len());
    let forged = exit
        .stderr
        .lines()
        .find(|line| line.starts_with("error[config.fine]"));
    assert_eq!(forged, None, "no line of a plugin looks like the host's");
}
