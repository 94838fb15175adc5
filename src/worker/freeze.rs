//! Freezing a request: what an agent will read is what stood there before somebody asked, each
//! text with the level of who wrote it and who edited it last.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::Engine;
use super::failure::Failure;
use super::inbox::Said;
use crate::command::{self, Go, Parsed};
use crate::github::{At, Conversation, Edited};
use crate::model::clean::{Cleaned, clean, clean_line};
use crate::model::sanitized::fenced;
use crate::model::text::cut;
use crate::model::trust::Rule;
use crate::model::{CommentId, CommitSha, IssueNumber, Millis, Permission, PullNumber, RunId};
use crate::model::{User, UserId};
use crate::pipeline::frozen::{Edit, Scene, Spoken};
use crate::pipeline::{Frozen, Level, Request};
use crate::policy::{POLICY_PATH, Policy};

/// Longest issue text kept for the agent, in characters.
const BODY_CHARS_MAX: usize = 60_000;
/// Longest title kept, in characters.
const TITLE_CHARS_MAX: usize = 300;
/// Most people whose permission is asked for one request; the words of others are strangers'.
const AUTHORS_MAX: usize = 20;
/// Longest text shown to be confirmed, in characters.
const SHOWN_CHARS_MAX: usize = 50_000;

/// Where a run starts: what is known of the repository, and where its policy was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ground {
    pub public: bool,
    pub policy_at: Option<CommitSha>,
}

impl Engine {
    /// The repository's policy from its default branch, or the words that refuse it.
    pub(super) async fn policy(&self, at: &At) -> Result<Result<Policy, String>, Failure> {
        let text = self.ports.github.file(at, POLICY_PATH).await?.unwrap_or_default();
        Ok(self.parsed(&text))
    }

    fn parsed(&self, text: &str) -> Result<Policy, String> {
        let policy = Policy::parse(text).map_err(|error| {
            format!("{error}. Nothing was started; correct the file and say `/go` again.")
        })?;
        Ok(Policy { trust: self.settings.trust, ..policy })
    }

    /// The same at a recorded commit, with what else a start depends on.
    pub(super) async fn ground(
        &self,
        at: &At,
    ) -> Result<Result<(Policy, Ground), String>, Failure> {
        let github = &self.ports.github;
        let repository = github.repository(at).await?;
        if repository.archived {
            return Ok(Err("This repository is archived, so nothing was started.".to_owned()));
        }
        let branch = &repository.default_branch;
        let (commit, text) = github.file_at_tip(at, branch, POLICY_PATH).await?;
        let ground = Ground { public: !repository.private, policy_at: Some(commit) };
        Ok(self.parsed(&text.unwrap_or_default()).map(|policy| (policy, ground)))
    }

    /// Freezes what was asked. The outer error is the world's, the inner one the person's.
    pub(super) async fn request(
        &self,
        said: &Said,
        go: &Go,
        (policy, ground): (&Policy, &Ground),
        cause: Cause,
    ) -> Result<Result<Request, String>, Failure> {
        if let Some(text) = self.elsewhere(said).await? {
            return Ok(Err(text));
        }
        let words = match self.words(said, go, (policy, ground)).await? {
            Ok(words) => words,
            Err(text) => return Ok(Err(text)),
        };
        let Words { title, body, frozen, read } = words;
        let asked = clean(&go.words);
        let taken_out = said
            .again
            .as_ref()
            .map_or_else(|| read.and(&asked).taken_out(), |again| again.taken_out.clone());
        if title.trim().is_empty() && body.trim().is_empty() && asked.text.is_empty() {
            return Ok(Err("The issue says nothing yet, so nothing was started.".to_owned()));
        }
        let (agent, chosen) = match self.chosen(said, go, policy).await? {
            Ok((agent, chosen)) => (Some(agent.to_string()), Some(chosen)),
            Err(text) => return Ok(Err(text)),
        };
        Ok(Ok(Request {
            run: RunId::derive(&said.at.repo, &cause.words()),
            repo: said.at.repo.clone(),
            installation: said.at.installation,
            issue: said.number,
            pull: said.is_pull.then_some(PullNumber(said.number.0)),
            title,
            body,
            by: self.heard(&said.by),
            comment: cause.comment(),
            base: go.base.clone(),
            agent,
            chosen,
            words: asked.text,
            dry_run: go.dry_run,
            stories: !said.is_pull && !go.dry_run && self.has_stories(said).await?,
            parent: cause.parent(),
            frozen,
            taken_out,
            at: self.now(),
        }))
    }

