//! What a town's plan says about trust: rules, visibility, bots, limits.

use slipway::model::UserId;
use slipway::model::trust::{Rule, Trust};
use slipway::worker::Limits;

use super::plan::{OWN_WORD, Plan};

impl Plan {
    /// Without one rule of trust: what it keeps out comes in.
    pub(crate) fn without(mut self, rule: Rule) -> Self {
        self.trust = Trust::without(rule);
        self
    }

    /// The same policy with one more line.
    pub(crate) fn also(mut self, line: &str) -> Self {
        self.policy.push_str(line);
        self.policy.push('\n');
        self
    }

    /// The requester's own word is an approval only where the policy's default says so.
    pub(crate) fn by_others(mut self) -> Self {
        self.policy = self.policy.replace(OWN_WORD, "");
        self
    }

    pub(crate) fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// The operator lists this bot.
    pub(crate) fn hears_bot(mut self, id: u64) -> Self {
        self.bots.insert(UserId(id));
        self
    }

    /// Limits as the test wants them.
    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// The rules are there, and every App may bypass them.
    pub(crate) fn bypassable(mut self) -> Self {
        self.rules.bypass = true;
        self
    }
}
