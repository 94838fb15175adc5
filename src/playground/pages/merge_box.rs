//! What stands between a pull request and its base, and the button that merges it.

use maud::{Markup, html};

use super::super::error::ApiResult;
use super::super::world::pulls::PullView;
use super::super::world::{Method, Repo, Role, State};
use super::ask::Viewer;
use super::{checks, parts};

/// The box under the conversation.
pub(super) fn show(
    state: &State,
    viewer: &Viewer,
    repo: &Repo,
    view: &PullView,
) -> ApiResult<Markup> {
    let pull = &view.pull;
    if pull.merged {
        let by = pull.merged_by.as_ref().map(|user| html! { " by " (parts::who(user)) });
        let sha = pull.merge_commit_sha.as_ref().map(|sha| parts::commit_link(repo, sha));
        return Ok(html! {
            section.panel.merge.merged aria-label="Merging" {
                p.panel-head {
                    span.dot.merged aria-hidden="true" { "◆" } "Merged"
                    @if let Some(by) = by { (by) }
                    @if let Some(sha) = sha { " as " (sha) }
                }
            }
        });
    }
    if !view.issue.open {
        return Ok(html! {
            section.panel.merge aria-label="Merging" { p.panel-head { "Closed without a merge" } }
        });
    }
    let runs = state.latest_runs(repo.id, &pull.head_sha)?;
    let blocks = state.blocks(repo.id, pull)?;
    let (tone, mark, said) = sentence(view);
    Ok(html! {
        section class={ "panel merge " (tone) } aria-label="Merging" {
            h2.panel-head {
                span class={ "dot " (tone) } aria-hidden="true" { (mark) } (said)
                " " span.quiet-text { "(" (view.mergeable_state) ")" }
            }
            div.panel-body {
                @if view.mergeable.is_none() {
                    p { a.button href=(viewer.here) { "Look again" } }
                }
                @if !blocks.is_empty() {
                    ul.blocks { @for block in &blocks { li { (block.refusal().message) } } }
                }
                (checks::list(state, viewer, repo, &runs))
                (buttons(viewer, repo, view))
            }
        }
    })
}

fn sentence(view: &PullView) -> (&'static str, &'static str, &'static str) {
    match (view.mergeable, view.mergeable_state) {
        (None, _) => ("now", "●", "It is being found out whether this can be merged"),
        (Some(false), _) => ("bad", "✕", "This conflicts with its base"),
        (Some(true), "clean") => ("good", "✓", "This can be merged"),
        (Some(true), "draft") => ("calm", "◌", "This is a draft"),
        (Some(true), "behind") => ("wait", "◷", "The head is behind its base"),
        (Some(true), "unstable") => {
            ("wait", "!", "This can be merged, though checks are not green")
        }
        (Some(true), _) => ("wait", "◷", "The rules do not let this be merged yet"),
    }
}

fn buttons(viewer: &Viewer, repo: &Repo, view: &PullView) -> Markup {
    let base = format!("{}/pull/{}", parts::home(repo), view.pull.number);
    let allowed = |method: &Method| match method {
        Method::Merge => repo.settings.allow_merge_commit,
        Method::Squash => repo.settings.allow_squash_merge,
        Method::Rebase => repo.settings.allow_rebase_merge,
    };
    let own = viewer.user.as_ref().is_some_and(|me| me.id == view.issue.user.id);
    let may_write = viewer.role(repo) >= Role::Write;
    html! {
        @if may_write {
            form.inline method="post" action={ (base) "/merge" } {
                input type="hidden" name="sha" value=(view.pull.head_sha);
                label for="method" { "Merge by" }
                select #method name="method" {
                    @for method in Method::ALL.iter().filter(|one| allowed(one)) {
                        option value=(method.name()) { (method.name()) }
                    }
                }
                button.primary type="submit"
                    disabled[view.mergeable == Some(false) || view.pull.draft] {
                    "Merge " (parts::short(&view.pull.head_sha)) " as " (viewer.login())
                }
            }
        } @else {
            p.quiet-text { "Merging takes write permission." }
        }
        @if may_write || own {
            form.inline method="post" action={ (base) "/ready" } {
                @if view.pull.draft {
                    button type="submit" name="ready" value="true" { "Ready for review" }
                } @else {
                    button.quiet type="submit" name="ready" value="false" { "Make it a draft" }
                }
            }
        }
    }
}
