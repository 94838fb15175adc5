//! What happened to a run, as one plain line for terminals and the page.

use crate::command::Source;
use crate::model::character::visible;
use crate::model::text::cut;
use crate::pipeline::standing::{Enlisted, Left};
use crate::pipeline::twin::Signing;
use crate::pipeline::{
    Done, EventKind, Ignored, MergeAnswer, Settled, Timer, Told, UpdateAnswer, Withdrawal,
};

/// Longest line, in characters.
const LINE_CHARS_MAX: usize = 300;

/// What an event says happened: one line of plain text, without control characters.
pub fn happened(event: &EventKind) -> String {
    let text = match event {
        EventKind::Started => "the run was opened".to_owned(),
        EventKind::Commanded(given) => {
            let how = match given.source() {
                Source::Comment(_) => "said",
                Source::Button => "pressed the button for",
                Source::Operator => "said at the machine",
            };
            let command = given.command().to_string();
            format!("{} {how} {}", given.by(), command.lines().next().unwrap_or_default())
        }
        EventKind::Withdrawn { by, how } => {
            let by = by.as_ref().map_or("somebody", |by| by.login.as_str());
            match how {
                Withdrawal::LabelRemoved => format!("{by} took the label away"),
                Withdrawal::IssueClosed => format!("{by} closed the issue"),
            }
        }
        EventKind::Performed { done, told, .. } => {
            format!("{}{}", done_words(done), beside(told))
        }
        EventKind::Observed(seen) => format!(
            "looked at pull request {}: head {}, base at {}, {}",
            seen.pull,
            seen.api_head.short(),
            seen.base_tip.short(),
            checks(seen.checks.len())
        ),
        EventKind::TimerFired { timer, .. } => match timer {
            Timer::Look => "time to look again".to_owned(),
            Timer::Lane => "it may be this run's turn to merge".to_owned(),
            Timer::Budget => "the cap that was reached is renewed".to_owned(),
            Timer::Deadline => "the wait has lasted as long as it may".to_owned(),
        },
    };
    cut(&visible(&text), LINE_CHARS_MAX)
}

/// What is told beside how a task ended.
fn beside(told: &Told) -> String {
    let hosts = told.refused_hosts.join(", ");
    let hosts = if hosts.is_empty() { hosts } else { format!("; asked in vain for {hosts}") };
    format!("{hosts}{}", super::live::worked(&told.worked))
}

fn checks(count: usize) -> String {
    if count == 1 { "1 check".to_owned() } else { format!("{count} checks") }
}

/// Why an event changed nothing.
pub fn ignored(why: Ignored) -> &'static str {
    match why {
        Ignored::Stale => "ignored: it is about something that is over",
        Ignored::Unchanged => "ignored: it says what was known",
        Ignored::Finished => "ignored: the run is finished",
        Ignored::NotNow => "ignored: not now",
    }
}

fn done_words(done: &Done) -> String {
    match done {
        Done::Accepted { base, tip, sandbox, .. } => {
            let kept = sandbox.as_deref().map(|what| format!("; {what}")).unwrap_or_default();
            format!("accepted; {base} is at {}{kept}", tip.short())
        }
        Done::NoBase { why } => format!("no base branch: {why}"),
        Done::Planned { .. } => "the agent wrote a plan".to_owned(),
        Done::Changed { head, .. } => format!("a new commit: {}", head.short()),
        Done::Unchanged { .. } => "the agent changed nothing".to_owned(),
        Done::Critiqued { critique, .. } => {
            let what = critique.counted().unwrap_or_else(|| "nothing".to_owned());
            format!("the critic found {what} in {}", critique.head.short())
        }
        Done::Rejected { why, .. } => format!("the change was refused: {why}"),
        Done::Leaked { why, .. } => format!("alarm: {why}"),
        Done::AgentFailed { why, .. } => format!("the agent failed: {why}"),
        Done::BudgetUsed { full, .. } => format!("the agent had to stop: {}", full.words()),
        Done::Asked { .. } => "the agent asks something".to_owned(),
        Done::Affordable => "there is room in the budget".to_owned(),
        Done::Verified { head, passed: true, .. } => {
            format!("the repository's commands passed on {}", head.short())
        }
        Done::Verified { head, passed: false, .. } => {
            format!("the repository's commands failed on {}", head.short())
        }
        Done::Shown { head, .. } => format!("what {} changes is shown and held", head.short()),
        Done::Lost { people } => {
            let names: Vec<&str> = people.iter().map(|user| user.login.as_str()).collect();
            format!("nothing was sent: {} may not write any more", names.join(", "))
        }
        Done::Published { head, pull, signing } => {
            let how = match signing {
                Some(Signing::Signed(_)) => ", signed by GitHub".to_owned(),
                Some(Signing::Pushed { why }) => format!(", pushed because {why}"),
                None => String::new(),
            };
            format!("published {} as pull request {pull}{how}", head.short())
        }
        Done::Diverged { remote: Some(remote) } => {
            format!("somebody pushed {} to the branch", remote.short())
        }
        Done::Diverged { remote: None } => "the branch was deleted".to_owned(),
        Done::UpdateAsked(answer) => update_words(answer),
        Done::Recognised { head, .. } => {
            format!("{} is exactly the merge GitHub was asked for", head.short())
        }
        Done::Reran => "asked for checks to be run again".to_owned(),
        Done::Stories { stories, .. } => {
            let over = stories.iter().filter(|story| story.standing.is_over()).count();
            format!("read the stories: {over} of {} are done", stories.len())
        }
        Done::Undrafted => "the pull request is ready for people".to_owned(),
        Done::Ready(_) => "it is this run's turn to merge".to_owned(),
        Done::LaneBusy { why } => format!("not this run's turn to merge: {why}"),
        Done::MergeAnswered(answer) => merge_words(answer),
        Done::Settled(settled) => match settled {
            Settled::Landed { commit } => format!("the merge took effect as {}", commit.short()),
            Settled::NotLanded => "the merge did not take effect".to_owned(),
            Settled::Unclear => "it is unclear whether the merge took effect".to_owned(),
        },
        Done::Enlisted(answer) => enlisted_words(answer),
        Done::Left(left) => left_words(left),
        Done::Compared { tree, expected } if expected.as_ref() == Some(tree) => {
            "what landed is exactly what the permitted commit makes of the base".to_owned()
        }
        Done::Compared { .. } => "what landed is not what the permitted commit makes".to_owned(),
        Done::Landed { commit, .. } => format!("compared what landed as {}", commit.short()),
        Done::Closed => "the issue is closed and the branch is gone".to_owned(),
        Done::Failed { why } => format!("it failed: {why}"),
    }
}

