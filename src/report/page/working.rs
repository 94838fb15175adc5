//! Of a run's page: the agent at work, and what agents said.

use maud::{Markup, html};

use super::{StreamLine, cell, time};
use crate::model::RunId;
use crate::pipeline::live::Live;
use crate::report::Context;
use crate::report::live::{figures, size};

/// What the agent does now; nothing when none is at work.
pub(super) fn section(context: &Context<'_>) -> Markup {
    let Some(live) = context.live else { return html! {} };
    html! {
        section.live aria-labelledby="live" {
            h2 #live { "Working now" }
            p.who {
                strong { (cell(&live.agent)) } " as " (live.role.word()) ", round " (live.round)
                ", since " (time(live.since)) ". Last heard at "
                time datetime=(live.heard.rfc3339()) { (live.heard.precise()) } "."
            }
            (doing(live))
            @let figures = figures(live);
            @if !figures.is_empty() {
                ul.figures { @for figure in &figures { li { (figure) } } }
            }
            (steps(live))
            @if !live.named.is_empty() {
                p {
                    "Wrote last: "
                    @for (at, name) in live.named.iter().rev().enumerate() {
                        @if at > 0 { ", " }
                        code { (cell(name)) }
                    }
                }
            }
            (news(live))
        }
    }
}

fn doing(live: &Live) -> Markup {
    html! {
        @if let Some(doing) = &live.tool {
            p.doing {
                span.badge.active { (cell(&doing.kind)) } " " code { (cell(&doing.about)) }
                " since "
                time datetime=(doing.since.rfc3339()) { (doing.since.precise()) }
            }
        }
    }
}

fn steps(live: &Live) -> Markup {
    html! {
        @if let Some(steps) = live.steps.filter(|steps| steps.all > 0) {
            p {
                label for="steps" { "Its own list of steps" } " "
                progress #steps value=(steps.done) max=(steps.all) {
                    (steps.done) " of " (steps.all)
                }
            }
        }
    }
}

fn news(live: &Live) -> Markup {
    html! {
        @if !live.news.is_empty() {
            details open {
                summary { "What it did last, the newest first" }
                ol.news {
                    @for news in live.news.iter().rev() {
                        li {
                            time datetime=(news.at.rfc3339()) { (news.at.precise()) }
                            " " (cell(&news.text))
                        }
                    }
                }
            }
        }
    }
}

/// What is kept of what agents said.
pub(super) fn streams(run: &RunId, lines: &[StreamLine]) -> Markup {
    html! {
        @if !lines.is_empty() {
            h2 { "What agents said" }
            div.scroll tabindex="0" role="region" aria-label="What agents said" {
                table {
                    thead {
                        tr {
                            th.number scope="col" { "Entry" }
                            th scope="col" { "Agent" }
                            th scope="col" { "Until" }
                            th scope="col" { "Size" }
                        }
                    }
                    tbody {
                        @for line in lines {
                            tr {
                                th scope="row" {
                                    a href={ "/runs/" (run) "/streams/" (line.entry) } {
                                        (line.entry)
                                    }
                                }
                                td { (cell(&line.agent)) }
                                td { (time(line.at)) }
                                td {
                                    (size(line.bytes))
                                    @if line.is_cut { ", its middle is missing" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
