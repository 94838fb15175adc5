//! Homes of agents that asked something: kept while somebody may answer, and not longer.

use super::Engine;
use super::failure::Failure;
use crate::model::RunId;
use crate::pipeline::{State, Task};

impl Engine {
    /// Removes the home of one start; what cannot be removed is left to the sweep.
    pub(super) async fn forget_home(&self, run: RunId, entry: u32) -> Result<(), Failure> {
        let Some(homes) = self.settings.homes.clone() else { return Ok(()) };
        let gone = tokio::task::spawn_blocking(move || homes.forget(&run, entry)).await;
        match gone.map_err(|error| Failure::Fault(error.to_string()))? {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "a home was left behind"),
        }
        Ok(())
    }

    /// Removes the homes of runs that are over or have gone on without them.
    pub(super) async fn sweep_homes(&self) -> Result<(), Failure> {
        let Some(homes) = &self.settings.homes else { return Ok(()) };
        for (run, entry) in homes.all() {
            let state = self.ports.store.load(&run).await?.map(|snapshot| snapshot.state);
            if !state.is_some_and(|state| is_needed(&state, entry)) {
                self.forget_home(run, entry).await?;
            }
        }
        Ok(())
    }
}

/// Whether the agent of this entry works now, or may be gone on with.
fn is_needed(state: &State, entry: u32) -> bool {
    if state.finished().is_some() {
        return false;
    }
    let works = state.entry == entry && matches!(state.task(), Some(Task::Agent { .. }));
    let talk = state.work.asked.as_deref().and_then(|asked| asked.talk.as_ref());
    works || talk.is_some_and(|talk| talk.entry == entry)
}
