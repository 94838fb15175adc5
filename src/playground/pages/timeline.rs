//! The conversation on an issue or pull request: its words, comments, reviews and events in order.

use maud::{Markup, html};

use super::super::world::issues::BODY_MAX;
use super::super::world::{Comment, Issue, IssueEvent, Repo, Review, Role, State, Thread, User};
use super::ask::Viewer;
use super::markdown::{Place, markdown};
use super::parts;

/// Entries of a conversation that are shown; of more, the newest.
const ENTRIES_MAX: usize = 400;

/// Head of an issue's or pull request's page.
pub(super) fn head(state: &State, repo: &Repo, issue: &Issue, more: &Markup) -> Markup {
    html! {
        header.subject {
            h1 { (issue.title) " " span.number { "#" (issue.number) } }
            p {
                (parts::state_badge(repo, issue)) " "
                (parts::who(&issue.user)) " opened this "
                (parts::time(state.now_ms, issue.created_ms))
                (more)
            }
        }
    }
}

/// One box of words by somebody.
struct Words<'a> {
    anchor: String,
    user: &'a User,
    association: &'a str,
    body: &'a str,
    at_ms: i64,
    edited: bool,
    foot: Markup,
}

fn words(state: &State, repo: &Repo, words: &Words<'_>) -> Markup {
    let home = parts::home(repo);
    let known = ["OWNER", "COLLABORATOR", "CONTRIBUTOR"].contains(&words.association);
    html! {
        article.words id=(words.anchor) {
            (parts::avatar(words.user))
            div.bubble {
                header {
                    (parts::who(words.user))
                    @if known && !words.user.bot {
                        " " span.tag { (words.association.to_ascii_lowercase()) }
                    }
                    " " a.when href={ "#" (words.anchor) } {
                        (parts::time(state.now_ms, words.at_ms))
                    }
                    @if words.edited { " " span.quiet-text { "· edited" } }
                }
                @if words.body.trim().is_empty() {
                    p.empty { "No words." }
                } @else {
                    (markdown(words.body, Place { home: &home, breaks: true }))
                }
                (words.foot)
            }
        }
    }
}

/// The whole conversation, the first words included.
pub(super) fn conversation(state: &State, viewer: &Viewer, repo: &Repo, issue: &Issue) -> Markup {
    let mut entries: Vec<((i64, u64), Markup)> = Vec::new();
    for comment in repo.comments.values().filter(|one| one.issue == issue.number) {
        let key = (comment.created_ms, comment.id);
        entries.push((key, comment_entry(state, viewer, (repo, issue), comment)));
    }
    for review in repo.reviews.values().filter(|one| one.pull == issue.number) {
        entries.push(((review.submitted_ms, review.id), review_entry(state, repo, review)));
    }
    for event in &issue.events {
        entries.push(((event.at_ms, event.id), event_entry(state, repo, event)));
    }
    entries.sort_by_key(|entry| entry.0);
    let hidden = entries.len().saturating_sub(ENTRIES_MAX);
    let action = format!("{}/issues/{}/reactions", parts::home(repo), issue.number);
    let first = Words {
        anchor: format!("issue-{}", issue.number),
        user: &issue.user,
        association: issue.association,
        body: &issue.body,
        at_ms: issue.created_ms,
        edited: false,
        foot: parts::reactions(&action, None, &issue.reactions, viewer.user.as_ref()),
    };
    html! {
        section.timeline aria-label="Conversation" {
            (words(state, repo, &first))
            @if hidden > 0 { p.event { (parts::plural(hidden, "older entry")) " not shown" } }
            @for (_, entry) in entries.iter().skip(hidden) { (entry) }
        }
    }
}

fn comment_entry(
    state: &State,
    viewer: &Viewer,
    (repo, issue): (&Repo, &Issue),
    comment: &Comment,
) -> Markup {
    let home = parts::home(repo);
    let action = format!("{home}/issues/{}/reactions", issue.number);
    let mine = viewer.user.as_ref().is_some_and(|me| me.id == comment.user.id);
    let foot = html! {
        (parts::reactions(&action, Some(comment.id), &comment.reactions, viewer.user.as_ref()))
        @if mine || viewer.role(repo) >= Role::Write {
            details.edit {
                summary { "Edit" }
                form.stack method="post" action={ (home) "/comments/" (comment.id) } {
                    // A browser drops one line break at the start of the field.
                    textarea name="body" rows="5" maxlength=(BODY_MAX)
                        aria-label="The comment's words" { "\n" (comment.body) }
                    p.actions {
                        button type="submit" name="what" value="edit" { "Save" }
                        button.danger type="submit" name="what" value="delete" { "Delete" }
                    }
                }
            }
        }
    };
    let shown = Words {
        anchor: format!("issuecomment-{}", comment.id),
        user: &comment.user,
        association: comment.association,
        body: &comment.body,
        at_ms: comment.created_ms,
        edited: comment.updated_ms > comment.created_ms,
        foot,
    };
    words(state, repo, &shown)
}

