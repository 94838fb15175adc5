//! What happened on one line, while it is open and at its end.

use crate::model::{Cost, Millis, Tokens, Trouble};

use super::usage::Finish;
use super::{Refusal, Spent};

/// The account of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Everything that was asked, refused or not.
    pub requests: u64,
    /// Requests that were refused here.
    pub refused: u64,
    /// Calls that a model answered.
    pub turns: u64,
    /// Waits before a call was tried again.
    pub retries: u64,
    pub tokens: Tokens,
    pub cost: Cost,
    /// Calls whose figures were not told to the end, counted at their worst case.
    pub uncertain: u64,
    /// The provider's last status.
    pub last_status: Option<u16>,
    /// What was wrong with the last call; nothing, if it went well.
    pub trouble: Option<Trouble>,
    /// Why the last answer ended.
    pub finish: Option<Finish>,
    /// Calls that failed one after the other, until now.
    pub failures: u32,
    /// Calls on their way.
    pub calling: u32,
    /// When something came or went last; at first, when the line was opened.
    pub moved_at: Millis,
}

impl Tally {
    pub fn new(now: Millis) -> Self {
        Self {
            requests: 0,
            refused: 0,
            turns: 0,
            retries: 0,
            tokens: Tokens::default(),
            cost: Cost::NONE,
            uncertain: 0,
            last_status: None,
            trouble: None,
            finish: None,
            failures: 0,
            calling: 0,
            moved_at: now,
        }
    }

    /// Milliseconds since something came or went. A program that says nothing meanwhile may be
    /// waiting for its model, or hang.
    pub fn quiet_ms(&self, now: Millis) -> i64 {
        now.since(self.moved_at).max(0)
    }

    pub(super) fn refuse(&mut self, why: &Refusal) {
        self.refused += 1;
        if let Some(trouble) = why.trouble() {
            self.trouble = Some(trouble);
        }
    }

    pub(super) fn spend(&mut self, spent: &Spent) {
        self.tokens = self.tokens.plus(spent.tokens);
        self.cost = self.cost.plus(spent.cost);
        self.uncertain += u64::from(!spent.certain);
    }

    pub(super) fn failed(&mut self, trouble: Trouble) {
        self.trouble = Some(trouble);
        self.failures = self.failures.saturating_add(1);
    }
}
