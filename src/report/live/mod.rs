//! What people see of an agent while it works, and what it did when it is over.

use super::Context;
use crate::markdown;
use crate::model::character::{visible, without_ansi};
use crate::model::sanitized::{Markdown, code, said};
use crate::model::{Cost, dollars};
use crate::pipeline::live::{Live, Worked};

/// The agent at work, for comments and check runs; nothing when none is.
pub(super) fn working(context: &Context<'_>) -> Markdown {
    let Some(live) = context.live else { return Markdown::default() };
    let mut parts = Vec::new();
    if let Some(doing) = &live.tool {
        parts.push(markdown!("now {} {}", said(&doing.kind), code(&doing.about)).trimmed());
    }
    parts.extend(figures(live).iter().map(|part| said(part)));
    let who = markdown!("{} is at work", said(&live.agent));
    let told = if parts.is_empty() {
        who
    } else {
        markdown!("{}: {}", who, Markdown::joined(&parts, " · "))
    };
    if live.named.is_empty() {
        return told;
    }
    let named: Vec<Markdown> = live.named.iter().rev().map(|name| code(name)).collect();
    markdown!("{}\n\n<sub>Wrote last: {}</sub>", told, Markdown::joined(&named, ", "))
}

/// The agent at work, for terminals: one line each.
pub fn lines(live: &Live) -> Vec<String> {
    let mut lines = vec![format!(
        "working now: {} as {}, since {}; last heard at {}",
        live.agent,
        live.role.word(),
        live.since.readable(),
        live.heard.precise()
    )];
    let figures = figures(live);
    if !figures.is_empty() {
        lines.push(format!("  {}", figures.join(", ")));
    }
    if !live.named.is_empty() {
        let named: Vec<&str> = live.named.iter().rev().map(String::as_str).collect();
        lines.push(format!("  wrote last: {}", named.join(", ")));
    }
    lines.extend(live.news.iter().map(|news| format!("  {}  {}", news.at.precise(), news.text)));
    lines.iter().map(|line| visible(line)).collect()
}

/// Its figures, each a few words of ours; what is nothing is left out.
pub(super) fn figures(live: &Live) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(steps) = live.steps.filter(|steps| steps.all > 0) {
        parts.push(format!("{} of {} steps done", steps.done, steps.all));
    }
    parts.extend(counted(live.files.into(), "file", "files"));
    if let Some(calls) = counted(live.calls.into(), "tool call", "tool calls") {
        let failed = (live.failed > 0).then(|| format!(", {} failed", live.failed));
        parts.push(format!("{calls}{}", failed.unwrap_or_default()));
    }
    parts.extend(counted(live.retries.into(), "retry", "retries"));
    if live.calls == 0 {
        parts.extend(counted(live.lines, "line of output", "lines of output"));
    }
    parts.extend(spent(live.tokens, live.cost));
    parts
}

/// What agents of a task did, as the end of a sentence.
pub(super) fn worked(all: &[Worked]) -> String {
    let all = all.iter().flat_map(|one| ["; ".to_owned(), account(one)]);
    all.collect()
}

/// `codex:gpt-5.5 worked 4 min: 31 tool calls, 6 files, 120k tokens, $0.43`.
fn account(worked: &Worked) -> String {
    let mut parts = Vec::new();
    parts.extend(counted(worked.calls.into(), "tool call", "tool calls"));
    parts.extend(counted(worked.files.into(), "file", "files"));
    parts.extend(counted(worked.turns, "turn", "turns"));
    parts.extend(spent(worked.tokens, worked.cost));
    let took = lasted(worked.seconds);
    let of = if parts.is_empty() { "" } else { ": " };
    format!("{} worked {took}{of}{}", worked.agent, parts.join(", "))
}

/// Tokens, and dollars where they are known; one that asked no model spent nothing.
fn spent(tokens: u64, cost: Cost) -> Vec<String> {
    let mut parts = Vec::new();
    if tokens > 0 {
        parts.push(format!("{} tokens", thousands(tokens)));
    }
    match cost {
        Cost::Micros(0) => {}
        Cost::Micros(micros) => parts.push(dollars(micros)),
        Cost::Unknown if tokens > 0 => parts.push("cost unknown".to_owned()),
        Cost::Unknown => {}
    }
    parts
}

fn counted(count: u64, one: &str, many: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    }
}

/// `950`, `120k`, `1.2M`.
fn thousands(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}.{}M", count / 1_000_000, count % 1_000_000 / 100_000),
    }
}

fn lasted(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// Longest text of sizes: `1 byte`, `80 KB`, `1.2 MB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// What an agent said, for terminals and browsers: its lines, and nothing that acts on them.
pub fn stream(said: &str) -> String {
    let mut shown = String::with_capacity(said.len());
    for line in without_ansi(said).lines() {
        shown.push_str(&visible(line));
        shown.push('\n');
    }
    shown
}

#[cfg(test)]
mod tests;
