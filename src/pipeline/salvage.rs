//! Work of agents that failed or were stopped: kept, so that the next one need not begin anew.

use serde::{Deserialize, Serialize};

use super::budget::Unfinished;
use super::state::State;
use crate::model::CommitSha;

/// Unfinished work, and the head it was made on: with another head it is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salvage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<CommitSha>,
    pub left: Unfinished,
}

impl State {
    /// What the last agent had made, where that still fits.
    pub fn salvaged(&self) -> Option<&Unfinished> {
        let salvage = self.work.salvage.as_deref()?;
        (salvage.on == self.work.head).then_some(&salvage.left)
    }
}
