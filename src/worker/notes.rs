//! Notes at file and line on our check run: read from what failed, once for each failure.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::Engine;
use super::failure::Failure;
use super::reconcile::check_run_shown;
use crate::github::{self, At, log};
use crate::model::sanitized::{plain, printed};
use crate::model::{CheckId, CommitSha};
use crate::pipeline::{Live, State};
use crate::report::notes::{self, Failing, Note};
use crate::store::{Published, Snapshot};

/// The title of notes that our own verification gives.
const VERIFICATION: &str = "Slipway's verification";

impl Engine {
    /// Notes what failed on the head GitHub shows. A failure that was noted already costs
    /// nothing; GitHub is read before anything is added, so a repeated job adds nothing.
    pub(super) async fn annotate(
        &self,
        (snapshot, live): (&Snapshot, Option<&Live>),
    ) -> Result<(), Failure> {
        let state = &snapshot.state;
        let Some((head, cause)) = cause(state) else { return Ok(()) };
        let run = &state.request.run;
        let published = self.ports.store.published(run).await?;
        let on = |name: &str| published.iter().find(|one| one.surface == name);
        let name = format!("notes:{head}");
        if on(&name).is_some_and(|known| known.hash == cause) {
            return Ok(());
        }
        // Before our check run is there, nothing can be noted on it; the next report is later.
        let Some(id) = on(&format!("check:{head}")).map(|check| check.remote) else {
            return Ok(());
        };
        let at = Self::at(state);
        let found = self.noted(&at, state).await?;
        let critique = notes::critique(state).into_iter().flat_map(|(_, notes)| notes);
        let found = found.into_iter().chain(critique).collect();
        let mut found = self.inside(&at, head, found).await?;
        // What the push gate says has places of its own making, in files that may not be there.
        let gate = [notes::refused(state), notes::delicate(state)].into_iter().flatten();
        found.extend(gate.flat_map(|(_, notes)| notes));
        found.truncate(notes::NOTES_MAX);
        let shown = check_run_shown((snapshot, live), &self.links(state), head, &self.sanitizer);
        let found: Vec<github::Note> = found.into_iter().map(|note| self.shown(note)).collect();
        self.ports.github.annotate(&at, (CheckId(id), &shown), &found).await?;
        let published = Published { surface: name, remote: id, hash: cause, at: self.now() };
        Ok(self.ports.store.publish(run, published).await?)
    }

    fn shown(&self, note: Note) -> github::Note {
        github::Note {
            path: note.path,
            line: note.line,
            level: note.level,
            title: self.sanitizer.text(&plain(&note.title)),
            message: self.sanitizer.text(&printed(&note.message)),
        }
    }

    /// What is known to fail, from our own output or the logs of checks.
    async fn noted(&self, at: &At, state: &State) -> Result<Vec<Note>, Failure> {
        let mut found = Vec::new();
        match notes::failing(state) {
            Some(Failing::Verification { log: output, .. }) => {
                found.extend(notes::parse(VERIFICATION, &log::clean(output)));
            }
            Some(Failing::Checks { checks, .. }) => {
                for (id, name) in checks {
                    let output = self.ports.github.check_log(at, id).await?;
                    found.extend(notes::parse(name, &output));
                }
            }
            None => {}
        }
        Ok(found)
    }

    /// Only files of the commit: what tools print may be anywhere.
    async fn inside(
        &self,
        at: &At,
        head: &CommitSha,
        mut found: Vec<Note>,
    ) -> Result<Vec<Note>, Failure> {
        let paths: BTreeSet<String> = found.iter().map(|note| note.path.clone()).collect();
        if !paths.is_empty() {
            let files = self.ports.git.files_among(&at.repo, head, &paths).await?;
            found.retain(|note| files.contains(&note.path));
        }
        found.truncate(notes::NOTES_MAX);
        Ok(found)
    }
}

/// The head that is noted on, and what tells this failure from the last one there.
fn cause(state: &State) -> Option<(&CommitSha, String)> {
    let (failing, refused) = (notes::failing(state), notes::refused(state));
    let (delicate, critique) = (notes::delicate(state), notes::critique(state));
    let head = match &failing {
        Some(Failing::Verification { head, .. } | Failing::Checks { head, .. }) => *head,
        None => refused.as_ref().or(delicate.as_ref()).or(critique.as_ref())?.0,
    };
    let more = critique.map(|(_, notes)| format!(" {notes:?}")).unwrap_or_default();
    let digest = Sha256::digest(format!("{failing:?} {refused:?} {delicate:?}{more}"));
    Some((head, hex::encode(digest).chars().take(32).collect()))
}
