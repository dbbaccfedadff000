//! Files for LOAD DATA, whose bytes stand in the log before the statement that reads them.

use std::collections::BTreeMap;

use datain_binlog::{ExecuteLoad, LoadBlock, LoadDuplicates};
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;

/// Files that no statement has read yet.
#[derive(Debug, Default)]
pub struct Files {
    files: BTreeMap<u32, Vec<u8>>,
    bytes: usize,
}

impl Files {
    /// Begins a file.
    ///
    /// # Errors
    /// As [`Files::append`].
    pub fn begin(&mut self, block: LoadBlock<'_>, limit: u64) -> Result<(), Error> {
        self.delete(block.file_id);
        self.files.insert(block.file_id, Vec::new());
        self.append(block, limit)
    }

    /// Adds to a file.
    ///
    /// # Errors
    /// `source.load-data` when the files come to more than `limit` bytes; `binlog.malformed` when the file was not begun.
    pub fn append(&mut self, block: LoadBlock<'_>, limit: u64) -> Result<(), Error> {
        let Some(file) = self.files.get_mut(&block.file_id) else {
            return Err(not_begun());
        };
        self.bytes += block.data.len();
        if self.bytes as u64 > limit {
            return Err(Error::fatal(
                "source.load-data",
                format!("the source logged a LOAD DATA as a statement, with a file of more than {} MiB, which is all that one may hold here", limit >> 20),
            )
            .hint("limits.max_row_mib sets how much that is; or load the same file into the target by hand, then skip the transaction"));
        }
        file.extend_from_slice(block.data);
        Ok(())
    }

    /// Takes out what a statement reads.
    ///
    /// # Errors
    /// `binlog.malformed` when the file was not begun.
    pub fn take(&mut self, file_id: u32) -> Result<Vec<u8>, Error> {
        let file = self.files.remove(&file_id).ok_or_else(not_begun)?;
        self.bytes -= file.len();
        Ok(file)
    }

    /// A file that is not read after all.
    pub fn delete(&mut self, file_id: u32) {
        if let Some(file) = self.files.remove(&file_id) {
            self.bytes -= file.len();
        }
    }
}

fn not_begun() -> Error {
    Error::fatal(
        "binlog.malformed",
        "the log names a file for LOAD DATA that it has not begun",
    )
}

/// The statement with LOCAL INFILE, and with what is said in the event about keys that are there.
pub fn local(load: &ExecuteLoad<'_>) -> Vec<u8> {
    let (begins, ends) = load.file_part;
    let sql = load.query.sql;
    let duplicates: &[u8] = match load.duplicates {
        LoadDuplicates::Error => b"",
        LoadDuplicates::Ignore => b" IGNORE",
        LoadDuplicates::Replace => b" REPLACE",
    };
    [
        &sql[..begins],
        b" LOCAL INFILE 'from the log'",
        duplicates,
        b" INTO",
        &sql[ends..],
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(file_id: u32, data: &[u8]) -> LoadBlock<'_> {
        LoadBlock { file_id, data }
    }

    #[test]
    fn a_file_is_what_its_blocks_hold() {
        let mut files = Files::default();
        files.begin(block(1, b"ab"), 6).unwrap();
        files.begin(block(2, b"x"), 6).unwrap();
        files.append(block(1, b"c"), 6).unwrap();
        assert_eq!(files.take(1).unwrap(), b"abc");
        assert_eq!(files.take(1).unwrap_err().code, "binlog.malformed");
        assert_eq!(
            files.append(block(1, b"c"), 6).unwrap_err().code,
            "binlog.malformed"
        );
        files.delete(2);
        files.begin(block(2, b"123456"), 6).unwrap();
        let error = files.append(block(2, b"7"), 6).unwrap_err();
        assert_eq!(error.code, "source.load-data");
        assert!(error.hint.is_some());
    }
}
