//! Keeps other processes from looking into this one, and its memory off the disk.

use anyhow::Context;
use rustix::process::{Resource, Rlimit, setrlimit};

/// From here on no debugger of the same user can attach, nobody but root can read this process'
/// memory and environment below `/proc`, and a crash leaves no core file. Programs that are
/// started from here are ordinary again.
pub(super) fn hide() -> anyhow::Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).context("core files cannot be turned off")?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .context("this process cannot be hidden")?;
    Ok(())
}
