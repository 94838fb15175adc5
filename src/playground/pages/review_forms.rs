//! What the forms on pull requests and checks do: one World operation each.

use axum::extract::{Form, Path};
use axum::response::Response;
use serde::Deserialize;

use super::super::error::ApiError;
use super::super::world::merge::MergeCall;
use super::super::world::{Actor, Method, Op, ReviewState};
use super::ask::Ask;
use super::forms::home;

type Spot = Path<(String, String, u64)>;

#[derive(Deserialize)]
pub(super) struct ReviewForm {
    verdict: String,
    body: String,
    /// The head that the person saw.
    sha: String,
}

pub(super) async fn review(ask: Ask, Path(spot): Spot, Form(form): Form<ReviewForm>) -> Response {
    ask.act(move |world, user| {
        let (owner, repo, number) = spot;
        let full = format!("{owner}/{repo}");
        let verdict = match form.verdict.as_str() {
            "approve" => ReviewState::Approved,
            "request_changes" => ReviewState::ChangesRequested,
            "comment" => ReviewState::Commented,
            _ => return Err(ApiError::invalid("PullRequestReview", "event", "is unknown")),
        };
        let actor = Actor::User(user);
        let head = world.with(|state| state.list_pulls(&actor, &full, ("all", None, None)))?;
        let head = head.iter().find(|view| view.pull.number == number);
        if head.is_some_and(|view| view.pull.head_sha != form.sha) {
            let why = "The head moved since you looked: look at it again before you judge it.";
            return Err(ApiError::new(409, why));
        }
        let review = world.review(user, &full, number, (verdict, form.body.as_str()))?;
        let page = format!("{}/pull/{number}", home(&owner, &repo));
        Ok(format!("{page}#pullrequestreview-{}", review.id))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct MergeForm {
    method: String,
    sha: String,
}

pub(super) async fn merge(ask: Ask, Path(spot): Spot, Form(form): Form<MergeForm>) -> Response {
    ask.act(move |world, user| {
        let (owner, repo, number) = spot;
        let method = Method::ALL.into_iter().find(|one| one.name() == form.method);
        let unknown = || ApiError::invalid("PullRequest", "merge_method", "is unknown");
        let method = method.ok_or_else(unknown)?;
        let call = MergeCall { sha: Some(form.sha), method, ..MergeCall::default() };
        world.merge_pull(user, &format!("{owner}/{repo}"), number, &call)?;
        Ok(format!("{}/pull/{number}", home(&owner, &repo)))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct ReadyForm {
    ready: bool,
}

pub(super) async fn ready(ask: Ask, Path(spot): Spot, Form(form): Form<ReadyForm>) -> Response {
    ask.act(move |world, user| {
        let (owner, repo, number) = spot;
        let (full, actor) = (format!("{owner}/{repo}"), Actor::User(user));
        let op = Op::write("pulls/set-ready", full.as_str());
        world.call(&actor, op, |state| state.set_ready(&actor, &full, number, form.ready))?;
        Ok(format!("{}/pull/{number}", home(&owner, &repo)))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct ThreadForm {
    resolved: bool,
}

pub(super) async fn resolve(
    ask: Ask,
    Path((owner, repo, number, thread)): Path<(String, String, u64, u64)>,
    Form(form): Form<ThreadForm>,
) -> Response {
    ask.act(move |world, user| {
        let (full, actor) = (format!("{owner}/{repo}"), Actor::User(user));
        let op = Op::write("pulls/resolve-thread", full.as_str());
        world
            .call(&actor, op, |state| state.resolve_thread(&actor, &full, thread, form.resolved))?;
        Ok(format!("{}/pull/{number}#thread-{thread}", home(&owner, &repo)))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct ButtonForm {
    button: String,
}

/// Presses one of a check run's own buttons.
pub(super) async fn press(ask: Ask, Path(spot): Spot, Form(form): Form<ButtonForm>) -> Response {
    ask.act(move |world, user| {
        let (owner, repo, run) = spot;
        world.press_button(user, &format!("{owner}/{repo}"), run, &form.button)?;
        Ok(format!("{}/runs/{run}", home(&owner, &repo)))
    })
    .await
}

/// Asks the run's App to run it again.
pub(super) async fn again(ask: Ask, Path(spot): Spot) -> Response {
    ask.act(move |world, user| {
        let (owner, repo, run) = spot;
        let (full, actor) = (format!("{owner}/{repo}"), Actor::User(user));
        let op = Op::write("checks/rerequest-run", full.as_str());
        world.call(&actor, op, |state| state.rerequest_run(&actor, &full, run))?;
        Ok(format!("{}/runs/{run}", home(&owner, &repo)))
    })
    .await
}
