//! Metrics: what was taken in, done and spent, in the text format Prometheus reads.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::model::Millis;
use crate::store::Gauges;

/// One label with a word from a closed list, so that the number of series stays bounded.
type Label = [(&'static str, &'static str); 1];
type Labels = [(&'static str, &'static str); 2];
/// Agents are named by the operator, who configures few.
type AgentLabel = [(&'static str, String); 1];

/// How a delivery was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    Recorded,
    Repeat,
    /// A body that was here before, under another GUID.
    Replay,
    /// A body of another event than its headers say, or of another App.
    Crossed,
    /// Genuine, but of a kind nothing here reads.
    Unread,
    Forged,
    TooLarge,
    Broken,
    /// The body came too slowly.
    Slow,
    Busy,
    /// The store failed.
    Failed,
}

impl Intake {
    fn word(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Repeat => "repeat",
            Self::Replay => "replay",
            Self::Crossed => "crossed",
            Self::Unread => "unread",
            Self::Forged => "forged",
            Self::TooLarge => "too_large",
            Self::Broken => "broken",
            Self::Slow => "slow",
            Self::Busy => "busy",
            Self::Failed => "failed",
        }
    }
}

/// How a leased job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    Done,
    PutBack,
    /// Given up for good.
    Failed,
    /// The lease was lost, or the run did not want the result any more.
    Dropped,
    Panicked,
}

impl JobEnd {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::PutBack => "put_back",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Panicked => "panicked",
        }
    }
}

