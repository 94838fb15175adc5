//! Webhooks that get lost, come twice, or cannot come at all: the end is the same.

use slipway::agent::scripted::Script;
use slipway::git::depot::tree_id;
use slipway::model::DeliveryId;
use slipway::pipeline::ParkReason;
use slipway::playground::mailbox::Mailbox;
use slipway::playground::world::ReviewState;
use slipway::store::Store;

use crate::world::{Plan, Town, plan, ready, replace, say, write};

const HOUR_MS: i64 = 3_600_000;

/// What people see at the end, without clocks and hashes.
#[derive(Debug, PartialEq, Eq)]
struct Ending {
    outcome: String,
    issue_open: bool,
    merged: Option<bool>,
    tree: String,
    comments: Vec<(u64, String)>,
    checks: Vec<(Option<String>, Option<String>, String)>,
    agents: Vec<String>,
}

fn ending(t: &Town) -> Ending {
    let comments = t.comments_of_bot().into_iter();
    let runs = t.check_runs_of_bot().into_iter();
    let number = t.state().work.pull;
    let tip = t.tip("main").expect("a branch");
    Ending {
        outcome: masked(&format!("{:?}", t.outcome())),
        issue_open: t.issue_now().open,
        merged: number.map(|_| t.pull_request().merged),
        tree: tree_id(&t.depot.get(&tip).expect("a commit").tree),
        comments: comments.map(|said| (said.issue, masked(&said.body))).collect(),
        checks: runs
            .map(|run| {
                let words = run.output.summary.unwrap_or_default();
                (run.conclusion, run.output.title.map(|t| masked(&t)), masked(&words))
            })
            .collect(),
        agents: t.agents_asked(),
    }
}

/// Without hashes, numbers and times.
fn masked(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric();
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| word(c) != word(first)).unwrap_or(rest.len());
        let (piece, later) = rest.split_at(end);
        let digits = piece.bytes().any(|byte| byte.is_ascii_digit());
        let hash = piece.len() >= 7 && piece.bytes().all(|byte| byte.is_ascii_hexdigit());
        out.push_str(if word(first) && (digits || hash) { "#" } else { piece });
        rest = later;
    }
    out
}

/// The bot's writes that had an effect, in order: operation and place.
pub(super) fn effects(t: &Town) -> Vec<String> {
    let journal = t.world.journal().into_iter();
    let ours = journal.filter(|call| call.actor == t.bot.slug && call.effect);
    let kept = ours.filter(|call| call.operation != "apps/create-installation-access-token");
    kept.map(|call| format!("{} {}", call.operation, call.path)).collect()
}

type Life = for<'a> fn(&'a mut Town) -> std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

macro_rules! life {
    ($body:expr) => {{
        let life: Life = |t| Box::pin($body(t));
        life
    }};
}

async fn happy(t: &mut Town) {
    t.go("Add a feature").await;
    t.approve().await;
    t.expect_outcome("merged").await;
}

async fn red_ci(t: &mut Town) {
    t.go("Add a feature").await;
    t.approve().await;
    t.expect_outcome("merged").await;
    assert_eq!(t.state().counts.fix_rounds, 1);
}

async fn reviewed(t: &mut Town) {
    t.go("Add a feature").await;
    t.run_until("people", |t| t.stage() == "review").await;
    t.review(ReviewState::ChangesRequested, "Please call it a fine feature.").await;
    t.run_until("a second look", |t| {
        t.stage() == "review" && t.agents_asked().contains(&"fixer 1".to_owned())
    })
    .await;
    t.review(ReviewState::Approved, "").await;
    t.expect_outcome("merged").await;
}

async fn stopped(t: &mut Town) {
    t.go("Add a feature").await;
    t.run_until("people", |t| t.stage() == "review").await;
    t.comment("/stop").await;
    t.expect_outcome("stopped").await;
}

async fn labelled(t: &mut Town) {
    let number = t.issue("Add a feature");
    t.pass_ms(5_000).await;
    t.world.label(t.id("mara"), &t.repo, number, "go").expect("a label");
    t.approve().await;
    t.expect_outcome("merged").await;
}

async fn unlabelled(t: &mut Town) {
    let number = t.issue("Add a feature");
    t.world.label(t.id("mara"), &t.repo, number, "go").expect("a label");
    t.run_until("people", |t| t.stage() == "review").await;
    t.world.unlabel(t.id("rio"), &t.repo, number, "go").expect("no label");
    t.expect_outcome("stopped").await;
}

async fn closed_by_hand(t: &mut Town) {
    t.go("Add a feature").await;
    t.run_until("people", |t| t.stage() == "review").await;
    t.world.close(t.id("rio"), &t.repo, t.number).expect("closed");
    t.expect_outcome("stopped").await;
}

