//! Following an agent while it works: what it does is shown now and then, and what it said is
//! kept when it is over.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::super::Context;
use super::record::Recorder;
use crate::agent::dialect::{Dialect, Step};
use crate::agent::live::{Asked, Follow, Who};
use crate::clock::Clock;
use crate::gateway::{Line, Tally};
use crate::git::Workspace;
use crate::model::Millis;
use crate::pipeline::{Live, Role};
use crate::sandbox::{Answer, Ear, Transcript};
use crate::store::{LiveRow, Stream, StreamRow};
use crate::worker::failure::Failure;
use crate::worker::jobs;

/// What an agent does is written down so often at most, in milliseconds.
const SHOW_GAP_MS: i64 = 2_000;
/// What only the gateway knows of it is looked at so often.
const LOOK_GAP_MS: i64 = 10_000;
/// And told on GitHub so often at most.
const REPORT_GAP_MS: i64 = 15_000;
/// Whoever works for long is told of more rarely: once in such a part of the time it has worked.
const REPORT_PART: i64 = 20;

/// Follows one agent.
pub(super) struct Following {
    entry: u32,
    began: Millis,
    clock: Arc<dyn Clock>,
    /// Something was heard.
    news: Notify,
    inner: Mutex<Inner>,
}

struct Inner {
    follow: Follow,
    /// Gone when nothing is to be kept, or when it failed.
    recorder: Option<Recorder>,
}

/// What was shown last, and when more may be told.
struct Shown {
    live: Option<Live>,
    /// It changed since GitHub was told.
    is_news: bool,
    at: Millis,
    report_at: Millis,
}

impl Following {
    pub(super) fn new(
        context: &Context<'_>,
        (role, round): (Role, u32),
        (agent, dialect): (&str, Option<Dialect>),
        workspace: &Workspace,
    ) -> Self {
        let engine = context.engine;
        let limits = &engine.settings.limits;
        let directory = engine.ports.sandbox.seen(&workspace.path);
        let directory = directory.to_string_lossy();
        let who = Who { agent, role, round, dialect, directory: &directory };
        let began = engine.now();
        let keeps = limits.stream_ms_max > 0;
        let sanitizer = &engine.sanitizer;
        let recorder = keeps.then(|| Recorder::new(sanitizer.clone(), limits.stream_bytes_max));
        let follow = Follow::new(who, sanitizer.clone(), began);
        let inner = Mutex::new(Inner { follow, recorder });
        let clock = Arc::clone(&engine.ports.clock);
        Self { entry: context.state.entry, began, clock, news: Notify::new(), inner }
    }

    /// It said `bytes`, and that means `steps`.
    pub(super) fn heard(&self, bytes: &[u8], steps: &[Step], now: Millis) {
        let mut inner = self.inner();
        inner.follow.bytes(bytes, now);
        for step in steps {
            if let Step::Event(event) = step {
                inner.follow.event(event, now);
            }
        }
        let kept = inner.recorder.as_mut().map(|recorder| recorder.push(bytes));
        if let Some(Err(error)) = kept {
            tracing::warn!(%error, "what an agent says is not kept");
            inner.recorder = None;
        }
        drop(inner);
        self.news.notify_one();
    }

    /// Lets it run, and shows meanwhile what it does.
    pub(super) async fn beside<T>(
        &self,
        context: &Context<'_>,
        line: Option<&dyn Line>,
        running: impl Future<Output = T>,
    ) -> T {
        let mut running = pin!(running);
        let report_at = self.began.plus(REPORT_GAP_MS);
        let mut shown = Shown { live: None, is_news: false, at: self.began, report_at };
        loop {
            let look_at = self.clock.now().plus(LOOK_GAP_MS);
            let look_at = if shown.is_news { shown.report_at } else { look_at };
            tokio::select! {
                biased;
                done = &mut running => return done,
                () = self.news.notified() => {}
                () = self.clock.sleep_until(look_at) => {}
            }
            tokio::select! {
                biased;
                done = &mut running => return done,
                () = self.clock.sleep_until(shown.at.plus(SHOW_GAP_MS)) => {}
            }
            tokio::select! {
                biased;
                done = &mut running => return done,
                told = self.show(context, line, &mut shown) => {
                    if let Err(error) = told {
                        tracing::warn!(%error, "what an agent does is not shown");
                    }
                }
            }
        }
    }

    async fn show(
        &self,
        context: &Context<'_>,
        road: Option<&dyn Line>,
        shown: &mut Shown,
    ) -> Result<(), Failure> {
        let (now, run) = (self.clock.now(), &context.state.request.run);
        let live = self.live(road.map(Line::tally));
        let store = &context.engine.ports.store;
        shown.at = now;
        if !live.is_silent() && shown.live.as_ref() != Some(&live) {
            let row = LiveRow { run: run.clone(), entry: self.entry, at: now, live: live.clone() };
            store.show_live(row).await?;
            shown.live = Some(live);
            shown.is_news = true;
        }
        if shown.is_news && now >= shown.report_at {
            store.put(vec![jobs::report(run, now)]).await?;
            shown.is_news = false;
            shown.report_at = now.plus(report_gap_ms(now.since(self.began)));
        }
        Ok(())
    }

