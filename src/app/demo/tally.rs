//! What a story came to, in figures anybody can check: the object of `--json`.

use serde::Serialize;

use super::cast::Cast;
use super::hostile::Attempt;
use super::stories::Story;
use crate::clock::Clock;
use crate::model::Millis;
use crate::pipeline::{Outcome, State};
use crate::playground::world::Repo;

/// One scenario's figures.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tally {
    pub(super) scenario: &'static str,
    pub(super) run: Option<String>,
    /// merged, refused, stopped, handed-over or failed.
    pub(super) outcome: &'static str,
    pub(super) pull_request: Option<u64>,
    pub(super) merged_sha: Option<String>,
    pub(super) landed_tree_verified: bool,
    /// Commits that GitHub made and signed in the place of the bot's.
    pub(super) signed_commits: usize,
    /// Deliveries the playground sent to the bot.
    pub(super) webhooks: usize,
    /// Requests to the interface, as GitHub's limits count them: git's own are apart.
    pub(super) api_reads: usize,
    /// Reads beside those that found nothing changed, which the limits do not count.
    pub(super) api_unchanged: usize,
    pub(super) api_writes: usize,
    /// Comments by the bot, on the issue and on the pull request.
    pub(super) comments: usize,
    /// Check runs by the bot, one for each head.
    pub(super) check_runs: usize,
    pub(super) agent_calls: u32,
    pub(super) fix_rounds: u32,
    pub(super) resolve_rounds: u32,
    /// From the comment to the bot's first reaction to it.
    pub(super) first_reaction_ms: Option<i64>,
    pub(super) wall_ms: i64,
    /// What a hostile agent tried; in other stories there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attempts: Vec<Attempt>,
    /// It ended as its story says.
    pub(super) as_told: bool,
}

impl Tally {
    pub(super) fn take(
        cast: &Cast,
        story: &Story,
        (issue, comment): (u64, u64),
        began: Millis,
        state: Option<&State>,
    ) -> Self {
        let bot = &cast.sample.bot;
        let outcome = outcome(cast, issue, state);
        let counts = state.map(|state| state.counts.clone()).unwrap_or_default();
        let (api_reads, api_unchanged, api_writes) = calls(cast);
        let webhooks = cast.world().mailbox(|mailbox| {
            mailbox.log().filter(|logged| logged.delivery.app == bot.id).count()
        });
        let of_bot = |count: &dyn Fn(&Repo) -> usize| {
            cast.world().with(|world| world.repos.get(&cast.sample.repo_id).map_or(0, count))
        };
        let comments =
            of_bot(&|r| r.comments.values().filter(|c| c.user.id == bot.user.id).count());
        let check_runs = of_bot(&|r| r.runs.values().filter(|c| c.app == bot.id).count());
        let merged = state.and_then(|state| match state.finished() {
            Some(Outcome::Merged { commit, verified, .. }) => Some((commit.to_string(), *verified)),
            Some(Outcome::Stopped { .. } | Outcome::HandedOver { .. } | Outcome::Failed { .. })
            | None => None,
        });
        let verified = merged.as_ref().is_some_and(|(_, verified)| *verified);
        let signed_commits = of_bot(&|r| r.signed.len());
        let rounds = (counts.fix_rounds, counts.resolve_rounds);
        let as_told = outcome == story.ends
            && story.rounds.is_none_or(|told| told == rounds || story.ends != "merged")
            && (!story.signed || signed_commits > 0)
            && (outcome != "merged" || (verified && issue_closed(cast, issue)));
        Self {
            scenario: story.name,
            run: state.map(|state| state.request.run.to_string()),
            outcome,
            pull_request: state.and_then(|state| state.work.pull).map(|pull| pull.0),
            merged_sha: merged.map(|(commit, _)| commit),
            landed_tree_verified: verified,
            signed_commits,
            webhooks,
            api_reads,
            api_unchanged,
            api_writes,
            comments,
            check_runs,
            agent_calls: counts.agent_calls,
            fix_rounds: counts.fix_rounds,
            resolve_rounds: counts.resolve_rounds,
            first_reaction_ms: first_reaction(cast, comment),
            wall_ms: cast.clock.now().since(began),
            attempts: Vec::new(),
            as_told,
        }
    }

    /// Adds what a hostile agent tried; one attempt that got through is not as told.
    pub(super) fn attempted(&mut self, attempts: Vec<Attempt>) {
        self.as_told &= !attempts.is_empty() && attempts.iter().all(|attempt| attempt.refused);
        self.attempts = attempts;
    }
}

/// Reads, reads that found nothing changed, and writes of the bot, its requests for tokens among
/// them.
fn calls(cast: &Cast) -> (usize, usize, usize) {
    let journal = cast.world().journal();
    let mine = journal
        .iter()
        .filter(|call| call.actor == cast.sample.bot.slug && !call.operation.starts_with("git/"));
    let (reads, writes): (Vec<_>, Vec<_>) = mine.partition(|call| call.is_read());
    let unchanged = reads.iter().filter(|call| call.status == 304).count();
    (reads.len() - unchanged, unchanged, writes.len())
}

fn issue_closed(cast: &Cast, issue: u64) -> bool {
    cast.world().with(|world| {
        let repo = world.repos.get(&cast.sample.repo_id);
        repo.and_then(|repo| repo.issues.get(&issue)).is_some_and(|issue| !issue.open)
    })
}

/// Without a run, an answer with a 😕 is a refusal; anything else is a failure.
fn outcome(cast: &Cast, issue: u64, state: Option<&State>) -> &'static str {
    if let Some(state) = state {
        return state.finished().map_or("failed", Outcome::word);
    }
    let confused = cast.world().with(|world| {
        let repo = world.repos.get(&cast.sample.repo_id);
        repo.is_some_and(|repo| {
            let here = repo.comments.values().filter(|said| said.issue == issue);
            let mut reactions = here.flat_map(|said| &said.reactions);
            reactions.any(|reaction| reaction.content == "confused")
        })
    });
    if confused { "refused" } else { "failed" }
}

fn first_reaction(cast: &Cast, comment: u64) -> Option<i64> {
    cast.world().with(|world| {
        let said = world.repos.get(&cast.sample.repo_id)?.comments.get(&comment)?;
        let first = said.reactions.iter().map(|reaction| reaction.at_ms).min()?;
        Some(first - said.created_ms)
    })
}
