//! The head of a push: which refs it wants to move, and a refusal in git's own words.

use crate::playground::world::{Actor, State};

/// Refs moved in one push.
const COMMANDS_MAX: usize = 1_000;

/// One ref that a push moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) name: String,
}

/// The commands at the head of a `git-receive-pack` request, and whether answers are banded.
pub(super) fn commands(mut bytes: &[u8]) -> (Vec<Command>, bool) {
    let (mut found, mut banded) = (Vec::new(), false);
    while let Some((length, _)) = bytes.split_at_checked(4) {
        let length = std::str::from_utf8(length).ok();
        let length = length.and_then(|text| usize::from_str_radix(text, 16).ok());
        let Some(length) = length.filter(|length| *length > 4 && found.len() < COMMANDS_MAX) else {
            break;
        };
        let Some((line, rest)) = bytes.split_at_checked(length) else {
            break;
        };
        bytes = rest;
        let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default()).into_owned();
        let (words, capabilities) = text.split_once('\0').unwrap_or((&text, ""));
        banded |= capabilities.contains("side-band-64k");
        // A command is the old id, the new id and the ref's name.
        if let Some(name) = words.trim_end().splitn(3, ' ').nth(2) {
            found.push(Command { name: name.to_owned() });
        }
    }
    (found, banded)
}

/// Why a push may not be made, if so.
pub(super) fn refusal(
    state: &State,
    actor: &Actor,
    repo: u64,
    commands: &[Command],
) -> Option<&'static str> {
    for command in commands {
        let branch = command.name.strip_prefix("refs/heads/");
        if branch.is_none() && !command.name.starts_with("refs/tags/") {
            return Some("deny updating a hidden ref");
        }
        if branch.is_some_and(|branch| state.is_protected_from(actor, repo, branch)) {
            return Some("protected branch hook declined");
        }
    }
    None
}

/// The report that refuses every command.
pub(super) fn report(commands: &[Command], why: &str, banded: bool) -> Vec<u8> {
    let mut inner = packet(b"unpack ok\n");
    for command in commands {
        inner.extend(packet(format!("ng {} {why}\n", command.name).as_bytes()));
    }
    inner.extend_from_slice(b"0000");
    if !banded {
        return inner;
    }
    let mut out = Vec::new();
    for chunk in inner.chunks(60_000) {
        let mut band = vec![1];
        band.extend_from_slice(chunk);
        out.extend(packet(&band));
    }
    out.extend_from_slice(b"0000");
    out
}

fn packet(content: &[u8]) -> Vec<u8> {
    let mut out = format!("{:04x}", content.len() + 4).into_bytes();
    out.extend_from_slice(content);
    out
}
