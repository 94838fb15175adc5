//! The checks gate: every required and every seen check is green on this head, never on nothing.

use std::collections::BTreeSet;

use super::seen::{Check, CheckResult};
use super::{Facts, Verdict, rerun_key};
use crate::model::trust::Rule;

/// All checks of a head, rolled up (merge facts, §4.2). Exactly one holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollUp {
    /// Everything required and everything seen passed.
    Green,
    /// A person accepted this commit although nothing speaks for it.
    Accepted,
    /// Something still runs.
    Running(Vec<String>),
    /// Required, and nothing was heard of it.
    Missing(Vec<String>),
    /// All green so far, but nobody told which checks there are; more may come.
    Settling,
    /// No check, no status, no rule; or all skipped.
    Nothing,
    /// Everything ended, and these failed.
    Red(Vec<Check>),
    /// Everything ended, and these were cancelled or timed out.
    Aborted(Vec<Check>),
    /// These wait for a person on GitHub.
    NeedsPerson(Vec<String>),
    /// These were required when we began and are not any more.
    Shrunk(Vec<String>),
}

/// Rolls up what was seen.
pub fn roll_up(facts: &Facts<'_>) -> RollUp {
    let seen = facts.seen;
    let shrunk: Vec<String> = facts.required.difference(&seen.rules.required).cloned().collect();
    if !shrunk.is_empty() {
        return RollUp::Shrunk(shrunk);
    }
    let of = |wanted: CheckResult| -> Vec<&Check> {
        seen.checks
            .iter()
            .filter(|check| check.result == wanted && !is_being_rerun(facts, check))
            .collect()
    };
    let names = |checks: &[&Check]| -> Vec<String> {
        checks.iter().map(|check| check.name.clone()).collect()
    };
    let person = of(CheckResult::NeedsPerson);
    if !person.is_empty() {
        return RollUp::NeedsPerson(names(&person));
    }
    let again: Vec<&Check> =
        seen.checks.iter().filter(|check| is_being_rerun(facts, check)).collect();
    let running: Vec<&Check> = of(CheckResult::Pending).into_iter().chain(again).collect();
    if !running.is_empty() {
        return RollUp::Running(names(&running));
    }
    let cloned = |checks: Vec<&Check>| checks.into_iter().cloned().collect();
    let failed = of(CheckResult::Failed);
    if !failed.is_empty() {
        return RollUp::Red(cloned(failed));
    }
    let aborted = of(CheckResult::Aborted);
    if !aborted.is_empty() {
        return RollUp::Aborted(cloned(aborted));
    }
    ended_well(facts, of(CheckResult::Passed).is_empty())
}

/// Nothing runs, nothing failed: is it everything, and is it enough?
fn ended_well(facts: &Facts<'_>, none_passed: bool) -> RollUp {
    let seen = facts.seen;
    let known: BTreeSet<&str> = seen.checks.iter().map(|check| check.name.as_str()).collect();
    let required = &seen.rules.required;
    // A check of the same name by another App is not the one that is required.
    let by_other = |name: &&String| {
        let only = seen.rules.by_app.get(*name);
        let trusted = facts.policy.trust.holds(Rule::ExpectedApp);
        only.filter(|_| trusted).is_some_and(|app| {
            !seen.checks.iter().any(|check| check.name == **name && check.app == Some(*app))
        })
    };
    let is_missing = |name: &&String| !known.contains(name.as_str()) || by_other(name);
    let missing: Vec<String> = required.iter().filter(is_missing).cloned().collect();
    if !missing.is_empty() {
        return RollUp::Missing(missing);
    }
    let quiet_ms = i64::from(facts.policy.limits.ci_quiet_seconds) * 1_000;
    let quiet = facts.published_at.is_some_and(|at| facts.at.since(at) >= quiet_ms);
    if none_passed {
        let by_person = facts.without_checks == Some(facts.head);
        return if by_person || (facts.policy.allow_no_checks && quiet) {
            RollUp::Accepted
        } else {
            RollUp::Nothing
        };
    }
    if required.is_empty() && !quiet {
        return RollUp::Settling;
    }
    RollUp::Green
}

/// The result shown is the one from before we asked for another.
fn is_being_rerun(facts: &Facts<'_>, check: &Check) -> bool {
    facts.reruns.get(&rerun_key(&check.name, facts.head)) == Some(&check.stamp)
}

