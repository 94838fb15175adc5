//! Simulation: many lives of the code that ships, each from one number, in bad weather
//! first and in good weather then. `SLIPWAY_LIVES` says how many, `SLIPWAY_SEED` from where.

mod hub;
mod people;
mod plan;
mod stage;
mod taps;
mod time;
mod verdict;
mod watch;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use slipway::model::Millis;
use slipway::store::Store;
use stage::{Stage, now};

/// Lives of one plain `cargo test`; `./check` asks for 10,000 with `SLIPWAY_LIVES`.
const LIVES: u64 = 2_000;
/// Threads that live lives.
const THREADS: usize = 2;
/// Good weather lasts this long at most, in rounds of ten minutes.
const ROUNDS_MAX: u32 = 400;
const ROUND_MS: i64 = 600_000;

/// What became of a life.
struct Lived {
    digest: String,
    counts: BTreeMap<&'static str, u64>,
    broken: Vec<String>,
    story: String,
}

/// One life from birth to judgement.
fn live(seed: u64) -> Lived {
    let mut stage = Stage::new(seed);
    stage.settle();
    stage.ask();
    stage.spoil();
    for _ in 0..stage.plan.actions {
        let until = stage.clock.ms() + stage.gap_ms();
        stage.live(until);
        stage.act();
    }
    stage.live(stage.clock.ms() + ROUND_MS);
    stage.clear_up();
    stage.tell("the weather clears up".to_owned());
    let mut asked = BTreeMap::new();
    let mut quiet = 0;
    for _ in 0..ROUNDS_MAX {
        stage.live(stage.clock.ms() + ROUND_MS);
        stage.answer(&mut asked);
        let live = !now(stage.store.live_runs(None)).unwrap().is_empty();
        quiet = if live { 0 } else { quiet + 1 };
        if quiet == 4 || !stage.watch.laws_broken().is_empty() {
            break;
        }
    }
    // Timers of waits that are over go off for nothing, the longest after four hours.
    let left =
        |stage: &Stage| now(stage.store.gauges(Millis(stage.clock.ms()))).unwrap().jobs_later;
    while left(&stage) > 1 && quiet < 40 {
        quiet += 1;
        stage.live(stage.clock.ms() + ROUND_MS);
    }
    if stage.watch.laws_broken().is_empty() {
        stage.judge();
    }
    told(&stage, seed)
}

fn told(stage: &Stage, seed: u64) -> Lived {
    let broken = stage.watch.laws_broken();
    let story = if broken.is_empty() {
        String::new()
    } else {
        let runs = stage.runs();
        let ends = runs.iter().map(|(run, s)| format!("{run}: {:?}", s.state.progress));
        format!(
            "seed {seed}: {}\n{:#?}\n{}\n{}\n{}\n{}\n",
            broken.join("\n  "),
            stage.plan,
            stage.story.join("\n"),
            stage.journal_end(100),
            stage.timelines(),
            ends.collect::<Vec<_>>().join("\n")
        )
    };
    let mut counts = stage.watch.counts();
    for call in stage.world.journal() {
        let odd = call.actor.starts_with(&stage.bot.slug) && call.status >= 500;
        if odd {
            let what = if call.effect { "fault with effect" } else { "fault without effect" };
            *counts.entry(what).or_default() += 1;
        }
    }
    Lived { digest: stage.digest(), counts, broken, story }
}

#[expect(clippy::disallowed_methods, reason = "how much is simulated is the caller's choice")]
fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn many_lives_keep_the_laws() {
    let (lives, first) = (asked("SLIPWAY_LIVES", LIVES), asked("SLIPWAY_SEED", 1));
    let next = AtomicU64::new(first);
    let counts = Mutex::new(BTreeMap::<&'static str, u64>::new());
    let failures = Mutex::new(Vec::<(u64, String)>::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + lives || failures.lock().unwrap().len() >= 40 {
                        return;
                    }
                    let ended = live(seed);
                    let mut counts = counts.lock().unwrap();
                    for (what, times) in ended.counts {
                        *counts.entry(what).or_default() += times;
                    }
                    drop(counts);
                    if !ended.broken.is_empty() {
                        let line = format!("seed {seed}: {}", ended.broken.join("; "));
                        failures.lock().unwrap().push((seed, line + "\n" + &ended.story));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let first_line = |(_, text): &(u64, String)| text.lines().next().unwrap_or("").to_owned();
    let broken: Vec<String> = failures.iter().map(first_line).collect();
    let counts = counts.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{}\n{counts:#?}\n{} lives broke a law:\n{}",
        failures[0].1,
        broken.len(),
        broken.join("\n")
    );
    if lives >= LIVES {
        nothing_went_lame(&counts);
    }
}

/// Everything worth simulating happened at least once.
fn nothing_went_lame(counts: &BTreeMap<&'static str, u64>) {
    for what in HAPPENINGS {
        assert!(counts.get(what).is_some_and(|times| *times > 0), "never {what}: {counts:#?}");
    }
}

/// What must happen in a batch.
const HAPPENINGS: &[&str] = &[
    "agent ended well",
    "agent failed",
    "clock jump",
    "conflict of versions",
    "crash",
    "fault with effect",
    "fault without effect",
    "foreign push",
    "handed over",
    "lane busy",
    "merge answer unknown",
    "merge answered",
    "merged",
    "merged by a person",
    "merged by hand",
    "parked",
    "stopped",
    "verification failed",
    "webhook doubled",
    "webhook lost while down",
];

/// Lives that once broke a law, by what they showed.
const LESSONS: &[(u64, &str)] = &[
    (27, "a command found by the sweep lost its 👀 when the reaction failed once"),
    (40, "an `/approve` agreed to a commit that was published after it was written"),
    (8060, "a `/go` that was heard late started a run after the `/stop` that came behind it"),
    (8573, "a look that began in the millisecond of our push took the old head for a stranger's"),
    (2288, "a report given up after one 404 made its check run a second time"),
];

#[test]
fn lessons_stay_learnt() {
    for (seed, lesson) in LESSONS {
        let lived = live(*seed);
        assert!(lived.broken.is_empty(), "{lesson}:\n{}", lived.story);
    }
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for seed in 1..=5 {
        assert_eq!(live(seed).digest, live(seed).digest, "seed {seed}");
    }
}
