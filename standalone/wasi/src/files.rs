//! Files, by the names that the runtime gives the folders which it lets the program see.

use crate::bindings::wasi::filesystem::preopens;
use crate::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags,
};

/// A larger file is none that this program reads.
const LARGEST: usize = 16 << 20;
/// What is read at once.
const PIECE: u64 = 64 << 10;

/// Reads a whole file.
///
/// # Errors
/// A sentence's end: why it cannot be read.
pub fn read(path: &str) -> Result<Vec<u8>, String> {
    let path = normal(path);
    let folders = preopens::get_directories();
    let Some((folder, rest)) = inside(&folders, &path) else {
        return Err("the runtime shows the program no folder that it could be in".to_owned());
    };
    let file = folder
        .open_at(
            PathFlags::SYMLINK_FOLLOW,
            &rest,
            OpenFlags::empty(),
            DescriptorFlags::READ,
        )
        .map_err(reason)?;
    let mut bytes = Vec::new();
    loop {
        let (piece, ended) = file.read(PIECE, bytes.len() as u64).map_err(reason)?;
        bytes.extend_from_slice(&piece);
        if bytes.len() > LARGEST {
            return Err(format!("it is larger than {} MiB", LARGEST >> 20));
        }
        if ended || piece.is_empty() {
            return Ok(bytes);
        }
    }
}

/// The folder with the longest name that the path is in, and the path from there.
fn inside<'a>(folders: &'a [(Descriptor, String)], path: &str) -> Option<(&'a Descriptor, String)> {
    let names = folders.iter().map(|(_, name)| name.as_str());
    let (at, rest) = longest(names, path)?;
    Some((&folders.get(at)?.0, rest))
}

fn longest<'a>(names: impl Iterator<Item = &'a str>, path: &str) -> Option<(usize, String)> {
    let mut best: Option<(usize, usize, String)> = None;
    for (at, name) in names.enumerate() {
        let name = normal(name);
        let rest = if name == "." {
            (!path.starts_with('/')).then_some(path)
        } else if name == "/" {
            path.strip_prefix('/')
        } else {
            path.strip_prefix(&name)
                .and_then(|rest| rest.strip_prefix('/'))
        };
        if let Some(rest) = rest
            && best
                .as_ref()
                .is_none_or(|(length, ..)| name.len() > *length)
        {
            best = Some((name.len(), at, rest.to_owned()));
        }
    }
    best.map(|(_, at, rest)| (at, rest))
}

/// Without `.` and empty parts; `..` takes a part away where there is one.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match (path.starts_with('/'), joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn reason(code: ErrorCode) -> String {
    match code {
        ErrorCode::NoEntry => "there is no such file".to_owned(),
        ErrorCode::Access | ErrorCode::NotPermitted => "it may not be read".to_owned(),
        ErrorCode::IsDirectory => "it is a folder".to_owned(),
        other => format!("the runtime says {}", other.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_the_folders_that_are_seen() {
        let check = |names: &[&str], path: &str, expected: Option<(usize, &str)>| {
            let found = longest(names.iter().copied(), &normal(path));
            assert_eq!(
                found,
                expected.map(|(at, rest)| (at, rest.to_owned())),
                "{path}"
            );
        };
        check(&["."], "./a/b.toml", Some((0, "a/b.toml")));
        check(&["."], "a/../b.toml", Some((0, "b.toml")));
        check(&["."], "/etc/b.toml", None);
        check(&[".", "/etc", "/"], "/etc/b.toml", Some((1, "b.toml")));
        check(&["conf", "."], "conf/b.toml", Some((0, "b.toml")));
        check(&["/conf"], "/configs/b.toml", None);
        check(&["/conf/"], "/conf//x/./b.toml", Some((0, "x/b.toml")));
        check(&["."], "../b.toml", Some((0, "../b.toml")));
        check(&[], "b.toml", None);
    }
}
