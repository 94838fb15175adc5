//! A run while it is being decided: its next state, the policy, the moment and the effects.

use super::effect::{Answer, Effect};
use super::state::{Counts, State, Work};
use crate::model::{CommentId, Millis};
use crate::policy::Policy;

/// What a stage works on. Nothing here does anything; effects are only collected.
#[derive(Debug)]
pub struct Run<'a> {
    pub state: State,
    pub policy: &'a Policy,
    pub at: Millis,
    pub effects: Vec<Effect>,
    /// This event brought a look, so another is not needed at once.
    pub(super) looked: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(state: State, policy: &'a Policy, at: Millis) -> Self {
        Self { state, policy, at, effects: Vec::new(), looked: false }
    }

    pub fn work(&mut self) -> &mut Work {
        &mut self.state.work
    }

    pub fn counts(&mut self) -> &mut Counts {
        &mut self.state.counts
    }

    /// Answers the comment a command came from, if it came from one.
    pub fn answer(&mut self, to: Option<CommentId>, answer: Answer) {
        if let Some(to) = to {
            self.effects.push(Effect::Answer { to, answer });
        }
    }
}
