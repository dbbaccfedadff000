//! What the host itself must hold against: both plugins of each pipeline are the guest.

use crate::lab::{Hostile, Lab};

/// Resident memory that may stay when all of them have ended: what the C library keeps of freed memory, and the guest's code.
const MIB: u64 = 96;

#[test]
fn each_is_stopped_and_nothing_else_is() {
    let at_poll = |what: &str, code: &'static str| Hostile::new("source", what, "poll", code);
    let at_open = |what: &str, code: &'static str| Hostile::new("source", what, "open", code);
    let sink =
        |what: &str, call: &str, code: &'static str| Hostile::new("target", what, call, code);
    let all = [
        at_poll("endless-loop", "plugin.cpu-limit"),
        sink("endless-loop", "describe", "plugin.cpu-limit"),
        at_poll("endless-memory", "plugin.memory-limit"),
        sink("endless-memory", "apply", "plugin.memory-limit"),
        at_open("endless-recursion", "plugin.trap"),
        // It never returns from poll, and uses no processor time.
        at_poll("endless-waits", "plugin.deadline"),
        sink("endless-waits", "advance", "plugin.deadline"),
        at_open("log-flood", "plugin.cpu-limit"),
        at_open("huge-log-line", "plugin.call-limit").limits("memory_mib = 512"),
        Hostile::new("source", "huge-batch", "batch", "plugin.call-limit")
            .limits("memory_mib = 512"),
        at_open("aliased-lists", "plugin.call-limit"),
        sink("huge-random", "open", "plugin.trap"),
        at_open("huge-wait-list", "plugin.trap"),
        at_open("invalid-text", "plugin.trap"),
        sink("invalid-text-answered", "open", "plugin.trap"),
        sink("text-beyond-memory", "check", "plugin.trap"),
        at_open("other-endpoint", "net.endpoint-unknown"),
        sink("other-endpoint", "open", "net.endpoint-unknown"),
        at_open("other-credential", "config.endpoint-unknown"),
        sink("other-credential", "inspect", "config.endpoint-unknown"),
        at_open("many-connections", "net.limit"),
        at_open("many-handles", "plugin.trap"),
        at_open("write-after-close", "plugin.trap"),
        sink("steering-words", "advance", "hostile.words"),
        at_open("claimed-code", "plugin.error-code"),
    ];
    let exit = Lab::new().run(&all, MIB);
    // 500 lines at once and 100 a second are let through, of tens of thousands.
    let lines = exit.stderr.matches("a line of a flood").count();
    assert!((1..5000).contains(&lines), "{lines} lines of the flood");
    assert!(exit.stderr.contains("log lines were left out"));
    // What a plugin says is cut.
    assert!(exit.stderr.len() < 4 << 20, "{} bytes", exit.stderr.len());
    let told: Vec<&str> = exit
        .stderr
        .lines()
        .filter(|line| line.starts_with("error[config.fine]"))
        .collect();
    assert_eq!(told, [""; 0], "no line of its own looks like the host's");
}

#[test]
fn a_trap_in_any_call() {
    let mut all = Vec::new();
    for call in ["describe", "check", "open", "poll", "ack", "status"] {
        all.push(Hostile::new("source", "trap", call, "plugin.trap"));
    }
    for call in [
        "describe",
        "check",
        "inspect",
        "open",
        "resume-from",
        "apply",
        "advance",
        "status",
    ] {
        all.push(Hostile::new("target", "trap", call, "plugin.trap"));
    }
    Lab::new().run(&all, MIB);
}
