//! A pull request's four pages: conversation, commits, checks, files.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

use super::super::error::{ApiError, ApiResult};
use super::super::world::pulls::PullView;
use super::super::world::{Repo, ReviewState, Role, RunStatus, State};
use super::ask::{Ask, Page, Viewer};
use super::{checks, commits as commit_pages, diff, merge_box, parts, timeline};

type Spot = Path<(String, String, u64)>;

/// What every one of the four pages knows.
struct Found<'a> {
    repo: &'a Repo,
    view: PullView,
}

/// Reads the pull request as a caller of the API would: asking makes mergeability be computed.
fn find<'a>(
    state: &'a mut State,
    viewer: &Viewer,
    (owner, repo, number): &(String, String, u64),
) -> ApiResult<(&'a State, Found<'a>)> {
    let full = format!("{owner}/{repo}");
    let view = state.pull(&viewer.actor(), &full, *number)?;
    let state = &*state;
    let id = state.repo_id(&full).ok_or_else(ApiError::not_found)?;
    Ok((state, Found { repo: state.repo(id)?, view }))
}

/// The head of the four pages with their tabs; `at` is the present one's place.
fn head(state: &State, found: &Found<'_>, at: usize) -> ApiResult<Markup> {
    let (repo, view) = (found.repo, &found.view);
    let pull = &view.pull;
    let from = html! {
        ": " code.ref { (pull.head_ref) } " into " code.ref { (pull.base_ref) }
    };
    let base = format!("{}/pull/{}", parts::home(repo), pull.number);
    let (runs, diff) = (state.latest_runs(repo.id, &pull.head_sha)?, changed(state, found)?);
    let said = repo.comments.values().filter(|one| one.issue == pull.number).count();
    let tabs = [
        ("Conversation", base.clone(), said),
        ("Commits", format!("{base}/commits"), diff.commits.len()),
        ("Checks", format!("{base}/checks"), runs.len()),
        ("Files", format!("{base}/files"), diff.files.len()),
    ];
    Ok(html! {
        (timeline::head(state, repo, &view.issue, &from))
        nav.subtabs aria-label="Pull request" {
            ul.tabs {
                @for (n, (name, url, count)) in tabs.iter().enumerate() {
                    li {
                        a href=(url) aria-current=[(n == at).then_some("page")] {
                            (name) " " span.count { (count) }
                        }
                    }
                }
            }
        }
    })
}

fn changed(state: &State, found: &Found<'_>) -> ApiResult<super::super::world::refs::Comparison> {
    let pull = &found.view.pull;
    let base =
        if pull.merged { pull.base_sha.clone() } else { state.base_tip(found.repo.id, pull)? };
    state.compare_at(found.repo.id, &base, &pull.head_sha)
}

fn titled(found: &Found<'_>, body: Markup) -> Page {
    let title = format!("{} · #{}", found.view.issue.title, found.view.pull.number);
    Page::new(title, Some(found.repo), body)
}

/// `GET /{owner}/{repo}/pull/{number}`.
pub(super) async fn conversation(ask: Ask, Path(spot): Spot) -> Response {
    ask.show(move |state, viewer| {
        let (state, found) = find(state, viewer, &spot)?;
        let (repo, issue) = (found.repo, &found.view.issue);
        let body = html! {
            (head(state, &found, 0)?)
            div.columns {
                div {
                    (timeline::conversation(state, viewer, repo, issue))
                    (merge_box::show(state, viewer, repo, &found.view)?)
                    @if issue.open && !viewer.watches() { (review_box(viewer, &found)) }
                    (timeline::comment_box(viewer, repo, issue))
                }
                aside aria-label="About this pull request" {
                    (reviewers(&found))
                    (timeline::label_box(viewer, repo, issue))
                    h2 { "Head" }
                    p {
                        (parts::commit_link(repo, &found.view.pull.head_sha)) " on "
                        code.ref { (found.view.pull.head_ref) }
                    }
                }
            }
        };
        Ok(titled(&found, body).live(viewer.watches()))
    })
    .await
}

