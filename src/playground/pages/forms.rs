//! What the forms on issues, comments, labels and files do: one World operation each.

use axum::extract::{Form, Path};
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::error::{ApiError, ApiResult};
use super::super::world::comments::Subject;
use super::super::world::people::FilePush;
use super::super::world::pulls::NewPull;
use super::super::world::{Actor, Op, World};
use super::ask::{Ask, COOKIE_NAME};
use super::code::FILE_BYTES_MAX;
use super::parts::{encode, encode_path};

type Spot = Path<(String, String, u64)>;

/// Path of a repository's page from what a request named.
pub(super) fn home(owner: &str, repo: &str) -> String {
    format!("/{}/{}", encode(owner), encode(repo))
}

/// Path of the page of an issue or pull request.
fn about(world: &World, (owner, repo, number): &(String, String, u64)) -> String {
    let is_pull = world.with(|state| {
        let id = state.repo_id(&format!("{owner}/{repo}"));
        id.and_then(|id| state.repos.get(&id)).is_some_and(|one| one.pulls.contains_key(number))
    });
    format!("{}/{}/{number}", home(owner, repo), if is_pull { "pull" } else { "issues" })
}

#[derive(Deserialize)]
pub(super) struct ActAs {
    user: u64,
    back: String,
}

/// `POST /ui/as`: a session cookie, no password: it is a playground.
pub(super) async fn act_as(Form(form): Form<ActAs>) -> Response {
    // Only a path of ours: two slashes would lead to another host.
    let odd = |c: char| c == '\\' || c.is_control();
    let ours =
        form.back.starts_with('/') && !form.back.starts_with("//") && !form.back.contains(odd);
    let back = if ours { form.back.as_str() } else { "/ui" };
    let cookie = format!("{COOKIE_NAME}={}; Path=/; HttpOnly; SameSite=Lax", form.user);
    ([(SET_COOKIE, cookie)], Redirect::to(back)).into_response()
}

#[derive(Deserialize)]
pub(super) struct NewIssue {
    title: String,
    body: String,
}

