//! Stories: an issue whose sub-issues are worked through, one run each, in their order.
//!
//! The issue's own run makes nothing; it starts the runs of the stories, waits for them, and is
//! a function of what was read: losing a reading loses nothing.

use serde::{Deserialize, Serialize};

use crate::model::{IssueNumber, PullNumber, RunId};

/// Most stories of one issue, as many as GitHub allows.
pub const STORIES_MAX: usize = 100;

/// One sub-issue, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    pub issue: IssueNumber,
    /// Untrusted text.
    pub title: String,
    pub standing: Standing,
    /// Its run, once there is one.
    pub run: Option<RunId>,
    pub pull: Option<PullNumber>,
    /// Open issues it must wait for, as `#3` or `octo/hello#3`.
    pub blockers: Vec<String>,
}

/// How far a story is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Open, and nobody works on it.
    Open,
    Running,
    /// Its run asks a person.
    Asks,
    Merged,
    /// Closed without a merge of ours.
    Closed,
    /// Its run ended and the issue is still open.
    Failed,
}

impl Standing {
    /// Nothing is left to do for it.
    pub fn is_over(self) -> bool {
        match self {
            Self::Merged | Self::Closed => true,
            Self::Open | Self::Running | Self::Asks | Self::Failed => false,
        }
    }

    /// A run works on it, so it takes one of the places there are.
    fn is_live(self) -> bool {
        match self {
            Self::Running | Self::Asks => true,
            Self::Open | Self::Merged | Self::Closed | Self::Failed => false,
        }
    }
}

/// The stories whose runs may start now, in order, with `at_once_max` runs in all.
pub fn next(stories: &[Story], at_once_max: usize) -> Vec<IssueNumber> {
    let live = stories.iter().filter(|story| story.standing.is_live()).count();
    stories
        .iter()
        .filter(|story| story.standing == Standing::Open && story.blockers.is_empty())
        .map(|story| story.issue)
        .take(at_once_max.saturating_sub(live))
        .collect()
}

/// Whether every story is over.
pub fn are_over(stories: &[Story]) -> bool {
    stories.iter().all(|story| story.standing.is_over())
}

/// The story that failed and without which this one does not start, however long the way.
pub fn failed_before<'a>(story: &Story, all: &'a [Story]) -> Option<&'a Story> {
    let mut asked: Vec<&str> = story.blockers.iter().map(String::as_str).collect();
    let mut next = 0;
    while let Some(name) = asked.get(next).copied() {
        next += 1;
        let Some(found) = all.iter().find(|one| format!("#{}", one.issue) == name) else {
            continue;
        };
        if found.standing == Standing::Failed {
            return Some(found);
        }
        let more = found.blockers.iter().map(String::as_str);
        let fresh: Vec<&str> = more.filter(|name| !asked.contains(name)).collect();
        asked.extend(fresh);
    }
    None
}

/// What is waited for, as the rest of "waiting for …".
pub fn awaited(stories: &[Story]) -> String {
    let named = |standing: Standing| -> Vec<String> {
        let those = stories.iter().filter(|story| story.standing == standing);
        those.map(|story| format!("#{}", story.issue)).collect()
    };
    let (running, asking) = (named(Standing::Running), named(Standing::Asks));
    let (failed, open) = (named(Standing::Failed), named(Standing::Open));
    for (names, words) in [
        (running, ""),
        (asking, ", where a person is asked"),
        (failed, ", which did not get there: `/retry` it there, or close it"),
        (open, ", which waits for other issues"),
    ] {
        if !names.is_empty() {
            return format!("{}{words}", names.join(", "));
        }
    }
    "its stories".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(issue: u64, standing: Standing, blockers: &[&str]) -> Story {
        Story {
            issue: IssueNumber(issue),
            title: String::new(),
            standing,
            run: None,
            pull: None,
            blockers: blockers.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn numbers(stories: &[Story], at_once_max: usize) -> Vec<u64> {
        next(stories, at_once_max).into_iter().map(|issue| issue.0).collect()
    }

    #[test]
    fn stories_start_in_order_within_their_places_and_after_what_blocks_them() {
        use Standing::{Asks, Closed, Failed, Merged, Open, Running};
        let fresh = [story(2, Open, &[]), story(3, Open, &["#2"]), story(4, Open, &[])];
        assert_eq!(numbers(&fresh, 1), [2]);
        assert_eq!(numbers(&fresh, 5), [2, 4]);
        for live in [Running, Asks] {
            let one = [story(2, live, &[]), story(3, Open, &[])];
            assert_eq!(numbers(&one, 1), [0_u64; 0]);
            assert_eq!(numbers(&one, 2), [3]);
        }
        for gone in [Merged, Closed, Failed] {
            assert_eq!(numbers(&[story(2, gone, &[]), story(3, Open, &[])], 1), [3]);
        }
        assert!(are_over(&[story(2, Merged, &[]), story(3, Closed, &[])]));
        for left in [Open, Running, Asks, Failed] {
            assert!(!are_over(&[story(2, Merged, &[]), story(3, left, &[])]));
        }
    }

    #[test]
    fn a_failed_story_stops_what_depends_on_it_however_far() {
        let all = [
            story(2, Standing::Failed, &[]),
            story(3, Standing::Open, &["#2"]),
            story(4, Standing::Open, &["o/r#9", "#3"]),
            story(5, Standing::Open, &["#6"]),
            story(6, Standing::Open, &["#5"]),
        ];
        let failed = |index: usize| failed_before(&all[index], &all).map(|story| story.issue.0);
        assert_eq!([1, 2, 3].map(failed), [Some(2), Some(2), None], "circles end too");
    }
}