fn update_words(answer: &UpdateAnswer) -> String {
    match answer {
        UpdateAnswer::Coming => "GitHub merges the base into the branch".to_owned(),
        UpdateAnswer::Moved => "GitHub found another head in the branch".to_owned(),
        UpdateAnswer::No { text } => format!("GitHub does not merge the base: {text}"),
        UpdateAnswer::Unknown { text } => {
            format!("GitHub gave no answer to being asked to merge the base: {text}")
        }
    }
}

fn enlisted_words(answer: &Enlisted) -> String {
    match answer {
        Enlisted::Stands => "GitHub will merge it by itself".to_owned(),
        Enlisted::Clean => "GitHub wants a merge call: nothing is pending".to_owned(),
        Enlisted::No(answer) => merge_words(answer),
        Enlisted::Unknown { text } => format!("GitHub gave no answer to being asked: {text}"),
    }
}

fn left_words(left: &Left) -> String {
    match left {
        Left::Out => "GitHub let it go".to_owned(),
        Left::Absent => "GitHub shows nothing to take back".to_owned(),
        Left::Merged { commit } => format!("GitHub was faster and merged it as {}", commit.short()),
        Left::Closed => "the pull request is closed".to_owned(),
        Left::Unclear => "it is not sure whether GitHub let it go".to_owned(),
    }
}

fn merge_words(answer: &MergeAnswer) -> String {
    match answer {
        MergeAnswer::Merged { commit } => format!("GitHub merged it as {}", commit.short()),
        MergeAnswer::BaseModified => "GitHub did not merge: the base moved".to_owned(),
        MergeAnswer::ChecksMissing { text } => {
            format!("GitHub did not merge: it misses checks ({text})")
        }
        MergeAnswer::NotMergeable => "GitHub did not merge: not mergeable yet".to_owned(),
        MergeAnswer::HeadModified => "GitHub did not merge: its head is another".to_owned(),
        MergeAnswer::Refused { text } => format!("GitHub refused to merge: {text}"),
        MergeAnswer::Unknown { text } => format!("the merge call got no answer: {text}"),
        MergeAnswer::NotSent => "the merge call was not sent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, sha};
    use super::*;
    use crate::policy::wrapped::wrapped;

    #[test]
    fn what_happened_is_one_line() {
        use crate::command::{Go, SlashCommand, Source, authorize};
        use crate::model::{CommentId, Permission};
        use crate::pipeline::{Done, EventKind, MergeAnswer};
        let go = SlashCommand::Go(Go { words: "now\n\u{1b}[31mrm".to_owned(), ..Go::default() });
        let given =
            authorize(go, sample::user("ann"), Permission::Write, Source::Comment(CommentId(1)));
        let by = given.unwrap();
        insta::assert_snapshot!(happened(&EventKind::Commanded(by)), @"ann said /go now");
        let done = |done| happened(&EventKind::performed(1, done));
        let why = "x\ny".repeat(1_000);
        assert!(done(Done::Failed { why }).chars().count() <= 300);
        insta::assert_snapshot!(wrapped(&done(Done::Diverged { remote: Some(sha('b')) }), 30), @"
        somebody pushed bbbbbbbbbb to
        the branch
        ");
        let refused_hosts = vec!["a.example:443".to_owned()];
        let told = Told { refused_hosts, ..Told::default() };
        let asked = EventKind::Performed { entry: 1, done: Done::Closed, told };
        insta::assert_snapshot!(happened(&asked),
            @"the issue is closed and the branch is gone; asked in vain for a.example:443");
        let merged = MergeAnswer::Merged { commit: sha('e') };
        let merged = done(Done::MergeAnswered(merged));
        insta::assert_snapshot!(merged, @"GitHub merged it as eeeeeeeeee");
        let looked = happened(&EventKind::Observed(Box::new(sample::seen())));
        insta::assert_snapshot!(wrapped(&looked, 30), @"
        looked at pull request 13:
        head aaaaaaaaaa, base at
        0000000000, 2 checks
        ");
    }
}