pub(super) async fn open_issue(
    ask: Ask,
    Path((owner, repo)): Path<(String, String)>,
    Form(form): Form<NewIssue>,
) -> Response {
    ask.act(move |world, user| {
        let full = format!("{owner}/{repo}");
        let issue = world.open_issue(user, &full, form.title.trim(), &form.body)?;
        Ok(format!("{}/issues/{}", home(&owner, &repo), issue.number))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct PullForm {
    title: String,
    body: String,
    head: String,
    base: String,
}

pub(super) async fn open_pull(
    ask: Ask,
    Path((owner, repo)): Path<(String, String)>,
    Form(form): Form<PullForm>,
) -> Response {
    ask.act(move |world, user| {
        let (head, base, title) = (form.head, form.base, form.title.trim().to_owned());
        let new = NewPull { title, body: form.body, head, base, draft: false };
        let made = world.open_pull(user, &format!("{owner}/{repo}"), &new)?;
        Ok(format!("{}/pull/{}", home(&owner, &repo), made.pull.number))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct Words {
    body: String,
}

/// A comment; its line ends stay those that browsers send (CR LF), as on GitHub.
pub(super) async fn comment(ask: Ask, Path(spot): Spot, Form(form): Form<Words>) -> Response {
    ask.act(move |world, user| {
        let full = format!("{}/{}", spot.0, spot.1);
        let comment = world.comment(user, &full, spot.2, &form.body)?;
        Ok(format!("{}#issuecomment-{}", about(world, &spot), comment.id))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct CommentEdit {
    body: String,
    what: String,
}

pub(super) async fn edit_comment(
    ask: Ask,
    Path((owner, repo, id)): Spot,
    Form(form): Form<CommentEdit>,
) -> Response {
    ask.act(move |world, user| {
        let (full, actor) = (format!("{owner}/{repo}"), Actor::User(user));
        let issue = world.with(|state| state.comment(&actor, &full, id))?.issue;
        let back = about(world, &(owner, repo, issue));
        if form.what == "delete" {
            let op = Op::write("issues/delete-comment", full.as_str());
            world.call(&actor, op, |state| state.delete_comment(&actor, &full, id))?;
            return Ok(back);
        }
        world.edit_comment(user, &full, id, &form.body)?;
        Ok(format!("{back}#issuecomment-{id}"))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct OpenForm {
    open: bool,
}

pub(super) async fn set_open(ask: Ask, Path(spot): Spot, Form(form): Form<OpenForm>) -> Response {
    ask.act(move |world, user| {
        let full = format!("{}/{}", spot.0, spot.1);
        if form.open {
            world.reopen(user, &full, spot.2)?;
        } else {
            world.close(user, &full, spot.2)?;
        }
        Ok(about(world, &spot))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct LabelForm {
    add: Option<String>,
    remove: Option<String>,
}

pub(super) async fn label(ask: Ask, Path(spot): Spot, Form(form): Form<LabelForm>) -> Response {
    ask.act(move |world, user| {
        let full = format!("{}/{}", spot.0, spot.1);
        if let Some(name) = form.remove {
            world.unlabel(user, &full, spot.2, &name)?;
        } else if let Some(name) = form.add.as_deref().map(str::trim).filter(|n| !n.is_empty()) {
            world.label(user, &full, spot.2, name)?;
        } else {
            return Err(ApiError::invalid("Label", "name", "can't be blank"));
        }
        Ok(about(world, &spot))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct ReactionForm {
    content: String,
    comment: Option<u64>,
}

/// Gives a reaction, or takes one's own back.
pub(super) async fn react(ask: Ask, Path(spot): Spot, Form(form): Form<ReactionForm>) -> Response {
    ask.act(move |world, user| {
        let (full, actor) = (format!("{}/{}", spot.0, spot.1), Actor::User(user));
        let (subject, create, delete) = match form.comment {
            Some(id) => (
                Subject::Comment(id),
                "reactions/create-for-issue-comment",
                "reactions/delete-for-issue-comment",
            ),
            None => {
                (Subject::Issue(spot.2), "reactions/create-for-issue", "reactions/delete-for-issue")
            }
        };
        let put = |world: &World| {
            let op = Op::write(create, full.as_str());
            world.call(&actor, op, |state| state.react(&actor, &full, subject, &form.content))
        };
        let (reaction, fresh) = put(world)?;
        if !fresh {
            let op = Op::write(delete, full.as_str());
            let take = |state: &mut super::super::world::State| {
                state.delete_reaction(&actor, &full, subject, reaction.id)
            };
            world.call(&actor, op, take)?;
        }
        let anchor = form.comment.map(|id| format!("#issuecomment-{id}")).unwrap_or_default();
        Ok(format!("{}{anchor}", about(world, &spot)))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct FileForm {
    path: String,
    from: String,
    branch: String,
    text: String,
    message: String,
}

/// Commits a changed file on a branch, which starts at `from` where it is new.
pub(super) async fn edit_file(
    ask: Ask,
    Path((owner, repo)): Path<(String, String)>,
    Form(form): Form<FileForm>,
) -> Response {
    ask.act(move |world, user| {
        let full = format!("{owner}/{repo}");
        let text = form.text.replace("\r\n", "\n");
        if text.len() > FILE_BYTES_MAX {
            return Err(ApiError::invalid("Contents", "content", "is too large"));
        }
        let branch = form.branch.trim();
        let onto = start(world, user, &full, (branch, &form.from))?;
        let text = if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" };
        let files = vec![(form.path.clone(), Some(text.into_bytes()))];
        let (onto, message) = (onto.as_deref(), form.message.trim());
        world.push_files(user, &full, &FilePush { branch, onto, files: &files, message })?;
        let (branch, path) = (encode(branch), encode_path(&form.path));
        Ok(format!("{}/blob/{branch}/{path}", home(&owner, &repo)))
    })
    .await
}

/// Where a new branch starts; `None` for one that is there already.
fn start(
    world: &World,
    user: u64,
    full: &str,
    (branch, from): (&str, &str),
) -> ApiResult<Option<String>> {
    let actor = Actor::User(user);
    world.with(|state| {
        if state.branch(&actor, full, branch).is_ok() {
            return Ok(None);
        }
        state.branch(&actor, full, from).map(Some)
    })
}
