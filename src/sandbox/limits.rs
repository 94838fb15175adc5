//! What a program may use, with the defaults in one place, and the names of what ran out.

use std::fmt;

/// Bounds of one program and everything it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub wall_ms_max: u64,
    /// Of standard output and standard error each; the middle is left out beyond it.
    pub output_bytes_max: usize,
    /// Without a word on its outputs and without traffic through its doors.
    pub idle_ms_max: u64,
    pub memory_bytes_max: u64,
    /// Processes and threads at once.
    pub pids_max: u32,
    /// Of one processor: 200 is two of them. It is slowed down, not ended.
    pub cpu_percent_max: u32,
    /// Of the workspace and the home together.
    pub disk_bytes_max: u64,
    /// Files and directories in the workspace and the home together.
    pub disk_files_max: u64,
    /// Said on both outputs together, kept or not.
    pub flood_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall_ms_max: 30 * 60_000,
            output_bytes_max: 1 << 20,
            idle_ms_max: 15 * 60_000,
            memory_bytes_max: 4 << 30,
            pids_max: 512,
            cpu_percent_max: 200,
            disk_bytes_max: 5 << 30,
            disk_files_max: 500_000,
            flood_bytes_max: 256 << 20,
        }
    }
}

/// What a program had too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    Memory,
    Pids,
    Disk,
    Files,
    Idle,
    Output,
}

impl Limit {
    pub const ALL: [Self; 6] =
        [Self::Memory, Self::Pids, Self::Disk, Self::Files, Self::Idle, Self::Output];

    /// As a run says it: `limit:memory`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Memory => "limit:memory",
            Self::Pids => "limit:pids",
            Self::Disk => "limit:disk",
            Self::Files => "limit:files",
            Self::Idle => "limit:idle",
            Self::Output => "limit:output",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Memory => "it used more memory than allowed",
            Self::Pids => "it started more processes than allowed",
            Self::Disk => "it wrote more to the disk than allowed",
            Self::Files => "it made more files than allowed",
            Self::Idle => "it neither said nor did anything for too long",
            Self::Output => "it said more than allowed",
        };
        write!(f, "{what} and was ended ({})", self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_word_of_its_own_and_says_it() {
        let words: std::collections::BTreeSet<_> = Limit::ALL.map(Limit::word).into();
        assert_eq!(words.len(), Limit::ALL.len());
        for limit in Limit::ALL {
            assert!(limit.to_string().ends_with(&format!("and was ended ({})", limit.word())));
        }
    }
}
