//! Exit codes and output at each way to end.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use datain_tests::host::{Host, TempDir, program};
use datain_throwaway_servers::spawn_bound;

use crate::{ALL, LIMIT, begun, config, lines, root, server, tail, wait_for};

#[test]
fn an_interrupt_a_limit_and_a_reader_that_has_gone_end_it() {
    let source = server();
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)")
        .expect("a table");
    let now = config(&folder, source.port(), &root(), "");

    // The configuration serves nothing else.
    let exit = Host::run(&now, &[], LIMIT).expect("an end");
    assert_eq!(exit.code, 2, "{exit}");
    assert!(
        exit.stderr
            .contains("error[config.missing-key]: the key `target` is missing"),
        "{exit}"
    );

    for end in [Host::interrupt, Host::terminate] {
        let mut host = tail(&now, &[]);
        begun(&host);
        source
            .sql("REPLACE INTO d.t VALUES (2); DELETE FROM d.t WHERE id = 2")
            .expect("changes");
        wait_for("both changes", || host.stdout().lines().count() == 2);
        end(&host);
        let exit = host.wait(Duration::from_secs(5)).expect("an end");
        assert_eq!(exit.code, 130, "{exit}");
        // Only what came after the beginning.
        let ops: Vec<_> = lines(&exit).iter().map(|line| line["op"].clone()).collect();
        assert_eq!(ops, ["c", "d"]);
        assert!(!exit.stderr.contains("error"), "{exit}");
    }

    let from_start = config(&folder, source.port(), &root(), ALL);
    let exit = tail(&from_start, &["--from", "start", "--limit", "3"])
        .wait(LIMIT)
        .expect("an end");
    assert_eq!((exit.code, exit.stdout.lines().count()), (0, 3), "{exit}");
    let exit = tail(&from_start, &["--until-caught-up"])
        .wait(LIMIT)
        .expect("an end");
    assert_eq!(
        (exit.code, exit.stdout.as_str()),
        (0, ""),
        "nothing comes after now: {exit}"
    );

    // A pipe that is closed: at the next line, and also when no line comes.
    source.sql("INSERT INTO d.t SELECT 100 + ROW_NUMBER() OVER () FROM information_schema.COLUMNS LIMIT 2000").expect("rows");
    for arguments in [
        &["--from", "start"][..],
        &["--from", "start", "--limit", "1"],
    ] {
        let mut command = Command::new(program().expect("the program"));
        command
            .args(["tail", "-c"])
            .arg(&from_start)
            .args(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_remove("RUST_LOG");
        let mut child = spawn_bound(command).expect("the program");
        let mut line = String::new();
        let mut reader = BufReader::with_capacity(16, child.stdout.take().expect("a pipe"));
        reader.read_line(&mut line).expect("a line");
        assert!(line.ends_with('\n'), "{line}");
        drop(reader);
        let closed = Instant::now();
        let output = child.wait_with_output().expect("an end");
        assert_eq!(output.status.code(), Some(0), "{:?}", output.status);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(
            closed.elapsed() < Duration::from_secs(5),
            "{:?}",
            closed.elapsed()
        );
    }

    // A reader that does not read does not keep it from ending.
    let mut command = Command::new(program().expect("the program"));
    command
        .args(["tail", "-c"])
        .arg(&from_start)
        .args(["--from", "start"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = spawn_bound(command).expect("the program");
    std::thread::sleep(Duration::from_secs(2));
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::INT,
    )
    .expect("a signal");
    let mut status = None;
    wait_for("the end", || {
        status = child.try_wait().expect("a status");
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(130));
}
