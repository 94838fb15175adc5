//! The table of stories in the comment on the issue they belong to.

use crate::markdown;
use crate::model::sanitized::{Markdown, said};
use crate::pipeline::stories::{Standing, Story, failed_before};

/// One line for each story, in their order; nothing before they were read.
pub(super) fn table(stories: &[Story]) -> Markdown {
    if stories.is_empty() {
        return Markdown::default();
    }
    let mut out = Markdown::from("| Story | State | Pull request |\n|---|---|---|\n");
    for story in stories {
        let title = said(&story.title);
        let pull = story.pull.map(|pull| markdown!("#{}", pull)).unwrap_or_default();
        let state = state(story, stories);
        out.push(&markdown!("| #{} {} | {} | {} |\n", story.issue, title, state, pull));
    }
    out
}

fn state(story: &Story, all: &[Story]) -> Markdown {
    match story.standing {
        Standing::Merged => "✅ merged".into(),
        Standing::Closed => "✅ closed".into(),
        Standing::Running => "⏳ being worked on".into(),
        Standing::Asks => "🙋 needs a person".into(),
        Standing::Failed => "❌ did not get there; say `/retry` there, or close it".into(),
        Standing::Open if story.blockers.is_empty() => "waits for its turn".into(),
        Standing::Open => failed_before(story, all).map_or_else(
            || {
                let names = story.blockers.iter().map(|name| blocker(name));
                markdown!("waits for {}", Markdown::joined(&names.collect::<Vec<_>>(), ", "))
            },
            |failed| markdown!("🚫 does not start: #{} did not get there", failed.issue),
        ),
    }
}

/// `#3` or `octo/hello#3`, which leads there; whatever else stands there is only said.
fn blocker(name: &str) -> Markdown {
    use crate::model::{IssueNumber, Repo};
    let number = name.rsplit_once('#').and_then(|(repo, number)| {
        let number = IssueNumber(number.parse().ok()?);
        Some(if repo.is_empty() {
            markdown!("#{}", number)
        } else {
            markdown!("{}#{}", Repo::parse(repo).ok()?, number)
        })
    });
    number.unwrap_or_else(|| said(name))
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
        let lines: Vec<&str> = found.as_str().lines().skip(2).collect();
        assert!(lines[0].contains("a\\|b") && !lines[0].contains("@ann"), "{}", lines[0]);
        assert!(lines[0].ends_with("| ✅ merged | #9 |"), "{}", lines[0]);
        assert!(lines[1].contains("did not get there; say `/retry`"));
        assert!(lines[2].contains("does not start: #3 did not"));
        assert!(lines[3].contains("waits for #8, o/r#1"));
        assert!(lines[4].contains("waits for its turn"));
        assert_eq!(table(&[]).as_str(), "");
    }
}