    /// Why a pull request is left alone: its head is not in this repository.
    async fn elsewhere(&self, said: &Said) -> Result<Option<String>, Failure> {
        if !said.is_pull || !self.holds(Rule::Forks) {
            return Ok(None);
        }
        let pull = self.ports.github.pull(&said.at, PullNumber(said.number.0)).await?;
        Ok(pull.fork.then(|| {
            "This pull request comes from another repository, so Slipway does not touch it: \
             nothing is fetched, run, pushed or merged."
                .to_owned()
        }))
    }

    async fn words(
        &self,
        said: &Said,
        go: &Go,
        (policy, ground): (&Policy, &Ground),
    ) -> Result<Result<Words, String>, Failure> {
        if let Some(again) = &said.again {
            let (title, body) = (again.title.clone(), again.body.clone());
            let (frozen, read) = (again.frozen.clone(), Cleaned::default());
            return Ok(Ok(Words { title, body, frozen, read }));
        }
        let github = &self.ports.github;
        let conversation = github.conversation(&said.at, said.number).await?;
        let asked = said.written.unwrap_or_else(|| self.now());
        let carried = (said.title.clone(), said.text.clone());
        let (title, body) = match carried {
            (Some(title), Some(body)) if self.holds(Rule::Snapshot) => (title, body),
            (_, _) => {
                // Nobody kept its words of that moment: they must not have changed since.
                let changed = conversation.edits.iter().any(|edit| edit.at >= asked);
                if changed && self.holds(Rule::Snapshot) {
                    let text = "The issue was edited after you wrote this; read it, then say it \
                                again.";
                    return Ok(Err(text.to_owned()));
                }
                let issue = github.issue(&said.at, said.number).await?;
                (issue.title, issue.body)
            }
        };
        // Whoever reads it for a machine reads what people see, from here on.
        let title = clean_line(&title).at_most(TITLE_CHARS_MAX);
        let body = clean(&body).at_most(BODY_CHARS_MAX);
        let texts = (title.text.as_str(), body.text.as_str());
        let (mut scene, cleaned) = self.scene(said, conversation, texts).await?;
        (scene.public, scene.outsiders) = (ground.public, policy.outsiders);
        let mut frozen = scene.freeze();
        let restless = scene.is_restless(&frozen);
        let confirmed = go.digest.as_deref() == Some(frozen.short());
        if (restless || go.digest.is_some()) && !confirmed {
            return Ok(Err(confirm(&title.text, &body.text, &frozen)));
        }
        frozen.policy_at.clone_from(&ground.policy_at);
        let mut read = title.clone().and(&body);
        for one in frozen.remarks.iter().filter_map(|one| cleaned.get(&one.id)) {
            read = read.and(one);
        }
        Ok(Ok(Words { title: title.text, body: body.text, frozen: Some(frozen), read }))
    }

    /// What was said, with the level of each text, and what was taken out of each comment.
    async fn scene<'a>(
        &self,
        said: &Said,
        conversation: Conversation,
        (title, body): (&'a str, &'a str),
    ) -> Result<(Scene<'a>, BTreeMap<CommentId, Cleaned>), Failure> {
        let at = said.written.unwrap_or_else(|| self.now());
        let mut writers = Writers::new(&said.at, &said.by);
        let mut level = self.level(&mut writers, conversation.author.as_ref()).await?;
        let mut edited: Option<Edit> = None;
        for edit in &conversation.edits {
            let by = self.level(&mut writers, edit.by.as_ref()).await?;
            level = level.min(by);
            if by == Level::Quote && edited.is_none_or(|known| known.at < edit.at) {
                edited = Some(moment(edit));
            }
        }
        let (mut spoken, mut cleaned) = (Vec::new(), BTreeMap::new());
        for one in conversation.remarks {
            let Some(by) = one.by.filter(|by| !by.bot) else { continue };
            if command::parse(&one.text) != Parsed::None {
                continue;
            }
            let mut level = Level::Quote;
            if one.created < at {
                level = self.level(&mut writers, Some(&by)).await?;
                if let Some(edit) = &one.edited {
                    level = level.min(self.level(&mut writers, edit.by.as_ref()).await?);
                }
            }
            let edited = one.edited.as_ref().map(moment);
            let (id, seen, created) = (one.id, clean(&one.text), one.created);
            let text = seen.text.clone();
            cleaned.insert(id, Cleaned { text: String::new(), ..seen });
            spoken.push(Spoken { id, by, text, created, edited, level });
        }
        let scene = Scene {
            at,
            title,
            body,
            level,
            edited,
            spoken,
            unread: conversation.older,
            public: true,
            outsiders: None,
            trust: self.settings.trust,
        };
        Ok((scene, cleaned))
    }

    /// How far a word of `by` is believed: as an instruction of whoever may write now.
    async fn level(&self, writers: &mut Writers, by: Option<&User>) -> Result<Level, Failure> {
        let Some(by) = by.filter(|by| !by.bot) else { return Ok(Level::Quote) };
        if let Some(known) = writers.known.get(&by.id) {
            return Ok(*known);
        }
        if writers.known.len() >= AUTHORS_MAX {
            return Ok(Level::Quote);
        }
        let held = self.permission(&writers.at, by).await?;
        let level = if held >= Permission::Write || !self.holds(Rule::Taint) {
            Level::Instruction
        } else {
            Level::Quote
        };
        writers.known.insert(by.id, level);
        Ok(level)
    }
}

