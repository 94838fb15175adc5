//! A repository full of code-running configuration leaves no trace with any agent; and the same
//! agent, started as its maker's manual says, walks into it.

use std::path::Path;

use slipway::sandbox::{End, Invocation};

use super::cast::{self, Real};
use super::stage::Stage;
use super::{script, traps};

/// What is asked, with a look at what came into the environment.
const COMMAND: &str = "echo a-mark-of-the-command > made-by-an-agent.txt; \
    cat made-by-an-agent.txt; env | grep -q ^TRAP && touch PWNED-environment; true";

/// No trap goes off as it ships; one of those that `lay` lays does when it is started `plainly`.
async fn holds(real: &Real, lay: fn(&Path), plainly: fn(&mut Invocation)) {
    let name = real.name;
    let Some(held) = Stage::set(real, script(real, COMMAND), traps::lay).await else { return };
    let done = held.run(|_as_it_ships| {}, |_to_its_end| false).await;
    assert_eq!(held.found(), Vec::<String>::new(), "{name}: {done:?}");
    assert_eq!(held.changed(), ["made-by-an-agent.txt"], "{name}: {done:?}");
    assert_eq!(done.end, End::Exited(0), "{name}: {done:?}");
    assert_ne!(held.model.heard().len(), 0, "{name}: its model was asked");
    let tally = held.line.tally();
    assert_eq!(tally.refused, 0, "{name}: it asked for nothing that is not allowed");

    let open = Stage::set(real, script(real, COMMAND), lay).await.unwrap();
    let done = open.run(plainly, |stage| !stage.found().is_empty()).await;
    assert_ne!(open.found(), Vec::<String>::new(), "{name}: the traps work: {done:?}");
}

/// Takes away an argument, and what follows it.
fn without(order: &mut Invocation, argument: &str, following: usize) {
    let at = order.args.iter().position(|one| one == argument).unwrap();
    order.args.drain(at..=at + following);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_full_of_code_running_configuration_leaves_no_trace_with_codex() {
    holds(&cast::CODEX, traps::lay, |order| {
        order.masks.clear();
        order.args.insert(1, "--trust".to_owned());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_full_of_code_running_configuration_leaves_no_trace_with_opencode() {
    holds(&cast::OPENCODE, traps::lay_files, |order| {
        order.masks.clear();
        order.env.retain(|(name, _)| !name.contains("_DISABLE_PROJECT") && !name.ends_with("PURE"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_full_of_code_running_configuration_leaves_no_trace_with_claude() {
    holds(&cast::CLAUDE, traps::lay, |order| {
        order.masks.clear();
        without(order, "--setting-sources", 1);
        without(order, "--strict-mcp-config", 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_full_of_code_running_configuration_leaves_no_trace_with_gemini() {
    holds(&cast::GEMINI, traps::lay, |order| {
        order.masks.clear();
        without(order, "--skip-trust", 0);
        order.env.push(("GEMINI_CLI_TRUST_WORKSPACE".to_owned(), "true".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_full_of_code_running_configuration_leaves_no_trace_with_qwen() {
    holds(&cast::QWEN, traps::lay, |order| {
        order.masks.clear();
        without(order, "--bare", 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_full_of_code_running_configuration_leaves_no_trace_with_copilot() {
    holds(&cast::COPILOT, traps::lay, |order| {
        order.masks.clear();
        order.env.push(("COPILOT_ALLOW_ALL".to_owned(), "true".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_full_of_code_running_configuration_leaves_no_trace_with_aider() {
    holds(&cast::AIDER, traps::lay, |order| order.masks.clear()).await;
}