/// Every one of `failed` fails in the same way on the tip of the base: not our doing (I18).
pub fn base_is_red(facts: &Facts<'_>, failed: &[Check]) -> bool {
    let on_base = |check: &Check| {
        facts.seen.base_checks.iter().any(|base| {
            base.result == CheckResult::Failed
                && base.name == check.name
                && base.signature == check.signature
        })
    };
    !failed.is_empty() && failed.iter().all(on_base)
}

pub(super) fn judge(facts: &Facts<'_>) -> Verdict {
    let list = |names: &[String]| names.join(", ");
    let named = |checks: &[Check]| {
        checks.iter().map(|check| check.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    match roll_up(facts) {
        RollUp::Green => Verdict::Pass("all checks are green".to_owned()),
        RollUp::Accepted => Verdict::Pass("accepted without checks".to_owned()),
        RollUp::Running(of) => Verdict::Pending(format!("running: {}", list(&of))),
        RollUp::Missing(of) => Verdict::Pending(format!("not started: {}", list(&of))),
        RollUp::Settling => Verdict::Pending("green so far; more checks may come".to_owned()),
        RollUp::Nothing => Verdict::Pending("no check speaks for this commit".to_owned()),
        RollUp::Red(failed) => Verdict::Fail(format!("failed: {}", named(&failed))),
        RollUp::Aborted(checks) => Verdict::Fail(format!("cut short: {}", named(&checks))),
        RollUp::NeedsPerson(of) => Verdict::Pending(format!("waiting for a person: {}", list(&of))),
        RollUp::Shrunk(of) => Verdict::Fail(format!("no longer required: {}", list(&of))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::{NOW, facts, seen};
    use super::*;
    use crate::gate::seen::Seen;
    use crate::model::Millis;
    use crate::model::trust::Trust;
    use crate::policy::Policy;
    use CheckResult::{Aborted, Failed, NeedsPerson, Passed, Pending, Skipped};

    fn check_of(name: &str, result: CheckResult) -> Check {
        Check {
            name: name.to_owned(),
            result,
            stamp: "1".to_owned(),
            id: None,
            app: None,
            url: None,
            signature: Some("same".to_owned()),
        }
    }

    fn looked(checks: &[(&str, CheckResult)], required: &[&str]) -> Seen {
        let mut seen = seen();
        seen.checks = checks.iter().map(|(name, result)| check_of(name, *result)).collect();
        seen.rules.required = required.iter().map(|name| (*name).to_owned()).collect();
        seen
    }

    fn word(rolled: &RollUp) -> &'static str {
        match rolled {
            RollUp::Green => "green",
            RollUp::Accepted => "accepted",
            RollUp::Running(_) => "running",
            RollUp::Missing(_) => "missing",
            RollUp::Settling => "settling",
            RollUp::Nothing => "nothing",
            RollUp::Red(_) => "red",
            RollUp::Aborted(_) => "aborted",
            RollUp::NeedsPerson(_) => "needs person",
            RollUp::Shrunk(_) => "shrunk",
        }
    }

    fn check(checks: &[(&str, CheckResult)], required: &[&str], expected: &str) {
        let (seen, policy) = (looked(checks, required), Policy::default());
        let rolled = roll_up(&facts(&seen, &policy));
        assert_eq!(word(&rolled), expected, "{checks:?}, required {required:?}");
    }

    #[test]
    fn checks_roll_up() {
        check(&[("t", Passed)], &["t"], "green");
        check(&[("t", Passed), ("u", Skipped)], &["t", "u"], "green");
        check(&[("t", Passed)], &["t", "u"], "missing");
        check(&[("t", Passed), ("u", Pending)], &["t"], "running");
        check(&[("t", Failed), ("u", Pending)], &["t"], "running");
        check(&[("t", Failed), ("u", Aborted)], &["t"], "red");
        check(&[("t", Passed), ("u", Failed)], &["t"], "red");
        check(&[("t", Passed), ("u", Aborted)], &["t"], "aborted");
        check(&[("t", NeedsPerson), ("u", Failed)], &["t"], "needs person");
        check(&[("t", Passed)], &[], "green");
        check(&[], &[], "nothing");
        check(&[("t", Skipped)], &["t"], "nothing");
        check(&[], &["t"], "missing");
    }

    #[test]
    fn nobody_told_which_checks_there_are() {
        let (seen, policy) = (looked(&[("t", Passed)], &[]), Policy::default());
        let at_once = Facts { at: Millis(NOW.0 - 3_600_000), ..facts(&seen, &policy) };
        assert_eq!(roll_up(&at_once), RollUp::Settling);
    }

    #[test]
    fn a_person_outweighs_nothing_but_nothing() {
        let policy = Policy::default();
        let head = super::super::testing::head();
        for (checks, expected) in [
            (&[][..], "accepted"),
            (&[("t", Skipped)][..], "accepted"),
            (&[("t", Failed)][..], "red"),
            (&[("t", Pending)][..], "running"),
        ] {
            let seen = looked(checks, &[]);
            let facts = Facts { without_checks: Some(&head), ..facts(&seen, &policy) };
            assert_eq!(word(&roll_up(&facts)), expected, "{checks:?}");
        }
    }

    #[test]
    fn a_policy_may_accept_silence_but_not_at_once() {
        let seen = looked(&[], &[]);
        let policy = Policy { allow_no_checks: true, ..Policy::default() };
        assert_eq!(roll_up(&facts(&seen, &policy)), RollUp::Accepted);
        let at_once = Facts { at: Millis(NOW.0 - 3_600_000), ..facts(&seen, &policy) };
        assert_eq!(roll_up(&at_once), RollUp::Nothing);
    }

    #[test]
    fn attack_42_a_check_of_the_same_name_by_somebody_else_is_not_the_required_one() {
        // Another App, a person's status, and the expected App beside a spoof.
        for (apps, results, shipped, unguarded) in [
            (&[Some(99)][..], &[Passed][..], "missing", "green"),
            (&[None], &[Passed], "missing", "green"),
            (&[Some(2)], &[Passed], "green", "green"),
            (&[Some(2), Some(99)], &[Failed, Passed], "red", "red"),
            (&[Some(2), Some(99)], &[Pending, Passed], "running", "running"),
        ] {
            let mut seen = looked(&[], &["t"]);
            seen.rules.by_app.insert("t".to_owned(), 2);
            for (app, result) in apps.iter().zip(results) {
                let mut check = looked(&[("t", *result)], &[]).checks.remove(0);
                check.app = *app;
                seen.checks.push(check);
            }
            for (trust, expected) in
                [(Trust::whole(), shipped), (Trust::without(Rule::ExpectedApp), unguarded)]
            {
                let policy = Policy { trust, ..Policy::default() };
                assert_eq!(word(&roll_up(&facts(&seen, &policy))), expected, "{apps:?}");
            }
        }
    }

    #[test]
    fn what_was_required_stays_required() {
        let (seen, policy) = (looked(&[("t", Passed)], &["t"]), Policy::default());
        let before = ["t".to_owned(), "u".to_owned()].into();
        let facts = Facts { required: &before, ..facts(&seen, &policy) };
        assert_eq!(roll_up(&facts), RollUp::Shrunk(vec!["u".to_owned()]));
    }

    #[test]
    fn a_result_that_is_being_made_again_does_not_count() {
        let (seen, policy) = (looked(&[("t", Failed)], &["t"]), Policy::default());
        let key = rerun_key("t", &super::super::testing::head());
        for (stamp, expected) in [("1", "running"), ("0", "red")] {
            let reruns = BTreeMap::from([(key.clone(), stamp.to_owned())]);
            let facts = Facts { reruns: &reruns, ..facts(&seen, &policy) };
            assert_eq!(word(&roll_up(&facts)), expected, "{stamp}");
        }
    }

    #[test]
    fn the_base_is_red_only_in_the_same_way() {
        let policy = Policy::default();
        let mut seen = looked(&[("t", Failed)], &["t"]);
        let failed = seen.checks.clone();
        assert!(!base_is_red(&facts(&seen, &policy), &failed));
        seen.base_checks.clone_from(&failed);
        assert!(base_is_red(&facts(&seen, &policy), &failed));
        seen.base_checks[0].signature = Some("another".to_owned());
        assert!(!base_is_red(&facts(&seen, &policy), &failed));
        assert!(!base_is_red(&facts(&seen, &policy), &[]));
    }
}
