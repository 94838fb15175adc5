//! How well the host is protected: a level from 0 to 4, by what, and what is missing.

use std::fmt;

/// Real agents are refused below this level, unless the operator says otherwise.
pub const LEVEL_MIN: u8 = 3;

/// What protects the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// 4: a machine of its own. 3: all namespaces, a system call filter, no power over the
    /// host. 2: a container without that. 1: rules of the kernel alone. 0: nothing.
    pub level: u8,
    /// Such as `bubblewrap`.
    pub mechanism: String,
    /// The layers that are there, each in a few words.
    pub layers: Vec<String>,
    pub missing: Vec<Missing>,
}

/// A layer that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What, and why.
    pub what: String,
    /// What to do about it.
    pub next: String,
}

impl Protection {
    /// Nothing but good manners.
    pub fn none(mechanism: &str) -> Self {
        let mechanism = mechanism.to_owned();
        Self { level: 0, mechanism, layers: Vec::new(), missing: Vec::new() }
    }

    /// As a run remembers it.
    pub fn brief(&self) -> String {
        let missing: Vec<&str> = self.missing.iter().map(|one| one.what.as_str()).collect();
        let missing = missing.join("; ");
        let lacks =
            if missing.is_empty() { String::new() } else { format!("; missing: {missing}") };
        format!("sandbox level {}, {}{lacks}", self.level, self.mechanism)
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {}: {}", self.level, self.mechanism)?;
        if !self.layers.is_empty() {
            write!(f, " ({})", self.layers.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_remembers_the_level_and_what_was_missing() {
        let mut protection = Protection::none("bubblewrap");
        protection.level = 3;
        assert_eq!(protection.brief(), "sandbox level 3, bubblewrap");
        let next = String::new();
        protection.missing.push(Missing { what: "Landlock: too old a kernel".to_owned(), next });
        protection.layers.push("seccomp".to_owned());
        assert_eq!(
            protection.brief(),
            "sandbox level 3, bubblewrap; missing: Landlock: too old a kernel"
        );
        assert_eq!(protection.to_string(), "level 3: bubblewrap (seccomp)");
    }
}
