//! A file that a sink writes: appended to, and committed together with a note.
//!
//! Beside the file `FILE` lie `FILE.note` and `FILE.lock`. The note holds how long the file was at the newest commit, a digest of its last bytes then, and the plugin's own bytes. A commit
//! syncs the file first and then puts a new note in the old one's place: a rename that is synced too. So whatever a crash leaves behind the noted length was never committed, and is cut
//! off at the next opening; what is before it is there, byte for byte.
//!
//! Three things are never done: a file that was there before and has no note is not touched; a file that is shorter than its note says, or has other bytes where the commit ended,
//! is not cut; and two writers do not have the file at once, since each holds a lock on `FILE.lock` for as long as it lives. A file that is gone was moved away, as a log is when it is rotated: the
//! note says that it had been committed, and a new one begins.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use rustix::fs::{FlockOperation, flock};

/// The first bytes of a note; the number is the format's version.
const MAGIC: &[u8] = b"datain-note 1\n";
const DIGEST_LEN: usize = 32;
/// How many of the file's last bytes the note knows.
const TAIL: u64 = 4096;
/// The largest note of a plugin.
pub(crate) const NOTE_MAX: usize = 16 << 20;

/// What went wrong, in the contract's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
}

/// See the module.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    file: File,
    /// Bytes in the file, committed or not.
    length: u64,
    /// The last of them, at most [`TAIL`].
    tail: Vec<u8>,
    note: Option<Vec<u8>>,
    /// Held, not used.
    _lock: File,
}

/// What the note's file says.
#[derive(Debug, PartialEq, Eq)]
struct Noted {
    length: u64,
    tail: [u8; DIGEST_LEN],
    note: Option<Vec<u8>>,
}

impl OutputFile {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let lock = lock(path)?;
        let noted = read_note(path)?;
        let opened = open(path);
        let (file, found) = opened
            .and_then(|file| file.metadata().map(|meta| (file, meta.len())))
            .map_err(|e| failed("open", path, &e))?;
        let mut output = Self {
            path: path.to_owned(),
            file,
            length: 0,
            tail: Vec::new(),
            note: None,
            _lock: lock,
        };
        let Some(noted) = noted else {
            if found > 0 {
                return Err(other(
                    path,
                    "it was there before, and no note says that datain wrote it",
                ));
            }
            // From now on the file is datain's, also if the process ends before the first commit.
            output.sync().map_err(|e| failed("write", path, &e))?;
            return Ok(output);
        };
        if found == 0 && noted.length > 0 {
            tracing::info!(file = %path.display(), "the file was moved away since the last commit, or emptied: a new one begins");
        } else if found < noted.length {
            return Err(other(path, "it is shorter than it was at the last commit"));
        } else {
            output.take_up(&noted, found)?;
        }
        output.note = noted.note;
        Ok(output)
    }

    pub(crate) fn note(&self) -> Option<&[u8]> {
        self.note.as_deref()
    }

    pub(crate) fn append(&mut self, data: &[u8]) -> Result<(), Failure> {
        self.file
            .write_all(data)
            .map_err(|e| failed("write", &self.path, &e))?;
        self.length += data.len() as u64;
        let most = TAIL as usize;
        self.tail
            .extend_from_slice(&data[data.len().saturating_sub(most)..]);
        let surplus = self.tail.len().saturating_sub(most);
        self.tail.drain(..surplus);
        Ok(())
    }

    pub(crate) fn commit(&mut self, note: &[u8]) -> Result<(), Failure> {
        if note.len() > NOTE_MAX {
            return Err(Failure {
                code: "file.failed",
                message: format!("a note of {} bytes is too long", note.len()),
                hint: None,
            });
        }
        self.note = Some(note.to_owned());
        self.sync().map_err(|e| failed("write", &self.path, &e))
    }

    /// Checks that the file goes on from where the note ends, and cuts off what was not committed.
    fn take_up(&mut self, noted: &Noted, found: u64) -> Result<(), Failure> {
        let path = self.path.clone();
        let from = noted.length.saturating_sub(TAIL);
        let read = (|| {
            let mut tail = Vec::new();
            self.file.seek(SeekFrom::Start(from))?;
            (&self.file)
                .take(noted.length - from)
                .read_to_end(&mut tail)?;
            Ok(tail)
        })();
        self.tail = read.map_err(|e| failed("read", &path, &e))?;
        if digest(&[&self.tail]) != noted.tail {
            return Err(other(
                &path,
                "it has other bytes where the last commit ended",
            ));
        }
        self.length = noted.length;
        if found > noted.length {
            tracing::info!(file = %path.display(), bytes = found - noted.length, "what was not committed is cut off");
            let cut = self
                .file
                .set_len(noted.length)
                .and_then(|()| self.file.sync_all());
            cut.map_err(|e| failed("cut", &path, &e))?;
        }
        Ok(())
    }

    /// The file, then the note, then the folder's entry of it.
    fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        let noted = Noted {
            length: self.length,
            tail: digest(&[&self.tail]),
            note: self.note.clone(),
        };
        let partial = beside(&self.path, "note.partial");
        let mut file = File::create(&partial)?;
        file.write_all(&noted.to_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, beside(&self.path, "note"))?;
        File::open(folder(&self.path))?.sync_all()
    }
}