/// Who was found to write, or not to, while one request is frozen.
struct Writers {
    at: At,
    known: BTreeMap<UserId, Level>,
}

impl Writers {
    /// Whoever asks was asked a moment ago.
    fn new(at: &At, asking: &User) -> Self {
        Self { at: at.clone(), known: BTreeMap::from([(asking.id, Level::Instruction)]) }
    }
}

fn moment(edit: &Edited) -> Edit {
    Edit { at: edit.at, by: edit.by.as_ref().map(|by| by.id) }
}

struct Words {
    title: String,
    body: String,
    frozen: Option<Frozen>,
    /// What was taken out of them and of the comments that are read.
    read: Cleaned,
}

/// The text that asks for a digest, with exactly what an agent would read.
fn confirm(title: &str, body: &str, frozen: &Frozen) -> String {
    let mut text = format!("{title}\n\n{}\n", body.trim());
    for remark in &frozen.remarks {
        _ = writeln!(text, "\n--- {} ---\n{}", remark.by, remark.text);
    }
    let short = frozen.short();
    format!(
        "Nothing was started yet: somebody who may not write here changed these words a moment \
         ago, or they are not those you confirmed. This is exactly what an agent would read. If \
         it is what you mean, comment `/go {short}`, with your own words after it.\n\n{}",
        fenced(&cut(&text, SHOWN_CHARS_MAX))
    )
}

/// What a run is named after, so that the same cause never starts two.
pub(super) enum Cause {
    Comment(CommentId),
    /// A button or a re-run on GitHub; the job that brought it stands for the press.
    Press {
        lease: String,
    },
    Label {
        issue: IssueNumber,
        lease: String,
    },
    /// A sub-issue, for the run of the issue it belongs to.
    Story {
        parent: RunId,
        issue: IssueNumber,
    },
}

impl Cause {
    fn words(&self) -> String {
        match self {
            Self::Comment(id) => format!("comment {id}"),
            Self::Label { issue, lease } => format!("label {issue} {lease}"),
            Self::Press { lease } => format!("press {lease}"),
            Self::Story { parent, issue } => format!("story {parent} {issue}"),
        }
    }

    fn parent(&self) -> Option<RunId> {
        match self {
            Self::Story { parent, .. } => Some(parent.clone()),
            Self::Comment(_) | Self::Label { .. } | Self::Press { .. } => None,
        }
    }

    fn comment(&self) -> Option<CommentId> {
        match self {
            Self::Comment(id) => Some(*id),
            Self::Label { .. } | Self::Press { .. } | Self::Story { .. } => None,
        }
    }
}

impl Said {
    /// Somebody's wish that came without a comment.
    pub(super) fn wish(at: At, number: IssueNumber, by: User) -> Self {
        Self {
            at,
            number,
            is_pull: false,
            comment: CommentId(0),
            by,
            body: String::new(),
            title: None,
            text: None,
            written: None,
            late: false,
            again: None,
        }
    }

    /// The same, for what an earlier run was asked.
    pub(super) fn anew(mut self, old: &Arc<Request>) -> (Self, Go) {
        let go = Go {
            digest: None,
            dry_run: old.dry_run,
            base: old.base.clone(),
            agent: old.named_agent().cloned(),
            words: old.words.clone(),
        };
        self.number = old.issue;
        self.is_pull = old.pull.is_some();
        self.again = Some(Arc::clone(old));
        (self, go)
    }

    /// When it was written, as far as it says so.
    pub(super) fn written_at(mut self, when: Option<Millis>) -> Self {
        self.written = when;
        self
    }
}
