//! Which agent takes a stage, when the one that was wanted cannot.

use std::collections::BTreeMap;

use super::wanted::Wanted;
use crate::model::{Millis, Trouble};

/// Candidates of one stage.
pub const CANDIDATES_MAX: usize = 16;

/// An agent that may do a stage; the declared order is the order of choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub wanted: Wanted,
    /// What it shares with others: the key behind which a house counts.
    pub pool: Option<String>,
}

/// Why a candidate does not do it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// It tried, and ended so.
    Ended(Trouble),
    /// There is no key for it.
    NoKey,
    /// Its program is not installed.
    Missing,
    /// It may not be what is asked of it; the rest of a sentence about it.
    Unfit(&'static str),
    /// What it shares rests until then.
    Resting(Millis),
}

/// Who does it, and what the comment says about those who do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<'a> {
    Agent {
        candidate: &'a Candidate,
        /// A sentence, when it is not the first of the list.
        told: Option<String>,
    },
    Nobody {
        told: String,
        /// When the first of them may be asked again.
        again: Option<Millis>,
    },
}

/// Whether an agent that ended so is passed over for the next one. A task that is too hard, or
/// a limit of ours, is not another agent's chance.
pub fn bars(trouble: Trouble) -> Option<Bar> {
    trouble.is_for_another().then_some(Bar::Ended(trouble))
}

/// The first of `candidates` that nothing bars: neither a reason of its own nor its pool.
pub fn choose<'a>(
    candidates: &'a [Candidate],
    barred: &BTreeMap<Wanted, Bar>,
    resting: &BTreeMap<String, Millis>,
) -> Choice<'a> {
    let (mut passed, mut again) = (Vec::new(), None::<Millis>);
    for candidate in candidates.iter().take(CANDIDATES_MAX) {
        let pool = candidate.pool.as_ref().and_then(|pool| resting.get(pool));
        let own = barred.get(&candidate.wanted).copied();
        let Some(bar) = own.or_else(|| pool.map(|until| Bar::Resting(*until))) else {
            let told = told(&passed).map(|why| format!("{why} So `{}` does.", candidate.wanted));
            return Choice::Agent { candidate, told };
        };
        if let Bar::Resting(until) = bar {
            again = Some(again.map_or(until, |first| first.min(until)));
        }
        passed.push((&candidate.wanted, bar));
    }
    let next = match again {
        Some(until) => format!("The first of them may be asked again at {}.", until.readable()),
        None => "No other agent is declared for this stage.".to_owned(),
    };
    let told = match told(&passed) {
        Some(why) => format!("{why} {next}"),
        None => "No agent is declared for this stage.".to_owned(),
    };
    Choice::Nobody { told, again }
}

/// One sentence about everybody who was passed over.
fn told(passed: &[(&Wanted, Bar)]) -> Option<String> {
    let each = passed.iter().map(|(wanted, bar)| format!("`{wanted}` ({})", bar.words()));
    let each: Vec<String> = each.collect();
    let do_not = if each.len() == 1 { "does" } else { "do" };
    (!each.is_empty()).then(|| format!("{} {do_not} not do it.", each.join(" and ")))
}

impl Bar {
    fn words(self) -> String {
        match self {
            Self::Ended(trouble) => trouble.words().to_owned(),
            Self::NoKey => "there is no key for it".to_owned(),
            Self::Unfit(why) => why.to_owned(),
            Self::Missing => "its program is not installed".to_owned(),
            Self::Resting(until) => format!("its house is asked again at {}", until.readable()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(names: &[&str]) -> Vec<Candidate> {
        let of = |name: &&str| Candidate {
            wanted: name.parse().unwrap(),
            pool: Some(name.split(':').next().unwrap().to_owned()),
        };
        names.iter().map(of).collect()
    }

    fn told(choice: Choice<'_>) -> (String, Option<String>) {
        match choice {
            Choice::Agent { candidate, told } => (candidate.wanted.to_string(), told),
            Choice::Nobody { told, .. } => ("nobody".to_owned(), Some(told)),
        }
    }

    #[test]
    fn the_first_of_the_list_does_it_without_a_word() {
        let list = candidates(&["codex:gpt-5.5", "claude"]);
        let none = BTreeMap::new();
        assert_eq!(
            told(choose(&list, &none, &BTreeMap::new())),
            ("codex:gpt-5.5".to_owned(), None)
        );
    }

    #[test]
    fn the_next_one_does_it_and_the_comment_says_why() {
        let list = candidates(&["codex:gpt-5.5", "claude", "opencode:glm"]);
        let barred = BTreeMap::from([
            ("codex:gpt-5.5".parse().unwrap(), bars(Trouble::RateLimit).unwrap()),
            ("claude".parse().unwrap(), Bar::NoKey),
        ]);
        let (agent, why) = told(choose(&list, &barred, &BTreeMap::new()));
        assert_eq!(agent, "opencode:glm");
        insta::assert_snapshot!(why.unwrap(),
            @"`codex:gpt-5.5` (it was asked too often for now) and `claude` (there is no key for it) do not do it. So `opencode:glm` does.");
    }

    #[test]
    fn who_shares_a_resting_pool_rests_too() {
        let list = candidates(&["codex:one", "codex:two", "claude"]);
        let resting = BTreeMap::from([("codex".to_owned(), Millis(1_800_000))]);
        let (agent, why) = told(choose(&list, &BTreeMap::new(), &resting));
        assert_eq!(agent, "claude");
        assert!(why.unwrap().starts_with("`codex:one` (its house is asked again at 1970-01-01"));
    }

    #[test]
    fn when_nobody_is_left_it_says_what_moves_it() {
        let list = candidates(&["codex", "claude"]);
        let resting = BTreeMap::from([
            ("codex".to_owned(), Millis(120_000)),
            ("claude".into(), Millis(60_000)),
        ]);
        let Choice::Nobody { told, again } = choose(&list, &BTreeMap::new(), &resting) else {
            panic!()
        };
        assert_eq!(again, Some(Millis(60_000)));
        insta::assert_snapshot!(told,
            @"`codex` (its house is asked again at 1970-01-01 00:02 UTC) and `claude` (its house is asked again at 1970-01-01 00:01 UTC) do not do it. The first of them may be asked again at 1970-01-01 00:01 UTC.");
        let Choice::Nobody { told, again } = choose(&[], &BTreeMap::new(), &resting) else {
            panic!()
        };
        assert_eq!((told.as_str(), again), ("No agent is declared for this stage.", None));
    }

    #[test]
    fn only_what_another_agent_may_mend_is_a_reason_to_change() {
        for trouble in Trouble::ALL {
            assert_eq!(bars(trouble).is_some(), trouble.is_for_another());
        }
        assert_eq!(bars(Trouble::Limit), None);
    }

    #[test]
    fn a_list_without_end_is_not_searched_to_its_end() {
        let names: Vec<String> = (0..=CANDIDATES_MAX).map(|n| format!("a{n}")).collect();
        let list = candidates(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let all = list.iter().take(CANDIDATES_MAX);
        let barred = all.map(|one| (one.wanted.clone(), Bar::NoKey)).collect();
        assert_eq!(told(choose(&list, &barred, &BTreeMap::new())).0, "nobody");
    }
}
