//! A hostile agent in the whole program: it plants traps in its repository and lies beside it.

use std::process::Command;

use serde_json::Value;

/// The agent: everything git might step on, and then ordinary work. `PWNED` is a place on the
/// host that nothing in the sandbox can reach.
const AGENT: &str = r#"
trap="touch PWNED"
git=$PWD/.git
echo "$trap" > "$git/run.sh"
chmod +x "$git/run.sh"
for hook in pre-commit post-checkout post-index-change pre-push reference-transaction; do
    mkdir -p "$git/hooks"
    printf '#!/bin/sh\n%s\n' "$trap" > "$git/hooks/$hook"
    chmod +x "$git/hooks/$hook"
done
cat >> "$git/config" <<CONFIG
[core]
	fsmonitor = $trap
	sshCommand = $trap
	gitProxy = $trap
	askPass = $trap
	editor = $trap
	pager = $trap
	hooksPath = hooks
[filter "x"]
	clean = $trap
	smudge = $trap
	process = $trap
[diff]
	external = $trap
[diff "x"]
	textconv = $trap
	command = $trap
[merge "x"]
	driver = $trap
[url "ext::$trap %S "]
	insteadOf = http://
	insteadOf = https://
[protocol "ext"]
	allow = always
[credential]
	helper = !$trap
[remote "origin"]
	uploadpack = $trap
	receivepack = $trap
[gpg]
	program = $trap
[commit]
	gpgSign = true
[alias]
	add = !$trap
[include]
	path = more
CONFIG
echo '* filter=x diff=x merge=x' > "$git/info/attributes"
mkdir -p nested
cp -r "$git" nested/saved 2>/dev/null
rm -rf nested
ln -s /etc/passwd "$git/slipway/result.json"
echo 'a feature' > feature.txt
echo 'Wrote feature.txt.'
"#;

#[expect(clippy::disallowed_methods, reason = "this test is about the program as a process")]
fn demo(agent: &str) -> (bool, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
    command.args(["demo", "--json", "--scenario", "happy", "--agent", agent]);
    let output = command.env_remove("SLIPWAY_APP_ID").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = told.lines().next().map_or(Value::Null, |line| serde_json::from_str(line).unwrap());
    (output.status.success(), told, error)
}

/// What is shown here on the program is shown with each defence taken away in
/// `src/git/cli/attacks`; here nothing can be taken away.
#[test]
fn attack_25_the_whole_program_steps_on_nothing_that_an_agent_planted() {
    let place = tempfile::tempdir().unwrap();
    let pwned = place.path().join("pwned");
    let script = AGENT.replace("PWNED", &pwned.display().to_string());
    let (good, told, error) = demo(&script);
    assert!(good, "{told} {error}");
    assert_eq!(told["outcome"], "merged", "{told} {error}");
    assert_eq!(told["landed_tree_verified"], true);
    assert!(!pwned.exists(), "git of the host ran what the agent planted");
}
