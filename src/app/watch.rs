//! Tells metrics and logs what the engine does.

use crate::egress::Account;
use crate::model::Millis;
use crate::pipeline::{Phase, Progress, State, Task};
use crate::report;
use crate::telemetry::{JobEnd, Metrics};
use crate::worker::{Ended, Paid, Watcher};

/// The watcher of the served program.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) metrics: Metrics,
}

impl Watcher for Telling {
    fn begun(&self, late_ms: i64) {
        self.metrics.job_waited(late_ms);
    }

    fn job(&self, word: &'static str, ended: Ended, took_ms: i64) {
        let end = match ended {
            Ended::Done => JobEnd::Done,
            Ended::PutBack => JobEnd::PutBack,
            Ended::GivenUp => JobEnd::Failed,
            Ended::Lost => JobEnd::Dropped,
            Ended::Fault => JobEnd::Panicked,
        };
        self.metrics.job(word, end, took_ms);
    }

    fn reached(&self, account: &Account) {
        self.metrics.egress(account.opened, account.refused);
        self.metrics.egress_bytes(account.bytes_out, account.bytes_in);
    }

    fn paid(&self, paid: Paid) {
        match paid {
            Paid::Spent(micros) => self.metrics.spent(micros),
            Paid::Refused(scope) => self.metrics.budget_refused(scope.word()),
        }
    }

    fn rests(&self, pool: &str, until: Millis) {
        self.metrics.pool_rests(pool, until);
    }

    fn moved(&self, state: &State) {
        let run = state.request.run.as_str();
        tracing::info!(run, repo = %state.request.repo, at = %report::line(state), "moved");
        match &state.progress {
            Progress::Finished { outcome, .. } => self.metrics.run_ended(outcome.word()),
            Progress::Running { phase: Phase::Doing(Task::Agent { .. }), .. } => {
                let agent = state.request.agent.as_deref().unwrap_or("default");
                self.metrics.agent_called(agent);
            }
            Progress::Running { .. } | Progress::Idle => {}
        }
    }
}
