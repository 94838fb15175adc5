//! What the demo says: a line for everything that happens, or nothing but JSON.

use std::io::Write;

use super::cast::Links;
use super::tally::Tally;
use crate::clock::{Clock, SystemClock};
use crate::model::Millis;

/// The demo's voice.
#[derive(Debug)]
pub(super) struct Talk {
    json: bool,
    began: Millis,
}

impl Talk {
    pub(super) fn new(json: bool) -> Self {
        Self { json, began: SystemClock.now() }
    }

    pub(super) fn begin(&self, story: &str, links: &Links) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n── {story} ──")?;
        writeln!(out, "   repository  {}", links.repository)?;
        writeln!(out, "   dashboard   {}\n", links.dashboard)?;
        Ok(())
    }

    /// One line, with the time since the start.
    pub(super) fn say(&self, what: &str) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        let ms = SystemClock.now().since(self.began);
        let mut out = std::io::stdout().lock();
        writeln!(out, "{:>4}.{:01}s  {what}", ms / 1_000, ms % 1_000 / 100)?;
        out.flush()?;
        Ok(())
    }

    pub(super) fn tally(&self, tally: &Tally, links: &Links) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(tally)?)?;
            return Ok(());
        }
        for attempt in &tally.attempts {
            let mark = if attempt.refused { "refused    " } else { "GOT THROUGH" };
            writeln!(out, "   {mark}  {}\n                {}", attempt.what, attempt.how)?;
        }
        let told = if tally.as_told { "as told" } else { "NOT as told" };
        writeln!(out, "\n   {} ({told}) in {:.1} s", tally.outcome, seconds(tally.wall_ms))?;
        if let (Some(pull), Some(sha)) = (tally.pull_request, &tally.merged_sha) {
            writeln!(out, "   pull request  {}/pull/{pull}", links.repository)?;
            let tree = if tally.landed_tree_verified { "as predicted" } else { "NOT as predicted" };
            writeln!(out, "   merged        {sha}, tree {tree}")?;
        }
        if tally.signed_commits > 0 {
            writeln!(out, "   signed        {} by GitHub", tally.signed_commits)?;
        }
        writeln!(
            out,
            "   {} webhooks, {} reads, {} writes, {} comments, {} check runs",
            tally.webhooks, tally.api_reads, tally.api_writes, tally.comments, tally.check_runs
        )?;
        writeln!(
            out,
            "   {} agent calls, {} fix rounds, {} resolve rounds",
            tally.agent_calls, tally.fix_rounds, tally.resolve_rounds
        )?;
        Ok(())
    }

    pub(super) fn keep(&self, links: &Links) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n   The pages stay open until Ctrl-C:")?;
        writeln!(out, "   {}\n   {}", links.repository, links.dashboard)?;
        Ok(())
    }
}

fn seconds(ms: i64) -> f64 {
    f64::from(i32::try_from(ms).unwrap_or(i32::MAX)) / 1_000.0
}
