//! Watching what no limit of the kernel covers: disk, silence, floods; and reading its counts.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::cgroup::Group;
use super::tree::{self, Use};
use super::{Error, Limit, Limits};

/// Between two looks.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// Looks between two counts of the disk: five seconds, or many times what the last one took.
const COUNT_TICKS: u32 = 50;
/// The first count comes soon, for programs that do not live long.
const FIRST_COUNT_TICKS: u32 = 5;

/// What is watched.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) limits: Limits,
    /// Trees that count together.
    pub(super) trees: Vec<PathBuf>,
    /// Touched when something passes a door.
    pub(super) pulse: Option<PathBuf>,
    /// Bytes said so far.
    pub(super) heard: Arc<AtomicU64>,
    /// Whether disk, silence and floods are watched, beside the kernel's counts.
    pub(super) all: bool,
    sign: (u64, Option<SystemTime>),
    idle: Duration,
    until_count: u32,
}

impl Watch {
    pub(super) fn new(limits: Limits, trees: Vec<PathBuf>, pulse: Option<PathBuf>) -> Self {
        let sign = (0, None);
        let heard = Arc::new(AtomicU64::new(0));
        let (idle, until_count) = (Duration::ZERO, FIRST_COUNT_TICKS);
        Self { limits, trees, pulse, heard, all: true, sign, idle, until_count }
    }

    /// Looks once, a [`TICK`] after the last time.
    pub(super) async fn look(&mut self, group: Option<&Group>) -> Result<Option<Limit>, Error> {
        if let Some(limit) = group.and_then(Group::breach) {
            return Ok(Some(limit));
        }
        if !self.all {
            return Ok(None);
        }
        let heard = self.heard.load(Ordering::Relaxed);
        if heard > self.limits.flood_bytes_max {
            return Ok(Some(Limit::Output));
        }
        let touched = self.pulse.as_ref().and_then(|path| path.metadata().ok()?.modified().ok());
        let sign = (heard, touched);
        self.idle = if sign == self.sign { self.idle + TICK } else { Duration::ZERO };
        self.sign = sign;
        if self.idle >= Duration::from_millis(self.limits.idle_ms_max) {
            return Ok(Some(Limit::Idle));
        }
        self.until_count = self.until_count.saturating_sub(1);
        if self.until_count == 0 {
            self.until_count = COUNT_TICKS;
            return self.count().await;
        }
        Ok(None)
    }

    /// Counts the disk once more, also after the end.
    pub(super) async fn count(&self) -> Result<Option<Limit>, Error> {
        if !self.all {
            return Ok(None);
        }
        let Limits { disk_bytes_max, disk_files_max, .. } = self.limits;
        let trees = self.trees.clone();
        let count = tokio::task::spawn_blocking(move || {
            trees.iter().fold(Use::default(), |sum, root| {
                let found = tree::measure(root, disk_bytes_max, disk_files_max);
                Use { bytes: sum.bytes + found.bytes, files: sum.files + found.files }
            })
        });
        let found = count.await.map_err(|fault| Error(fault.to_string()))?;
        Ok(if found.bytes > disk_bytes_max {
            Some(Limit::Disk)
        } else if found.files > disk_files_max {
            Some(Limit::Files)
        } else {
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ticks(watch: &mut Watch, count: u32) -> Option<Limit> {
        for _ in 0..count {
            if let Some(limit) = watch.look(None).await.unwrap() {
                return Some(limit);
            }
        }
        None
    }

    #[tokio::test]
    async fn silence_is_a_limit_and_any_sign_of_life_begins_it_anew() {
        let pulse = tempfile::NamedTempFile::new().unwrap();
        let limits = Limits { idle_ms_max: 500, ..Limits::default() };
        let mut watch = Watch::new(limits, Vec::new(), Some(pulse.path().to_owned()));
        assert_eq!(ticks(&mut watch, 5).await, None);
        watch.heard.fetch_add(1, Ordering::Relaxed);
        assert_eq!(ticks(&mut watch, 5).await, None);
        pulse.as_file().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(ticks(&mut watch, 5).await, None);
        assert_eq!(ticks(&mut watch, 1).await, Some(Limit::Idle));
    }

    #[tokio::test]
    async fn floods_and_full_disks_are_limits() {
        let tree = tempfile::tempdir().unwrap();
        let limits = Limits { disk_files_max: 2, flood_bytes_max: 9, ..Limits::default() };
        let mut watch = Watch::new(limits, vec![tree.path().to_owned()], None);
        assert_eq!(ticks(&mut watch, COUNT_TICKS).await, None);
        for name in ["a", "b", "c"] {
            std::fs::write(tree.path().join(name), vec![1; 20_000]).unwrap();
        }
        assert_eq!(ticks(&mut watch, COUNT_TICKS).await, Some(Limit::Files));
        watch.limits.disk_bytes_max = 10_000;
        assert_eq!(watch.count().await, Ok(Some(Limit::Disk)));
        watch.heard.fetch_add(10, Ordering::Relaxed);
        assert_eq!(ticks(&mut watch, 1).await, Some(Limit::Output));
        watch.all = false;
        assert_eq!(ticks(&mut watch, COUNT_TICKS).await, None);
    }
}
