//! Plays a story: the people of the playground act when the run gives them reason to.

use std::time::Duration;

use anyhow::bail;

use super::cast::Cast;
use super::hostile;
use super::stories::{Story, rival};
use super::talk::Talk;
use super::tally::Tally;
use crate::clock::Clock;
use crate::pipeline::{ParkReason, Phase, Progress, StageKind, State, Task};
use crate::playground::error::ApiError;
use crate::playground::world::merge::MergeCall;
use crate::playground::world::people::FilePush;
use crate::playground::world::pulls::NewPull;
use crate::playground::world::{Method, ReviewState};
use crate::report;

/// A story that takes longer has failed, in milliseconds.
const STORY_MS_MAX: i64 = 120_000;
/// How long a refusal may take to show, in milliseconds.
const REFUSAL_MS_MAX: i64 = 30_000;
/// Between two looks at the bot's database.
const PAUSE: Duration = Duration::from_millis(40);
/// Crashes of one chaotic story.
const CRASHES: u32 = 3;

/// What the people have done so far.
#[expect(clippy::struct_excessive_bools, reason = "each is done once, by itself")]
#[derive(Debug, Default)]
struct Done {
    rival: Option<u64>,
    rival_landed: bool,
    approved: Option<String>,
    accepted: bool,
    stopped: bool,
    retried: bool,
    answered: bool,
    said: String,
}

pub(super) async fn play(
    cast: &Cast,
    story: &Story,
    chaos: Option<u64>,
    talk: &Talk,
) -> anyhow::Result<Tally> {
    let began = cast.clock.now();
    talk.begin(story.name, &cast.links())?;
    let (world, sample) = (cast.world(), &cast.sample);
    let asker = if story.outsider { &sample.outsider } else { &sample.maintainer };
    let issue = world
        .open_issue(sample.maintainer.id, &sample.repo, &story.title, &story.body)
        .map_err(refused)?;
    talk.say(&format!(
        "{} opens issue #{}: {}",
        sample.maintainer.login, issue.number, story.title
    ))?;
    let comment =
        world.comment(asker.id, &sample.repo, issue.number, story.says).map_err(refused)?;
    talk.say(&format!("{} comments {}", asker.login, story.says))?;
    let told = tokio::select! {
        told = act(cast, story, talk, issue.number) => told?,
        error = crashes(cast, chaos, talk) => return Err(error),
    };
    let mut tally = Tally::take(cast, story, (issue.number, comment.id), began, told.as_ref());
    if story.hostile {
        let timeline = match &told {
            Some(state) => cast.timeline(&state.request.run).await?,
            None => Vec::new(),
        };
        tally.attempted(hostile::verdict(cast, told.as_ref(), &timeline));
    }
    Ok(tally)
}

#[expect(clippy::needless_pass_by_value, reason = "it is used as a function for map_err")]
fn refused(error: ApiError) -> anyhow::Error {
    anyhow::anyhow!("the playground refuses: {} {}", error.status, error.message)
}

