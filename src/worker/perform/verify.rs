//! Verify: the repository's own commands on exactly the head, in the sandbox.

use super::Context;
use crate::git::{Workspace, WorkspaceOrder};
use crate::model::{CommitSha, text};
use crate::pipeline::Done;
use crate::sandbox::{End, Home, Invocation, Limits, Purpose, Signal};
use crate::worker::failure::Failure;

/// Longest end of the output kept for people and for the fixer, in bytes.
const LOG_BYTES_MAX: usize = 16_000;

pub(super) async fn perform(context: &Context<'_>, head: &CommitSha) -> Result<Done, Failure> {
    context.refresh().await?;
    let state = context.state;
    let order = WorkspaceOrder {
        repo: state.request.repo.clone(),
        run: state.request.run.clone(),
        name: format!("e{}", state.entry),
        at: head.clone(),
        merge: None,
        // What is judged is exactly this commit.
        steering: None,
    };
    let git = &context.engine.ports.git;
    let workspace = git.workspace(&order).await?;
    let done = in_workspace(context, head, &workspace).await;
    if let Err(error) = git.discard(workspace).await {
        tracing::warn!(%error, "a workspace was left behind");
    }
    done
}

/// Runs the commands in turn until one fails; the time is for all of them together.
async fn in_workspace(
    context: &Context<'_>,
    head: &CommitSha,
    workspace: &Workspace,
) -> Result<Done, Failure> {
    let engine = context.engine;
    let wall_ms_max = u64::from(context.policy.limits.verify_minutes_max) * 60_000;
    let began = engine.now();
    for command in &context.policy.verify {
        let spent = u64::try_from(engine.now().since(began)).unwrap_or(u64::MAX);
        let invocation = Invocation {
            purpose: Purpose::Check,
            program: "sh".to_owned(),
            args: vec!["-c".to_owned(), command.clone()],
            env: vec![("CI".to_owned(), "true".to_owned())],
            stdin: String::new(),
            directory: workspace.path.clone(),
            workspace: workspace.key.clone(),
            // A check needs nothing from outside: what it needs is in the repository.
            doors: Vec::new(),
            read_only: workspace.borrowed.clone(),
            masks: Vec::new(),
            home: Home::default(),
            limits: Limits {
                wall_ms_max: wall_ms_max.saturating_sub(spent),
                output_bytes_max: engine.settings.limits.output_bytes_max,
                ..Limits::default()
            },
            signal: Signal::Term,
        };
        let transcript = engine.ports.sandbox.run(&invocation, context.cancel).await?;
        if transcript.succeeded() {
            continue;
        }
        let how = match transcript.end {
            End::Exited(code) => format!("`{command}` ended with {code}"),
            End::Signalled(signal) => format!("`{command}` was ended by signal {signal}"),
            End::TimedOut => format!("`{command}` took longer than allowed"),
            End::Limit(limit) => format!("`{command}`: {limit}"),
            End::Cancelled => return Err(Failure::Unwanted),
        };
        let output = format!("{}\n{}", transcript.stdout, transcript.stderr);
        let [how, output] = [how, output].map(|text| engine.sanitizer.kept(&text));
        let log = format!("{how}\n{}", text::tail(output.trim(), LOG_BYTES_MAX));
        let signature = crate::gate::signature::of(&engine.sanitizer.kept(command), &output);
        return Ok(Done::Verified { head: head.clone(), passed: false, log, signature });
    }
    Ok(Done::Verified { head: head.clone(), passed: true, log: String::new(), signature: None })
}
