//! What the gates may look at of a run.

use super::frozen::Taint;
use super::state::{Approval, State};
use crate::gate::Facts;
use crate::model::Millis;
use crate::policy::Policy;

impl State {
    /// What the gates look at; `None` before there is a head, or no look since it was published.
    pub fn facts<'a>(&'a self, policy: &'a Policy, at: Millis) -> Option<Facts<'a>> {
        let seen = self.seen.as_deref()?;
        let work = &self.work;
        if work.published_at.is_none_or(|published| seen.at < published) {
            return None;
        }
        let by = |approval: &'a Option<Approval>| approval.as_ref().map(|a| (&a.by, &a.head));
        Some(Facts {
            at,
            policy,
            seen,
            head: work.head.as_ref()?,
            verified: work.verified.as_ref(),
            published_at: work.published_at,
            required: &work.required,
            without_checks: work.without_checks.as_ref(),
            approved: by(&work.approved),
            ordered: by(&work.merge_ordered),
            approvals: &work.approvals,
            judged: work.judged.as_ref(),
            held_by: self.held_by.as_ref(),
            requester: &self.request.by,
            tainted: self.taint(policy).map(Taint::why),
            drafted: work.drafted,
            reruns: &self.counts.reruns,
        })
    }
}
