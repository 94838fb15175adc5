//! What one step changes, all of it or nothing.

use super::{Inner, Kept, after, index_of};
use crate::model::{BranchName, Millis, Repo};
use crate::store::spend::charged_below;
use crate::store::{Entry, Error, JobKey, Lane, NewJob, Opened, Opening, Snapshot, Transition};

impl Inner {
    pub(super) fn put_all(&mut self, jobs: Vec<NewJob>) {
        for job in jobs {
            self.queue.put(job);
        }
    }

    pub(super) fn opened(&mut self, opening: Opening) -> Result<Opened, Error> {
        if let Some(lease) = &opening.lease {
            self.queue.check_lease(lease)?;
        }
        let row = index_of(&opening.state, opening.event.at);
        if self.runs.contains_key(&row.run) {
            return Ok(Opened::Exists(row.run));
        }
        let same = |kept: &&Kept| {
            row.live && kept.row.live && kept.row.repo == row.repo && kept.row.issue == row.issue
        };
        if let Some(live) = self.runs.values().find(same) {
            return Ok(Opened::Exists(live.row.run.clone()));
        }
        if let Some(lease) = &opening.lease {
            self.queue.consume(lease)?;
        }
        let after = after(&opening.state);
        let first = Entry {
            number: 1,
            version: Some(1),
            event: opening.event,
            ignored: None,
            after: after.clone(),
        };
        let snapshot = Snapshot { state: opening.state, policy: opening.policy, version: 1 };
        let run = row.run.clone();
        self.runs.insert(run, Kept { snapshot, row, after, timeline: vec![first] });
        self.put_all(opening.jobs);
        Ok(Opened::New)
    }

    pub(super) fn check(&self, transition: &Transition, repo: &Repo) -> Result<(), Error> {
        if let Some(lease) = &transition.lease {
            self.queue.check_lease(lease)?;
        }
        let Some(base) = &transition.take_lane else { return Ok(()) };
        match self.lanes.get(&(repo.clone(), base.clone())) {
            Some(Lane { alarm: Some(alarm), .. }) => Err(Error::LaneBusy(alarm.clone())),
            Some(lane) if lane.run != transition.run => Err(Error::LaneBusy(lane.run.to_string())),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn committed(&mut self, transition: Transition) -> Result<(), Error> {
        let kept = self.runs.get(&transition.run).ok_or(Error::Conflict)?;
        if kept.snapshot.version != transition.from_version {
            return Err(Error::Conflict);
        }
        let repo = kept.row.repo.clone();
        self.check(&transition, &repo)?;
        if let Some(lease) = &transition.lease {
            self.queue.consume(lease)?;
        }
        if let Some(entry) = transition.cancel_entry {
            self.queue.cancel(&transition.run, entry);
        }
        if let Some(entry) = charged_below(&transition) {
            self.till.charge(&transition.run, entry);
            self.shelf.end(&transition.run, entry);
        }
        self.move_lanes(&transition, repo.clone());
        let (now, run) = (transition.event.at, transition.run.clone());
        let released = transition.release_lane.clone();
        if let Some(kept) = self.runs.get_mut(&transition.run) {
            kept.row = index_of(&transition.next, transition.event.at);
            kept.after = after(&transition.next);
            kept.snapshot.version += 1;
            kept.snapshot.state = transition.next;
            kept.timeline.push(Entry {
                number: kept.timeline.len() as u64 + 1,
                version: Some(kept.snapshot.version),
                event: transition.event,
                ignored: None,
                after: kept.after.clone(),
            });
        }
        self.audit.append(transition.audits);
        self.put_all(transition.jobs);
        if let Some((base, None)) = released {
            self.wake_next(&repo, &base, now);
        }
        let waits = self.runs.get(&run).and_then(|kept| kept.snapshot.state.waits_for_lane());
        // Given back between being refused and beginning to wait: nobody else would wake it.
        if waits.is_some_and(|wait| !self.lanes.contains_key(&(repo, wait.base.clone()))) {
            self.queue.wake(&JobKey::lane(&run), now);
        }
        Ok(())
    }

    /// Makes the lane timer of the run due that has waited longest for a lane.
    pub(super) fn wake_next(&mut self, repo: &Repo, base: &BranchName, at: Millis) {
        let here = self.runs.values().filter(|kept| kept.row.live && kept.row.repo == *repo);
        let waiting = here.filter_map(|kept| {
            let wait = kept.snapshot.state.waits_for_lane().filter(|wait| wait.base == *base)?;
            Some((wait.since, &kept.row.run))
        });
        let first = waiting.min().map(|(_, run)| JobKey::lane(run));
        if let Some(key) = first {
            self.queue.wake(&key, at);
        }
    }

    pub(super) fn move_lanes(&mut self, transition: &Transition, repo: Repo) {
        let run = &transition.run;
        if let Some(base) = &transition.take_lane {
            let lane =
                Lane { repo: repo.clone(), base: base.clone(), run: run.clone(), alarm: None };
            self.lanes.insert((repo.clone(), base.clone()), lane);
        }
        let Some((base, alarm)) = &transition.release_lane else { return };
        let at = (repo.clone(), base.clone());
        let held = self.lanes.get(&at);
        if held.is_some_and(|lane| lane.alarm.is_some()) {
            return;
        }
        if alarm.is_some() {
            // Whoever holds it keeps it, and can give it to nobody any more.
            let run = held.map_or(run, |lane| &lane.run).clone();
            let lane = Lane { repo, base: base.clone(), run, alarm: alarm.clone() };
            self.lanes.insert(at, lane);
        } else if held.is_none_or(|lane| lane.run == *run) {
            self.lanes.remove(&at);
        }
    }
}
