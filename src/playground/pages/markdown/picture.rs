//! Draws a flow: a row of chips where it is a chain, boxes and arrows otherwise.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::flow::{Arrow, Flow, Node};

/// Measures of the drawing, in its own units: close to CSS pixels.
const LETTER: usize = 8;
const BOX_HEIGHT: usize = 34;
const ROW: usize = 58;
const GAP: usize = 56;
const EDGE: usize = 6;
/// Room under the boxes for the ways back, and how far their curves pull beyond it.
const BELOW: usize = 40;
const PULL: usize = 12;

/// The flow as a picture with its words at hand for those who do not see it.
pub(super) fn draw(flow: &Flow) -> Markup {
    if flow.is_chain() { chips(flow) } else { drawing(flow) }
}

/// A class by its name: colour, mark, word.
fn tone(class: &str) -> (&'static str, &'static str, &'static str) {
    match class {
        "done" | "ok" | "passed" | "success" | "merged" | "good" => ("good", "✓", "done"),
        "active" | "running" | "current" | "doing" | "now" => ("now", "●", "under way"),
        "waiting" | "wait" | "parked" | "held" | "hold" | "blocked" => ("wait", "◷", "waiting"),
        "failed" | "failure" | "bad" | "error" | "stopped" => ("bad", "✕", "failed"),
        "skipped" | "skip" | "off" => ("skip", "–", "skipped"),
        _ => ("calm", "", ""),
    }
}

fn chips(flow: &Flow) -> Markup {
    html! {
        ol.flow {
            @for node in &flow.nodes {
                @let (tone, mark, word) = tone(&node.class);
                li class=(tone) {
                    span.chip {
                        @if !mark.is_empty() {
                            span role="img" aria-label=(word) { (mark) } " "
                        }
                        (node.label)
                    }
                }
            }
        }
    }
}

/// Where a box stands.
#[derive(Clone, Copy, Default)]
struct Spot {
    x: usize,
    y: usize,
    width: usize,
}

fn shown(node: &Node) -> String {
    let (_, mark, _) = tone(&node.class);
    if mark.is_empty() { node.label.clone() } else { format!("{mark} {}", node.label) }
}

/// Columns by the longest way from a start; an arrow to an earlier node does not push it.
fn columns(flow: &Flow) -> Vec<usize> {
    let mut columns = vec![0; flow.nodes.len()];
    for at in 0..flow.nodes.len() {
        let here = columns.get(at).copied().unwrap_or_default();
        for arrow in flow.arrows.iter().filter(|arrow| arrow.from == at && arrow.to > at) {
            if let Some(there) = columns.get_mut(arrow.to) {
                *there = (*there).max(here + 1);
            }
        }
    }
    columns
}

/// The place of every box, and the width and height of all.
fn spots(flow: &Flow) -> (Vec<Spot>, usize, usize) {
    let columns = columns(flow);
    let width = |node: &Node| {
        let letters: usize = shown(node).chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        letters * LETTER + 26
    };
    let mut spots = vec![Spot::default(); flow.nodes.len()];
    let (mut x, mut rows) = (EDGE, 0);
    for column in 0..=columns.iter().copied().max().unwrap_or_default() {
        let here = || (0..flow.nodes.len()).filter(|at| columns.get(*at) == Some(&column));
        let widest = here().filter_map(|at| flow.nodes.get(at)).map(width).max().unwrap_or(0);
        for (row, at) in here().enumerate() {
            if let Some(spot) = spots.get_mut(at) {
                *spot = Spot { x, y: EDGE + row * ROW, width: widest };
            }
            rows = rows.max(row + 1);
        }
        x += widest + GAP;
    }
    (spots, x - GAP + EDGE, rows * ROW - (ROW - BOX_HEIGHT) + 2 * EDGE)
}

