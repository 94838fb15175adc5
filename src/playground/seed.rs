//! The sample: a small shell project with its people, its App, its CI and its rules.

use super::Running;
use super::bare::BareForge;
use super::error::ApiResult;
use super::forge::Files;
use super::world::setup::NewApp;
use super::world::{App, Level, RequiredCheck, Role, Rules, User};

/// Who and what the sample consists of.
#[derive(Clone, Debug)]
pub struct Sample {
    /// `owner/name`.
    pub repo: String,
    pub repo_id: u64,
    /// Owns the repository and may do everything.
    pub maintainer: User,
    /// Has write access and approves.
    pub reviewer: User,
    /// May only read.
    pub outsider: User,
    /// The App under test.
    pub bot: App,
    pub installation: u64,
    pub ci: App,
}

const README: &str = "\
# greet

Says hello.

    sh greet.sh Ada        Hello, Ada!

`sh test/unit.sh` runs the quick tests; `sh check.sh` is what CI runs.
";

const GREET: &str = "\
#!/bin/sh
# Greets whoever is named on the command line.
set -eu
cd \"$(dirname \"$0\")\"
. ./lib/text.sh

greet \"${1:-world}\"
";

const TEXT: &str = "\
# Functions that make text.

greet() {
    printf 'Hello, %s!\\n' \"$1\"
}
";

const UNIT: &str = "\
#!/bin/sh
# The quick tests.
set -eu
cd \"$(dirname \"$0\")/..\"

expect() {
    if [ \"$1\" != \"$2\" ]; then
        echo \"FAIL: expected '$2', got '$1'\"
        exit 1
    fi
}

expect \"$(sh greet.sh Ada)\" 'Hello, Ada!'
expect \"$(sh greet.sh)\" 'Hello, world!'
echo 'unit: ok'
";

const CHECK: &str = "\
#!/bin/sh
# Everything CI runs: the quick tests, and what they leave out.
set -eu
cd \"$(dirname \"$0\")\"
sh test/unit.sh

names=\"$(sh greet.sh 'Ada Lovelace')\"
if [ \"$names\" != 'Hello, Ada Lovelace!' ]; then
    echo \"FAIL: a name of two words came out as '$names'\"
    exit 1
fi

for file in greet.sh lib/*.sh; do
    if ! sh -n \"$file\"; then
        echo \"FAIL: $file is not valid shell\"
        exit 1
    fi
    if grep -n '[[:space:]]$' \"$file\"; then
        echo \"FAIL: $file has blanks at the end of a line\"
        exit 1
    fi
done
echo 'check: ok'
";

const CI: &str = "\
{\"jobs\": [{\"name\": \"test\", \"run\": \"sh check.sh\"}]}
";

const POLICY: &str = "\
# How Slipway works in this repository.
merge: on-approval
verify:
  - sh test/unit.sh
";

/// The sample project's files.
pub fn files() -> Files {
    let list = [
        ("README.md", README),
        ("greet.sh", GREET),
        ("lib/text.sh", TEXT),
        ("test/unit.sh", UNIT),
        ("check.sh", CHECK),
        (".playground/ci.json", CI),
        (".github/slipway.yml", POLICY),
    ];
    list.map(|(path, text)| (path.to_owned(), Some(text.as_bytes().to_vec()))).into()
}

/// Puts the sample into a running playground, as a copy of `from` when a repository is given.
pub fn sample(running: &Running, from: Option<&std::path::Path>) -> ApiResult<Sample> {
    let world = &running.world;
    let maintainer = world.add_user("mara");
    let reviewer = world.add_user("rio");
    let outsider = world.add_user("otto");
    let branch = from.and_then(BareForge::current_branch);
    let branch = branch.as_deref().unwrap_or("main");
    let repo_id = running.add_repo(&maintainer, "greet", branch, from)?;
    let repo = "mara/greet".to_owned();
    if from.is_none() {
        world.first_commit(repo_id, &maintainer, &files())?;
    }
    world.set_permission(&repo, reviewer.id, Role::Write)?;
    world.set_permission(&repo, outsider.id, Role::Read)?;
    let bot = world.add_app(&NewApp::bot("slipway", maintainer.id))?;
    let mut ci = NewApp::bot("playground-ci", maintainer.id);
    ci.events.clear();
    ci.permissions.retain(|name, _| name == "checks" || name == "metadata");
    ci.permissions.insert("contents".to_owned(), Level::Read);
    let ci = world.add_app(&ci)?;
    world.set_ci_app(ci.id);
    world.install(ci.id, &maintainer, &[repo_id])?;
    let installation = world.install(bot.id, &maintainer, &[repo_id])?;
    if from.is_none() {
        let test = RequiredCheck { context: "test".to_owned(), integration_id: Some(ci.id) };
        let rules = Rules { required_checks: vec![test], approvals: Some(1), ..Rules::default() };
        world.set_rules(&repo, "main", rules)?;
    }
    Ok(Sample { repo, repo_id, maintainer, reviewer, outsider, bot, installation, ci })
}
