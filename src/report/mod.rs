//! What people see of a run, as a pure function of its state: comments, check run, pull request,
//! messages and pages. Nothing here knows the time, so a text changes only when the state does.

mod agents;
mod budget;
mod check_run;
mod comment;
mod credit;
mod critique;
mod evidence;
mod headline;
mod live;
pub mod notes;
pub mod page;
mod picture;
mod pull;
mod question;
mod stories;
mod timeline;
mod trust;

pub use check_run::{CheckReport, Conclusion, check_run};
pub use comment::{issue_comment, pull_comment};
pub use credit::co_author;
pub use headline::Tone;
pub use live::{lines as live_lines, stream as stream_text};
pub use pull::{commit_message, merge_message, merge_title, pull_body, pull_title, signed_message};
pub use question::question;
pub use timeline::{happened, ignored};

pub use crate::command::Button;
use crate::markdown;
use crate::model::character::visible;
use crate::model::sanitized::{Markdown, code, link, said};
use crate::model::text::cut;
use crate::model::{CommitSha, RunId};
use crate::pipeline::{Live, Progress, State};
use crate::policy::Policy;

/// Longest line for terminals, in characters.
const LINE_CHARS_MAX: usize = 200;

/// What a report is about.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub state: &'a State,
    pub policy: &'a Policy,
    pub links: &'a Links,
    /// What the agent at work does, when there is one.
    pub live: Option<&'a Live>,
}

/// Where things are found on the web. Both are the operator's, never text from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// The dashboard's page of this run, when there is a dashboard.
    pub run_page: Option<String>,
    /// The repository on GitHub, such as `https://github.com/octo/hello`.
    pub repo_url: String,
}

impl<'a> Context<'a> {
    /// A run of which no agent is at work.
    pub fn new(state: &'a State, policy: &'a Policy, links: &'a Links) -> Self {
        Self { state, policy, links, live: None }
    }

    #[must_use]
    pub fn with_live(self, live: Option<&'a Live>) -> Self {
        Self { live, ..self }
    }
}

impl Context<'_> {
    /// Where all of what was cut or left out can be read.
    fn whole(&self) -> Markdown {
        self.links.run_page.as_ref().map_or_else(
            || markdown!("`slipway show {}` on the server tells it whole", self.state.request.run),
            |page| markdown!("{} tells it whole", link(&"the run's page".into(), page)),
        )
    }

    /// `text` of at most `chars_max` characters, and a sentence about the rest when it is cut.
    fn shortened(&self, text: &str, chars_max: usize) -> (String, Markdown) {
        let short = cut(text, chars_max);
        let cut = short.len() != text.len();
        let rest = if cut {
            markdown!("\n\n<sub>Cut here; {}.</sub>", self.whole())
        } else {
            Markdown::default()
        };
        (short, rest)
    }
}

/// The texts of a run that we find again by their marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The comment on the issue.
    Issue,
    /// The comment on the pull request.
    Pull,
    /// The body of the pull request.
    PullBody,
}

/// The hidden first line of a text of ours; whoever looks for it also compares the author.
pub fn marker(run: &RunId, surface: Surface) -> Markdown {
    let surface = match surface {
        Surface::Issue => "issue",
        Surface::Pull => "pull",
        Surface::PullBody => "pull-body",
    };
    markdown!("<!-- slipway:{}:{} -->", run.clone(), surface)
}

/// Where a run is, as one line of plain text for terminals and for the answer to `/status`
/// (there, it still has to be made inert).
pub fn line(state: &State) -> String {
    let place = match &state.progress {
        Progress::Idle => "queued: ",
        Progress::Running { stage, .. } => stage.word(),
        Progress::Finished { .. } => "",
    };
    let joint = if state.stage().is_some() { ": " } else { "" };
    let sentence = visible(&headline::sentence(state));
    let sentence: Vec<&str> = sentence.split_whitespace().collect();
    cut(&format!("{place}{joint}{}", sentence.join(" ")), LINE_CHARS_MAX)
}

/// The answer to `/status`, as Markdown that mentions nobody.
pub fn status(state: &State) -> Markdown {
    markdown!("{}.", said(&line(state)))
}

fn base_name(state: &State) -> &str {
    let asked = state.request.base.as_ref();
    state.work.base.as_ref().or(asked).map_or("the base branch", |base| base.as_str())
}

fn commit_link(context: &Context<'_>, commit: &CommitSha) -> Markdown {
    let page = format!("{}/commit/{commit}", context.links.repo_url);
    link(&code(commit.short()), &page)
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
