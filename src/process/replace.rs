//! Becoming another program: the last step of the modes that stand between us and a stranger.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Becomes `program` with this environment and these standard streams, as the user and group
/// `become_id` without any further group when given. Returns only when that fails.
pub fn replace(program: &Path, args: &[OsString], become_id: Option<u32>) -> io::Error {
    #[expect(clippy::disallowed_methods, reason = "this is where processes start")]
    let mut command = Command::new(program);
    command.args(args);
    if let Some(id) = become_id {
        command.uid(id).gid(id);
    }
    command.exec()
}

/// Starts `args` with `stdin` as a process that is not our child: whoever we become next does
/// not know of it and cannot wait for it.
pub fn detached(args: &[&OsStr], stdin: OwnedFd) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "this is where processes start")]
    let mut command = Command::new("/bin/sh");
    // A shell gives /dev/null to what it starts in the background, unless told otherwise. What
    // the program is asked by to end is not meant for what serves it.
    let script = "exec 3<&0; trap '' INT TERM; \"$@\" <&3 3<&- &";
    command.args(["-c", script, "sh"]).args(args).env_clear();
    let started = command.stdin(stdin).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    started.success().then_some(()).ok_or_else(|| io::Error::other("/bin/sh does not start it"))
}
