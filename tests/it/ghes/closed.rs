//! A closed network: nothing is needed but the configured hosts, and nobody else is called.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use super::program::Company;

/// Says in the test's output that this machine cannot show it.
#[expect(clippy::print_stderr, reason = "what a machine lacks is left out aloud")]
pub(super) fn left_out(what: &str, why: &str) {
    eprintln!("LEFT OUT: {what}: {why}");
}

#[expect(clippy::disallowed_methods, reason = "these tests are about processes")]
fn run(program: &str, args: &[&str]) -> Option<Output> {
    Command::new(program).args(args).env_remove("SLIPWAY_APP_ID").output().ok()
}

/// Runs a program where there is no network but its own loopback interface; nothing when this
/// machine makes no such place. What it prints follows the list of its interfaces.
fn alone(program: &str, args: &[&str]) -> Option<(Vec<String>, Output)> {
    const LIST: &str = "cat /proc/net/dev && echo == && exec \"$0\" \"$@\"";
    let place = ["--dev-bind", "/", "/", "--unshare-net", "--die-with-parent", "--"];
    if !run("bwrap", &[&place[..], &["true"]].concat())?.status.success() {
        return None;
    }
    let shell = ["sh", "-c", LIST, program];
    let mut output = run("bwrap", &[&place[..], &shell[..], args].concat())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (list, rest) = text.split_once("==\n").expect("a list of interfaces");
    let names = list.lines().filter_map(|line| line.split_once(':'));
    let names = names.map(|(name, _)| name.trim().to_owned()).collect();
    output.stdout = rest.as_bytes().to_vec();
    Some((names, output))
}

#[test]
fn the_demo_needs_no_network() {
    let args = ["demo", "--scenario", "happy", "--json"];
    let Some((interfaces, output)) = alone(env!("CARGO_BIN_EXE_slipway"), &args) else {
        return left_out("the demo without a network", "bubblewrap makes no namespaces here");
    };
    assert_eq!(interfaces, ["lo"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told} {}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_str(told.trim()).unwrap();
    assert_eq!((&told["outcome"], &told["landed_tree_verified"]), (&"merged".into(), &true.into()));
}

#[test]
fn beside_an_enterprise_server_no_other_network_is_needed() {
    const STORY: &str = "ghes::program::an_issue_becomes_a_merge_with_everything_over_https";
    let own = std::env::current_exe().unwrap();
    let Some((interfaces, output)) = alone(own.to_str().unwrap(), &["--exact", STORY]) else {
        let why = "bubblewrap makes no namespaces here";
        return left_out("a story over HTTPS without another network", why);
    };
    assert_eq!(interfaces, ["lo"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told} {}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1 passed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_goes_to_the_configured_host() {
    let company = Company::found().await;
    let trace = company.path("connections");
    let trace = trace.to_str().unwrap();
    let wrapper = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto", "-o"];
    let wrapper = [&wrapper[..], &[trace, "--"]].concat();
    if !run("strace", &["-f", "-qq", "--seccomp-bpf", "-e", "trace=connect", "true"])
        .is_some_and(|output| output.status.success())
    {
        return left_out("the list of connections", "strace is missing or may not trace here");
    }
    let mut bot = company.start(&wrapper);
    assert!(company.story(&mut bot).await.merged);
    bot.end().await;
    let text = std::fs::read_to_string(trace).unwrap();
    let server = company.served.url.strip_prefix("https://").unwrap().to_owned();
    let found = addresses(&text);
    assert_eq!(found, BTreeSet::from([server]), "{text}");
}

/// The internet addresses that were called, as `host:port`.
fn addresses(trace: &str) -> BTreeSet<String> {
    let after = |line: &str, mark: &str, end: char| {
        let rest = line.split_once(mark)?.1;
        rest.split_once(end).map(|(found, _)| found.to_owned())
    };
    let called = trace.lines().filter_map(|line| {
        let port = after(line, "htons(", ')')?;
        let host = after(line, "inet_addr(\"", '"').or_else(|| after(line, "\"", '"'))?;
        Some(format!("{host}:{port}"))
    });
    called.collect()
}

#[test]
fn addresses_are_read_from_a_trace() {
    let trace = "\
        7 connect(9, {sa_family=AF_INET, sin_port=htons(443), \
        sin_addr=inet_addr(\"192.0.2.1\")}, 16) = 0\n\
        7 connect(9, {sa_family=AF_UNIX, sun_path=\"/run/nscd\"}, 110) = -1 ENOENT\n\
        8 connect(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), \
        inet_pton(AF_INET6, \"2001:db8::1\", &sin6_addr), sin6_scope_id=0}, 28) = 0\n\
        8 sendto(3, \"x\", 1, 0, {sa_family=AF_INET, sin_port=htons(53), \
        sin_addr=inet_addr(\"192.0.2.53\")}, 16) = 1\n";
    let found: Vec<String> = addresses(trace).into_iter().collect();
    assert_eq!(found, ["192.0.2.1:443", "192.0.2.53:53", "2001:db8::1:80"]);
}