/// Lets the people act until the run is over; gives its last state, if there is a run.
async fn act(cast: &Cast, story: &Story, talk: &Talk, issue: u64) -> anyhow::Result<Option<State>> {
    let began = cast.clock.now();
    let mut done = Done::default();
    loop {
        let waited = cast.clock.now().since(began);
        let state = cast.run().await?.map(|snapshot| snapshot.state);
        let refused = answered(cast, issue) || waited > REFUSAL_MS_MAX;
        if story.outsider && state.is_none() && refused {
            return Ok(None);
        }
        if waited > STORY_MS_MAX {
            return Ok(state);
        }
        if let Some(state) = state {
            let line = report::line(&state);
            if line != done.said {
                talk.say(&format!("slipway {line}"))?;
                done.said = line;
            }
            if state.finished().is_some() && settled(cast, &state) {
                return Ok(Some(state));
            }
            people(cast, story, talk, &state, &mut done)?;
            // Nobody here can help an agent that is not ours.
            if story.rounds.is_none() && is_stuck(&state) {
                return Ok(Some(state));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The bot said why not.
fn answered(cast: &Cast, issue: u64) -> bool {
    cast.world().with(|state| {
        let repo = state.repos.get(&cast.sample.repo_id);
        let bot = cast.sample.bot.user.id;
        repo.is_some_and(|repo| {
            repo.comments.values().any(|said| said.issue == issue && said.user.id == bot)
        })
    })
}

/// The last report is on GitHub, so that nothing is left to do.
fn settled(cast: &Cast, state: &State) -> bool {
    let run = state.request.run.as_str();
    cast.world().with(|world| {
        let repo = world.repos.get(&cast.sample.repo_id);
        let open = |repo: &crate::playground::world::Repo| {
            repo.runs.values().any(|check| check.external_id == run && check.conclusion.is_none())
        };
        repo.is_some_and(|repo| !open(repo))
    })
}

/// An agent gave up, and a person is asked.
fn is_stuck(state: &State) -> bool {
    let Progress::Running { phase: Phase::Parked(park), .. } = &state.progress else {
        return false;
    };
    matches!(park.why, ParkReason::AgentStuck | ParkReason::CritiqueOpen)
}

fn people(
    cast: &Cast,
    story: &Story,
    talk: &Talk,
    state: &State,
    done: &mut Done,
) -> anyhow::Result<()> {
    if story.rival && done.rival.is_none() {
        done.rival = Some(open_rival(cast, talk)?);
    }
    let Progress::Running { stage, phase, .. } = &state.progress else { return Ok(()) };
    let working = matches!(phase, Phase::Doing(Task::Agent { .. })) && *stage == StageKind::Build;
    if story.stops && working && !done.stopped {
        done.stopped = true;
        comments(cast, talk, state, ("/stop", "comments /stop"))?;
    }
    if story.hostile && is_stuck(state) && !done.retried {
        done.retried = true;
        comments(cast, talk, state, ("/retry", "trusts it once more and comments /retry"))?;
    }
    if let (Some(answer), Some(_), false) = (story.answer, state.open_question(), done.answered) {
        done.answered = true;
        comments(cast, talk, state, (answer, &format!("comments {answer}")))?;
    }
    let nothing_speaks = match phase {
        Phase::Parked(park) => park.why == ParkReason::NoChecks,
        Phase::Waiting(wait) => *stage == StageKind::Ci && wait.what == "a first check",
        Phase::Doing(_) => false,
    };
    if nothing_speaks && !done.accepted {
        done.accepted = true;
        comments(cast, talk, state, ("/approve", "comments /approve: there is no CI here"))?;
    }
    if *stage == StageKind::Review && matches!(phase, Phase::Waiting(_)) {
        return review(cast, story, talk, state, done);
    }
    Ok(())
}

/// The maintainer comments on the issue, and the story tells it.
fn comments(
    cast: &Cast,
    talk: &Talk,
    state: &State,
    (text, told): (&str, &str),
) -> anyhow::Result<()> {
    let (maintainer, issue) = (&cast.sample.maintainer, state.request.issue.0);
    cast.world().comment(maintainer.id, &cast.sample.repo, issue, text).map_err(refused)?;
    talk.say(&format!("{} {told}", maintainer.login))
}

/// Green and waiting: first the rival lands, then the reviewer approves what is there.
fn review(
    cast: &Cast,
    story: &Story,
    talk: &Talk,
    state: &State,
    done: &mut Done,
) -> anyhow::Result<()> {
    let (world, repo) = (cast.world(), &cast.sample.repo);
    if story.rival && !done.rival_landed {
        if let Some(number) = done.rival {
            done.rival_landed = land_rival(cast, talk, number)?;
        }
        return Ok(());
    }
    let (Some(pull), Some(head)) = (state.work.pull, &state.work.published) else { return Ok(()) };
    let resolved = !story.rival || state.counts.resolve_rounds > 0;
    if !resolved || done.approved.as_deref() == Some(head.as_str()) {
        return Ok(());
    }
    let reviewer = &cast.sample.reviewer;
    let words = (ReviewState::Approved, "Looks right to me.");
    world.review(reviewer.id, repo, pull.0, words).map_err(refused)?;
    done.approved = Some(head.to_string());
    talk.say(&format!("{} approves #{pull}", reviewer.login))
}

fn open_rival(cast: &Cast, talk: &Talk) -> anyhow::Result<u64> {
    let (world, sample) = (cast.world(), &cast.sample);
    let author = &sample.reviewer;
    let files = vec![(rival::PATH.to_owned(), Some(rival::TEXT.as_bytes().to_vec()))];
    let push = FilePush { branch: rival::BRANCH, onto: None, files: &files, message: rival::TITLE };
    world.push_files(author.id, &sample.repo, &push).map_err(refused)?;
    let new = NewPull {
        title: rival::TITLE.to_owned(),
        body: String::new(),
        head: rival::BRANCH.to_owned(),
        base: "main".to_owned(),
        draft: false,
    };
    let opened = world.open_pull(author.id, &sample.repo, &new).map_err(refused)?;
    let number = opened.pull.number;
    talk.say(&format!("{} opens #{number}: {}", author.login, rival::TITLE))?;
    Ok(number)
}

/// Approved and green, it is merged by a person; `false` while its CI still runs.
fn land_rival(cast: &Cast, talk: &Talk, number: u64) -> anyhow::Result<bool> {
    let (world, sample) = (cast.world(), &cast.sample);
    let maintainer = &sample.maintainer;
    let words = (ReviewState::Approved, "");
    let call = MergeCall { method: Method::Squash, ..MergeCall::default() };
    let merged = world
        .review(maintainer.id, &sample.repo, number, words)
        .and_then(|_review| world.merge_pull(maintainer.id, &sample.repo, number, &call));
    match merged {
        Ok(_) => {
            talk.say(&format!("{} merges #{number}, which conflicts", maintainer.login))?;
            Ok(true)
        }
        Err(error) if error.status == 405 => Ok(false),
        Err(error) => bail!(refused(error)),
    }
}

/// Kills the bot now and then; only an error ends this.
async fn crashes(cast: &Cast, chaos: Option<u64>, talk: &Talk) -> anyhow::Error {
    if let Some(seed) = chaos {
        let mut dice = fastrand::Rng::with_seed(seed);
        for _ in 0..CRASHES {
            tokio::time::sleep(Duration::from_millis(dice.u64(200..2_500))).await;
            let down = Duration::from_millis(dice.u64(0..300));
            let said = talk.say("the bot is killed, and started again");
            if let Err(error) = said.and(cast.crash(down).await) {
                return error;
            }
        }
    }
    std::future::pending().await
}
