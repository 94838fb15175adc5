//! The table of stories in the comment on the issue they belong to.

use std::fmt::Write;

use super::words::said;
use crate::pipeline::stories::{Standing, Story, failed_before};

/// One line for each story, in their order; nothing before they were read.
pub(super) fn table(stories: &[Story]) -> String {
    if stories.is_empty() {
        return String::new();
    }
    let mut out = "| Story | State | Pull request |\n|---|---|---|\n".to_owned();
    for story in stories {
        let title = said(&story.title).replace('\n', " ");
        let pull = story.pull.map(|pull| format!("#{pull}")).unwrap_or_default();
        // Writing to a string cannot fail.
        let _written =
            writeln!(out, "| #{} {title} | {} | {pull} |", story.issue, state(story, stories));
    }
    out
}

fn state(story: &Story, all: &[Story]) -> String {
    match story.standing {
        Standing::Merged => "✅ merged".to_owned(),
        Standing::Closed => "✅ closed".to_owned(),
        Standing::Running => "⏳ being worked on".to_owned(),
        Standing::Asks => "🙋 needs a person".to_owned(),
        Standing::Failed => "❌ did not get there; say `/retry` there, or close it".to_owned(),
        Standing::Open if story.blockers.is_empty() => "waits for its turn".to_owned(),
        Standing::Open => match failed_before(story, all) {
            Some(failed) => format!("🚫 does not start: #{} did not get there", failed.issue),
            None => format!("waits for {}", story.blockers.join(", ")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IssueNumber, PullNumber};

    #[test]
    fn every_story_has_its_line() {
        let story = |issue, title: &str, standing, blockers: &[&str]| Story {
            issue: IssueNumber(issue),
            title: title.to_owned(),
            standing,
            run: None,
            pull: (standing == Standing::Merged).then_some(PullNumber(9)),
            blockers: blockers.iter().map(|&name| name.to_owned()).collect(),
        };
        let found = table(&[
            story(2, "a|b @ann", Standing::Merged, &[]),
            story(3, "c", Standing::Failed, &[]),
            story(4, "d", Standing::Open, &["#3"]),
            story(5, "e", Standing::Open, &["#8", "o/r#1"]),
            story(6, "f", Standing::Open, &[]),
        ]);
        let lines: Vec<&str> = found.lines().skip(2).collect();
        assert!(lines[0].contains("a\\|b") && !lines[0].contains("@ann"), "{}", lines[0]);
        assert!(lines[0].ends_with("| ✅ merged | #9 |"), "{}", lines[0]);
        assert!(lines[1].contains("did not get there; say `/retry`"));
        assert!(lines[2].contains("does not start: #3 did not"));
        assert!(lines[3].contains("waits for #8, o/r#1"));
        assert!(lines[4].contains("waits for its turn"));
        assert_eq!(table(&[]), "");
    }
}
