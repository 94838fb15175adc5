//! What may have been missed: the App's log of deliveries, and what changed about issues.

use super::{Face, turn};
use crate::github::delivery::{Kept, Log, Logged, Which};
use crate::github::{At, Change, Changed, Error, Touched};
use crate::model::{DeliveryId, IssueNumber, Millis};
use crate::playground::error::ApiResult;
use crate::playground::mailbox;
use crate::playground::world::{Actor, IssueEvent, Op, State};

impl Face {
    pub(super) fn read_issues_since(&self, at: &At, since: Millis) -> Result<Vec<Touched>, Error> {
        let op = ("issues/list-for-repo", "/issues");
        let mut found =
            self.read(at, op, |state, actor, repo| state.list_issues(actor, repo, since.0))?;
        found.sort_by_key(|issue| issue.updated_ms);
        let touched = found.into_iter().map(turn::issue).map(|issue| Touched {
            number: issue.number,
            is_pull: issue.is_pull,
            open: issue.open,
            labels: issue.labels,
        });
        Ok(touched.collect())
    }

    pub(super) fn read_history(&self, at: &At, issue: IssueNumber) -> Result<Vec<Change>, Error> {
        let rest = format!("/issues/{issue}/events");
        let found = self.read(at, ("issues/list-events", &rest), |state, actor, repo| {
            Ok(state.issue(actor, repo, issue.0)?.events)
        })?;
        Ok(found.into_iter().filter_map(change).collect())
    }

    /// One call as the App itself; a read is repeated once when its answer is lost.
    fn own<T>(
        &self,
        op: &Op,
        run: impl Fn(&mut State, &Actor) -> ApiResult<T>,
    ) -> Result<T, Error> {
        let me = Actor::App(self.app);
        let once = || self.world.call(&me, op.clone(), |state| run(state, &me));
        let done = match once() {
            Err(error) if error.status >= 500 => once(),
            other => other,
        };
        done.map_err(|error| self.error(&error))
    }

    pub(super) fn read_deliveries(&self, since: Millis, which: Which) -> Result<Log, Error> {
        let op = Op::read("apps/list-webhook-deliveries", "/app/hook/deliveries");
        let found = self.own(&op, |state, me| state.deliveries(me))?;
        let answered = found.iter().filter(|one| one.is_answered());
        let listed: Vec<Logged> = answered
            .filter(|one| match which {
                Which::All => true,
                Which::Failed => one.is_failed(),
            })
            .filter_map(logged)
            .collect();
        let silent = listed.is_empty();
        let mut entries: Vec<Logged> = listed.into_iter().filter(|one| one.at >= since).collect();
        entries.sort_by_key(|one| (one.at, one.id));
        Ok(Log { entries, silent })
    }

    pub(super) fn read_delivery(&self, id: u64) -> Result<Option<Kept>, Error> {
        let op = Op::read("apps/get-webhook-delivery", format!("/app/hook/deliveries/{id}"));
        let found = self.own(&op, |state, me| {
            let all = state.deliveries(me)?;
            Ok(all.into_iter().find(|one| one.delivery.id == id))
        })?;
        Ok(found.map(|one| Kept {
            event: one.delivery.event.clone(),
            body: one.delivery.body.to_vec(),
        }))
    }

    pub(super) fn ask_redelivery(&self, id: u64) -> Result<(), Error> {
        let path = format!("/app/hook/deliveries/{id}/attempts");
        let op = Op::write("apps/redeliver-webhook-delivery", path);
        self.own(&op, |state, me| state.redeliver(me, id))
    }
}

fn logged(one: &mailbox::Logged) -> Option<Logged> {
    Some(Logged {
        id: one.delivery.id,
        guid: DeliveryId::parse(&one.delivery.guid).ok()?,
        at: Millis(one.emitted_ms),
        status_code: one.status_code,
        event: one.delivery.event.clone(),
        action: one.delivery.action.clone(),
    })
}

fn change(event: IssueEvent) -> Option<Change> {
    let what = match event.event {
        "labeled" => Changed::Labeled(event.label?),
        "unlabeled" => Changed::Unlabeled(event.label?),
        "closed" => Changed::Closed,
        _uninteresting => return None,
    };
    let by = Some(turn::user(&event.actor));
    Some(Change { id: event.id, what, by, at: Millis(event.at_ms) })
}
