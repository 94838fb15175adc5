//! The model against a limiter that counts as GitHub says it does, and by example.

use proptest::prelude::*;

use super::*;

const T0: Millis = Millis(1_800_000_000_000);

fn load(priority: Priority, writes: bool, at_once: bool) -> Load {
    Load { priority, points: if writes { 5 } else { 1 }, writes, at_once }
}

fn edit() -> Load {
    load(Priority::Cosmetic, true, false)
}

#[test]
fn writes_keep_their_distance_and_acknowledgements_need_not() {
    let mut pace = Pace::new(Limits::cloud());
    assert_eq!(pace.ask(T0, edit()), Verdict::Go);
    pace.begin(T0, edit());
    assert_eq!(pace.ask(T0, edit()), Verdict::WaitUntil(T0.plus(1_100)));
    assert_eq!(pace.ask(T0, load(Priority::Gate, false, false)), Verdict::Go, "a read");
    let eyes = load(Priority::Acknowledge, true, true);
    assert_eq!(pace.ask(T0.plus(500), eyes), Verdict::Go);
    pace.begin(T0.plus(500), eyes);
    assert_eq!(pace.ask(T0.plus(1_100), edit()), Verdict::WaitUntil(T0.plus(1_600)));
}

#[test]
fn only_so_many_are_under_way() {
    let limits = Limits { at_once_max: 2, ..Limits::cloud() };
    let mut pace = Pace::new(limits);
    let read = load(Priority::Gate, false, false);
    for _ in 0..2 {
        assert_eq!(pace.ask(T0, read), Verdict::Go);
        pace.begin(T0, read);
    }
    assert_eq!(pace.ask(T0, read), Verdict::WaitForRoom);
    pace.end();
    assert_eq!(pace.ask(T0, read), Verdict::Go);
}

#[test]
fn what_answers_tell_of_the_primary_limit_counts() {
    let mut pace = Pace::new(Limits::server());
    let (cosmetic, first) = (edit(), load(Priority::Acknowledge, true, true));
    let reset = T0.plus(600_000);
    pace.begin(T0, cosmetic);
    pace.end();
    pace.heard(Some(Told { limit: 100, left: 20, reset }));
    assert_eq!(pace.ask(T0, cosmetic), Verdict::WaitUntil(reset), "20 of 100 are kept");
    assert_eq!(pace.ask(T0, load(Priority::Gate, true, false)), Verdict::Go);
    pace.heard(Some(Told { limit: 100, left: 10, reset }));
    assert_eq!(pace.ask(T0, load(Priority::Gate, true, false)), Verdict::WaitUntil(reset));
    assert_eq!(pace.ask(T0, first), Verdict::Go);
    pace.heard(Some(Told { limit: 100, left: 0, reset }));
    assert_eq!(pace.ask(T0, first), Verdict::WaitUntil(reset));
    assert_eq!(pace.ask(reset, cosmetic), Verdict::Go, "a new window");
    assert!(!pace.is_idle(T0) && pace.is_idle(reset));
}

#[test]
fn refusals_are_waited_out_and_longer_each_time_when_nothing_is_told() {
    let mut pace = Pace::new(Limits::cloud());
    let minute = Duration::from_mins(1);
    assert_eq!(pace.refused(T0, Some(Duration::from_secs(7))), Duration::from_secs(7));
    assert_eq!(pace.ask(T0, edit()), Verdict::WaitUntil(T0.plus(7_000)));
    let mut now = T0.plus(7_000);
    assert_eq!(pace.refused(now, None), minute);
    assert_eq!(pace.refused(now, None), minute * 2, "of another that was under way");
    now = now.plus(120_000);
    assert_eq!(pace.left_alone(now), None);
    assert_eq!(pace.refused(now, None), minute * 2);
    now = now.plus(120_000);
    assert_eq!(pace.refused(now, None), minute * 4);
    pace.heard(None);
    now = now.plus(240_000);
    assert_eq!(pace.refused(now, None), minute, "an answer came in between");
}

