//! What set-up shows in a browser: what will be asked for, and what to do next.

use maud::{DOCTYPE, Markup, html};

use super::super::manifest;
use super::Plan;
use crate::github::app::Registered;

/// The steps of the way, as all pages show them.
const STEPS: [&str; 4] = ["Look", "Create on GitHub", "Install", "Serve"];

/// The first page, with the form that takes `rendered` to GitHub.
pub(super) fn ask(plan: &Plan, rendered: &str, action: &str) -> String {
    let owner = plan.org.as_deref().unwrap_or("your own account");
    let body = html! {
        h1 { "Make Slipway a GitHub App" }
        p.lead {
            "One click on GitHub, and everything is stored on this machine. "
            "Nothing has been asked for yet."
        }
        section.panel aria-label="The App" {
            dl {
                dt { "GitHub" } dd { (plan.web) }
                dt { "Owner" } dd { (owner) }
                dt { "Name" } dd { (plan.name) " " span.quiet { "(you can change it there)" } }
                dt { "Webhooks" } dd {
                    @match &plan.public_url {
                        Some(url) => { code { (manifest::webhook_url(url)) } }
                        None => { "none: Slipway asks GitHub for news every few seconds" }
                    }
                }
                dt { "Key and secret" } dd {
                    code { (plan.place.key().display()) } br;
                    code { (plan.place.config().display()) }
                    " " span.quiet { "(readable for this user alone)" }
                }
            }
            form method="post" action=(action) {
                input type="hidden" name="manifest" value=(rendered);
                button.go type="submit" { "Create the App on GitHub" }
            }
            p.quiet {
                "Be signed in at " a href=(plan.web) { (plan.web) } " first; GitHub shows the same "
                "list and asks once more."
            }
        }
        (asked_for())
    };
    document("Make the App", 0, &body)
}

fn asked_for() -> Markup {
    let needs = manifest::needs();
    html! {
        h2 { "What it may do, in the repositories you choose" }
        div.scroll tabindex="0" role="region" aria-label="Permissions" {
            table {
                thead { tr {
                    th scope="col" { "Permission" } th scope="col" { "Level" }
                    th scope="col" { "For" }
                } }
                tbody {
                    @for (name, level) in &needs.permissions {
                        tr {
                            th scope="row" { code { (name) } }
                            td { (level) }
                            td { (coded(manifest::permission_reason(name))) }
                        }
                    }
                }
            }
        }
        p {
            "It does not ask for " code { "workflows" } ", " code { "administration" } ", "
            code { "secrets" } " or " code { "members" } ": GitHub itself refuses a change to a "
            "workflow or to the rules of a branch."
        }
        h2 { "What it hears of" }
        div.scroll tabindex="0" role="region" aria-label="Events" {
            table {
                thead { tr { th scope="col" { "Event" } th scope="col" { "Tells" } } }
                tbody {
                    @for name in &needs.events {
                        tr {
                            th scope="row" { code { (name) } }
                            td { (coded(manifest::event_reason(name))) }
                        }
                    }
                }
            }
        }
    }
}

/// The page after it: where to install the App, and what to type.
pub(super) fn done(plan: &Plan, app: &Registered) -> String {
    let body = html! {
        h1 { (app.slug) " is yours" }
        p.lead { "The App exists, and its key is on this machine. Two steps are left." }
        section.panel.good aria-label="Next" {
            h2 { "1 · Install it" }
            p { a.go href=(install_url(&plan.web, app)) { "Choose repositories on GitHub" } }
        }
        section.panel aria-label="Then" {
            h2 { "2 · Name an agent, look, serve" }
            ol.next {
                li {
                    "Put your agent's command into " code { (plan.place.config().display()) }
                    "; its last lines show how."
                }
                @for command in plan.commands() { li { pre { code { (command) } } } }
            }
            p.quiet { "This page is gone as soon as you close it; the terminal says the same." }
        }
        dl {
            dt { "App" } dd { (app.id) }
            dt { "Owner" } dd { (app.owner) }
            dt { "Private key" } dd { code { (plan.place.key().display()) } }
            dt { "Configuration" } dd { code { (plan.place.config().display()) } }
        }
    };
    document("Install it", 2, &body)
}

/// Something went wrong; `again` leads to the first page.
pub(super) fn refused(why: &str, next: &str, again: Option<&str>) -> String {
    let body = html! {
        h1 { "That did not work" }
        section.panel.bad aria-label="Why" {
            h2 { (why) }
            p { (coded(next)) }
            @if let Some(again) = again { p { a.go href=(again) { "Start again" } } }
        }
    };
    document("That did not work", 1, &body)
}

/// Where the App is installed on repositories.
pub(super) fn install_url(web: &str, app: &Registered) -> String {
    let page = if app.html_url.starts_with(web) {
        app.html_url.clone()
    } else {
        format!("{web}/apps/{}", app.slug)
    };
    format!("{page}/installations/new")
}

/// Our own sentences, with what stands between backticks as code.
fn coded(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn document(title: &str, at: usize, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Slipway" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="slipway.css";
            }
            body {
                header { span.brand { "Slipway" } " " span.quiet { "set-up" } }
                main.setup {
                    ol.steps aria-label="Steps" {
                        @for (n, name) in STEPS.iter().enumerate() {
                            @let step = (n == at).then_some("step");
                            li.here[n == at].past[n < at] aria-current=[step] {
                                b { (n + 1) } (name)
                            }
                        }
                    }
                    (body)
                }
            }
        }
    };
    page.into_string()
}