fn review_entry(state: &State, repo: &Repo, review: &Review) -> Markup {
    let (tone, mark, said) = parts::review_words(review);
    let threads = repo
        .threads
        .values()
        .filter(|thread| thread.comments.first().is_some_and(|one| one.review == Some(review.id)));
    html! {
        p.event id={ "pullrequestreview-" (review.id) } {
            span class={ "dot " (tone) } aria-hidden="true" { (mark) }
            (parts::who(&review.user)) " " (said) " at "
            (parts::commit_link(repo, &review.commit_id))
            " " (parts::time(state.now_ms, review.submitted_ms))
        }
        @if !review.body.trim().is_empty() {
            (words(state, repo, &Words {
                anchor: format!("review-{}", review.id),
                user: &review.user,
                association: review.association,
                body: &review.body,
                at_ms: review.submitted_ms,
                edited: false,
                foot: html! {},
            }))
        }
        @for found in threads { (thread(state, repo, found)) }
    }
}

/// A conversation on a line, with the button that settles it.
pub(super) fn thread(state: &State, repo: &Repo, thread: &Thread) -> Markup {
    let home = parts::home(repo);
    let (word, next) =
        if thread.resolved { ("Open again", "false") } else { ("Mark as settled", "true") };
    html! {
        section.thread id={ "thread-" (thread.id) } aria-label="Conversation on a line" {
            p.thread-head {
                code { (thread.path) ":" (thread.line) }
                @if thread.resolved { " " span.tag { "settled" } }
            }
            @for comment in &thread.comments {
                div.remark id={ "discussion_r" (comment.id) } {
                    (parts::who(&comment.user)) " "
                    span.quiet-text { (parts::time(state.now_ms, comment.created_ms)) }
                    (markdown(&comment.body, Place { home: &home, breaks: true }))
                }
            }
            form method="post" action={ (home) "/pull/" (thread.pull) "/threads/" (thread.id) } {
                button.quiet type="submit" name="resolved" value=(next) { (word) }
            }
        }
    }
}

fn event_entry(state: &State, repo: &Repo, event: &IssueEvent) -> Markup {
    let (tone, mark, said) = match event.event {
        "closed" => ("calm", "✓", "closed this"),
        "reopened" => ("good", "○", "opened this again"),
        "merged" => ("merged", "◆", "merged this"),
        "labeled" => ("calm", "+", "added the label"),
        "unlabeled" => ("calm", "–", "removed the label"),
        other => ("calm", "·", other),
    };
    html! {
        p.event {
            span class={ "dot " (tone) } aria-hidden="true" { (mark) }
            (parts::who(&event.actor)) " " (said)
            @if let Some(label) = &event.label { " " span.label { (label) } }
            @if let Some(sha) = &event.commit_id { " as " (parts::commit_link(repo, sha)) }
            " " (parts::time(state.now_ms, event.at_ms))
        }
    }
}

/// The way to and from a page that keeps itself up to date: it would lose what is being written.
fn watch_line(viewer: &Viewer) -> Markup {
    html! {
        p.watch-line {
            @if viewer.watches() {
                a.button href={ (viewer.path()) "#write" } { "Stop watching and write" }
            } @else {
                a href={ (viewer.path()) "?watch" } { "Watch live" }
                span.quiet-text { " instead: the page then loads itself again and again." }
            }
        }
    }
}

/// The box to write a comment, and the button that closes or reopens.
pub(super) fn comment_box(viewer: &Viewer, repo: &Repo, issue: &Issue) -> Markup {
    if viewer.watches() {
        return watch_line(viewer);
    }
    let base = format!("{}/issues/{}", parts::home(repo), issue.number);
    let merged = repo.pulls.get(&issue.number).is_some_and(|pull| pull.merged);
    let mine = viewer.user.as_ref().is_some_and(|me| me.id == issue.user.id);
    let may_close = !merged && (mine || viewer.role(repo) >= Role::Triage);
    html! {
        section.write aria-labelledby="write" {
            h2 #write { "Write a comment" }
            form.stack method="post" action={ (base) "/comments" } {
                label.sr for="comment" { "Comment" }
                textarea #comment name="body" rows="5" required maxlength=(BODY_MAX)
                    placeholder="Markdown. A command such as /go stands alone on the first line." {}
                p.actions {
                    button.primary type="submit" { "Comment as " (viewer.login()) }
                    @if may_close {
                        @let (next, word) =
                            if issue.open { ("false", "Close") } else { ("true", "Open again") };
                        button type="submit" form="set-open" name="open" value=(next) { (word) }
                    }
                }
            }
            form #set-open method="post" action={ (base) "/state" } {}
            (watch_line(viewer))
        }
    }
}

/// Labels with the forms that change them.
pub(super) fn label_box(viewer: &Viewer, repo: &Repo, issue: &Issue) -> Markup {
    let action = format!("{}/issues/{}/labels", parts::home(repo), issue.number);
    let may = viewer.role(repo) >= Role::Triage;
    html! {
        h2 { "Labels" }
        @if issue.labels.is_empty() { p.empty { "None yet." } }
        ul.label-list {
            @for label in issue.labels.values() {
                li {
                    span.label title={ "added by " (label.by.login) } { (label.name) }
                    @if may {
                        form method="post" action=(action) {
                            button.quiet type="submit" name="remove" value=(label.name)
                                aria-label={ "Remove the label " (label.name) } { "×" }
                        }
                    }
                }
            }
        }
        @if may {
            form.inline method="post" action=(action) {
                label.sr for="new-label" { "New label" }
                input #new-label name="add" type="text" required maxlength="50" placeholder="label"
                    autocomplete="off";
                button type="submit" { "Add" }
            }
        } @else {
            p.quiet-text { "Labels take triage permission." }
        }
    }
}