#[test]
fn those_sent_back_get_a_turn_each() {
    let mut pace = Pace::new(Limits::cloud());
    pace.begin(T0, edit());
    let mut turns = Vec::new();
    for _ in 0..3 {
        let expected = pace.expected(T0, edit(), 1);
        turns.push(pace.turn(T0, edit(), expected).since(T0));
    }
    assert_eq!(turns, [2_200, 3_300, 4_400]);
    let gate = load(Priority::Gate, true, false);
    let expected = pace.expected(T0, gate, 0);
    assert_eq!(pace.turn(T0, gate, expected).since(T0), 1_100, "another line");
    let read = load(Priority::Gate, false, false);
    assert_eq!(pace.turn(T0, read, T0).since(T0), TURN_MS_MIN);
}

/// Counts as GitHub publishes it, over what arrived there.
#[derive(Default)]
struct Referee {
    arrived: Vec<(i64, u32, bool)>,
}

impl Referee {
    fn worst(&self, span_ms: i64, cost: impl Fn(&(i64, u32, bool)) -> u32) -> u32 {
        let mut arrived = self.arrived.clone();
        arrived.sort_unstable();
        let (mut first, mut sum, mut worst) = (0, 0, 0);
        for one in &arrived {
            sum += cost(one);
            while arrived[first].0 + span_ms <= one.0 {
                sum -= cost(&arrived[first]);
                first += 1;
            }
            worst = worst.max(sum);
        }
        worst
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// However many ask, and however long each takes to arrive: nothing GitHub would refuse.
    #[test]
    fn nothing_is_let_through_that_github_would_refuse(
        asks in proptest::collection::vec((0_i64..400, 0_usize..4, 0_u8..4, 0_i64..1_900), 3_000)
    ) {
        let mut pace = Pace::new(Limits::cloud());
        let (mut referee, mut now) = (Referee::default(), T0);
        let mut under_way: Vec<i64> = Vec::new();
        for (gap, priority, kind, travel) in asks {
            now = now.plus(gap);
            under_way.retain(|end| *end > now.0 || { pace.end(); false });
            let load = load(Priority::ALL[priority], kind > 0, kind == 1);
            if pace.ask(now, load) == Verdict::Go {
                pace.begin(now, load);
                referee.arrived.push((now.0 + travel, load.points, load.writes));
                under_way.push(now.0 + travel * 20);
                prop_assert!(under_way.len() <= 100);
            }
        }
        let writes = |one: &(i64, u32, bool)| u32::from(one.2);
        prop_assert!(referee.worst(60_000, writes) <= 80);
        prop_assert!(referee.worst(3_600_000, writes) <= 500);
        prop_assert!(referee.worst(60_000, |one| one.1) <= 900);
        prop_assert!(referee.worst(3_600_000, |_| 1) <= 5_000);
        prop_assert!(referee.worst(60_000, writes) > 60, "and the limits are used");
    }

    /// Whoever waits until the moment they were told may go then, unless others went meanwhile.
    #[test]
    fn the_moment_told_is_true(
        asks in proptest::collection::vec((0_i64..50, 0_usize..4, 0_u8..4), 400)
    ) {
        let mut pace = Pace::new(Limits { at_once_max: Limits::NONE, ..Limits::cloud() });
        let mut now = T0;
        for (gap, priority, kind) in asks {
            now = now.plus(gap);
            let load = load(Priority::ALL[priority], kind > 0, kind == 1);
            if let Verdict::WaitUntil(at) = pace.ask(now, load) {
                prop_assert!(at > now);
                prop_assert!(pace.ask(at.plus(-1), load) != Verdict::Go);
                now = at;
            }
            prop_assert_eq!(pace.ask(now, load), Verdict::Go);
            pace.begin(now, load);
        }
    }
}
