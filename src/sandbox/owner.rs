//! Whose something is: a tag in names, by which what a killed Slipway left behind is known.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Names of run directories and control groups begin with this.
const PREFIX: &str = "slipway-run-";

/// A name nobody else uses: our process, when it began, and a number.
pub(super) fn name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (space, id) = (space(), std::process::id());
    let began = began(id).unwrap_or_default();
    format!("{PREFIX}{space}-{id}-{began}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Whether `name` is one of ours whose process is over.
pub(super) fn orphaned(name: &str) -> bool {
    let Some(tag) = name.strip_prefix(PREFIX) else { return false };
    let mut parts = tag.split('-');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (Some(there), Some(id), Some(then)) = (number(), number(), number()) else { return false };
    // Whoever counts processes in another way cannot tell who is alive there.
    there == space() && u32::try_from(id).is_ok_and(|id| began(id) != Some(then))
}

/// A name that a process which is over would have left.
#[cfg(test)]
pub(super) fn orphan_name() -> String {
    format!("{PREFIX}{}-4194999-7-0", space())
}

/// The orphans below `directory`.
pub(super) fn orphans(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let entries = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|t| t.is_dir()));
    let named = entries.filter(|entry| entry.file_name().to_str().is_some_and(orphaned));
    named.map(|entry| entry.path()).collect()
}

/// The namespace our process numbers are from: a directory may be shared between containers.
fn space() -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self/ns/pid").map_or(0, |meta| meta.ino())
}

/// When a process began, in ticks since the machine did; `None` when there is none.
fn began(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything; the state comes after it.
    let (_, after) = stat.rsplit_once(") ")?;
    after.split(' ').nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_dead_process_of_ours_left_is_an_orphan() {
        assert!(!orphaned(&name()), "we live");
        assert_ne!(name(), name());
        let id = std::process::id();
        let space = space();
        assert!(orphaned(&format!("{PREFIX}{space}-{id}-1-0")), "another with our number");
        assert!(orphaned(&format!("{PREFIX}{space}-4194999-77-0")), "nobody");
        assert!(!orphaned(&format!("{PREFIX}1-4194999-77-0")), "who knows, in another container");
        for other in ["slipway-run-", "slipway-run-x-1-2", "slipway", "", "else-1-2-3-4"] {
            assert!(!orphaned(other), "{other}");
        }
    }
}
