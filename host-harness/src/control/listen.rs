//! The host's end of the control socket.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::{Answer, Order, Request, peer, places};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::pipeline::Handle;
use crate::private_folder;

/// How long a peer may take to say what it wants.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// A request is one short line.
const REQUEST_BYTES: u64 = 4096;
/// Peers that may wait to be taken, as std's own listeners have it.
const BACKLOG: i32 = 128;

/// A socket that takes orders for a pipeline, until it is dropped.
#[derive(Debug)]
pub struct Listener {
    path: PathBuf,
    ended: Arc<AtomicBool>,
    /// Held for as long as the host lives; the kernel gives it back when it dies.
    _lock: File,
}

impl Listener {
    /// Opens the socket. Where its default place cannot be used, there is none, and a log line says why: replication does not depend on it.
    ///
    /// # Errors
    /// `host.already-running` when another host of the pipeline runs; `control.socket` when the configured place cannot be used.
    pub fn open(config: &Config, handle: Handle) -> Result<Option<Self>> {
        let mut sockets = places::sockets(config).into_iter();
        let path = sockets.next().unwrap_or_default();
        let opened = Self::at(&path, config.control_socket.is_none(), handle);
        // A host that was started in another environment of this user.
        let elsewhere = sockets.find(|other| is_locked(other));
        if let Some(other) = elsewhere
            && !matches!(opened, Err(Failure::Running))
        {
            return Err(already_running(config, &other));
        }
        match opened {
            Ok(listener) => Ok(Some(listener)),
            Err(Failure::Running) => Err(already_running(config, &path)),
            Err(Failure::Unusable(reason)) if config.control_socket.is_some() => Err(Error::config(
                "control.socket",
                format!("the control socket {} cannot be used", path.display()),
            )
            .detail(reason)
            .hint("name a path in a folder that only this user can write to, of at most 100 bytes")),
            Err(Failure::Unusable(reason)) => {
                tracing::warn!(reason, "no orders can be taken: datain stop and start will work through the target only");
                Ok(None)
            }
        }
    }

    fn at(path: &Path, makes_folder: bool, handle: Handle) -> std::result::Result<Self, Failure> {
        let unusable = |e: std::io::Error| Failure::Unusable(e.to_string());
        if makes_folder && let Some(folder) = path.parent() {
            private_folder::make(folder).map_err(Failure::Unusable)?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(lock_path(path))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Failure::Running),
            Err(TryLockError::Error(e)) => return Err(unusable(e)),
        }
        clear(path).map_err(Failure::Unusable)?;
        let listener = bind_for_owner(path).map_err(unusable)?;
        let ended = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ended);
        // Lines about orders say whose they are.
        let span = tracing::Span::current();
        std::thread::Builder::new()
            .name("datain-control".to_owned())
            .spawn(move || {
                let _entered = span.enter();
                for peer in listener.incoming() {
                    if flag.load(Ordering::Acquire) {
                        return;
                    }
                    match peer {
                        Ok(peer) => serve(peer, handle.clone()),
                        // No descriptor left, or a peer that has gone: the next one may fare better.
                        Err(_) => std::thread::sleep(Duration::from_millis(100)),
                    }
                }
            })
            .map_err(unusable)?;
        Ok(Self {
            path: path.to_owned(),
            ended,
            _lock: lock,
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes the thread, which sees that it is over.
        let _ = UnixStream::connect(&self.path);
        let _ = fs::remove_file(&self.path);
    }
}

fn already_running(config: &Config, socket: &Path) -> Error {
    Error::new(
        Kind::Reconfigure,
        "host.already-running",
        format!(
            "the pipeline {:?} is run by another process already",
            config.name
        ),
    )
    .detail(format!("its socket is {}", socket.display()))
    .hint("datain status -c FILE shows what it does; end it first, or give this pipeline another name")
}

/// Whether a host of this user holds the socket's lock. Each host takes its own lock before it looks at the others', so that of two that start at once one at least
/// sees the other.
fn is_locked(socket: &Path) -> bool {
    let private = socket
        .parent()
        .is_some_and(|folder| private_folder::check(folder).is_ok());
    if !private {
        return false;
    }
    // It must not be made: where no host ever was, there is none.
    let Ok(lock) = OpenOptions::new().write(true).open(lock_path(socket)) else {
        return false;
    };
    matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
}

enum Failure {
    Running,
    Unusable(String),
}

/// Removes a socket that a killed host has left behind; the lock says that it is gone.
fn clear(path: &Path) -> std::result::Result<(), String> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => {
            fs::remove_file(path).map_err(|e| e.to_string())
        }
        Ok(_) => Err("something that is no socket is there".to_owned()),
        Err(_) => Ok(()),
    }
}

/// The whole name with `.lock`, so that two sockets never share one.
fn lock_path(socket: &Path) -> PathBuf {
    let mut name = socket.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// A listening socket that nobody else could reach at any time.
fn bind_for_owner(path: &Path) -> std::io::Result<UnixListener> {
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // Linux makes the file with the mode that the socket has. The process's mask would do too, but it is all threads', and other pipelines make files of their own.
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(socket))
}

/// Serves one peer on a thread of its own, since a stop takes its time. A peer that goes away early does not matter: the order is carried out.
fn serve(peer: UnixStream, handle: Handle) {
    let span = tracing::Span::current();
    let spawned = std::thread::Builder::new()
        .name("datain-order".to_owned())
        .spawn(move || {
            let _entered = span.enter();
            if let Err(error) = answer(&peer, &handle) {
                tracing::debug!(%error, "an order was not read or answered");
            }
        });
    if let Err(error) = spawned {
        tracing::warn!(%error, "an order could not be served");
    }
}

fn answer(mut peer: &UnixStream, handle: &Handle) -> std::io::Result<()> {
    if let Err(reason) = peer::check(peer) {
        tracing::warn!(reason, "an order was refused");
        return Ok(());
    }
    peer.set_read_timeout(Some(REQUEST_TIME))?;
    let mut line = String::new();
    BufReader::new(peer.take(REQUEST_BYTES)).read_line(&mut line)?;
    let request: Request = serde_json::from_str(&line)?;
    let mut throttle = None;
    let result = match request.order {
        Order::Status => Ok(()),
        Order::Stop => handle.stop(),
        Order::Start => handle.start(),
        Order::Throttle(change) => {
            throttle = Some(handle.throttle(change));
            Ok(())
        }
    };
    let answer = Answer {
        pid: std::process::id(),
        status: serde_json::to_value(handle.status())?,
        throttle,
        error: result.err().map(|error| error.report().clone()),
    };
    let mut text = serde_json::to_string(&answer)?;
    text.push('\n');
    peer.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_its_owner_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.sock");
        let listener = bind_for_owner(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let peer = UnixStream::connect(&path).unwrap();
        drop(peer);
        assert!(listener.accept().is_ok());
    }

    #[test]
    fn only_a_socket_is_removed_and_each_has_a_lock_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orders.toml");
        fs::write(&file, "name = 1").unwrap();
        assert!(clear(&file).is_err());
        assert!(file.exists());
        let socket = folder.path().join("orders.sock");
        drop(UnixListener::bind(&socket).unwrap());
        assert!(clear(&socket).is_ok());
        assert!(!socket.exists());
        assert!(clear(&socket).is_ok(), "nothing is there");
        assert_ne!(lock_path(Path::new("x/o.1")), lock_path(Path::new("x/o.2")));
    }
}
