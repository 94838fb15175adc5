//! What is beyond the engine's ports: the World's repositories for git, and programs for the
//! sandbox.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use slipway::agent::scripted;
use slipway::egress::fake::Fake;
use slipway::git::depot::Depot;
use slipway::git::fake::Remotes;
use slipway::git::{Error, Push, PushAnswer};
use slipway::github::Remote;
use slipway::model::CommitSha;
use slipway::playground::world::{Op, World};
use slipway::sandbox::fake::{FakeDirectory, Play};
use slipway::sandbox::{End, Invocation, Transcript};

use super::known;
use super::plan::Reaches;

/// The World's repositories, reached with the tokens it gave: rules and webhooks are true.
pub(crate) struct Repositories {
    pub(crate) world: World,
    pub(crate) depots: BTreeMap<String, Depot>,
}

impl Remotes for Repositories {
    fn depot(&self, remote: &Remote) -> Result<Depot, Error> {
        let depot = self.depots.get(&remote.repo.to_string()).cloned();
        depot.ok_or_else(|| Error::Remote(format!("no repository {}", remote.repo)))
    }

    fn push(&self, remote: &Remote, push: &Push) -> Result<PushAnswer, Error> {
        let name = push.branch.reference();
        let actual = self.depot(remote)?.read_ref(&name);
        if actual.as_deref() == push.new.as_ref().map(CommitSha::as_str) {
            return Ok(PushAnswer::Pushed);
        }
        if actual.as_deref() != push.expect.as_ref().map(CommitSha::as_str) {
            let actual = actual.map(|id| CommitSha::parse(&id).expect("a commit"));
            return Ok(PushAnswer::Stale { actual });
        }
        let basic = STANDARD.encode(format!("x-access-token:{}", remote.secret.reveal()));
        let actor = self.world.authenticate(Some(&format!("Basic {basic}")));
        let actor = actor.map_err(|error| Error::Remote(error.to_string()))?;
        let repo = remote.repo.to_string();
        let moved = (actual.as_deref(), push.new.as_ref().map(CommitSha::as_str));
        let pushed = self.world.call(&actor, Op::write("git/push", repo.as_str()), |state| {
            state.push_ref(&actor, &repo, push.branch.as_str(), moved)
        });
        match pushed {
            Ok(()) => Ok(PushAnswer::Pushed),
            Err(error) if error.status == 422 => Ok(PushAnswer::Refused { text: error.message }),
            Err(error) => Err(Error::Remote(error.to_string())),
        }
    }
}

/// What an agent was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `builder 1`.
    pub(crate) who: String,
    pub(crate) prompt: String,
    /// How it was started.
    pub(crate) invocation: Invocation,
}

/// Plays scripted agents and the little language of verification commands.
pub(crate) fn play(asked: Arc<Mutex<Vec<Asked>>>) -> Play {
    Arc::new(move |invocation: &Invocation, files: &mut FakeDirectory| {
        let played = scripted::play_in_memory(invocation, files);
        if let Some(transcript) = played.or_else(|| known::play(invocation, files)) {
            let prompt = invocation.stdin.clone();
            let words = prompt.lines().take(2).filter_map(|line| line.split(' ').nth(1));
            let who = words.collect::<Vec<_>>().join(" ");
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(Asked { who, prompt, invocation: invocation.clone() });
            return transcript;
        }
        let command = invocation.args.last().map(String::as_str).unwrap_or_default();
        let words: Vec<&str> = command.split(' ').collect();
        let (good, said) = match words.as_slice() {
            ["true"] => (true, "ok".to_owned()),
            ["needs", file] => (files.contains_key(*file), format!("error: {file} is needed")),
            ["fails_if", file, text] => {
                let found = files.get(*file).is_some_and(|content| content.contains(text));
                (!found, format!("error: {file} contains {text}"))
            }
            unknown => (false, format!("error: no such program: {unknown:?}")),
        };
        let end = End::Exited(i32::from(!good));
        let stdout = if good { "ok".to_owned() } else { said };
        Transcript { end, stdout, stderr: String::new() }
    })
}

/// The same programs, which first ask their way out for something, where they are lent one.
pub(super) fn asking(play: Play, egress: Arc<Fake>, reaches: Option<&Reaches>) -> Play {
    let Some(asks) = reaches.map(|reaches| reaches.asks) else { return play };
    Arc::new(move |invocation: &Invocation, files: &mut FakeDirectory| {
        let is_agent = invocation.env.iter().any(|(name, _)| name == scripted::SCRIPT_VARIABLE);
        assert_eq!(invocation.doors.len(), usize::from(is_agent), "a check is lent nothing");
        for door in &invocation.doors {
            let proxy = format!("http://127.0.0.1:{}", door.port);
            assert!(invocation.env.contains(&("HTTPS_PROXY".to_owned(), proxy)));
            let said = format!("CONNECT {asks} HTTP/1.1\r\n\r\n");
            drop(egress.ask(&door.socket, said.as_bytes()).expect("a way out"));
        }
        play(invocation, files)
    })
}
