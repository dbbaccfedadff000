//! Standard input, pipes that are closed, and interrupts.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use datain_tests::host::{TempDir, program};
use datain_throwaway_servers::spawn_bound;

use crate::{all, logs, server, tail};

fn spawn(arguments: &[&str], input: Stdio) -> Child {
    let mut command = Command::new(program().expect("the program"));
    command.args(["tail", "--file"]).args(arguments);
    command
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("RUST_LOG");
    spawn_bound(command).expect("the program")
}

fn interrupted(child: &mut Child) -> Option<i32> {
    let process = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).expect("a signal");
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(status) = child.try_wait().expect("a status") {
            return status.code();
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// fidelity: file | standard input, a closed pipe, Ctrl-C | printed as it comes; exit codes 0 and 130
#[test]
fn pipes_on_both_sides_and_an_interrupt() {
    let source = server();
    let folder = TempDir::new().expect("a folder");
    source
        .sql(
            "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200)); INSERT INTO d.t (v) SELECT REPEAT('y', 150) FROM information_schema.COLUMNS LIMIT 2000; \
             INSERT INTO d.t (v) SELECT v FROM d.t; INSERT INTO d.t (v) SELECT v FROM d.t; INSERT INTO d.t (v) SELECT v FROM d.t; INSERT INTO d.t VALUES (1000000, 'last'); FLUSH BINARY LOGS",
        )
        .expect("rows");
    let path = folder.path().join("binlog.000001");
    std::fs::copy(&logs(&source)[0], &path).expect("a copy");
    let path_text = path.to_str().expect("UTF-8");
    let lines = all(std::slice::from_ref(&path), &[]).len();
    assert!(lines > 10_000, "{lines}");

    // From standard input, named or not.
    let child = spawn(&["-"], File::open(&path).expect("the file").into());
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout.iter().filter(|b| **b == b'\n').count(), lines);
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"file\":\"-\""));

    // A reader that has seen enough.
    for arguments in [&[path_text][..], &[path_text, "--limit", "1"]] {
        let mut child = spawn(arguments, Stdio::null());
        let mut reader = BufReader::with_capacity(16, child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        assert!(line.ends_with('\n'), "{line}");
        drop(reader);
        let output = child.wait_with_output().expect("an end");
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
    let exit = tail(&[PathBuf::from(&path)], &["--limit", "7"]);
    assert_eq!((exit.code, exit.stdout.lines().count()), (0, 7), "{exit}");

    // What has come through a pipe is printed before its end has come; an interrupt ends the wait.
    let mut child = spawn(&["-"], Stdio::piped());
    let mut input = child.stdin.take().expect("a pipe");
    let bytes = std::fs::read(&path).expect("the file");
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    let writer = std::thread::spawn(move || {
        input.write_all(&bytes[..bytes.len() - 10]).expect("bytes");
        input
    });
    let mut line = String::new();
    for _ in 0..lines {
        line.clear();
        reader.read_line(&mut line).expect("a line");
    }
    assert!(line.contains("\"last\""), "{line}");
    let input = writer.join().expect("the writer");
    assert_eq!(interrupted(&mut child), Some(130));
    drop(input);

    // A reader that does not read does not keep it from ending, nor does a file that is always ready.
    let mut child = spawn(&[path_text], Stdio::null());
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(interrupted(&mut child), Some(130));
}
