//! Where the App is installed, and what was said there lately.

use serde::Deserialize;

use super::App;
use super::keys::{PAGE_ENTRIES, Question};
use super::shape::{CommentAnswer, WithId, required};
use super::wire::Request;
use crate::github::{At, Comment, Error, PAGES_MAX};
use crate::model::{CommentId, InstallationId, IssueNumber, Millis, Repo};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Repositories {
    repositories: Vec<Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    full_name: Option<String>,
}

impl App {
    pub(super) async fn find_places(&self) -> Result<Vec<At>, Error> {
        let mut places = Vec::new();
        for page in 1..=PAGES_MAX {
            let answer = self.keys.ask(&Question::Installations { page }).await?;
            let found: Vec<WithId> = answer.json()?;
            for installation in &found {
                let id = InstallationId(required(installation.id, "installation id")?);
                places.extend(self.places_of(id).await?);
            }
            if found.len() < PAGE_ENTRIES {
                break;
            }
        }
        Ok(places)
    }

    /// The repositories of one installation, with a token that can do nothing but list them.
    async fn places_of(&self, installation: InstallationId) -> Result<Vec<At>, Error> {
        let Some(secret) = self.listing_token(installation).await? else {
            // Suspended, or removed a moment ago: nothing to sweep there.
            return Ok(Vec::new());
        };
        let mut places = Vec::new();
        let account = super::pace::Account::Installation(installation);
        for page in 1..=PAGES_MAX {
            let path = format!("/installation/repositories?per_page={PAGE_ENTRIES}&page={page}");
            let request = Request::get("repositories", path);
            let answer = self.deliver(account, &secret, &request).await?;
            if matches!(answer.status, 401 | 403 | 404) {
                // The token is refused: suspended meanwhile, or to be asked for anew.
                self.tokens.forget_listing(installation);
                return Ok(Vec::new());
            }
            if !answer.is_success() {
                return Err(answer.refusal().error(self.clock.now()));
            }
            let found: Repositories = answer.json()?;
            let whole = found.repositories.len() < PAGE_ENTRIES;
            let named = found.repositories.into_iter().filter_map(|named| named.full_name);
            let repos = named.filter_map(|name| Repo::parse(&name).ok());
            places.extend(repos.map(|repo| At { installation, repo }));
            if whole {
                break;
            }
        }
        Ok(places)
    }

    pub(super) async fn read_comments_since(
        &self,
        at: &At,
        since: Millis,
    ) -> Result<Vec<Comment>, Error> {
        let since = since.rfc3339();
        let path = super::path::repo(
            at,
            &format!("/issues/comments?sort=updated&direction=asc&since={since}"),
        );
        let found = self.pages::<CommentAnswer>(at, ("comments_since", &path), None).await?;
        found.entries.into_iter().map(into_comment).collect()
    }
}

impl App {
    pub(super) async fn read_comment(
        &self,
        at: &At,
        id: CommentId,
    ) -> Result<Option<Comment>, Error> {
        let path = super::path::repo(at, &format!("/issues/comments/{id}"));
        match self.get::<CommentAnswer>(at, "comment_now", path).await {
            Ok(answer) => into_comment(answer).map(Some),
            Err(Error::Gone(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

fn into_comment(answer: CommentAnswer) -> Result<Comment, Error> {
    let issue = required(answer.issue_url, "issue of a comment")?;
    let number = issue.rsplit('/').next().and_then(|number| number.parse().ok());
    let html = answer.html_url.unwrap_or_default();
    let created = answer.created_at.unwrap_or_default();
    let moment = Millis::from_rfc3339(&created);
    Ok(Comment {
        id: CommentId(required(answer.id, "comment id")?),
        number: IssueNumber(required(number, "number of an issue")?),
        is_pull: html.contains("/pull/"),
        by: answer.user.as_ref().and_then(super::shape::Account::user),
        body: answer.body.unwrap_or_default(),
        created: required(moment, "moment of a comment")?,
        via: answer.performed_via_github_app.map(|app| app.id.unwrap_or(0)),
        edited: answer.updated_at.is_none_or(|updated| updated != created),
    })
}