/// The note of the file's newest commit; none before the first.
pub(crate) fn note_of(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    Ok(read_note(path)?.and_then(|noted| noted.note))
}

impl Noted {
    fn to_bytes(&self) -> Vec<u8> {
        let length = self.length.to_le_bytes();
        let present = [u8::from(self.note.is_some())];
        let parts: [&[u8]; 4] = [
            &length,
            &self.tail,
            &present,
            self.note.as_deref().unwrap_or_default(),
        ];
        [MAGIC, &digest(&parts)[..], &parts.concat()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (whole, rest) = bytes
            .strip_prefix(MAGIC)?
            .split_first_chunk::<DIGEST_LEN>()?;
        if digest(&[rest]) != *whole {
            return None;
        }
        let (length, rest) = rest.split_first_chunk()?;
        let (tail, rest) = rest.split_first_chunk()?;
        let (present, note) = rest.split_first()?;
        Some(Self {
            length: u64::from_le_bytes(*length),
            tail: *tail,
            note: (*present == 1).then(|| note.to_owned()),
        })
    }
}

fn read_note(path: &Path) -> Result<Option<Noted>, Failure> {
    let place = beside(path, "note");
    match fs::read(&place) {
        Ok(bytes) => Noted::from_bytes(&bytes)
            .map(Some)
            .ok_or_else(|| other(&place, "it is no note of datain's, or a damaged one")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed("read", &place, &e)),
    }
}

fn lock(path: &Path) -> Result<File, Failure> {
    let place = beside(path, "lock");
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&place)
        .map_err(|e| failed("open", &place, &e))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::AGAIN) => Err(Failure {
            code: "file.in-use",
            message: format!("another writer has {} open", path.display()),
            hint: Some("end the other host that writes this file"),
        }),
        Err(errno) => Err(failed("lock", &place, &errno.into())),
    }
}

/// Opened to append: every write goes to the end, wherever reads were.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no ordinary file"))
    }
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    PathBuf::from(name)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn digest(parts: &[&[u8]]) -> [u8; DIGEST_LEN] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; DIGEST_LEN];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure {
        code: "file.failed",
        message: format!("failed to {doing} {}: {error}", path.display()),
        hint: Some("is the disk full, and may this user write there?"),
    }
}

fn other(path: &Path, found: &str) -> Failure {
    Failure {
        code: "file.other",
        message: format!(
            "{} is not the file that datain left: {found}",
            path.display()
        ),
        hint: Some("name another file, or move this one away with its .note"),
    }
}

#[cfg(test)]
mod tests;