/// Every metric of the process. Clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    deliveries: Family<Label, Counter>,
    jobs: Family<Labels, Counter>,
    job_seconds: Family<Label, Histogram, fn() -> Histogram>,
    job_wait_seconds: Histogram,
    runs: Family<Label, Counter>,
    api_calls: Family<Label, Counter>,
    agent_calls: Family<AgentLabel, Counter>,
    queue: Family<Label, Gauge>,
    runs_live: Gauge,
    resident_bytes: Gauge,
    api_paced: Family<Labels, Counter>,
    egress: Family<Label, Counter>,
    egress_bytes: Family<Label, Counter>,
    spent: Counter,
    pool_rests: Family<[(&'static str, String); 1], Counter>,
    pool_rests_until: Family<[(&'static str, String); 1], Gauge>,
    budget_refusals: Family<Label, Counter>,
}

/// From 1 ms to about 70 min, each four times the one before.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 12))
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            deliveries: Family::default(),
            jobs: Family::default(),
            job_seconds: Family::new_with_constructor(seconds),
            job_wait_seconds: seconds(),
            runs: Family::default(),
            api_calls: Family::default(),
            agent_calls: Family::default(),
            queue: Family::default(),
            runs_live: Gauge::default(),
            resident_bytes: Gauge::default(),
            api_paced: Family::default(),
            egress: Family::default(),
            egress_bytes: Family::default(),
            spent: Counter::default(),
            pool_rests: Family::default(),
            pool_rests_until: Family::default(),
            budget_refusals: Family::default(),
        };
        metrics.registry = Arc::new(metrics.registered());
        metrics
    }

    fn registered(&self) -> Registry {
        let mut registry = Registry::with_prefix("slipway");
        let r = &mut registry;
        r.register("deliveries", "Webhook deliveries by answer", self.deliveries.clone());
        r.register("jobs", "Jobs by kind and end", self.jobs.clone());
        r.register("job_seconds", "Time a job took", self.job_seconds.clone());
        let wait = self.job_wait_seconds.clone();
        r.register("job_wait_seconds", "Time a due job waited for a worker", wait);
        r.register("runs_ended", "Finished runs by outcome", self.runs.clone());
        r.register("api_calls", "Requests to GitHub", self.api_calls.clone());
        r.register("agent_calls", "Agents started", self.agent_calls.clone());
        r.register("queue_jobs", "Jobs by state", self.queue.clone());
        r.register("runs_live", "Runs that are not finished", self.runs_live.clone());
        let resident = self.resident_bytes.clone();
        r.register("resident_memory_bytes", "Memory held by the process", resident);
        let paced = self.api_paced.clone();
        r.register("api_paced", "Requests to GitHub that had to wait or were sent back", paced);
        r.register("egress", "Connections agents asked for by verdict", self.egress.clone());
        let bytes = self.egress_bytes.clone();
        r.register("egress_bytes", "Bytes agents sent out and got back", bytes);
        let rests = self.pool_rests.clone();
        r.register("pool_rests", "Times the agents of a house were given a rest", rests);
        let until = self.pool_rests_until.clone();
        r.register("pool_rests_until_seconds", "Until when they rest, since 1970", until);
        let spent = self.spent.clone();
        r.register("model_micros", "Spent on models, in millionths of a dollar", spent);
        let refusals = self.budget_refusals.clone();
        r.register(
            "budget_refusals",
            "Agents that had to stop, by the cap that was full",
            refusals,
        );
        registry
    }

    /// Counts an answered delivery.
    pub fn delivery(&self, answer: Intake) {
        self.deliveries.get_or_create(&[("answer", answer.word())]).inc();
    }

    /// Counts a job that ended `took_ms` after it was leased; `kind` is its `JobKind::word`.
    pub fn job(&self, kind: &'static str, end: JobEnd, took_ms: i64) {
        self.jobs.get_or_create(&[("kind", kind), ("end", end.word())]).inc();
        self.job_seconds.get_or_create(&[("kind", kind)]).observe(in_seconds(took_ms));
    }

    /// Notes how long a due job waited until it was leased.
    pub fn job_waited(&self, late_ms: i64) {
        self.job_wait_seconds.observe(in_seconds(late_ms));
    }

    /// Counts a finished run; `outcome` is its `Outcome::word`.
    pub fn run_ended(&self, outcome: &'static str) {
        self.runs.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Takes over the totals of the GitHub adapter; smaller totals than before change nothing.
    /// `unchanged` are reads, counted among them, that cost nothing.
    pub fn api_totals(&self, reads: u64, writes: u64, unchanged: u64) {
        for (kind, total) in [("read", reads), ("write", writes), ("unchanged", unchanged)] {
            let calls = self.api_calls.get_or_create(&[("kind", kind)]);
            calls.inner().fetch_max(total, Ordering::Relaxed);
        }
    }

    /// Takes over how many requests of a priority waited for GitHub's limits, and how many were
    /// sent back to come later.
    pub fn api_paced(&self, priority: &'static str, waited: u64, sent_back: u64) {
        for (how, total) in [("waited", waited), ("sent_back", sent_back)] {
            let paced = self.api_paced.get_or_create(&[("priority", priority), ("how", how)]);
            paced.inner().fetch_max(total, Ordering::Relaxed);
        }
    }

    /// Counts a started agent.
    pub fn agent_called(&self, agent: &str) {
        self.agent_calls.get_or_create(&[("agent", agent.to_owned())]).inc();
    }

    /// Counts what one way out opened and refused.
    pub fn egress(&self, opened: u64, refused: u64) {
        for (verdict, count) in [("opened", opened), ("refused", refused)] {
            self.egress.get_or_create(&[("verdict", verdict)]).inc_by(count);
        }
    }

    /// Counts what went through one way out.
    pub fn egress_bytes(&self, out: u64, back: u64) {
        for (direction, bytes) in [("out", out), ("in", back)] {
            self.egress_bytes.get_or_create(&[("direction", direction)]).inc_by(bytes);
        }
    }

    /// Counts a rest of the agents of a house, and tells when it ends.
    pub fn pool_rests(&self, pool: &str, until: Millis) {
        let label = [("pool", pool.to_owned())];
        self.pool_rests.get_or_create(&label).inc();
        self.pool_rests_until.get_or_create(&label).set(until.0 / 1_000);
    }

    /// Counts millionths of a dollar that models cost.
    pub fn spent(&self, micros: u64) {
        self.spent.inc_by(micros);
    }

    /// Counts an agent that had to stop; `scope` is the word of the cap.
    pub fn budget_refused(&self, scope: &'static str) {
        self.budget_refusals.get_or_create(&[("scope", scope)]).inc();
    }

    /// Everything in the text format, with `gauges` as of now when the store could tell.
    pub fn render(&self, gauges: Option<&Gauges>) -> String {
        if let Some(gauges) = gauges {
            let states = [
                ("due", gauges.jobs_due),
                ("leased", gauges.jobs_leased),
                ("later", gauges.jobs_later),
            ];
            for (state, jobs) in states {
                self.queue.get_or_create(&[("state", state)]).set(whole(jobs));
            }
            self.runs_live.set(whole(gauges.runs_live));
        }
        if let Some(bytes) = resident_bytes() {
            self.resident_bytes.set(whole(bytes));
        }
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => format!("# the metrics could not be written: {error}\n# EOF\n"),
        }
    }
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn in_seconds(ms: i64) -> f64 {
    std::time::Duration::from_millis(u64::try_from(ms).unwrap_or(0)).as_secs_f64()
}

/// Resident memory as the kernel counts it; `None` where there is no such file.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_written() {
        let metrics = Metrics::new();
        metrics.delivery(Intake::Recorded);
        let twin = metrics.clone();
        twin.delivery(Intake::Recorded);
        metrics.job("look", JobEnd::Done, 1_500);
        metrics.job_waited(20);
        metrics.run_ended("merged");
        metrics.api_totals(7, 3, 2);
        metrics.api_totals(5, 4, 1);
        metrics.api_paced("gate", 2, 1);
        metrics.spent(2_500);
        metrics.budget_refused("day");
        metrics.agent_called("a \"quoted\" name");
        let gauges = Gauges { jobs_due: 4, runs_live: 2, ..Gauges::default() };
        let text = twin.render(Some(&gauges));
        for line in [
            "slipway_deliveries_total{answer=\"recorded\"} 2",
            "slipway_jobs_total{kind=\"look\",end=\"done\"} 1",
            "slipway_job_seconds_sum{kind=\"look\"} 1.5",
            "slipway_job_wait_seconds_count 1",
            "slipway_runs_ended_total{outcome=\"merged\"} 1",
            "slipway_api_calls_total{kind=\"read\"} 7",
            "slipway_api_calls_total{kind=\"write\"} 4",
            "slipway_api_calls_total{kind=\"unchanged\"} 2",
            "slipway_agent_calls_total{agent=\"a \\\"quoted\\\" name\"} 1",
            "slipway_queue_jobs{state=\"due\"} 4",
            "slipway_api_paced_total{priority=\"gate\",how=\"waited\"} 2",
            "slipway_api_paced_total{priority=\"gate\",how=\"sent_back\"} 1",
            "slipway_model_micros_total 2500",
            "slipway_budget_refusals_total{scope=\"day\"} 1",
            "slipway_runs_live 2",
            "# EOF",
        ] {
            assert!(text.lines().any(|written| written == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_known_on_linux() {
        assert!(resident_bytes().unwrap() > 1024 * 1024);
    }
}
