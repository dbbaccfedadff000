//! Where a pipeline's socket may be.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use crate::config::Config;

/// The sockets at which a host of this pipeline may take orders. A host takes the first.
pub(super) fn sockets(config: &Config) -> Vec<PathBuf> {
    if let Some(path) = &config.control_socket {
        return vec![path.clone()];
    }
    let identity = format!("{}\n{}", config.name, config.target_address());
    let hash: String = digest(&SHA256, identity.as_bytes()).as_ref()[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = format!("{}-{hash}.sock", config.name);
    folders(
        std::env::var_os("XDG_RUNTIME_DIR"),
        &std::env::temp_dir(),
        rustix::process::geteuid().as_raw(),
    )
    .into_iter()
    .map(|folder| folder.join(&name))
    .collect()
}

/// This environment's folder first, then those that other environments of the user give: with XDG_RUNTIME_DIR, as a login or a user's service has it, without it,
/// and without TMPDIR.
fn folders(runtime: Option<OsString>, temporary: &Path, user: u32) -> Vec<PathBuf> {
    let own = format!("datain-{user}");
    let mut folders = Vec::new();
    let runtime = runtime.filter(|folder| !folder.is_empty());
    folders.extend(runtime.map(|folder| PathBuf::from(folder).join("datain")));
    folders.push(temporary.join(&own));
    folders.push(PathBuf::from(format!("/run/user/{user}/datain")));
    folders.push(PathBuf::from("/tmp").join(&own));
    let mut once = Vec::new();
    for folder in folders {
        if !once.contains(&folder) {
            once.push(folder);
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_environment_of_a_user_looks_where_the_others_listen() {
        let check = |runtime: Option<&str>, temporary: &str, expected: &[&str]| {
            let found = folders(runtime.map(OsString::from), Path::new(temporary), 7);
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(found, expected);
        };
        check(None, "/tmp", &["/tmp/datain-7", "/run/user/7/datain"]);
        check(Some(""), "/tmp", &["/tmp/datain-7", "/run/user/7/datain"]);
        check(
            Some("/run/user/7"),
            "/tmp",
            &["/run/user/7/datain", "/tmp/datain-7"],
        );
        check(
            Some("/x"),
            "/var/tmp",
            &[
                "/x/datain",
                "/var/tmp/datain-7",
                "/run/user/7/datain",
                "/tmp/datain-7",
            ],
        );
    }
}
