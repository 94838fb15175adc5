//! A critic: what it is shown of the change, and what is taken of what it said. Nothing it leaves
//! in its workspace is packed, so nothing of it can become a commit.

use serde_json::Value;

use super::super::{Context, show};
use super::Tried;
use super::finish::{kept, spoken};
use crate::agent::critique::{json_in, parse, read};
use crate::agent::{Reading, result};
use crate::git::Workspace;
use crate::pipeline::Done;
use crate::pipeline::critique::{Critique, Finding};
use crate::worker::failure::Failure;

/// What judges words calls those of a critic.
const WORDS: &str = "what the critic says";

/// The change as a diff against the base.
pub(super) async fn shown(context: &Context<'_>) -> Result<Vec<(&'static str, String)>, Failure> {
    let state = context.state;
    let Some(onto) = state.work.onto.as_ref() else { return Ok(Vec::new()) };
    let changes = context.engine.ports.git.between(&state.request.repo, onto, context.head()?);
    let diff = show::diff(&changes.await?);
    let mut patch = diff.patch;
    if diff.is_cut || diff.more_files > 0 {
        patch.push_str("(the change is longer than this)\n");
    }
    Ok(vec![("what the change takes out and puts in, file by file", patch)])
}

/// Takes the review: from the file an agent may leave, from where its dialect has it, or from
/// its words.
pub(super) async fn finish(
    context: &Context<'_>,
    workspace: &Workspace,
    (reading, structured, spent): (Reading, Option<Value>, u64),
) -> Result<Tried, Failure> {
    let (said, cost_micros) = match reading {
        Reading::Finished { summary, cost_micros } => (summary, cost_micros.max(spent)),
        Reading::Failed { why, cost_micros } => {
            return Ok(Tried::Done(failed(context, &why, cost_micros.max(spent))));
        }
    };
    let head = context.head()?;
    let file = context.engine.ports.git.result(workspace).await?;
    let file = file.filter(|bytes| bytes.len() <= result::BYTES_MAX);
    let file = file.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let told = structured.as_ref().map(Value::to_string);
    // Judged as it is: an answer that has no form may hold a secret too.
    let all = [Some(said.as_str()), file.as_deref(), told.as_deref()];
    let all: Vec<&str> = all.into_iter().flatten().collect();
    if let Some(done) = spoken(context, WORDS, &all.join("\n"), cost_micros) {
        return Ok(Tried::Done(done));
    }
    let found = match (file, structured) {
        (Some(text), _) => parse(&text, head),
        (None, Some(answer)) => read(&answer, head),
        (None, None) => parse(json_in(&said), head),
    };
    Ok(taken(context, found, cost_micros))
}

/// A review whose words may be kept, or why there is none.
pub(super) fn taken(
    context: &Context<'_>,
    found: Result<Critique, String>,
    cost_micros: u64,
) -> Tried {
    match found {
        Ok(found) => {
            let refused = spoken(context, WORDS, &words(&found), cost_micros);
            let critique = Box::new(clean(context, found));
            Tried::Done(refused.unwrap_or(Done::Critiqued { critique, cost_micros }))
        }
        Err(why) => {
            let why = format!("the review does not have the form that was asked for: {why}");
            Tried::Unreadable { done: failed(context, &why, cost_micros), why }
        }
    }
}

fn failed(context: &Context<'_>, why: &str, cost_micros: u64) -> Done {
    let leaked = spoken(context, "what the critic said as it failed", why, cost_micros);
    leaked.unwrap_or_else(|| Done::AgentFailed { why: kept(context, why), cost_micros })
}

/// Everything a review says, for the gate that knows secrets.
fn words(found: &Critique) -> String {
    let mut all = vec![found.summary.as_str()];
    for one in &found.findings {
        all.extend([one.path.as_str(), one.text.as_str()]);
        all.extend(one.suggestion.as_deref());
    }
    all.join("\n")
}

fn clean(context: &Context<'_>, found: Critique) -> Critique {
    let kept = |text: String| context.engine.sanitizer.kept(&text);
    let finding = |one: Finding| Finding {
        path: kept(one.path),
        text: kept(one.text),
        suggestion: one.suggestion.map(kept),
        ..one
    };
    let findings = found.findings.into_iter().map(finding).collect();
    Critique { summary: kept(found.summary), findings, ..found }
}
