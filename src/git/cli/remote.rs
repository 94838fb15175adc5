//! Talking to the remote: what it has, bringing it here, moving a branch there.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Cli;
use super::call::{Answer, Call, REMOTE_SECONDS_MAX};
use super::defence::Defence;
use super::mirror::seen;
use super::pinned::OLD_FAULTS;
use super::verb::Verb;
use crate::git::{Error, Push, PushAnswer};
use crate::github::Remote;
use crate::model::{BranchName, CommitSha, OwnBranch, text};

/// Digits of the names of objects in the repositories that are served.
const SHA1_DIGITS: usize = 40;
/// Characters of the remote's own words that are handed on.
const WORDS_CHARS_MAX: usize = 2_000;

impl Cli {
    pub(super) async fn fetch_branches(
        &self,
        remote: &Remote,
        branches: &[BranchName],
    ) -> Result<BTreeMap<BranchName, CommitSha>, Error> {
        if branches.is_empty() {
            return Ok(BTreeMap::new());
        }
        let repo = &remote.repo;
        let lock = self.lock_of(repo);
        let _held = lock.lock().await;
        self.make_mirror(repo).await?;
        let there = self.list(remote, branches).await?;
        if there.is_empty() {
            return Ok(there);
        }
        let tips: Vec<&CommitSha> = there.values().collect();
        if self.lacks(repo, &tips).await?.is_empty() {
            self.remember(repo, &there).await?;
            return Ok(there);
        }
        let names: Vec<BranchName> = there.into_keys().collect();
        let wanted = names.iter().map(|name| format!("+{}:{}", name.reference(), seen(name)));
        let plain = ["--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="];
        let call = self.to(remote, Verb::Fetch)?.settings(OLD_FAULTS).flags(&plain);
        let answer = ask(call.on(wanted)).await?;
        if answer.code != 0 {
            return Err(failed(remote, &answer));
        }
        // The branches may have moved since they were listed: what was fetched is the answer.
        self.remembered(repo, &names).await
    }

    /// Where `branches` are now, in one call.
    async fn list(
        &self,
        remote: &Remote,
        branches: &[BranchName],
    ) -> Result<BTreeMap<BranchName, CommitSha>, Error> {
        let names: BTreeMap<String, &BranchName> =
            branches.iter().map(|branch| (branch.reference(), branch)).collect();
        let answer = ask(self.to(remote, Verb::LsRemote)?.on(names.keys())).await?;
        if answer.code != 0 {
            return Err(failed(remote, &answer));
        }
        let mut found = BTreeMap::new();
        for line in answer.text()?.lines() {
            // A pattern also matches the end of longer names.
            let Some((sha, branch)) =
                line.split_once('\t').and_then(|(sha, name)| Some((sha, names.get(name)?)))
            else {
                continue;
            };
            let sha = CommitSha::parse(sha).map_err(|error| Error::Remote(error.to_string()))?;
            if sha.as_str().len() != SHA1_DIGITS {
                let why = "the repository names its objects by SHA-256, which is not served";
                return Err(Error::Local(why.to_owned()));
            }
            found.insert((*branch).clone(), sha);
        }
        Ok(found)
    }

    pub(super) async fn push_branch(
        &self,
        remote: &Remote,
        push: &Push,
    ) -> Result<PushAnswer, Error> {
        if let Some(new) = &push.new
            && let Some(missing) = self.lacks(&remote.repo, &[new]).await?.first()
        {
            return Err(Error::Missing(missing.to_string()));
        }
        let text = |sha: Option<&CommitSha>| sha.map(ToString::to_string).unwrap_or_default();
        let (new, expect) = (text(push.new.as_ref()), text(push.expect.as_ref()));
        let name = push.branch.reference();
        let makes = push.new.is_some() && push.expect.is_none();
        if makes
            && self.program.defences.has(Defence::BranchGrammar)
            && let Err(error) = OwnBranch::parse(push.branch.as_str())
        {
            return Ok(PushAnswer::Refused { text: error.to_string() });
        }
        let call = self.to(remote, Verb::Push)?.flags(&["--porcelain", "--no-verify"]);
        let call = if self.program.defences.has(Defence::Lease) {
            call.joined("--force-with-lease=", format!("{name}:{expect}"))
        } else {
            call.flags(&["--force"])
        };
        let answer = ask(call.on([format!("{new}:{name}")])).await?;
        let said = answer.text()?;
        if answer.code == 0 && said.lines().any(|line| line.contains(&format!(":{name}\t"))) {
            return Ok(PushAnswer::Pushed);
        }
        let rejected = said.lines().find(|line| line.starts_with('!'));
        let deleting = push.new.is_none() && answer.words.contains("remote ref does not exist");
        if rejected.is_none() && !deleting {
            return Err(failed(remote, &answer));
        }
        // Git's reasons are words; where the branch is now is a fact.
        let now = self.list(remote, std::slice::from_ref(&push.branch)).await?;
        let actual = now.get(&push.branch);
        if actual == push.new.as_ref() {
            return Ok(PushAnswer::Pushed);
        }
        if actual != push.expect.as_ref() {
            return Ok(PushAnswer::Stale { actual: actual.cloned() });
        }
        let reason = rejected.and_then(|line| line.rsplit('\t').next()).unwrap_or_default();
        if reason.contains("failed to update ref") || reason.contains("stale info") {
            return Err(Error::Remote(reason.to_owned()));
        }
        Ok(PushAnswer::Refused { text: refusal(reason, &clean(remote, &answer.words)) })
    }

