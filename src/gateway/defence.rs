//! What keeps a line narrow, by name, so that a test can take one away and see what for.

/// One thing that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defence {
    /// Nothing is answered without the line's token.
    Token,
    /// Only paths of the wire's list.
    Path,
    /// Only models of the order.
    Model,
    /// No field that makes a call cost more than its bound, or live on without us.
    Field,
    /// No tool that the provider runs itself: it would be another way out.
    Hosted,
    /// No address that the provider would fetch: the same.
    Fetch,
    /// The key is struck out of whatever comes back.
    Mask,
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
