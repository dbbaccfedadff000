//! The supervisor over plugins made of scripts.

mod fakes;

use std::sync::atomic::Ordering;

use super::*;
use fakes::{FakePlugins, Servers, SourceFailsAt, Vanishing, about_a_transaction};

fn settings() -> Settings {
    Settings {
        name: "test".to_owned(),
        queue_bytes: 5000,
        until_caught_up: true,
        set_position: false,
        connect_retry: Duration::ZERO,
    }
}

fn run(servers: &Arc<Servers>, settings: Settings, stop: &Stop) -> (Result<Outcome>, StatusHandle) {
    let status = StatusHandle::new("test");
    let plugins: Arc<dyn Plugins> = Arc::new(FakePlugins(Arc::clone(servers)));
    (
        Supervisor::new(plugins, settings, status.clone(), Hold::default()).run(stop),
        status,
    )
}

fn retry(code: &str) -> Error {
    Error::new(Kind::Retry, code, "passing trouble")
}

fn in_order(servers: &Servers) -> bool {
    *servers.committed.lock().unwrap() == (1..=servers.last).collect::<Vec<_>>()
}

#[test]
fn everything_arrives_once_and_in_order() {
    let servers = Servers::new(200, Vec::new());
    let (outcome, status) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    assert!(in_order(&servers));
    let status = status.get();
    assert_eq!(
        (status.durable_ordinal, status.restarts, status.state),
        (200, 0, "stopped")
    );
}

#[test]
fn passing_trouble_starts_anew_from_the_checkpoint() {
    let faults = vec![
        ("source.poll", retry("net.closed")),
        ("sink.advance", retry("net.reset")),
        ("source.open", retry("net.refused")),
        ("sink.open", retry("net.refused")),
        ("sink.apply", retry("server.deadlock")),
    ];
    let servers = Servers::new(100, faults);
    let (outcome, status) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    assert!(in_order(&servers));
    assert!(servers.faults.lock().unwrap().is_empty(), "all were met");
    // Both sides can fail in one generation.
    assert!(
        (3..=5).contains(&status.get().restarts),
        "{}",
        status.get().restarts
    );
}

#[test]
fn a_server_that_was_never_reached_ends_the_run_at_once() {
    for call in ["preflight", "sink.open", "source.open"] {
        let servers = Servers::new(1, vec![(call, retry("net.refused"))]);
        let (outcome, _) = run(&servers, settings(), &Stop::new());
        assert_eq!(outcome.unwrap_err().code(), "net.refused");
    }
    // One whose rows are locked was reached.
    let locked = vec![("sink.open", retry("server.lock-wait-timeout"))];
    let (outcome, _) = run(&Servers::new(1, locked), settings(), &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    let servers = Servers::new(1, vec![("source.open", retry("net.refused"))]);
    let patient = Settings {
        connect_retry: Duration::from_secs(60),
        ..settings()
    };
    assert_eq!(
        run(&servers, patient, &Stop::new()).0.unwrap(),
        Outcome::CaughtUp
    );
}

#[test]
fn the_checks_are_made_until_they_are_passed_and_then_no_more() {
    let faults = vec![
        ("preflight", retry("net.refused")),
        ("preflight", retry("net.refused")),
        ("source.poll", retry("net.closed")),
        ("source.poll", retry("net.closed")),
    ];
    let servers = Servers::new(10, faults);
    let patient = Settings {
        connect_retry: Duration::from_secs(60),
        ..settings()
    };
    let (outcome, _) = run(&servers, patient, &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    assert_eq!(servers.preflights.load(Ordering::Relaxed), 3);
    // A finding that a person must mend ends the run before anything is opened.
    let finding = Error::new(Kind::Reconfigure, "source.row-image", "a finding");
    let servers = Servers::new(10, vec![("preflight", finding)]);
    let (outcome, _) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap_err().code(), "source.row-image");
    assert!(servers.committed.lock().unwrap().is_empty());
}

#[test]
fn what_a_person_must_mend_ends_the_run() {
    for kind in [Kind::Reconfigure, Kind::Resnapshot, Kind::Fatal] {
        let servers = Servers::new(10, vec![("sink.apply", Error::new(kind, "x.y", "trouble"))]);
        let (outcome, _) = run(&servers, settings(), &Stop::new());
        assert_eq!(outcome.unwrap_err().kind(), kind);
        assert!(servers.committed.lock().unwrap().is_empty());
    }
}

#[test]
fn a_plugin_that_keeps_crashing_is_given_up() {
    let mut servers = Servers::new(10, vec![("sink.apply", retry("plugin.trap"))]);
    Arc::get_mut(&mut servers).unwrap().endless = true;
    let (outcome, status) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap_err().code(), "plugin.trap");
    assert_eq!(status.get().restarts, u64::from(CRASHES) - 1);
}

#[test]
fn a_stop_commits_what_was_accepted() {
    let servers = Servers::new(u64::MAX, Vec::new());
    let stop = Stop::new();
    let later = stop.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        later.request();
    });
    let begun = Instant::now();
    let (outcome, status) = run(
        &servers,
        Settings {
            until_caught_up: false,
            ..settings()
        },
        &stop,
    );
    thread.join().unwrap();
    assert_eq!(outcome.unwrap(), Outcome::Stopped);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    let committed = servers.committed.lock().unwrap();
    assert!(!committed.is_empty());
    assert_eq!(*committed, (1..=committed.len() as u64).collect::<Vec<_>>());
    assert_eq!(status.get().durable_ordinal, committed.len() as u64);
    assert_eq!(
        run(&Servers::new(1, Vec::new()), settings(), &stop)
            .0
            .unwrap(),
        Outcome::Stopped
    );
}

