//! A repository over HTTP: its settings, one file, and the rules of a branch.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::pulls::method_word;
use super::rules::add;
use super::shape::{BranchAnswer, FileAnswer, RepositoryAnswer, RuleAnswer, branch, sha};
use super::wire::Request;
use super::{App, Grant, path};
use crate::gate::seen::Rules;
use crate::github::{At, Error, FILE_BYTES_MAX, Repository, rules};
use crate::model::{BranchName, CommitSha};
use crate::policy::MergeMethod;

const METHODS: [MergeMethod; 3] = [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase];

impl App {
    pub(super) async fn read_repository(&self, at: &At) -> Result<Repository, Error> {
        // Merge settings are shown only to those who may write.
        let request = Request::get("repository", path::repo(at, ""));
        let answer = match self.ask(at, Grant::Merge, &request).await {
            // An App that may not write yet is still told what anybody may read.
            Err(Error::Forbidden(_)) => self.ask(at, Grant::Read, &request).await?,
            other => other?,
        };
        let found: RepositoryAnswer = answer.json()?;
        let default_branch = branch(found.default_branch.as_deref(), "default branch")?;
        let ruled = allowed_by_rules(&self.rules_of(at, &default_branch).await?);
        let methods = METHODS.into_iter().filter(|method| {
            let setting = match method {
                MergeMethod::Merge => found.allow_merge_commit,
                MergeMethod::Squash => found.allow_squash_merge,
                MergeMethod::Rebase => found.allow_rebase_merge,
            };
            setting.unwrap_or(true) && ruled.as_ref().is_none_or(|only| only.contains(method))
        });
        Ok(Repository {
            methods: methods.collect(),
            default_branch,
            // What GitHub does not say is taken for what asks for more care.
            private: found.private.unwrap_or(false),
            archived: found.archived.unwrap_or(false),
        })
    }

    pub(super) async fn read_file(&self, at: &At, file: &str) -> Result<Option<String>, Error> {
        self.read_file_of(at, file, None).await
    }

    pub(super) async fn read_file_at_tip(
        &self,
        at: &At,
        branch: &BranchName,
        file: &str,
    ) -> Result<(CommitSha, Option<String>), Error> {
        let path = path::repo(at, &format!("/branches/{}", path::part(branch.as_str())));
        let found: BranchAnswer = self.get(at, "branch", path).await?;
        let tip = sha(found.commit.and_then(|commit| commit.sha).as_deref(), "tip")?;
        let text = self.read_file_of(at, file, Some(&tip)).await?;
        Ok((tip, text))
    }

    async fn read_file_of(
        &self,
        at: &At,
        file: &str,
        commit: Option<&CommitSha>,
    ) -> Result<Option<String>, Error> {
        // However they are written, clients resolve dot segments: the path would mean another
        // call. Git has no file of such a name.
        if file.split('/').any(|part| matches!(part, "." | "..")) {
            return Ok(None);
        }
        let of = commit.map(|commit| format!("?ref={commit}")).unwrap_or_default();
        let path = path::repo(at, &format!("/contents/{}{of}", path::parts(file)));
        let answer = self.ask(at, Grant::Read, &Request::get("file", path)).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(Error::Gone(_)) => return Ok(None),
            Err(other) => return Err(other),
        };
        let not = |what: &str| Error::Unexpected(format!("{file} is {what}"));
        // A directory is a list.
        let Ok(found) = answer.json::<FileAnswer>() else {
            return Err(not("not a file"));
        };
        if found.kind.as_deref() != Some("file") {
            return Err(not("not a file"));
        }
        if found.encoding.as_deref() != Some("base64") {
            return Err(not("too large"));
        }
        let packed: String = found.content.unwrap_or_default().split_ascii_whitespace().collect();
        let bytes = STANDARD.decode(packed).map_err(|_error| not("not readable"))?;
        if bytes.len() > FILE_BYTES_MAX {
            return Err(not("too large"));
        }
        String::from_utf8(bytes).map(Some).map_err(|_error| not("not text"))
    }

    pub(super) async fn rules_of(
        &self,
        at: &At,
        branch: &BranchName,
    ) -> Result<Vec<RuleAnswer>, Error> {
        let name = path::part(branch.as_str());
        let path = path::repo(at, &format!("/rules/branches/{name}"));
        match self.pages::<RuleAnswer>(at, ("rules", &path), None).await {
            Ok(found) => Ok(found.entries),
            // An Enterprise Server from before rulesets has none.
            Err(Error::Gone(_)) => Ok(Vec::new()),
            // A private repository on a plan without rules cannot have any.
            Err(Error::Forbidden(text)) if text.starts_with("Upgrade to") => Ok(Vec::new()),
            Err(other) => Err(other),
        }
    }

    pub(super) async fn read_rules(&self, at: &At, branch: &BranchName) -> Result<Rules, Error> {
        let mut rules = Rules::default();
        for rule in self.rules_of(at, branch).await? {
            rules.protected = true;
            add(&mut rules, rule);
        }
        let name = path::part(branch.as_str());
        let path = path::repo(at, &format!("/branches/{name}"));
        let classic: BranchAnswer = self.get(at, "branch", path).await?;
        rules.protected |= classic.protected.unwrap_or(false);
        let demanded = classic.protection.and_then(|one| one.required_status_checks);
        let demanded = demanded.filter(|checks| checks.enforcement_level.as_deref() != Some("off"));
        if let Some(checks) = demanded {
            rules.required.extend(checks.contexts.into_iter().flatten());
            let named = checks.checks.into_iter().flatten().filter_map(|check| check.context);
            rules.required.extend(named);
        }
        rules::set_ours_apart(&mut rules, self.id);
        Ok(rules)
    }
}

/// The ways to merge that every rule allows; `None` when no rule speaks of them.
fn allowed_by_rules(rules: &[RuleAnswer]) -> Option<BTreeSet<MergeMethod>> {
    let mut allowed: Option<BTreeSet<MergeMethod>> = None;
    for rule in rules {
        let words = rule.parameters.as_ref().and_then(|one| one.allowed_merge_methods.as_ref());
        let Some(words) = words.filter(|words| !words.is_empty()) else {
            continue;
        };
        let fits = |method: &MergeMethod| words.iter().any(|word| word == method_word(*method));
        let only: BTreeSet<MergeMethod> = METHODS.into_iter().filter(fits).collect();
        allowed = Some(match allowed {
            Some(held) => &held & &only,
            None => only,
        });
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rules(answer: Value) -> Vec<RuleAnswer> {
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn ways_to_merge_are_those_every_rule_allows() {
        let with = |lists: &[&[&str]]| {
            let all = lists.iter().map(|list| {
                json!({"type": "pull_request", "parameters": {"allowed_merge_methods": list}})
            });
            allowed_by_rules(&rules(all.collect()))
        };
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[&[]]), None);
        let both = with(&[&["merge", "squash"], &["squash", "rebase"]]);
        assert_eq!(both, Some(BTreeSet::from([MergeMethod::Squash])));
        assert_eq!(with(&[&["merge"], &["rebase"]]), Some(BTreeSet::new()));
    }
}
