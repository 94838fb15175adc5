//! A branch's files, one file's text, and the form that changes it.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

use super::super::forge::Entry;
use super::super::world::{Repo, Role};
use super::ask::{Ask, Page, Viewer};
use super::parts;

/// Files of a tree that are listed.
const FILES_MAX: usize = 500;
/// The longest file that is shown, in bytes.
pub(super) const FILE_BYTES_MAX: usize = 256 * 1024;

/// Files of a branch or commit.
pub(super) fn file_list(repo: &Repo, name: &str, entries: &[Entry]) -> Markup {
    let base = format!("{}/blob/{}", parts::home(repo), parts::encode(name));
    html! {
        section.panel aria-label="Files" {
            h2.panel-head { "Files on " code.ref { (name) } }
            @if entries.is_empty() { p.empty { "No files." } }
            ul.files {
                @for entry in entries.iter().take(FILES_MAX) {
                    li {
                        a href={ (base) "/" (parts::encode_path(&entry.path)) } { (entry.path) }
                        @if entry.executable { " " span.quiet-text { "executable" } }
                    }
                }
            }
            @if entries.len() > FILES_MAX {
                p.empty { (parts::plural(entries.len() - FILES_MAX, "more file")) " not shown" }
            }
        }
    }
}

/// `GET /{owner}/{repo}/tree/{name}`.
pub(super) async fn tree(
    ask: Ask,
    Path((owner, repo, name)): Path<(String, String, String)>,
) -> Response {
    ask.show(move |state, viewer| {
        let id = state.enter(&viewer.actor(), &format!("{owner}/{repo}"), &[])?;
        let tip = state.resolve(id, &name)?;
        let repo = state.repo(id)?;
        let entries = repo.forge.list_tree(&tip)?;
        let body = html! {
            h1 { code.ref { (name) } }
            p.lead {
                "At " (parts::commit_link(repo, &tip)) " · "
                a href={ (parts::home(repo)) "/commits/" (parts::encode_path(&name)) } {
                    "its history"
                }
            }
            (file_list(repo, &name, &entries))
        };
        Ok(Page::new(format!("{name} · {}", repo.full_name()), Some(repo), body))
    })
    .await
}

/// `GET /{owner}/{repo}/blob/{name}/{path}`.
pub(super) async fn blob(
    ask: Ask,
    Path((owner, repo, name, path)): Path<(String, String, String, String)>,
) -> Response {
    ask.show(move |state, viewer| {
        let full = format!("{owner}/{repo}");
        let bytes = state.contents(&viewer.actor(), &full, &path, Some(&name))?;
        let id = state.enter(&viewer.actor(), &full, &[])?;
        let repo = state.repo(id)?;
        let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= FILE_BYTES_MAX);
        let body = html! {
            h1 { code { (path) } }
            p.lead {
                "On " a href={ (parts::home(repo)) "/tree/" (parts::encode_path(&name)) } {
                    code.ref { (name) }
                }
            }
            @match &text {
                None => p.empty { "This file is too large to be shown, or no text." },
                Some(text) => {
                    (numbered(&path, text))
                    (edit_form(viewer, repo, (&name, &path), text))
                }
            }
        };
        Ok(Page::new(format!("{path} · {}", repo.full_name()), Some(repo), body))
    })
    .await
}

fn numbered(path: &str, text: &str) -> Markup {
    html! {
        section.panel aria-label="Text" {
            div.scroll tabindex="0" role="region" aria-label=(path) {
                table.diff {
                    tbody {
                        @for (at, line) in text.lines().enumerate() {
                            tr id={ "L" (at + 1) } { td.n { (at + 1) } td.text { (line) } }
                        }
                    }
                }
            }
        }
    }
}

fn edit_form(viewer: &Viewer, repo: &Repo, (name, path): (&str, &str), text: &str) -> Markup {
    let is_branch = repo.branches.contains_key(name);
    html! {
        @if is_branch && viewer.role(repo) >= Role::Write {
            details.panel {
                summary.panel-head { "Change this file" }
                form.stack.panel-body method="post" action={ (parts::home(repo)) "/edit" } {
                    input type="hidden" name="path" value=(path);
                    input type="hidden" name="from" value=(name);
                    div.field {
                        label for="text" { "Text" }
                        // A browser drops one line break at the start of the field.
                        textarea.code #text name="text" rows="16" spellcheck="false" { "\n" (text) }
                    }
                    div.pair {
                        div.field {
                            label for="branch" {
                                "Branch " span.quiet-text { "(a new name makes one)" }
                            }
                            input #branch name="branch" type="text" required value=(name)
                                autocomplete="off";
                        }
                        div.field {
                            label for="message" { "What does the change do?" }
                            input #message name="message" type="text" required maxlength="200"
                                autocomplete="off";
                        }
                    }
                    p.actions {
                        button.primary type="submit" { "Commit and push as " (viewer.login()) }
                    }
                }
            }
        }
    }
}