    /// A call on the mirror that may talk to `remote`, by one protocol and with its secret. The
    /// secret is in the environment of that one process: not in its arguments, not on disk.
    fn to(&self, remote: &Remote, verb: Verb) -> Result<Call, Error> {
        let address = check(&remote.url, self.program.local_remotes())?;
        let call = self.on(&remote.repo, verb).seconds_max(REMOTE_SECONDS_MAX);
        let defences = &self.program.defences;
        let call = if defences.has(Defence::NoRedirects) {
            call
        } else {
            call.settings(&["http.followRedirects=true"])
        };
        let Address::Http(mut url) = address else {
            return Ok(call.transport("file").on([&remote.url]));
        };
        let call = call.transport(if url.scheme() == "https" { "https" } else { "http" });
        if remote.secret.is_empty() {
            return Ok(call.on([&remote.url]));
        }
        if !defences.has(Defence::SecretInEnvironment) {
            let named = url.set_username("x-access-token");
            if named.is_err() || url.set_password(Some(remote.secret.reveal())).is_err() {
                return Err(Error::Local("the address takes no password".to_owned()));
            }
            return Ok(call.settings(&["transfer.credentialsInUrl=allow"]).on([url.as_str()]));
        }
        let login = STANDARD.encode(format!("x-access-token:{}", remote.secret.reveal()));
        Ok(call
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", format!("http.{}.extraHeader", remote.url))
            .env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {login}"))
            .on([&remote.url]))
    }
}

/// An address that may be spoken to.
enum Address {
    Http(url::Url),
    /// A path, in tests.
    Local,
}

/// Refuses addresses that would carry the secret in the open or elsewhere.
fn check(address: &str, local: bool) -> Result<Address, Error> {
    let refuse = |why: &str| Err(Error::Local(format!("the address of the remote {why}")));
    if local && address.starts_with('/') {
        return Ok(Address::Local);
    }
    let Ok(url) = url::Url::parse(address) else { return refuse("is not a URL") };
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => return refuse("has no host"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("contains a name or a password");
    }
    match (url.scheme(), loopback) {
        ("https", _) | ("http", true) => Ok(Address::Http(url)),
        ("http", false) => refuse("is plain http beyond this host"),
        (_, _) => refuse("is neither https nor http"),
    }
}

/// Runs a call that talks to a remote: when it is cut short, nobody knows what took effect.
async fn ask(call: Call) -> Result<Answer, Error> {
    call.answer().await.map_err(|error| match error {
        Error::Local(why) | Error::Remote(why) => Error::Remote(why),
        Error::Missing(what) => Error::Missing(what),
    })
}

fn failed(remote: &Remote, answer: &Answer) -> Error {
    Error::Remote(clean(remote, &answer.complaint()))
}

/// `words` without the secret, should git ever say it.
fn clean(remote: &Remote, words: &str) -> String {
    let words = if remote.secret.is_empty() {
        words.to_owned()
    } else {
        words.replace(remote.secret.reveal(), "…")
    };
    text::cut(words.trim(), WORDS_CHARS_MAX)
}

/// What the remote itself said, else git's reason.
fn refusal(reason: &str, words: &str) -> String {
    let said = words.lines().filter_map(|line| line.strip_prefix("remote:")).map(str::trim);
    let said: Vec<&str> = said.filter(|line| !line.is_empty()).collect();
    if said.is_empty() { reason.to_owned() } else { format!("{reason}: {}", said.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_travels_in_the_open() {
        for good in ["https://github.com/o/r.git", "http://127.0.0.1:9/o/r.git", "http://[::1]/r"] {
            assert!(check(good, false).is_ok(), "{good}");
        }
        let bad = [
            "http://github.com/o/r.git",
            "https://x:y@github.com/o/r.git",
            "ssh://git@github.com/o/r.git",
            "ext::sh -c id",
            "file:///etc",
            "/srv/git/r.git",
            "--upload-pack=id",
        ];
        for bad in bad {
            assert!(check(bad, false).is_err(), "{bad}");
        }
        assert!(check("/srv/git/r.git", true).is_ok());
    }

    #[test]
    fn a_refusal_is_the_remotes_own_words() {
        let words = "remote: \nremote: error: GH006: Protected branch  \nTo https://x\n";
        let reason = "[remote rejected] (protected branch hook declined)";
        assert_eq!(
            refusal(reason, words),
            "[remote rejected] (protected branch hook declined): error: GH006: Protected branch"
        );
        assert_eq!(refusal(reason, ""), reason);
    }
}
