//! Folders that nobody else can enter: for compiled components, which run as native code, and for the socket that takes orders.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

/// Makes the folder with mode 0700, or makes sure that one that is there is this user's alone.
///
/// # Errors
/// Why it cannot be used, in words.
pub(crate) fn make(folder: &Path) -> Result<(), String> {
    let show = folder.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| format!("failed to make {show}: {e}"))?;
    check(folder)
}

/// Makes sure that the folder is this user's alone.
///
/// # Errors
/// Why it is not, in words.
pub(crate) fn check(folder: &Path) -> Result<(), String> {
    let show = folder.display();
    let meta =
        fs::symlink_metadata(folder).map_err(|e| format!("failed to look at {show}: {e}"))?;
    if !meta.is_dir() {
        return Err(format!("{show} is not a folder"));
    }
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        return Err(format!(
            "{show} belongs to another user (uid {})",
            meta.uid()
        ));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(format!(
            "{show} is open to other users (mode {:o}, 700 is needed)",
            meta.mode() & 0o777
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_open_to_others_is_not_used() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("components");
        assert_eq!(make(&folder), Ok(()));
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
        let reason = make(&folder).unwrap_err();
        assert!(reason.contains("mode 750"), "{reason}");
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        assert!(make(&link).is_err());
    }
}