fn reviewers(found: &Found<'_>) -> Markup {
    let number = found.view.pull.number;
    let mut last = std::collections::BTreeMap::new();
    for review in found.repo.reviews.values().filter(|one| one.pull == number) {
        let decides = review.state != ReviewState::Commented;
        if decides || !last.contains_key(&review.user.id) {
            last.insert(review.user.id, review);
        }
    }
    let asked = &found.view.pull.requested_reviewers;
    html! {
        h2 { "Reviews" }
        @if last.is_empty() && asked.is_empty() { p.empty { "None yet." } }
        ul.lines {
            @for review in last.values() {
                @let (tone, mark, said) = parts::review_words(review);
                li {
                    span class={ "dot " (tone) } aria-hidden="true" { (mark) }
                    (parts::who(&review.user)) " " span.quiet-text { (said) }
                }
            }
            @for user in asked {
                li {
                    span.dot.wait aria-hidden="true" { "◷" } (parts::who(user)) " "
                    span.quiet-text { "was asked" }
                }
            }
        }
    }
}

fn review_box(viewer: &Viewer, found: &Found<'_>) -> Markup {
    let own = viewer.user.as_ref().is_some_and(|me| me.id == found.view.issue.user.id);
    let counts = viewer.role(found.repo) >= Role::Write;
    html! {
        details.panel.review-box {
            summary.panel-head { "Review the changes" }
            form.stack.panel-body method="post"
                action={ (parts::home(found.repo)) "/pull/" (found.view.pull.number) "/reviews" } {
                input type="hidden" name="sha" value=(found.view.pull.head_sha);
                div.field {
                    label for="review" { "What do you say?" }
                    textarea #review name="body" rows="4" {}
                }
                fieldset {
                    legend { "Verdict on " code { (parts::short(&found.view.pull.head_sha)) } }
                    (verdict("approve", "Approve", "the changes may be merged", own))
                    (verdict("request_changes", "Ask for changes", "they may not yet", own))
                    (verdict("comment", "Only comment", "no verdict", false))
                }
                @if own {
                    p.quiet-text { "Nobody approves their own pull request: act as somebody else." }
                } @else if !counts {
                    p.quiet-text {
                        "Only reviews by people with write permission count for the rules."
                    }
                }
                p.actions { button.primary type="submit" { "Send as " (viewer.login()) } }
            }
        }
    }
}

fn verdict(value: &str, word: &str, meaning: &str, disabled: bool) -> Markup {
    html! {
        label.radio {
            input type="radio" name="verdict" value=(value) required checked[value == "comment"]
                disabled[disabled];
            span { b { (word) } " " span.quiet-text { (meaning) } }
        }
    }
}

/// `GET /{owner}/{repo}/pull/{number}/files`.
pub(super) async fn files(ask: Ask, Path(spot): Spot) -> Response {
    ask.show(move |state, viewer| {
        let (state, found) = find(state, viewer, &spot)?;
        let number = found.view.pull.number;
        let threads = found.repo.threads.values().filter(|one| one.pull == number);
        let threads: Vec<_> = threads.collect();
        let shown = changed(state, &found)?;
        let body = html! {
            (head(state, &found, 3)?)
            (diff::show(&shown.files, |path, line| {
                let here = threads.iter().filter(|one| one.path == path && one.line == line);
                html! { @for thread in here { (timeline::thread(state, found.repo, thread)) } }
            }))
        };
        Ok(titled(&found, body))
    })
    .await
}

/// `GET /{owner}/{repo}/pull/{number}/checks`.
pub(super) async fn checks(ask: Ask, Path(spot): Spot) -> Response {
    ask.show(move |state, viewer| {
        let (state, found) = find(state, viewer, &spot)?;
        let sha = &found.view.pull.head_sha;
        let runs = state.latest_runs(found.repo.id, sha)?;
        let live = runs.iter().any(|run| run.status != RunStatus::Completed);
        let statuses = state.latest_statuses(found.repo.id, sha)?;
        let body = html! {
            (head(state, &found, 2)?)
            h2 { "On the head " (parts::commit_link(found.repo, sha)) }
            (checks::list(state, viewer, found.repo, &runs))
            (checks::statuses(state, &statuses))
        };
        Ok(titled(&found, body).live(live && found.view.issue.open))
    })
    .await
}

/// `GET /{owner}/{repo}/pull/{number}/commits`.
pub(super) async fn commits(ask: Ask, Path(spot): Spot) -> Response {
    ask.show(move |state, viewer| {
        let (state, found) = find(state, viewer, &spot)?;
        let shown = changed(state, &found)?;
        let body = html! {
            (head(state, &found, 1)?)
            (commit_pages::lines(state, found.repo, &shown.commits)?)
        };
        Ok(titled(&found, body))
    })
    .await
}
