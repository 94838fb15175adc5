//! The tables below a run: what happened, and what was done and refused.

use maud::{Markup, html};

use super::{ROWS_MAX, TimelineRow, cell};
use crate::model::Audit;

pub(super) fn timeline(rows: &[TimelineRow]) -> Markup {
    let newest = rows.get(rows.len().saturating_sub(ROWS_MAX)..).unwrap_or_default();
    html! {
        h2 { "Timeline" }
        @if newest.len() < rows.len() {
            p { "The newest " (newest.len()) " of " (rows.len()) " entries." }
        }
        div.scroll tabindex="0" role="region" aria-label="Timeline" {
            table {
                thead {
                    tr {
                        th.number scope="col" { "No." }
                        th scope="col" { "At" }
                        th scope="col" { "What happened" }
                        th scope="col" { "After it" }
                    }
                }
                tbody {
                    @for row in newest {
                        tr.quiet[row.ignored.is_some()] {
                            th scope="row" { (row.number) }
                            td { time datetime=(row.at.rfc3339()) { (row.at.precise()) } }
                            td { (cell(&row.what)) }
                            td { (cell(row.ignored.as_ref().unwrap_or(&row.after))) }
                        }
                    }
                }
            }
        }
    }
}

/// What was done and refused; nothing where there is nothing yet.
pub(super) fn audit(audits: &[Audit]) -> Markup {
    html! {
        @if !audits.is_empty() {
            h2 { "Audit" }
            div.scroll tabindex="0" role="region" aria-label="Audit" {
                table {
                    thead {
                        tr {
                            th scope="col" { "At" }
                            th scope="col" { "What" }
                            th scope="col" { "For" }
                            th scope="col" { "Commit" }
                            th scope="col" { "Verdict" }
                        }
                    }
                    tbody {
                        @for line in audits {
                            tr {
                                td { time datetime=(line.at.rfc3339()) { (line.at.precise()) } }
                                th scope="row" { (line.act.word()) }
                                td { (cell(&line.who)) }
                                td { @if let Some(head) = &line.head { code { (head.short()) } } }
                                td { (cell(&line.verdict)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
