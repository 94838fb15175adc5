//! What GitHub offers beside the necessary, through the face.

use serde_json::Value;

use super::{Face, checks, op};
use crate::github::Note;
use crate::github::{At, CheckRun, Error, SubIssue, SubIssues, notes};
use crate::model::{CheckId, IssueNumber, PullNumber};
use crate::playground::world;

impl Face {
    pub(super) fn read_sub_issues(&self, at: &At, issue: IssueNumber) -> Result<SubIssues, Error> {
        let rest = format!("/issues/{issue}/sub_issues");
        let found = self.read(at, ("issues/list-sub-issues", &rest), |state, actor, repo| {
            state.list_sub_issues(actor, repo, issue.0)
        })?;
        let sub = |one: world::Issue| SubIssue {
            number: IssueNumber(one.number),
            title: one.title,
            open: one.open,
        };
        Ok(SubIssues { here: found.into_iter().map(sub).collect(), elsewhere: 0 })
    }

    pub(super) fn read_blockers(&self, at: &At, issue: IssueNumber) -> Result<Vec<String>, Error> {
        let rest = format!("/issues/{issue}/dependencies/blocked_by");
        let id = "issues/list-dependencies-blocked-by";
        let found = self.read(at, (id, &rest), |state, actor, repo| {
            state.list_blockers(actor, repo, issue.0)
        })?;
        let open = found.iter().filter(|one| one.open);
        Ok(open.map(|one| format!("#{}", one.number)).collect())
    }

    pub(super) fn write_ready(&self, at: &At, pull: PullNumber) -> Result<(), Error> {
        if !self.view(at, pull)?.pull.draft {
            return Ok(());
        }
        let mut op = op("POST", "graphql/MarkReady", at, "");
        "/graphql".clone_into(&mut op.path);
        self.write(at, op, |state, actor, repo| state.set_ready(actor, repo, pull.0, true))
    }

    pub(super) fn write_notes(
        &self,
        at: &At,
        (id, shown): (CheckId, &CheckRun),
        notes: &[Note],
    ) -> Result<(), Error> {
        if notes.is_empty() {
            return Ok(());
        }
        let there = self.notes_of(at, id)?;
        let there = there.iter().map(|one| {
            let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
            let line = one.get("start_line").and_then(Value::as_u64).unwrap_or_default();
            (text("path"), line, text("title"), text("message"))
        });
        for body in notes::bodies(shown, notes, &there.collect()) {
            let mut edit = checks::edit(shown);
            let list = body.pointer("/output/annotations").and_then(Value::as_array);
            if let (Some(output), Some(list)) = (&mut edit.output, list) {
                output.annotations.clone_from(list);
            }
            let op = op("PATCH", "checks/update", at, &format!("/check-runs/{id}"));
            self.write(at, op, |state, actor, repo| {
                state.update_check_run(actor, repo, id.0, &edit)
            })?;
        }
        Ok(())
    }
}
