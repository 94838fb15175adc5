//! Budgets: windows, caps and their sums, and that no order of calls gets past a cap.

use proptest::prelude::*;

use super::*;
use crate::model::UserId;

fn at(text: &str) -> Millis {
    Millis::from_rfc3339(text).unwrap()
}

fn used(scope: Scope, spent: u64, reserved: u64) -> Usage {
    Usage::from([(scope, Used { spent, reserved })])
}

fn work(worst: u64) -> Call {
    Call { worst, is_wrap_up: false }
}

#[test]
fn days_and_months_are_those_of_utc() {
    let noon = at("2028-02-29T12:00:00Z");
    assert_eq!(Window::Day.begin(noon), at("2028-02-29T00:00:00Z"));
    assert_eq!(Window::Day.renews(noon), Some(at("2028-03-01T00:00:00Z")));
    assert_eq!(Window::Month.begin(noon), at("2028-02-01T00:00:00Z"));
    assert_eq!(Window::Month.renews(noon), Some(at("2028-03-01T00:00:00Z")));
    let last = at("2026-12-31T23:59:59.999Z");
    assert_eq!(Window::Month.renews(last), Some(last.plus(1)));
    assert_eq!(Window::Month.begin(last.plus(1)), last.plus(1));
    assert_eq!((Window::Ever.begin(noon), Window::Ever.renews(noon)), (Millis(0), None));
}

#[test]
fn a_repository_only_lowers_and_a_person_raises_only_what_is_the_runs_own() {
    let operator = Caps::default().with(Scope::Run, 10).with(Scope::Day, 50);
    let policy = Caps::default().with(Scope::Run, 20).with(Scope::Issue, 5);
    let caps = operator.lowered_by(&policy);
    assert_eq!((caps.of(Scope::Run), caps.of(Scope::Issue)), (Some(10), Some(5)));
    let raised = caps.raised_by(7);
    assert_eq!((raised.of(Scope::Run), raised.of(Scope::Issue)), (Some(17), Some(12)));
    assert_eq!((raised.of(Scope::Day), raised.of(Scope::Month)), (Some(50), None));
}

#[test]
fn the_last_part_of_a_runs_cap_is_kept_for_a_wrap_up() {
    let caps = Caps::default().with(Scope::Run, 100).with(Scope::Day, 100);
    let spent = used(Scope::Run, 90, 0);
    let full = room(&caps, &spent, work(1), Millis(0)).unwrap_err();
    assert_eq!((full.scope, full.cap, full.kept), (Scope::Run, 100, 10));
    let wrap_up = |worst| Call { worst, is_wrap_up: true };
    assert_eq!(room(&caps, &spent, wrap_up(10), Millis(0)), Ok(()));
    assert_eq!(room(&caps, &spent, wrap_up(11), Millis(0)).unwrap_err().kept, 0);
}

#[test]
fn a_full_cap_says_which_how_full_and_until_when() {
    let caps = Caps::default().with(Scope::Issue, 10_000).with(Scope::Day, 20_000);
    let mut usage = used(Scope::Issue, 9_000, 500);
    assert_eq!(room(&caps, &usage, work(500), Millis(5)), Ok(()), "up to the cap, no further");
    let full = room(&caps, &usage, work(501), Millis(5)).unwrap_err();
    assert_eq!((full.scope, full.used.total(), full.renews), (Scope::Issue, 9_500, None));
    usage.insert(Scope::Day, Used { spent: 19_900, reserved: 0 });
    let full = room(&caps, &usage, work(501), Millis(5)).unwrap_err();
    assert_eq!((full.scope, full.renews), (Scope::Day, Some(Millis(86_400_000))), "the widest");
    let caps = Caps::default().with(Scope::Call, 10);
    assert_eq!(room(&caps, &Usage::new(), work(11), Millis(0)).unwrap_err().scope, Scope::Call);
    assert_eq!(room(&Caps::default(), &usage, work(u64::MAX), Millis(0)), Ok(()));
}

#[test]
fn people_are_told_the_fact_in_dollars() {
    let caps = Caps::default().with(Scope::Run, 2_000_000).with(Scope::Call, 1_000_000);
    let full = room(&caps, &used(Scope::Run, 1_700_000, 0), work(150_000), Millis(0));
    insta::assert_snapshot!(full.unwrap_err().words(), @"this run may spend $2.00, the last $0.20 of it for a wrap-up, and has used $1.70; the next call may cost up to $0.15");
    let full = room(&caps, &Usage::new(), work(1_100_000), Millis(0));
    insta::assert_snapshot!(full.unwrap_err().words(), @"one call of a model may cost $1.00, and the next one may cost up to $1.10");
}

#[test]
fn four_fifths_are_worth_a_warning_about_what_is_fullest() {
    let caps = Caps::default().with(Scope::Run, 100).with(Scope::Day, 1_000);
    let mut usage = used(Scope::Run, 79, 21);
    assert_eq!(near(&caps, &usage), None, "what is only reserved may be given back");
    usage.insert(Scope::Run, Used { spent: 80, reserved: 0 });
    assert_eq!(near(&caps, &usage), Some(Near { scope: Scope::Run, cap: 100, spent: 80 }));
    usage.insert(Scope::Day, Used { spent: 900, reserved: 0 });
    assert_eq!(near(&caps, &usage).unwrap().scope, Scope::Day);
    let spending = Spending::of(&caps, &usage);
    assert_eq!((spending.used, spending.cap), (80, Some(100)));
}

#[test]
fn a_raise_ends_by_itself() {
    let by = User { id: UserId(1), login: "ann".to_owned(), bot: false };
    let raise = |until| Raise { by: by.clone(), micros: 5, until: Millis(until), comment: None };
    let raises = [raise(10), raise(20)];
    assert_eq!([9, 10, 20].map(|at| raised(&raises, Millis(at))), [10, 5, 0]);
}

#[test]
fn every_scope_has_its_own_word() {
    let words: std::collections::BTreeSet<_> = Scope::ALL.iter().map(|one| one.word()).collect();
    assert_eq!(words.len(), Scope::ALL.len());
}

proptest! {
    /// Calls are reserved, settled and forgotten about in any order; a settled call costs at
    /// most what was reserved.
    #[test]
    fn no_order_of_calls_gets_past_a_cap(
        cap in 0_u64..1_000,
        steps in proptest::collection::vec((0_u64..200, 0_u64..=100, any::<bool>()), 0..60),
    ) {
        let caps = Caps::default().with(Scope::Issue, cap);
        let (mut sums, mut open, mut spent) = (Used::default(), Vec::new(), 0);
        for (worst, percent, settles) in steps {
            if room(&caps, &Usage::from([(Scope::Issue, sums)]), work(worst), Millis(0)).is_ok() {
                sums.reserved += worst;
                open.push((worst, worst * percent / 100));
            }
            if settles && let Some((worst, cost)) = open.pop() {
                sums.reserved -= worst;
                sums.spent += cost;
                spent += cost;
            }
            prop_assert!(sums.total() <= cap);
            prop_assert_eq!(sums.spent, spent);
            prop_assert_eq!(sums.reserved, open.iter().map(|one| one.0).sum::<u64>());
        }
    }

    #[test]
    fn a_window_holds_its_moment_and_ends_where_the_next_begins(ms in 0_i64..4_000_000_000_000) {
        for window in [Window::Day, Window::Month] {
            let (begin, end) = (window.begin(Millis(ms)), window.renews(Millis(ms)).unwrap());
            prop_assert!(begin <= Millis(ms) && Millis(ms) < end);
            prop_assert_eq!(window.begin(end), end);
        }
    }
}
