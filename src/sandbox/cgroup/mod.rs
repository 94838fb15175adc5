//! Control groups: what a tree of processes may use, and its certain end. Files only.
//!
//! Groups are made below our own, so that what bounds Slipway bounds its programs too. On
//! machines with the second version one directory does everything; with the first, or both,
//! every controller has a directory of its own. Where we may make none, programs run without,
//! and what is missing is said.

mod find;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Limit, Limits, owner};

/// A period of the processor's time, in microseconds.
const PERIOD_US: u64 = 100_000;
/// How often the members of a group are looked for when it is ended; each time, more could
/// only have been forked since.
const KILLS_MAX: u32 = 100;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Where groups are made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cgroups {
    /// The second version with all three controllers.
    unified: Option<PathBuf>,
    /// The first version, each alone.
    memory: Option<PathBuf>,
    pids: Option<PathBuf>,
    cpu: Option<PathBuf>,
    /// The second version beside the first: it can only end a group.
    end: Option<PathBuf>,
}

/// One group, with a directory for each hierarchy. Dropping it ends its members.
#[derive(Debug)]
pub(super) struct Group {
    directories: Vec<PathBuf>,
    memory: Option<PathBuf>,
    pids: Option<PathBuf>,
}

impl Cgroups {
    /// What this machine offers us.
    pub(super) fn find() -> Self {
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        find::find(Path::new("/sys/fs/cgroup"), &own)
    }

    pub(super) fn bounds_memory(&self) -> bool {
        self.unified.is_some() || self.memory.is_some()
    }

    pub(super) fn bounds_pids(&self) -> bool {
        self.unified.is_some() || self.pids.is_some()
    }

    pub(super) fn bounds_cpu(&self) -> bool {
        self.unified.is_some() || self.cpu.is_some()
    }

    /// Such as `control groups v1: memory, pids, cpu`; `None` where there are none.
    pub(super) fn describe(&self) -> Option<String> {
        let parts = [
            (self.bounds_memory(), "memory"),
            (self.bounds_pids(), "pids"),
            (self.bounds_cpu(), "cpu"),
        ];
        let parts: Vec<_> = parts.iter().filter(|(there, _)| *there).map(|(_, n)| *n).collect();
        let version = if self.unified.is_some() { "v2" } else { "v1" };
        (!parts.is_empty()).then(|| format!("control groups {version}: {}", parts.join(", ")))
    }

    fn bases(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.unified, &self.memory, &self.pids, &self.cpu, &self.end].into_iter().flatten()
    }

    /// Makes a group with these limits; it has no members yet.
    pub(super) fn create(&self, limits: &Limits) -> io::Result<Group> {
        let name = owner::name();
        let mut group = Group { directories: Vec::new(), memory: None, pids: None };
        let mut bases: Vec<&PathBuf> = self.bases().collect();
        bases.sort_unstable();
        bases.dedup();
        for base in bases {
            let directory = base.join(&name);
            std::fs::create_dir(&directory)?;
            group.directories.push(directory);
        }
        let below = |base: &Option<PathBuf>| base.as_ref().map(|base| base.join(&name));
        if let Some(all) = below(&self.unified) {
            let quota = quota_us(limits);
            set(&all, "memory.max", &limits.memory_bytes_max)?;
            set(&all, "pids.max", &limits.pids_max)?;
            set(&all, "cpu.max", &format!("{quota} {PERIOD_US}"))?;
            // Without swap, or on a kernel before 4.19, there is no such file.
            drop(set(&all, "memory.swap.max", &0));
            drop(set(&all, "memory.oom.group", &1));
            (group.memory, group.pids) = (Some(all.clone()), Some(all));
            return Ok(group);
        }
        if let Some(memory) = below(&self.memory) {
            set(&memory, "memory.limit_in_bytes", &limits.memory_bytes_max)?;
            // Only where swap is accounted.
            drop(set(&memory, "memory.memsw.limit_in_bytes", &limits.memory_bytes_max));
            group.memory = Some(memory);
        }
        if let Some(pids) = below(&self.pids) {
            set(&pids, "pids.max", &limits.pids_max)?;
            group.pids = Some(pids);
        }
        if let Some(cpu) = below(&self.cpu) {
            set(&cpu, "cpu.cfs_period_us", &PERIOD_US)?;
            set(&cpu, "cpu.cfs_quota_us", &quota_us(limits))?;
        }
        Ok(group)
    }

    /// Ends and removes the groups that a killed Slipway left; how many.
    pub(super) fn reap(&self) -> usize {
        let mut reaped = 0;
        for base in self.bases() {
            for orphan in owner::orphans(base) {
                let group = Group { directories: vec![orphan], memory: None, pids: None };
                group.end();
                reaped += 1;
            }
        }
        reaped
    }
}

impl Group {
    /// What a process writes itself into.
    pub(super) fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// What its members ran out of, as the kernel counted.
    pub(super) fn breach(&self) -> Option<Limit> {
        let count = |directory: &Option<PathBuf>, files: &[&str], word: &str| {
            let directory = directory.as_ref()?;
            let text =
                files.iter().find_map(|f| std::fs::read_to_string(directory.join(f)).ok())?;
            let line = text.lines().find_map(|line| line.strip_prefix(word))?;
            line.trim().parse::<u64>().ok()
        };
        let killed = count(&self.memory, &["memory.events", "memory.oom_control"], "oom_kill ");
        let refused = count(&self.pids, &["pids.events"], "max ");
        match (killed, refused) {
            (Some(1..), _) => Some(Limit::Memory),
            (_, Some(1..)) => Some(Limit::Pids),
            (Some(0) | None, Some(0) | None) => None,
        }
    }

    /// Ends every member, and returns when none is left (or cannot be ended).
    pub(super) fn kill(&self) {
        for directory in &self.directories {
            // Only the second version has this file.
            drop(set(directory, "cgroup.kill", &1));
        }
        for _ in 0..KILLS_MAX {
            let members: Vec<Pid> = self.directories.iter().flat_map(|d| members(d)).collect();
            if members.is_empty() {
                return;
            }
            for member in members {
                // One that ended meanwhile is what was wanted.
                let _found = kill_process(member, Signal::KILL).is_ok();
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Ends every member and removes the group.
    pub(super) fn end(&self) {
        self.kill();
        for directory in &self.directories {
            for _ in 0..KILLS_MAX {
                if !directory.exists() || std::fs::remove_dir(directory).is_ok() {
                    break;
                }
                // The dead leave a group when they are reaped.
                std::thread::sleep(PAUSE);
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

fn members(directory: &Path) -> Vec<Pid> {
    let text = std::fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?)).collect()
}

fn set(directory: &Path, file: &str, value: &impl ToString) -> io::Result<()> {
    let path = directory.join(file);
    let open = std::fs::OpenOptions::new().write(true).open(&path);
    let written =
        open.and_then(|mut open| io::Write::write_all(&mut open, value.to_string().as_bytes()));
    written.map_err(|why| io::Error::new(why.kind(), format!("{}: {why}", path.display())))
}

fn quota_us(limits: &Limits) -> u64 {
    (u64::from(limits.cpu_percent_max) * PERIOD_US / 100).max(1_000)
}
