//! Files of a log, as the host opens them.
//!
//! A file is always ready to be read, so the reader asks the host before each read whether it is to go on: else it would hear of nothing until a batch is full.

use datain_capture::files::FileBytes;
use datain_contract::types::Error;
use datain_contract::{ErrorExt as _, INTERRUPTED};
use datain_mysql_client::{Stream as _, StreamError};
use datain_plugin_runtime::stream::HostStream;

/// The files behind an endpoint; one is open at a time.
pub struct HostFiles {
    endpoint: String,
    open: Option<(usize, HostStream)>,
}

impl HostFiles {
    /// Opens nothing yet.
    pub fn new(endpoint: String) -> Self {
        HostFiles {
            endpoint,
            open: None,
        }
    }
}

impl FileBytes for HostFiles {
    async fn read(&mut self, file: usize, to: &mut Vec<u8>) -> Result<usize, Error> {
        let mut stream = match self.open.take() {
            Some((open, stream)) if open == file => stream,
            _ => HostStream::connect(&format!("{}/{file}", self.endpoint)).map_err(failed)?,
        };
        stream.ready().await;
        let read = stream.read(to).await.map_err(failed)?;
        self.open = Some((file, stream));
        Ok(read)
    }
}

fn failed(error: StreamError) -> Error {
    if error.interrupted {
        return Error::retry(INTERRUPTED, error.message);
    }
    let mut failed = Error::fatal(&error.code, error.message);
    failed.hint = error.hint;
    failed
}
