//! What keeps a way out narrow, by name, so that a test can take one away and see what for.

/// One thing that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defence {
    /// A head is no longer than its limit.
    Length,
    /// A head has exactly the form: lines, separators, version, fields.
    Form,
    /// The method is CONNECT.
    Method,
    /// A name has only characters of names, a port only digits.
    Spelling,
    /// No label is empty or too long.
    Labels,
    /// A number is no name.
    Numbers,
    /// A rule is about whole labels.
    Boundary,
    /// A host that no rule names is not reached, and not even looked up.
    Rules,
    /// The port is the rule's.
    Port,
    /// None of the addresses is of a network that is not everybody's.
    Public,
    /// What was judged is what is connected to.
    Once,
}

/// All defences but one, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defences {
    without: Option<Defence>,
}

impl Defences {
    /// As shipped.
    pub const ALL: Self = Self { without: None };

    /// For tests alone: shows what `defence` is for.
    #[doc(hidden)]
    pub const fn without(defence: Defence) -> Self {
        Self { without: Some(defence) }
    }

    pub(super) fn has(self, defence: Defence) -> bool {
        self.without != Some(defence)
    }
}
