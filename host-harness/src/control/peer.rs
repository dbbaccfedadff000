//! Who is at the other end of a socket, by the kernel's word.
//!
//! Permissions of files keep others out, as long as nobody loosens them. A configured socket may lie anywhere, so both ends also ask for the other's user.

use std::os::unix::net::UnixStream;

/// Makes sure that the peer is this user, or root, who may do everything anyway.
///
/// # Errors
/// Why it is not trusted, in words.
pub(super) fn check(socket: &UnixStream) -> Result<(), String> {
    let peer = rustix::net::sockopt::socket_peercred(socket)
        .map_err(|e| format!("failed to ask who is at the other end: {e}"))?;
    trusted(peer.uid.as_raw(), rustix::process::geteuid().as_raw())
}

fn trusted(peer: u32, me: u32) -> Result<(), String> {
    if peer == me || peer == 0 {
        return Ok(());
    }
    Err(format!(
        "another user (uid {peer}) is at the other end of the socket"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_user_and_root_are_trusted() {
        let (one, other) = UnixStream::pair().unwrap();
        assert_eq!(check(&one), Ok(()));
        assert_eq!(check(&other), Ok(()));
        assert_eq!(trusted(1000, 1000), Ok(()));
        assert_eq!(trusted(0, 1000), Ok(()));
        assert!(trusted(1001, 1000).unwrap_err().contains("uid 1001"));
        assert!(trusted(1000, 0).is_err());
    }
}
