//! `slipway demo`: a playground, the served program beside it, and people who play a story.
//!
//! The bot is `slipway serve` in a process of its own. It reaches the playground through its
//! real adapters and nothing else, so what the demo shows is what `serve` does.

mod bot;
mod cast;
mod hostile;
mod known;
mod play;
mod stories;
mod talk;
mod tally;
#[cfg(test)]
mod tests;
mod thinker;

use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::cast::Cast;
use self::stories::Story;
use self::talk::Talk;
use super::args::{Demo, Scenario};
use super::barrier;

/// How long the playground may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// Plays the stories. A signal ends it in order, so that nothing is left running behind it.
pub(super) async fn demo(demo: &Demo) -> anyhow::Result<ExitCode> {
    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        played = stories_of(demo) => played,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
        _ = term.recv() => Ok(ExitCode::from(143)),
    }
}

async fn stories_of(demo: &Demo) -> anyhow::Result<ExitCode> {
    let mut stories = stories(demo)?;
    if demo.thinker.is_some() {
        // Nobody knows what it will find.
        for story in &mut stories {
            story.rounds = None;
        }
    }
    let talk = Talk::new(demo.json);
    if demo.agent.is_none()
        && let Err(why) = barrier::sample().await
    {
        let alone = stories.len() == 1;
        stories.retain(|story| !story.hostile);
        anyhow::ensure!(
            !alone || !stories.is_empty(),
            "the hostile agent is not let loose without a sandbox, and there is none here: {}",
            why.0
        );
        talk.say(&format!(
            "the scripted agent runs without a sandbox here, and the hostile one not at all: {}",
            why.0
        ))?;
    }
    let mut as_told = true;
    let last = stories.len().saturating_sub(1);
    for (index, story) in stories.iter().enumerate() {
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let cast = Cast::gather(demo, story, &tasks, &stop).await?;
        let tally = play::play(&cast, story, demo.chaos, &talk).await?;
        talk.tally(&tally, &cast.links())?;
        as_told &= tally.as_told;
        if demo.keep && index == last {
            talk.keep(&cast.links())?;
            std::future::pending::<()>().await;
        }
        cast.leave().await;
        stop.cancel();
        tasks.close();
        // What does not end in time ends with the process.
        let _ended = tokio::time::timeout(GRACE, tasks.wait()).await.is_ok();
    }
    Ok(if as_told { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn stories(demo: &Demo) -> anyhow::Result<Vec<Story>> {
    let own = demo.repo.is_some() || demo.agent.is_some();
    Ok(match demo.scenario {
        _ if own => {
            let plain = matches!(demo.scenario, Scenario::Full | Scenario::Happy);
            anyhow::ensure!(
                plain,
                "with --repo or --agent there is one story; leave --scenario out"
            );
            vec![stories::own(demo)]
        }
        Scenario::Full => vec![stories::full()],
        Scenario::Happy => vec![stories::happy()],
        Scenario::RedCi => vec![stories::red_ci()],
        Scenario::Conflict => vec![stories::conflict()],
        Scenario::Outsider => vec![stories::outsider()],
        Scenario::Stop => vec![stories::stop()],
        Scenario::Queue => vec![stories::queue()],
        Scenario::Signed => vec![stories::signed()],
        Scenario::Question => vec![stories::question()],
        Scenario::Hostile => vec![stories::hostile()],
        Scenario::All => vec![
            stories::happy(),
            stories::red_ci(),
            stories::conflict(),
            stories::outsider(),
            stories::stop(),
            stories::queue(),
            stories::signed(),
            stories::question(),
            stories::hostile(),
        ],
    })
}
