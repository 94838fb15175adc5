//! Unix sockets that are lent to a sandbox: each alone in a directory of its own.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Bytes of chance in the name of a directory.
const NAME_BYTES: usize = 16;

/// A socket that is there until this is dropped.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    /// Removed with it.
    _directory: tempfile::TempDir,
}

impl Socket {
    /// Listens on a new socket called `name`. Run by root, programs in sandboxes are somebody
    /// else, who has to reach it: its directory's name cannot be guessed or listed, and who finds
    /// it has no more than he is lent.
    pub fn bind(name: &str) -> io::Result<(Self, UnixListener)> {
        let by_root = rustix::process::geteuid().is_root();
        let (reach, use_) = if by_root { (0o711, 0o666) } else { (0o700, 0o600) };
        let directory = tempfile::Builder::new()
            .prefix(&format!("slipway-{name}-"))
            .rand_bytes(NAME_BYTES)
            .permissions(Permissions::from_mode(reach))
            .tempdir()?;
        let path = directory.path().join(name);
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, Permissions::from_mode(use_))?;
        Ok((Self { path, _directory: directory }, listener))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_found_by_who_is_told_and_gone_with_its_owner() {
        let (socket, _listener) = Socket::bind("trial").unwrap();
        let path = socket.path().to_owned();
        let directory = path.parent().unwrap().to_owned();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory) & 0o066, 0, "nobody else lists or changes it");
        assert!(mode(&path) == 0o666 || mode(&path) == 0o600);
        drop(socket);
        assert!(!directory.exists());
    }
}