/// The line of an arrow and the middle of its label.
fn line(from: Spot, to: Spot, bottom: usize) -> (String, usize, usize) {
    let mut path = String::new();
    let middle = BOX_HEIGHT / 2;
    if to.x > from.x {
        let (x0, y0, x1, y1) = (from.x + from.width, from.y + middle, to.x - 4, to.y + middle);
        let bend = x0.midpoint(x1);
        write!(path, "M{x0} {y0}C{bend} {y0} {bend} {y1} {x1} {y1}").ok();
        return (path, bend, y0.midpoint(y1));
    }
    let (x0, y0) = (from.x + from.width / 2, from.y + BOX_HEIGHT);
    let (x1, y1) = (to.x + to.width / 2, to.y + BOX_HEIGHT + 4);
    let low = bottom + PULL;
    write!(path, "M{x0} {y0}C{x0} {low} {x1} {low} {x1} {y1}").ok();
    (path, x0.midpoint(x1), bottom - EDGE)
}

fn drawing(flow: &Flow) -> Markup {
    let (spots, width, mut height) = spots(flow);
    let spot = |at: usize| spots.get(at).copied().unwrap_or_default();
    let back = |arrow: &Arrow| spot(arrow.to).x <= spot(arrow.from).x;
    if flow.arrows.iter().any(back) {
        height += BELOW;
    }
    let label = |at: usize| flow.nodes.get(at).map_or("", |node| &node.label);
    let told: Vec<String> = flow
        .nodes
        .iter()
        .map(|node| match tone(&node.class) {
            (_, _, "") => node.label.clone(),
            (_, _, word) => format!("{}: {word}", node.label),
        })
        .chain(flow.arrows.iter().map(|one| format!("{} to {}", label(one.from), label(one.to))))
        .collect();
    html! {
        div.drawing {
            svg viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="img"
                aria-label=(told.join(", ")) {
                @for arrow in &flow.arrows {
                    @let (path, x, y) = line(spot(arrow.from), spot(arrow.to), height - EDGE);
                    (arrow_head(spot(arrow.to), back(arrow)))
                    path.arrow d=(path) {}
                    @if !arrow.label.is_empty() { text.arrow-label x=(x) y=(y) { (arrow.label) } }
                }
                @for (at, node) in flow.nodes.iter().enumerate() {
                    @let Spot { x, y, width } = spot(at);
                    g class=(tone(&node.class).0) {
                        rect x=(x) y=(y) width=(width) height=(BOX_HEIGHT) rx="9" {}
                        text x=(x + width / 2) y=(y + BOX_HEIGHT / 2 + 5) { (shown(node)) }
                    }
                }
            }
        }
    }
}

fn arrow_head(to: Spot, back: bool) -> Markup {
    let (x, y) = if back {
        (to.x + to.width / 2, to.y + BOX_HEIGHT + 1)
    } else {
        (to.x.saturating_sub(1), to.y + BOX_HEIGHT / 2)
    };
    let (left, up) = (x.saturating_sub(7), y.saturating_sub(5));
    let corners = if back {
        format!("{x},{y} {},{} {},{}", x - 5, y + 7, x + 5, y + 7)
    } else {
        format!("{x},{y} {left},{up} {left},{}", y + 5)
    };
    html! { polygon.head points=(corners) {} }
}

#[cfg(test)]
mod tests {
    use super::super::flow::parse;
    use super::*;

    #[test]
    fn a_chain_is_a_row_of_chips_with_words_for_its_colours() {
        let flow =
            parse("flowchart LR\na[Plan]:::done --> b[Build]:::active --> c[Merge]").unwrap();
        let html = draw(&flow).0;
        assert_eq!(html.matches("<li").count(), 3);
        assert!(html.contains("aria-label=\"done\"") && html.contains("aria-label=\"under way\""));
    }

    #[test]
    fn branches_and_ways_back_are_drawn_inside_the_picture() {
        let flow = parse("flowchart LR\na-->b\na-->c\nb-->d\nc-->d\nd-->|again| a").unwrap();
        assert_eq!(columns(&flow), [0, 1, 1, 2]);
        let (spots, width, height) = spots(&flow);
        assert!(spots.iter().all(|s| s.x + s.width <= width && s.y + BOX_HEIGHT <= height));
        let html = draw(&flow).0;
        assert_eq!(html.matches("<rect").count(), 4);
        assert_eq!(html.matches("class=\"arrow\"").count(), 5);
        assert!(html.contains("again") && html.contains("d to a"), "{html}");
        let alone = parse("flowchart LR\na-->a").unwrap();
        assert!(draw(&alone).0.contains("<svg"));
    }
}