#[test]
fn an_error_in_a_group_is_looked_for_one_by_one_and_then_ends_the_run() {
    let fault = || ("sink.apply", about_a_transaction("row.missing"));
    let servers = Servers::new(100, vec![fault(), fault()]);
    let (outcome, _) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap_err().code(), "row.missing");
    let paces = servers.paces.lock().unwrap();
    assert!(
        matches!(paces[..], [Pace::Groups, Pace::OneByOne { until }] if until > 0),
        "{paces:?}"
    );
    assert_eq!(servers.noted.lock().unwrap().len(), 1);
}

#[test]
fn what_goes_through_one_by_one_goes_on_in_groups() {
    let servers = Servers::new(
        100,
        vec![("sink.apply", about_a_transaction("row.missing"))],
    );
    let (outcome, _) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    assert!(in_order(&servers));
    let paces = servers.paces.lock().unwrap();
    // The whole may have gone through before the supervisor went back.
    assert!(matches!(paces[1], Pace::OneByOne { .. }), "{paces:?}");
    assert!(servers.noted.lock().unwrap().is_empty());
}

#[test]
fn what_was_read_before_an_error_of_the_source_is_applied() {
    let servers = Servers::new(100, Vec::new());
    let plugins = SourceFailsAt(FakePlugins(Arc::clone(&servers)), 40);
    let supervisor = Supervisor::new(
        Arc::new(plugins),
        settings(),
        StatusHandle::new("test"),
        Hold::default(),
    );
    assert_eq!(
        supervisor.run(&Stop::new()).unwrap_err().code(),
        "binlog.unknown-event"
    );
    assert_eq!(
        *servers.committed.lock().unwrap(),
        (1..=40).collect::<Vec<_>>()
    );
}

#[test]
fn a_person_stops_and_starts_it() {
    let servers = Servers::new(u64::MAX, Vec::new());
    let (stop, hold, status) = (Stop::new(), Hold::default(), StatusHandle::new("test"));
    let plugins: Arc<dyn Plugins> = Arc::new(FakePlugins(Arc::clone(&servers)));
    let wanted = Settings {
        until_caught_up: false,
        ..settings()
    };
    let supervisor = Supervisor::new(plugins, wanted, status.clone(), hold.clone());
    let ends = stop.clone();
    let thread = std::thread::spawn(move || supervisor.run(&ends));
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(30);
        while !holds() {
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    until("it runs", &|| servers.newest() > 0);
    hold.set();
    until("it rests", &|| status.get().state == "stopped");
    let at = servers.newest();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(servers.newest(), at, "nothing is applied at rest");
    hold.release();
    until("it goes on", &|| servers.newest() > at);
    // What the target once knew must not begin anew.
    assert_eq!(*servers.known.lock().unwrap(), [false, true]);
    assert_eq!(servers.preflights.load(Ordering::Relaxed), 2);
    // A stop that nobody recorded is recorded at rest; after a removal there is nothing to wait for.
    hold.set();
    until("the stop is recorded", &|| hold.is_recorded());
    assert_eq!(*servers.standing.lock().unwrap(), Standing::Stopped);
    *servers.standing.lock().unwrap() = Standing::Gone;
    let error = thread.join().unwrap().unwrap_err();
    assert_eq!(error.code(), "checkpoint.removed");
}

#[test]
fn a_stop_by_the_target_lets_it_rest() {
    let stopped = Error::new(Kind::Reconfigure, "sink.stopped", "stopped by a person");
    let servers = Servers::new(10, vec![("sink.open", stopped)]);
    // Who waits for an end must not wait for a person.
    let (outcome, _) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap_err().code(), "sink.stopped");
    // An order in between: the next generation sees what it says, without a pause and without a failure.
    let servers = Servers::new(10, vec![("sink.advance", retry("checkpoint.overruled"))]);
    let (outcome, status) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap(), Outcome::CaughtUp);
    assert_eq!(status.get().restarts, 0);
    // Another host has taken it: it must not be taken back.
    let servers = Servers::new(
        10,
        vec![("sink.advance", about_a_transaction("checkpoint.fenced"))],
    );
    let (outcome, _) = run(&servers, settings(), &Stop::new());
    assert_eq!(outcome.unwrap_err().code(), "checkpoint.fenced");
    assert_eq!(servers.paces.lock().unwrap().len(), 1);
}

#[test]
fn a_checkpoint_that_vanishes_ends_the_run() {
    let servers = Servers::new(100, Vec::new());
    let plugins = Vanishing(FakePlugins(Arc::clone(&servers)));
    let status = StatusHandle::new("test");
    let supervisor = Supervisor::new(Arc::new(plugins), settings(), status, Hold::default());
    let error = supervisor.run(&Stop::new()).unwrap_err();
    assert_eq!(error.code(), "checkpoint.removed");
}
