//! The single defences of the sandbox, as a value: what ships has all of them.
//!
//! Only tests take one away, to see that the attack it answers then works. Nothing that an
//! operator, a policy or a program says reaches this.

/// One layer that can be taken away alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defence {
    /// Only what is listed is bound, never the host's root.
    Binds,
    /// No capability is kept.
    Capabilities,
    /// Memory, processes and processors are bounded.
    Cgroup,
    /// The tree dies as one, and with its parent.
    Death,
    /// Nothing open is inherited.
    Descriptors,
    /// Nothing of the host's environment is passed on.
    Environment,
    /// Files and signals are bounded by the kernel's own rules, too.
    Landlock,
    /// What is lent to every run can only be read.
    Lent,
    /// No interface but loopback, and that a private one.
    Network,
    /// It sees no process but its own.
    Processes,
    /// Bounds on files, descriptors, cores.
    Rlimits,
    /// System calls that nobody needs are refused.
    Seccomp,
    /// A user of the host that is not root and nobody else's.
    Uid,
    /// No user namespace can be made inside.
    Userns,
    /// Disk, silence and floods are watched.
    Watch,
}

/// The defences in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defences {
    removed: Vec<Defence>,
}

impl Defences {
    pub const fn all() -> Self {
        Self { removed: Vec::new() }
    }

    /// The same, less one.
    #[must_use]
    pub fn without(mut self, defence: Defence) -> Self {
        self.removed.push(defence);
        self
    }

    pub fn has(&self, defence: Defence) -> bool {
        !self.removed.contains(&defence)
    }
}

impl Default for Defences {
    fn default() -> Self {
        Self::all()
    }
}