    /// It is over: tells what it did, and keeps what it said.
    pub(super) async fn over(
        &self,
        context: &Context<'_>,
        transcript: Option<&Transcript>,
        tally: Option<Tally>,
    ) {
        self.live(tally);
        let now = self.clock.now();
        let (worked, kept) = {
            let mut inner = self.inner();
            (inner.follow.worked(now), inner.recorder.take())
        };
        let agent = worked.agent.clone();
        context.worked(worked);
        let errors = transcript.map(|transcript| transcript.stderr.as_str());
        let Some(recorder) = kept else { return };
        let said = match recorder.finish(errors.unwrap_or_default()) {
            Ok(Some(said)) => said,
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "what an agent said is not kept"),
        };
        let row = StreamRow {
            entry: self.entry,
            agent,
            at: now,
            bytes: said.bytes as u64,
            is_cut: said.is_cut,
        };
        let run = context.state.request.run.clone();
        let stream = Stream { run, row, frame: said.frame };
        if let Err(error) = context.engine.ports.store.keep_stream(stream).await {
            tracing::warn!(%error, "what an agent said is not kept");
        }
    }

    /// What it does now, with what the gateway knows of it.
    fn live(&self, tally: Option<Tally>) -> Live {
        let mut inner = self.inner();
        if let Some(tally) = tally {
            inner.follow.asked(Asked {
                requests: tally.requests,
                turns: tally.turns,
                retries: tally.retries,
                tokens: tally.tokens.total(),
                cost: tally.cost,
            });
        }
        inner.follow.live().clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Programs without events are heard so; whatever they say, they are not answered.
impl Ear for Following {
    fn hear(&self, bytes: &[u8]) -> Answer {
        self.heard(bytes, &[], self.clock.now());
        Answer::default()
    }
}

/// How long after a report the next one may come, of an agent that has worked for so long.
fn report_gap_ms(worked_ms: i64) -> i64 {
    REPORT_GAP_MS.max(worked_ms / REPORT_PART)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio_util::sync::CancellationToken;

    use super::super::hear::Hearing;
    use super::*;
    use crate::agent::dialect::{LINE_BYTES_MAX, Opening};
    use crate::clock::SystemClock;
    use crate::model::sanitized::Sanitizer;
    use crate::process::Capture;
    use crate::worker::Limits;

    #[test]
    fn github_is_told_every_fifteen_seconds_at_most_and_ever_more_rarely() {
        let minutes = [0, 1, 5, 10, 60, 600].map(|minutes| report_gap_ms(minutes * 60_000));
        assert_eq!(minutes, [15_000, 15_000, 15_000, 30_000, 180_000, 1_800_000]);
        let (mut now, mut told) = (0, 0);
        while now < 60 * 60_000 {
            now += report_gap_ms(now);
            told += 1;
        }
        assert!(told <= 80, "{told} times in an hour");
    }

    fn following() -> Following {
        let who = Who {
            agent: "codex:m",
            role: Role::Builder,
            round: 1,
            dialect: Some(Dialect::CodexExec),
            directory: "/home/agent/w",
        };
        let limits = Limits::default();
        let recorder = Recorder::new(Sanitizer::default(), limits.stream_bytes_max);
        let follow = Follow::new(who, Sanitizer::default(), Millis(0));
        Following {
            entry: 1,
            began: Millis(0),
            clock: Arc::new(SystemClock),
            news: Notify::new(),
            inner: Mutex::new(Inner { follow, recorder: Some(recorder) }),
        }
    }

    /// Everything that is held for one agent here, its line to a model left aside.
    struct Held {
        hearing: Hearing,
        stdout: Capture,
        stderr: Capture,
    }

    impl Held {
        fn new() -> Self {
            let clock = Arc::new(SystemClock);
            let (stop, opening) = (CancellationToken::new(), Opening::default());
            let following = Arc::new(following());
            let hearing = Hearing::new(Dialect::CodexExec, opening, following, clock, stop).0;
            let kept = || Capture::new(Limits::default().output_bytes_max);
            Self { hearing, stdout: kept(), stderr: kept() }
        }

        fn say(&mut self, bytes: &[u8]) {
            for part in bytes.chunks(16 * 1024) {
                drop(self.hearing.hear(part));
                self.stdout.push(part);
                self.stderr.push(part);
            }
        }
    }

    /// Bytes of this process that are in memory.
    fn resident() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
    }

    fn answer(bytes: usize) -> String {
        let output: String = (0..bytes).map(|_| fastrand::alphanumeric()).collect();
        format!(
            "{{\"type\":\"item.completed\",\"item\":{{\"type\":\"command_execution\",\
             \"status\":\"completed\",\"aggregated_output\":\"{output}\"}}}}\n"
        )
    }

    #[test]
    #[ignore = "a measurement"]
    fn what_an_agent_takes_of_memory() {
        const AGENTS: usize = 20;
        let (usual, longest) = (answer(16 * 1024), answer(LINE_BYTES_MAX - 200));
        let mut told = Vec::new();
        let before = resident();
        let mut agents: Vec<Held> = (0..AGENTS).map(|_| Held::new()).collect();
        told.push(("new", resident() - before));
        for agent in &mut agents {
            agent.say(usual.as_bytes());
        }
        told.push(("after 16 KiB", resident() - before));
        for _ in 0..16 {
            for agent in &mut agents {
                agent.say(answer(64 * 1024).as_bytes());
            }
        }
        told.push(("after 1 MiB", resident() - before));
        for _ in 0..48 {
            for agent in &mut agents {
                agent.say(answer(64 * 1024).as_bytes());
            }
        }
        told.push(("after 4 MiB, all bounds reached", resident() - before));
        for agent in &mut agents {
            agent.say(longest.as_bytes());
        }
        told.push(("after a line of 4 MiB, as long as may be", resident() - before));
        let mut out = std::io::stderr().lock();
        for (when, bytes) in told {
            writeln!(out, "{when}: {} KiB an agent", bytes / AGENTS / 1_024).unwrap();
        }
    }
}
