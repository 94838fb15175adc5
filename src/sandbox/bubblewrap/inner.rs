//! The mode inside: opens the doors, gives up what is left to give up, becomes the program.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::relay;
use crate::process::{detached, replace};

/// The hidden subcommand. Container runtimes may start it, too:
/// `sandbox-inner [--door PORT SOCKET]… [--write DIR]… [--landlock] -- PROGRAM ARGS`.
pub const SUBCOMMAND: &str = "sandbox-inner";
/// The newest rules we know; an older kernel enforces what it knows of them.
const RULES: ABI = ABI::V7;
/// Exit status when the program cannot be started, as shells do it.
pub const NOT_STARTED: u8 = 127;

/// What to do; made and read by this file alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Inner {
    /// Ports of loopback and the sockets behind them.
    pub(super) doors: Vec<(u16, PathBuf)>,
    /// Touched when something passes a door.
    pub(super) pulse: Option<PathBuf>,
    pub(super) landlock: bool,
    /// Where it may write, for Landlock.
    pub(super) write: Vec<PathBuf>,
    /// Most processes, where no control group counts them.
    pub(super) pids_max: Option<u32>,
    /// Say on standard error what the kernel enforces.
    pub(super) tell: bool,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
}

impl Inner {
    /// As arguments of our own binary.
    pub(super) fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![SUBCOMMAND.into()];
        for (port, socket) in &self.doors {
            words.extend(["--door".into(), port.to_string().into(), socket.into()]);
        }
        for path in &self.write {
            words.extend(["--write".into(), path.into()]);
        }
        if let Some(pulse) = &self.pulse {
            words.extend(["--pulse".into(), pulse.into()]);
        }
        if let Some(most) = self.pids_max {
            words.extend(["--pids".into(), most.to_string().into()]);
        }
        for (given, flag) in [(self.landlock, "--landlock"), (self.tell, "--tell")] {
            words.extend(given.then(|| flag.into()));
        }
        words.extend(["--".into(), (&self.program).into()]);
        words.extend(self.args.iter().cloned());
        words
    }

    fn read(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut read = Self::default();
        loop {
            match words.next()?.to_str()? {
                "--door" => {
                    let port = words.next()?.to_str()?.parse().ok()?;
                    read.doors.push((port, words.next()?.into()));
                }
                "--write" => read.write.push(words.next()?.into()),
                "--pulse" => read.pulse = Some(words.next()?.into()),
                "--pids" => read.pids_max = Some(words.next()?.to_str()?.parse().ok()?),
                "--landlock" => read.landlock = true,
                "--tell" => read.tell = true,
                "--" => break,
                _unknown => return None,
            }
        }
        read.program = words.next()?.into();
        read.args = words.collect();
        Some(read)
    }
}

/// Never returns but with the reason why not.
pub fn inner(myself: &OsStr, words: impl Iterator<Item = OsString>) -> String {
    let Some(inner) = Inner::read(words) else { return "these are no orders".to_owned() };
    if let Err(why) = prepare(myself, &inner) {
        return why;
    }
    format!("{}: {}", inner.program.display(), replace(&inner.program, &inner.args, None))
}

#[expect(clippy::print_stderr, reason = "the probe reads it there")]
fn prepare(myself: &OsStr, inner: &Inner) -> Result<(), String> {
    if let Some(most) = inner.pids_max.map(u64::from) {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(Resource::Nproc, limit)
            .map_err(|why| format!("the limit of processes: {why}"))?;
    }
    for (port, socket) in &inner.doors {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, *port))
            .map_err(|why| format!("door {port}: {why}"))?;
        let mut words = vec![myself, OsStr::new(relay::SUBCOMMAND), socket.as_os_str()];
        words.extend(inner.pulse.as_ref().map(|pulse| pulse.as_os_str()));
        detached(&words, listener.into()).map_err(|why| format!("door {port}: {why}"))?;
    }
    if inner.landlock {
        let told = enforce(&inner.write).map_err(|why| format!("Landlock: {why}"))?;
        if inner.tell {
            eprintln!("{}", enforced(told.landlock));
        }
    }
    Ok(())
}

/// Everything that is visible may be read and run; what is named may be written; signals and
/// abstract sockets stay inside. On kernels without it nothing happens.
fn enforce(write: &[PathBuf]) -> Result<RestrictionStatus, RulesetError> {
    Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .add_rules(path_beneath_rules([Path::new("/")], AccessFs::from_read(RULES)))?
        .add_rules(path_beneath_rules(write, AccessFs::from_all(RULES)))?
        .restrict_self()
}

/// The line the probe looks for.
fn enforced(status: LandlockStatus) -> String {
    match status {
        LandlockStatus::NotEnabled => "landlock: not enabled".to_owned(),
        LandlockStatus::NotImplemented => "landlock: not in this kernel".to_owned(),
        LandlockStatus::Available { effective_abi, kernel_abi } => {
            let abi = kernel_abi.unwrap_or(effective_abi as i32);
            format!("landlock: ABI {abi}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_survive_the_command_line() {
        let inner = Inner {
            doors: vec![(3_128, "/run/sbx/sock/3128".into())],
            pulse: Some("/run/sbx/pulse".into()),
            landlock: true,
            write: vec!["/workspace".into()],
            pids_max: Some(64),
            tell: true,
            program: "/usr/bin/env".into(),
            args: vec!["--landlock".into(), "--".into()],
        };
        let mut words = inner.words().into_iter();
        assert_eq!(words.next().unwrap(), SUBCOMMAND);
        assert_eq!(Inner::read(words), Some(inner));
        assert_eq!(
            Inner::read(["--door", "x", "y", "--", "p"].map(OsString::from).into_iter()),
            None
        );
    }
}
