//! One session that stays open: for concurrent writers and for transactions over several calls.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout},
};

use crate::{Distribution, Error, Result, sql};

/// A client process with one session. A failed statement ends the session, as the server would at a lost connection: an
/// open transaction is rolled back, and the next [`Client::execute`] begins a new session.
#[derive(Debug)]
pub struct Client {
    distribution: Distribution,
    option_file: PathBuf,
    session: Option<Session>,
    count: u64,
}

#[derive(Debug)]
struct Session {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Client {
    pub(crate) fn new(distribution: Distribution, option_file: PathBuf) -> Self {
        Self {
            distribution,
            option_file,
            session: None,
            count: 0,
        }
    }

    /// Runs statements in this session and waits for their end. Returns the client's batch output: a line of column names
    /// and a line per row for each statement that has rows, tabs and line ends in values escaped with a backslash, NULL as
    /// the word NULL.
    ///
    /// # Errors
    /// The server's first error; the statements after it are not run.
    pub fn execute(&mut self, statements: &str) -> Result<String> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => Session::open(&self.distribution, &self.option_file)?,
        };
        self.count += 1;
        let mark = format!("datain-done-{}", self.count);
        let end = statements.trim_end().trim_end_matches(';');
        // A column name is a line of its own in batch mode: the value's line is the one that counts.
        let text = format!("{end};\nSELECT '{mark}' AS done;\n");
        match session.round_trip(&text, &mark) {
            Some(output) => {
                self.session = Some(session);
                Ok(output)
            }
            None => Err(session.last_words()),
        }
    }
}

impl Session {
    fn open(distribution: &Distribution, option_file: &std::path::Path) -> Result<Self> {
        let mut command = sql::client(distribution, option_file)?;
        command.args(["--batch", "--unbuffered", "--skip-reconnect"]);
        let mut child = command.spawn().map_err(sql::not_started(&command))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Sql {
                message: "the client has no pipes".to_owned(),
            });
        };
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        })
    }

    /// None when the client has ended.
    fn round_trip(&mut self, text: &str, mark: &str) -> Option<String> {
        self.stdin
            .write_all(text.as_bytes())
            .and_then(|()| self.stdin.flush())
            .ok()?;
        let mut output = Vec::new();
        loop {
            let start = output.len();
            if self.stdout.read_until(b'\n', &mut output).ok()? == 0 {
                return None;
            }
            if output[start..].trim_ascii_end() == mark.as_bytes() {
                let text = String::from_utf8_lossy(&output[..start]).into_owned();
                return Some(
                    text.strip_suffix("done\n")
                        .map(str::to_owned)
                        .unwrap_or(text),
                );
            }
        }
    }

    fn last_words(mut self) -> Error {
        let mut message = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let _ = stderr.read_to_string(&mut message);
        }
        Error::Sql {
            message: message.trim().to_owned(),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The server rolls back what was open. Both fail only when the client has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
