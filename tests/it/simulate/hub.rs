//! How git reaches the World, and what programs do in the sandbox of a life.

use std::sync::Arc;

use slipway::agent::scripted;
use slipway::git::depot::Depot;
use slipway::git::fake::Remotes;
use slipway::git::{self, Push, PushAnswer};
use slipway::github::Remote;
use slipway::model::CommitSha;
use slipway::playground::world::{Op, World};
use slipway::sandbox::fake::Play;
use slipway::sandbox::{End, Transcript};

/// The World's git as the engine's git reaches it.
pub(super) struct Hub {
    pub world: World,
    pub depot: Depot,
    pub installation: u64,
}

impl Remotes for Hub {
    fn depot(&self, _: &Remote) -> Result<Depot, git::Error> {
        let lost = |error: slipway::playground::error::ApiError| git::Error::Remote(error.message);
        let actor = self.world.as_installation(self.installation).map_err(lost)?;
        let op = Op::read("git/fetch", "/app.git");
        self.world.call(&actor, op, |_| Ok(self.depot.clone())).map_err(lost)
    }

    fn push(&self, remote: &Remote, push: &Push) -> Result<PushAnswer, git::Error> {
        let lost = |error: slipway::playground::error::ApiError| git::Error::Remote(error.message);
        let actor = self.world.as_installation(self.installation).map_err(lost)?;
        let branch = push.branch.as_str();
        let (new, expect) = (push.new.as_ref(), push.expect.as_ref());
        let op = Op::write("git/push", format!("/app.git {branch}"));
        let pushed = self.world.call(&actor, op, |state| {
            let found = self.depot.read_ref(&format!("refs/heads/{branch}"));
            if found.as_deref() == new.map(CommitSha::as_str) {
                return Ok(PushAnswer::Pushed);
            }
            if found.as_deref() != expect.map(CommitSha::as_str) {
                let actual = found.as_deref().and_then(|id| CommitSha::parse(id).ok());
                return Ok(PushAnswer::Stale { actual });
            }
            let ids = (expect.map(CommitSha::as_str), new.map(CommitSha::as_str));
            state.push_ref(&actor, &remote.repo.to_string(), branch, ids)?;
            Ok(PushAnswer::Pushed)
        });
        match pushed {
            Err(error) if error.status == 422 => Ok(PushAnswer::Refused { text: error.message }),
            other => other.map_err(lost),
        }
    }
}

/// Plays agents by their scripts and every other program as the check `BROKEN` fails.
pub(super) fn play() -> Play {
    Arc::new(|invocation, files| {
        if let Some(played) = scripted::play_in_memory(invocation, files) {
            return played;
        }
        let broken = files.values().any(|text| text.contains("BROKEN"));
        let said = if broken { "error: BROKEN" } else { "ok" };
        let (end, stdout) = (End::Exited(i32::from(broken)), said.to_owned());
        Transcript { end, stdout, stderr: String::new() }
    })
}
