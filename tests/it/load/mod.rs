//! Two hundred runs at once against a playground that enforces GitHub's published limits.

mod country;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use country::{ACCOUNTS, Country, REPOSITORIES, START, WORKERS};
use slipway::app::pool;
use slipway::clock::Clock;
use slipway::github::app::pace::{Limits, Priority};
use slipway::model::{DeliveryId, Millis};
use slipway::playground::world::limits::Why;
use slipway::store::{NewDelivery, Store};
use slipway::web::Readiness;
use time::VirtualClock;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::world::ready;

const MINUTE_MS: i64 = 60_000;
const RUNS: usize = ACCOUNTS * REPOSITORIES;
/// Real time after which a test that hangs is given up.
const PATIENCE: Duration = Duration::from_mins(5);

/// Where and when somebody said `/go`.
type Asked = BTreeMap<u64, i64>;

impl Country {
    /// Runs `story` beside the engine's own loop, webhooks and CI; time passes by itself.
    fn live<T>(limits: Option<Limits>, story: impl AsyncFnOnce(&Self) -> T) -> T {
        let clock = Arc::new(VirtualClock::at(START));
        let parked = Arc::clone(&clock);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || parked.jump())
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let country = Self::new(limits, clock);
            let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
            let (engine, ending) = (Arc::clone(&country.engine), stop.clone());
            let slots = (WORKERS + engine.settings().limits.heavy_max) as usize;
            tasks.spawn(async move {
                let readiness = Arc::new(Readiness::default());
                pool::run(engine, slots, &readiness, &ending, Duration::ZERO).await;
            });
            let told = async {
                tokio::select! {
                    told = story(&country) => told,
                    () = country.mail() => panic!("mail comes for ever"),
                }
            };
            let told = tokio::time::timeout(PATIENCE, told).await.expect("it hangs");
            stop.cancel();
            told
        })
    }

    /// Delivers webhooks as they come due, and does the CI's work.
    async fn mail(&self) {
        loop {
            while self.world.ci_step(self.clock.ms()).expect("the CI works") {}
            for delivery in self.world.due_deliveries(self.clock.ms()) {
                if delivery.app == self.bot.id {
                    let id = DeliveryId::parse(&delivery.guid).expect("GitHub's ids are valid");
                    let (event, body) = (delivery.event.clone(), delivery.body.to_vec());
                    let kept = NewDelivery { id, event, body, at: self.clock.now() };
                    ready(self.store.record(kept)).expect("the memory store keeps it");
                }
                self.world.delivery_answered(delivery.id, 202);
            }
            let next = self.world.next_due_ms().unwrap_or(i64::MAX);
            tokio::select! {
                () = self.road.bell.notified() => {}
                () = self.clock.sleep_until(Millis(next.min(self.clock.ms() + 1_000))) => {}
            }
        }
    }

    /// Everybody asks within a minute, each in a repository of their own.
    async fn everybody_asks(&self) -> Asked {
        let mut asked = Asked::new();
        let mut dice = fastrand::Rng::with_seed(11);
        let mut places: Vec<_> = self.places.iter().collect();
        dice.shuffle(&mut places);
        let gap_ms = (MINUTE_MS - 1) / i64::try_from(places.len()).expect("a few");
        for (owner, repo) in places {
            let issue = self.world.open_issue(*owner, repo, "Add a feature", "Please.");
            let number = issue.expect("an issue").number;
            let said = self.world.comment(*owner, repo, number, "/go").expect("a comment");
            asked.insert(said.id, self.clock.ms());
            self.road.bell.notify_one();
            self.clock.pass(gap_ms).await;
        }
        asked
    }

    fn ended(&self) -> BTreeMap<String, usize> {
        let mut ended = BTreeMap::new();
        for row in ready(self.store.runs(500)).expect("the store answers") {
            if !row.live {
                *ended.entry(row.at_stage).or_default() += 1;
            }
        }
        ended
    }

    /// What the others do.
    fn alive(&self) -> BTreeMap<String, usize> {
        let mut alive = BTreeMap::new();
        for row in ready(self.store.runs(500)).expect("the store answers") {
            if row.live {
                let snapshot = ready(self.store.load(&row.run)).expect("the store answers");
                let doing = snapshot.map(|one| format!("{:?}", one.state.progress));
                let doing = doing.unwrap_or_default().chars().take(300).collect();
                *alive.entry(doing).or_default() += 1;
            }
        }
        alive
    }

    /// How long each command waited for its first reaction, in milliseconds, shortest first.
    fn acknowledged_after(&self, asked: &Asked) -> Vec<i64> {
        let mut first = BTreeMap::<u64, i64>::new();
        for call in self.world.journal() {
            let of = call.path.split_once("/issues/comments/").map(|(_, rest)| rest);
            let id = of.and_then(|rest| rest.strip_suffix("/reactions")?.parse().ok());
            if let Some(id) = id.filter(|_| call.effect) {
                first.entry(id).or_insert(call.at_ms);
            }
        }
        let waited = asked.iter().map(|(id, at)| first.get(id).expect("a reaction") - at);
        let mut waited: Vec<i64> = waited.collect();
        waited.sort_unstable();
        waited
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "figures, for whoever asks with --nocapture")]
fn two_hundred_runs_at_once_stay_within_githubs_limits() {
    Country::live(None, async |c| {
        let began = c.clock.ms();
        let asked = c.everybody_asks().await;
        assert!(c.clock.ms() - began <= MINUTE_MS);
        while c.ended().values().sum::<usize>() < RUNS {
            let late = c.clock.ms() - began > 120 * MINUTE_MS;
            assert!(
                !late,
                "{:?}, {:?}, {:?}",
                c.ended(),
                c.alive().into_iter().take(3).collect::<Vec<_>>(),
                c.world.limits_record()
            );
            c.clock.pass(1_000).await;
        }
        let took_s = (c.clock.ms() - began) / 1_000;
        assert_eq!(c.ended(), BTreeMap::from([("merged".to_owned(), RUNS)]));
        // The last words are written too, however long GitHub's windows make them wait.
        c.clock.pass(70 * MINUTE_MS).await;
        let record = c.world.limits_record();
        let answers = c.road.answers.lock().expect("nobody panicked").clone();
        let waited = c.acknowledged_after(&asked);
        let paced = c.github.paced();
        let requests: u64 = answers.values().sum();
        eprintln!(
            "{RUNS} runs merged in {took_s} s; {requests} requests; first reactions: p50 {} ms, \
             longest {} ms; {paced:?}; {record:?}",
            waited[waited.len() / 2],
            waited[waited.len() - 1],
        );
        assert_eq!(record.refused, [], "refused");
        assert!(!answers.contains_key(&403) && !answers.contains_key(&429), "{answers:?}");
        assert_eq!(waited.len(), RUNS);
        assert!(waited[RUNS - 1] < 1_000, "the last one waited {} ms", waited[RUNS - 1]);
        assert!(record.at_once <= 100 && record.at_once_of_all <= 100, "{record:?}");
        assert!(record.writes_a_minute <= 80 && record.writes_an_hour <= 500, "{record:?}");
        assert!(record.write_gap_ms >= Some(1_000), "{record:?}");
        let gauges = ready(c.store.gauges(c.clock.now())).expect("the store answers");
        assert_eq!(gauges.jobs_due, 0, "{gauges:?}");
        assert!(paced.sent_back[Priority::ALL.len() - 1] > 0, "nothing was held back");
    });
}

#[test]
fn the_same_load_without_the_pacer_is_refused() {
    let limits = Limits { at_once_max: Limits::NONE, ..Limits::server() };
    Country::live(Some(limits), async |c| {
        c.everybody_asks().await;
        c.clock.pass(5 * MINUTE_MS).await;
        let record = c.world.limits_record();
        let why: BTreeSet<Why> = record.refused.iter().map(|refused| refused.why).collect();
        assert!(why.contains(&Why::WritesAMinute), "{why:?}");
        let answers = c.road.answers.lock().expect("nobody panicked").clone();
        assert!(answers.contains_key(&429), "{answers:?}");
    });
}