async fn merged_by_hand(t: &mut Town) {
    t.go("Add a feature").await;
    t.run_until("people", |t| t.stage() == "review").await;
    t.world.review(t.id("rio"), &t.repo, t.pull(), (ReviewState::Approved, "")).expect("given");
    t.merge_by_hand();
    t.expect_outcome("merged").await;
}

async fn pressed(t: &mut Town) {
    t.go("Add a feature").await;
    t.expect_parked(ParkReason::NoChecks).await;
    t.pass_ms(60_000).await;
    t.press("approve").await;
    t.run_until("an end", |t| t.outcome().is_some()).await;
    t.expect_outcome("merged").await;
}

fn breaking() -> Plan {
    let builder = vec![vec![write("feature.txt", "a BUG\n"), say("Built.")]];
    let fixer = vec![vec![replace("feature.txt", "BUG", "feature"), say("Fixed.")]];
    plan().auto().builder(builder).fixer(fixer)
}

fn improving() -> Plan {
    let fixer = vec![vec![replace("feature.txt", "a feature", "a fine feature"), say("Done.")]];
    plan().fixer(fixer)
}

type Story = (&'static str, fn() -> Plan, Life);

/// Every story, with the town it is told in.
fn stories() -> Vec<Story> {
    vec![
        ("happy", plan, life!(happy)),
        ("red-ci", breaking, life!(red_ci)),
        ("review", improving, life!(reviewed)),
        ("stop", plan, life!(stopped)),
        ("label", plan, life!(labelled)),
        ("unlabel", plan, life!(unlabelled)),
        ("closed by hand", plan, life!(closed_by_hand)),
        ("merged by hand", plan, life!(merged_by_hand)),
        ("button", || plan().auto().no_ci(), life!(pressed)),
    ]
}

/// How it ended, and with which effects, for every way to reach GitHub.
fn told(plan: Plan, life: Life, before: impl Fn(&mut Town)) -> Vec<(Ending, Vec<String>)> {
    let mut told = Vec::new();
    plan.run(async |t| {
        t.allows_writes(60);
        before(t);
        life(t).await;
        // Whatever comes late comes now, and the last words are written.
        t.pass_ms(HOUR_MS).await;
        told.push((ending(t), effects(t)));
    });
    told
}

fn endings(told: &[(Ending, Vec<String>)]) -> Vec<&Ending> {
    told.iter().map(|(ending, _)| ending).collect()
}

#[test]
fn with_every_webhook_lost_every_story_ends_as_with_none_lost() {
    for (name, plan, life) in stories() {
        let heard = told(plan().sweeps(), life, |_| {});
        let deaf = told(plan().sweeps(), life, |t| t.mailbox(Mailbox::drop_all));
        assert_eq!(endings(&heard), endings(&deaf), "{name}");
    }
}

#[test]
fn with_every_webhook_doubled_and_reversed_every_story_has_the_same_effects_in_the_same_order() {
    for (name, plan, life) in stories() {
        let once = told(plan(), life, |_| {});
        let thrice = told(plan(), life, |t| t.mailbox(Mailbox::triple_reverse));
        for (_, effects) in &once {
            let comments = effects.iter().filter(|call| call.starts_with("issues/create-comment"));
            assert!(comments.count() > 0, "{name}");
        }
        assert_eq!(once, thrice, "{name}");
    }
}

#[test]
fn the_log_of_deliveries_alone_tells_every_story() {
    for (name, plan, life) in stories() {
        let heard = told(plan().sweeps(), life, |_| {});
        let polled = told(plan().sweeps().polls(), life, |t| {
            t.mailbox(Mailbox::drop_all);
        });
        assert_eq!(endings(&heard), endings(&polled), "{name}");
        let asked = polled.iter().flat_map(|(_, effects)| effects);
        let asked = asked.into_iter().any(|call| call.contains("redeliver"));
        assert!(!asked, "{name}: nobody has to send again what is read");
    }
}

#[test]
fn an_app_without_any_webhook_is_quick_about_what_people_say() {
    plan().sweeps().polls().run(async |t| {
        t.mailbox(Mailbox::inactive);
        t.world.with(|state| state.mailbox.forget());
        t.pass_ms(60_000).await;
        let number = t.issue("Add a feature");
        let began = t.now();
        t.says("mara", number, "/go");
        t.run_until("a run", |t| t.try_state().is_some()).await;
        assert!(t.now() - began <= t.settings.limits.poll_ms, "{} ms", t.now() - began);
        t.run_until("people", |t| t.stage() == "review").await;
        let began = t.now();
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
        assert!(t.now() - began <= 60_000, "{} ms", t.now() - began);
        // Until its timers ran out.
        t.pass_ms(24 * HOUR_MS).await;
    });
}

/// An agent that gets in nobody's way.
fn other() -> Script {
    let builder = vec![vec![write("other.txt", "another\n"), say("Done.")]];
    Script { builder, ..Script::default() }
}

#[test]
fn two_days_down_in_the_middle_of_a_run_lose_neither_the_run_nor_what_was_said() {
    plan().auto().agent("other", other()).sweeps().run(async |t| {
        t.go("Add a feature").await;
        let first = t.number;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        let second = t.issue("Add another feature");
        t.down_for(24 * HOUR_MS);
        t.says("mara", second, "/go --agent other");
        t.down_for(24 * HOUR_MS);
        let back = t.now();
        t.expect_outcome("merged").await;
        assert!(t.now() - back < HOUR_MS, "{} ms", t.now() - back);
        t.number = first;
        t.expect_outcome("merged").await;
        assert_eq!(t.pulls(), 2);
    });
}

#[test]
fn a_label_and_a_button_from_the_time_it_was_down_are_heard() {
    plan().auto().no_ci().agent("other", other()).sweeps().run(async |t| {
        t.issue("Add a feature");
        t.comment("/go --agent other").await;
        t.expect_parked(ParkReason::NoChecks).await;
        let first = t.number;
        t.pass_ms(120_000).await;
        let run = t.check_runs_of_bot().last().expect("a check run").id;
        t.world.press_button(t.id("mara"), &t.repo, run, "approve").expect("a button");
        let second = t.issue("Add another feature");
        t.world.label(t.id("mara"), &t.repo, second, "go").expect("a label");
        t.down_for(48 * HOUR_MS);
        t.expect_parked(ParkReason::NoChecks).await;
        t.number = first;
        t.expect_outcome("merged").await;
        t.leaves_runs(1);
        t.allows_writes(60);
    });
}

#[test]
fn what_the_endpoint_answered_with_500_is_asked_for_again() {
    plan().auto().sweeps().run(async |t| {
        t.pass_ms(1_000).await;
        t.refuses = true;
        t.go("Add a feature").await;
        let refused = t.world.mailbox(|mailbox| {
            let ours = mailbox.log().filter(|one| one.delivery.event == "issue_comment");
            ours.map(|one| (one.delivery.guid.clone(), one.status_code)).next()
        });
        let (guid, status) = refused.expect("it was delivered");
        assert_eq!(status, 500);
        t.pass_ms(t.settings.limits.sweep_ms * 4).await;
        let asked = t.calls("apps/redeliver-webhook-delivery").len();
        assert!(asked >= 2, "again and again: {asked}");
        let tries = t
            .world
            .mailbox(|mailbox| mailbox.log().filter(|one| one.delivery.guid == guid).count());
        assert!((3..=4).contains(&tries), "ever more patiently: {tries}");
        t.refuses = false;
        t.expect_outcome("merged").await;
        t.pass_ms(3 * HOUR_MS).await;
        let id = DeliveryId::parse(&guid).expect("a GUID");
        assert!(ready(t.store.delivery(&id)).expect("the store answers").is_some(), "it came");
        assert_eq!((t.pulls(), t.comments_of_bot().len()), (1, 2), "and changed nothing");
        let asked = t.calls("apps/redeliver-webhook-delivery").len();
        t.pass_ms(24 * HOUR_MS).await;
        assert_eq!(t.calls("apps/redeliver-webhook-delivery").len(), asked, "nothing is lost now");
        t.allows_writes(200);
    });
}

#[test]
fn a_log_that_cannot_be_read_ends_no_sweep() {
    use slipway::playground::faults::Fault;
    plan().auto().sweeps().run(async |t| {
        t.faults(|faults| {
            for nth in 1..40 {
                faults.on("apps/list-webhook-deliveries", nth, Fault::status(403, false));
            }
        });
        t.mailbox(Mailbox::drop_all);
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
    });
}

#[test]
fn a_label_by_somebody_who_may_not_is_found_once_and_starts_nothing() {
    plan().sweeps().run(async |t| {
        use slipway::playground::world::Role;
        t.mailbox(Mailbox::drop_all);
        t.pass_ms(1_000).await;
        let number = t.issue("Add a feature");
        t.world.set_permission(&t.repo, t.id("otto"), Role::Triage).expect("a permission");
        t.world.label(t.id("otto"), &t.repo, number, "go").expect("a label");
        let kept = |t: &Town| {
            let gauges = ready(t.store.gauges(slipway::model::Millis(t.now())));
            gauges.expect("the store answers").deliveries
        };
        let before = kept(t);
        t.pass_ms(HOUR_MS).await;
        let found = kept(t);
        t.pass_ms(2 * HOUR_MS).await;
        assert_eq!((before + 1, found), (found, kept(t)));
        assert!(t.try_state().is_none());
    });
}
