//! The contract's `output-file` over [`crate::output_file`]. An instance has one file, and one handle to it at a time.

use std::path::PathBuf;

use wasmtime::component::Resource;

use crate::bindings::output_file::{Host, HostFile};
use crate::bindings::types::{Disposition, Error};
use crate::output_file::{Failure, OutputFile, note_of};
use crate::plugin::PluginState;

/// The handle's number: there is one.
const HANDLE: u32 = 0;

/// The file that an instance may write.
#[derive(Debug)]
pub(in crate::plugin) struct Output {
    path: Option<PathBuf>,
    file: Option<OutputFile>,
}

impl Output {
    pub(in crate::plugin) fn new(path: Option<PathBuf>) -> Self {
        Self { path, file: None }
    }

    fn file(&mut self) -> wasmtime::Result<&mut OutputFile> {
        let file = self.file.as_mut();
        file.ok_or_else(|| wasmtime::Error::msg("a file's handle leads nowhere"))
    }
}

impl PluginState {
    fn output_path(&self, endpoint: &str) -> Result<PathBuf, Error> {
        let own = self.role.endpoint();
        match &self.output.path {
            Some(path) if endpoint == own => Ok(path.clone()),
            Some(_) => Err(unknown(format!(
                "this plugin may write the endpoint {own:?} only, not {endpoint:?}"
            ))),
            None => Err(unknown(
                "the sink writes a file, and the configuration names none".to_owned(),
            )),
        }
    }
}

impl HostFile for PluginState {
    fn open(&mut self, endpoint: String) -> wasmtime::Result<Result<Resource<OutputFile>, Error>> {
        let opened = self
            .output_path(&endpoint)
            .and_then(|path| OutputFile::open(&path).map_err(error));
        Ok(opened.map(|file| {
            // The lock has seen to it that no other is open.
            self.output.file = Some(file);
            Resource::new_own(HANDLE)
        }))
    }

    fn note(&mut self, _: Resource<OutputFile>) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.output.file()?.note().map(<[u8]>::to_vec))
    }

    fn append(
        &mut self,
        _: Resource<OutputFile>,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.output.file()?.append(&data).map_err(error))
    }

    fn commit(
        &mut self,
        _: Resource<OutputFile>,
        note: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.output.file()?.commit(&note).map_err(error))
    }

    fn drop(&mut self, _: Resource<OutputFile>) -> wasmtime::Result<()> {
        self.output.file = None;
        Ok(())
    }
}

impl Host for PluginState {
    fn note_of(&mut self, endpoint: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(self
            .output_path(&endpoint)
            .and_then(|path| note_of(&path).map_err(error)))
    }
}

fn unknown(message: String) -> Error {
    let mut error = error(Failure {
        code: "config.endpoint-unknown",
        message,
        hint: Some("[target] file = \"…\" names it"),
    });
    error.disposition = Disposition::Reconfigure;
    error
}

fn error(failure: Failure) -> Error {
    let disposition = match failure.code {
        // A host that was killed may not have gone yet.
        "file.in-use" => Disposition::Retry,
        "file.other" => Disposition::Fatal,
        _ => Disposition::Reconfigure,
    };
    Error {
        disposition,
        code: failure.code.to_owned(),
        message: failure.message,
        detail: None,
        hint: failure.hint.map(str::to_owned),
        server_errno: None,
        sqlstate: None,
        position: None,
        gtid: None,
        table: None,
    }
}
