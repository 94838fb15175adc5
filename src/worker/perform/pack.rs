//! Packing: what an agent left is made into a bundle in a sandbox of its own, and imported.

use super::Context;
use crate::git::{Import, Workspace};
use crate::model::text;
use crate::sandbox::{End, Home, Invocation, Limits, Purpose, Signal, Transcript};
use crate::worker::failure::Failure;

/// Milliseconds a packing may last.
const WALL_MS_MAX: u64 = 120_000;
/// Bytes of what it says that are kept.
const OUTPUT_BYTES_MAX: usize = 16 << 10;
/// Characters of it that are told to the agent.
const WORDS_CHARS_MAX: usize = 300;
/// What a shell ends with when a program cannot be run, or is not there.
const NOT_RUNNABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

/// Brings the workspace into git's quarantine; a reason when that is not possible, for which the
/// agent has to answer.
pub(super) async fn import(
    context: &Context<'_>,
    workspace: &Workspace,
) -> Result<Option<String>, Failure> {
    let ports = &context.engine.ports;
    let packing = ports.git.packing(workspace).await?;
    let invocation = Invocation {
        purpose: Purpose::Pack,
        program: packing.program,
        args: packing.args,
        env: packing.env,
        stdin: String::new(),
        directory: packing.directory,
        workspace: workspace.key.clone(),
        doors: Vec::new(),
        read_only: packing.read_only,
        masks: Vec::new(),
        home: Home::default(),
        limits: Limits {
            wall_ms_max: WALL_MS_MAX,
            output_bytes_max: OUTPUT_BYTES_MAX,
            ..Limits::default()
        },
        signal: Signal::Term,
    };
    let transcript = ports.sandbox.run(&invocation, context.cancel).await?;
    match transcript.end {
        End::Cancelled => return Err(Failure::Unwanted),
        End::Exited(NOT_RUNNABLE | NOT_FOUND) => {
            let why = format!("the sandbox has no git to pack with: {}", last_words(&transcript));
            return Err(Failure::Fault(why));
        }
        End::Exited(_) | End::Signalled(_) | End::TimedOut | End::Limit(_) => {}
    }
    if let Some(why) = failed(&transcript) {
        return Ok(Some(why));
    }
    match ports.git.import(workspace).await? {
        Import::Taken => Ok(None),
        Import::Refused { why } => Ok(Some(format!("what it left cannot be taken: {why}"))),
    }
}

/// Why what was left could not be packed, in git's last words, made harmless.
fn failed(transcript: &Transcript) -> Option<String> {
    let how = match transcript.end {
        End::Exited(0) => return None,
        End::TimedOut => "it takes too long".to_owned(),
        End::Signalled(signal) => format!("signal {signal} ended it"),
        End::Limit(limit) => limit.to_string(),
        End::Exited(_) | End::Cancelled => last_words(transcript),
    };
    Some(format!("what it left cannot be packed: {how}"))
}

fn last_words(transcript: &Transcript) -> String {
    let words = transcript.stderr.lines().rev().find(|line| !line.trim().is_empty());
    let words: String = words.unwrap_or("git gives no reason").chars().map(plain).collect();
    text::cut(words.trim(), WORDS_CHARS_MAX)
}

/// Nothing that could be markup or a terminal's order.
fn plain(c: char) -> char {
    if c.is_control() || "`<>[]@#*_~|\\".contains(c) { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packing_that_fails_is_told_in_plain_words() {
        let said = |end, stderr: &str| {
            failed(&Transcript { end, stdout: String::new(), stderr: stderr.to_owned() })
        };
        assert_eq!(said(End::Exited(0), "warning"), None);
        let said_so = "error: x\nfatal: '`@all` [x](y)\u{1b}[1m' cannot be added\n";
        insta::assert_snapshot!(
            said(End::Exited(128), said_so).unwrap(),
            @"what it left cannot be packed: fatal: '  all   x (y)  1m' cannot be added"
        );
        insta::assert_snapshot!(
            said(End::TimedOut, "").unwrap(),
            @"what it left cannot be packed: it takes too long"
        );
    }
}
