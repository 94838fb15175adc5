//! The queue of the in-memory store: jobs by key, ordered by the moment they can be claimed.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Millis, RunId};
use crate::store::index::fits;
use crate::store::limits::Room;
use crate::store::{Beat, Claim, Error, Heavy, JobKey, JobKind, Lease, NewJob, OnRepeat};

/// A job and its lease.
#[derive(Debug)]
struct Job {
    key: JobKey,
    kind: JobKind,
    heavy: Option<Heavy>,
    due: Millis,
    /// When it can be claimed: its due moment, or the end of its lease.
    ready: Millis,
    leased: bool,
    owner: String,
    fence: u64,
    attempts: u32,
    cancelled: bool,
    /// Put again while leased: when it is due after this lease.
    again: Option<Millis>,
}

/// Every job.
#[derive(Debug, Default)]
pub(super) struct Queue {
    jobs: BTreeMap<u64, Job>,
    keys: BTreeMap<JobKey, u64>,
    ready: BTreeSet<(Millis, u64)>,
    heavy: BTreeSet<(Millis, u64)>,
    leased_heavy: BTreeSet<u64>,
    last_id: u64,
}

impl Queue {
    pub(super) fn next_due(&self) -> Option<Millis> {
        let light = self.ready.first().map(|first| first.0);
        let heavy = self.heavy.first().map(|first| first.0);
        light.into_iter().chain(heavy).min()
    }

    /// Jobs due, leased and due later.
    pub(super) fn count(&self, now: Millis) -> (u64, u64, u64) {
        let mut counts = (0, 0, 0);
        for job in self.jobs.values() {
            match (job.leased, job.ready <= now) {
                (true, _) => counts.1 += 1,
                (false, true) => counts.0 += 1,
                (false, false) => counts.2 += 1,
            }
        }
        counts
    }

    pub(super) fn waits(&self, key: &JobKey) -> bool {
        self.keys.contains_key(key)
    }

    /// Whether every job can be put.
    pub(super) fn check(jobs: &[NewJob]) -> Result<(), Error> {
        jobs.iter().try_for_each(|job| fits("a job's key", job.key.0.len(), JobKey::BYTES_MAX))
    }

