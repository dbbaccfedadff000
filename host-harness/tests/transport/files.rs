//! Files in place of a server.

use std::path::PathBuf;

use datain_host::config::Address;

use super::*;

fn files(paths: &[PathBuf]) -> Connections {
    let mut config = server_config("host = \"h\"", Path::new("/"));
    config.address = Address::Files(paths.to_vec());
    let endpoint = Endpoint::load("source", &config).unwrap();
    Connections::new(Arc::new(endpoint), Arc::new(Waker::new().unwrap()), 2)
}

fn open(mut connections: Connections, name: &str) -> Result<Client, Failure> {
    let handle = connections.connect(name)?;
    Ok(Client {
        connections,
        handle,
    })
}

#[test]
fn each_file_is_an_endpoint_that_is_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a", "b"].map(|name| folder.path().join(name));
    let large: Vec<u8> = (0..1_000_000u32).map(|n| n.to_le_bytes()[0]).collect();
    std::fs::write(&paths[0], b"first").unwrap();
    std::fs::write(&paths[1], &large).unwrap();
    for (name, expected) in [("source/0", &b"first"[..]), ("source/1", &large)] {
        let mut client = open(files(&paths), name).unwrap();
        client.wait(READ);
        assert!(client.read_to_end(70_000).unwrap() == expected);
        assert_eq!(client.read(1).unwrap(), ReadOutcome::Closed);
        assert!(!client.secure());
        assert_eq!(client.write(b"x").unwrap_err().code, "net.failed");
    }
    for unknown in [
        "source",
        "source/2",
        "source/-1",
        "source/",
        "other/0",
        "source/0/0",
    ] {
        let error = open(files(&paths), unknown).err().map(|e| e.code);
        assert_eq!(error, Some("net.endpoint-unknown"), "{unknown}");
    }
    let mut gone = open(files(&[folder.path().join("none")]), "source/0").unwrap();
    gone.wait(READ);
    let error = gone.read(1).unwrap_err();
    assert_eq!(error.code, "file.unreadable");
    assert!(error.message.contains("/none: "), "{}", error.message);
}

#[test]
fn a_pipe_is_waited_for_and_an_interruption_ends_the_wait() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &path,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
    )
    .unwrap();
    let (sender, wait) = std::sync::mpsc::channel();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            use std::io::Write as _;
            let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            wait.recv().unwrap();
            pipe.write_all(b"late").unwrap();
        }
    });
    let mut client = open(files(&[path]), "source/0").unwrap();
    assert_eq!(client.read(10).unwrap(), ReadOutcome::WouldBlock);
    let list = [(client.handle, READ)];
    let short = Duration::from_millis(30);
    assert_eq!(client.connections.wait(&list, short, true), Woken::TimedOut);
    sender.send(()).unwrap();
    client.wait(READ);
    assert_eq!(
        client.read(10).unwrap(),
        ReadOutcome::Data(b"late".to_vec())
    );
    writer.join().unwrap();
    // The writer has gone: that is the end.
    client.wait(READ);
    assert_eq!(client.read(10).unwrap(), ReadOutcome::Closed);
    client.connections.waker().interrupt();
    assert_eq!(
        client.connections.wait(&list, short, true),
        Woken::Interrupted
    );
}