    /// Takes the job out of its order while `change` is made, then puts it where it belongs.
    fn change(&mut self, id: u64, change: impl FnOnce(&mut Job)) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        self.ready.remove(&(job.ready, id));
        self.heavy.remove(&(job.ready, id));
        self.leased_heavy.remove(&id);
        change(job);
        if job.heavy.is_none() {
            self.ready.insert((job.ready, id));
        } else {
            self.heavy.insert((job.ready, id));
            if job.leased {
                self.leased_heavy.insert(id);
            }
        }
    }

    fn remove(&mut self, id: u64) {
        if let Some(job) = self.jobs.remove(&id) {
            self.keys.remove(&job.key);
            self.ready.remove(&(job.ready, id));
            self.heavy.remove(&(job.ready, id));
            self.leased_heavy.remove(&id);
        }
    }

    /// Lets a waiting job be claimed from `at` on.
    pub(super) fn wake(&mut self, key: &JobKey, at: Millis) {
        let Some(id) = self.keys.get(key).copied() else { return };
        if self.jobs.get(&id).is_some_and(|job| !job.leased && job.ready > at) {
            self.change(id, |job| job.ready = at);
        }
    }

    pub(super) fn put(&mut self, new: NewJob) {
        if let Some(id) = self.keys.get(&new.key).copied() {
            self.repeat(id, new);
            return;
        }
        self.last_id += 1;
        let id = self.last_id;
        self.keys.insert(new.key.clone(), id);
        let job = Job {
            key: new.key,
            kind: new.kind,
            heavy: new.heavy,
            due: new.due,
            ready: new.due,
            leased: false,
            owner: String::new(),
            fence: 0,
            attempts: 0,
            cancelled: false,
            again: None,
        };
        self.jobs.insert(id, job);
        self.change(id, |_| ());
    }

    fn repeat(&mut self, id: u64, new: NewJob) {
        match new.on_repeat {
            OnRepeat::Keep => {}
            OnRepeat::Sooner => self.change(id, |job| {
                if job.leased {
                    job.again = Some(job.again.map_or(new.due, |again| again.min(new.due)));
                } else {
                    job.due = job.due.min(new.due);
                    job.ready = job.due;
                }
            }),
            OnRepeat::Replace => self.change(id, |job| {
                job.kind = new.kind;
                job.heavy = new.heavy;
                if job.leased {
                    job.again = Some(new.due);
                } else {
                    job.due = new.due;
                    job.ready = new.due;
                    job.attempts = 0;
                }
            }),
        }
    }

    pub(super) fn claim(&mut self, claim: &Claim) -> Vec<Lease> {
        let due = |job: &&(Millis, u64)| job.0 <= claim.now;
        let heavy: Vec<u64> = self.heavy.iter().take_while(due).map(|job| job.1).collect();
        let mut room = Room::of(claim);
        let running = self.leased_heavy.iter().filter_map(|id| self.jobs.get(id));
        for job in running.filter(|job| job.ready > claim.now) {
            if let Some(heavy) = &job.heavy {
                room.take(heavy);
            }
        }
        let mut leases = Vec::new();
        for id in heavy {
            let wanted = self.jobs.get(&id).and_then(|job| job.heavy.clone());
            let Some(heavy) = wanted.filter(|heavy| room.fits(heavy)) else { continue };
            if leases.len() < claim.jobs_max as usize
                && let Some(lease) = self.lease(id, claim)
            {
                room.take(&heavy);
                leases.push(lease);
            }
        }
        while leases.len() < claim.jobs_max as usize {
            let Some((_, id)) = self.ready.first().filter(due).copied() else { break };
            leases.extend(self.lease(id, claim));
        }
        leases.sort_by_key(|lease| (claim.now.plus(-lease.late_ms), lease.id));
        leases
    }

    /// Leases one job; drops it instead when it was cancelled while somebody had it.
    fn lease(&mut self, id: u64, claim: &Claim) -> Option<Lease> {
        if self.jobs.get(&id)?.cancelled && self.jobs.get(&id)?.again.is_none() {
            self.remove(id);
            return None;
        }
        let until = claim.now.plus(claim.lease_ms);
        self.change(id, |job| {
            job.attempts += u32::from(job.leased);
            job.leased = true;
            job.cancelled = false;
            job.fence += 1;
            job.ready = until;
            job.owner.clone_from(&claim.owner);
        });
        let job = self.jobs.get(&id)?;
        Some(Lease {
            id,
            fence: job.fence,
            owner: job.owner.clone(),
            key: job.key.clone(),
            kind: job.kind.clone(),
            until,
            attempts: job.attempts,
            late_ms: claim.now.since(job.due),
        })
    }

    fn held(&self, lease: &Lease) -> Result<&Job, Error> {
        let job = self.jobs.get(&lease.id).filter(|job| job.leased && job.fence == lease.fence);
        job.ok_or(Error::Fenced)
    }

    pub(super) fn check_lease(&self, lease: &Lease) -> Result<(), Error> {
        self.held(lease).map(|_| ())
    }

    pub(super) fn heartbeat(&mut self, lease: &Lease, until: Millis) -> Beat {
        match self.held(lease) {
            Err(_) => Beat::Lost,
            Ok(job) if job.cancelled => Beat::Cancelled,
            Ok(_) => {
                self.change(lease.id, |job| job.ready = until);
                Beat::Kept
            }
        }
    }

    /// Ends a leased job; it waits again when it was put again meanwhile.
    pub(super) fn consume(&mut self, lease: &Lease) -> Result<(), Error> {
        match self.held(lease)?.again {
            None => self.remove(lease.id),
            Some(again) => self.change(lease.id, |job| free(job, again, 0)),
        }
        Ok(())
    }

    pub(super) fn put_back(&mut self, lease: &Lease, due: Millis) -> Result<(), Error> {
        let job = self.held(lease)?;
        match (job.again, job.cancelled) {
            (None, true) => self.remove(lease.id),
            (again, _) => {
                let due = again.map_or(due, |again| again.min(due));
                let attempts = job.attempts + 1;
                self.change(lease.id, |job| free(job, due, attempts));
            }
        }
        Ok(())
    }

    /// Drops what waits of `run` under entries up to `entry`, and marks what is leased.
    pub(super) fn cancel(&mut self, run: &RunId, entry: u32) {
        let concerned = |job: &Job| {
            job.kind.run() == Some(run) && job.kind.entry().is_some_and(|of| of <= entry)
        };
        let ids: Vec<(u64, bool)> = self
            .jobs
            .iter()
            .filter(|(_, job)| concerned(job))
            .map(|(id, job)| (*id, job.leased))
            .collect();
        for (id, leased) in ids {
            if leased {
                self.change(id, |job| job.cancelled = true);
            } else {
                self.remove(id);
            }
        }
    }

    pub(super) fn reclaim(&mut self, owner: &str, now: Millis) -> u64 {
        let lost = |job: &Job| job.leased && job.owner != owner;
        let ids: Vec<u64> =
            self.jobs.iter().filter(|(_, job)| lost(job)).map(|(id, _)| *id).collect();
        for id in &ids {
            let cancelled =
                self.jobs.get(id).is_some_and(|job| job.cancelled && job.again.is_none());
            if cancelled {
                self.remove(*id);
            } else {
                self.change(*id, |job| free(job, now, job.attempts + 1));
            }
        }
        ids.len() as u64
    }
}

fn free(job: &mut Job, due: Millis, attempts: u32) {
    job.leased = false;
    job.cancelled = false;
    job.again = None;
    job.due = due;
    job.ready = due;
    job.attempts = attempts;
}
