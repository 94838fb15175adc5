//! Packing: what a sandbox runs to turn the files of a workspace into a bundle.
//!
//! Git has to look at files, and at repositories among them, that an agent wrote. That happens
//! in a sandbox, in a git directory that the agent never saw, with our settings and an index of
//! our own; all that comes out is one file.

use std::path::Path;

use super::Cli;
use super::defence::Defence;
use super::layout;
use super::pinned::{ENVIRONMENT, SETTINGS};
use super::workspace::failed;
use crate::git::bundle::PACKED;
use crate::git::{Error, Packing, Workspace};

/// The bundle, below the workspace's place.
pub(super) const BUNDLE: &str = "pack/bundle";

/// The steps. Its directory holds `files`, which the agent wrote, and `pack`, which it never saw.
///
/// What the `.gitignore` files at the start left out stays out, whatever they say now; so does
/// what was planted. In a container, git may be somewhere else than here.
const SCRIPT: &str = r#"set -eu
top=$PWD
GIT_DIR=$top/$SLIPWAY_GIT_DIR
GIT_WORK_TREE=$top/files
GIT_INDEX_FILE=$top/pack/index
export GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
[ -x "$SLIPWAY_GIT" ] || SLIPWAY_GIT=git
git() { "$SLIPWAY_GIT" "$@"; }
cd "$GIT_WORK_TREE"
mkdir "$top/pack/ignore"
GIT_LITERAL_PATHSPECS=0 git ls-files -z -- ':(glob)**/.gitignore' >"$top/pack/rules"
git checkout-index -z --stdin --prefix="$top/pack/ignore/" <"$top/pack/rules"
git add --all
git diff-index --cached --diff-filter=A --no-renames --name-only -z "$SLIPWAY_START" \
    >"$top/pack/added"
cd "$top/pack/ignore"
# A new name that begins with a colon may ask for another; the gate refuses it anyway.
GIT_WORK_TREE=$PWD GIT_LITERAL_PATHSPECS=0 git check-ignore --no-index -z --stdin \
    <"$top/pack/added" >"$top/pack/ignored" || [ $? -eq 1 ]
cd "$GIT_WORK_TREE"
git update-index --force-remove -z --stdin <"$top/pack/ignored"
for planted in $SLIPWAY_PLANTED; do git update-index --force-remove -- "$planted"; done
tree=$(git write-tree)
set -- -p "$SLIPWAY_AT"
not="^$SLIPWAY_AT"
if [ -n "$SLIPWAY_MERGING" ]; then
    set -- "$@" -p "$SLIPWAY_MERGING"
    not="$not ^$SLIPWAY_MERGING"
fi
commit=$(git commit-tree "$@" "$tree" </dev/null)
git update-ref "$SLIPWAY_PACKED" "$commit"
git bundle create --quiet "$top/pack/bundle" "$SLIPWAY_PACKED" $not
"#;

/// What the packing needs and the agent must not touch, beside its files.
pub(super) fn prepare(place: &Path, objects: &Path) -> Result<(), Error> {
    layout::bare(&place.join("pack/git"), objects)?;
    let (index, own) = (place.join("files/.git/index"), place.join("pack/index"));
    let copy = || {
        std::fs::copy(&index, &own)?;
        // Git compares this time with those of files: what changed after it, it looks at.
        let written = std::fs::metadata(&index)?.modified()?;
        std::fs::File::options().write(true).open(&own)?.set_modified(written)
    };
    copy().map_err(failed)
}

impl Cli {
    pub(super) fn pack(&self, workspace: &Workspace) -> Result<Packing, Error> {
        let place = self.workspace_path(&workspace.key)?;
        let start = self.start_of(workspace)?;
        let own = self.program.defences.has(Defence::OwnRepository);
        let merging = workspace.merging.as_ref().map(ToString::to_string);
        let given = [
            ("SLIPWAY_GIT", self.program.path().display().to_string()),
            ("SLIPWAY_GIT_DIR", if own { "pack/git" } else { "files/.git" }.to_owned()),
            ("SLIPWAY_START", start.to_string()),
            ("SLIPWAY_AT", workspace.at.to_string()),
            ("SLIPWAY_MERGING", merging.unwrap_or_default()),
            ("SLIPWAY_PACKED", PACKED.to_owned()),
            ("SLIPWAY_PLANTED", self.planted(workspace)?),
        ];
        let who = ["GIT_AUTHOR", "GIT_COMMITTER"].into_iter().flat_map(|who| {
            let said = [("NAME", "packing"), ("EMAIL", "<>"), ("DATE", "@1 +0000")];
            said.map(|(what, value)| (format!("{who}_{what}"), value.to_owned()))
        });
        // The sandbox says itself where programs and a home are, and lets nobody set the others.
        let theirs = ["PATH", "HOME", "XDG_CONFIG_HOME"];
        let fixed = ENVIRONMENT.iter().filter(|(name, _)| !theirs.contains(name));
        let fixed = fixed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let given = given.map(|(name, value)| (name.to_owned(), value));
        Ok(Packing {
            program: "sh".to_owned(),
            args: vec!["-c".to_owned(), SCRIPT.to_owned()],
            env: fixed.chain(settings()).chain(who).chain(given).collect(),
            directory: place,
            read_only: workspace.borrowed.clone(),
        })
    }
}

/// The pinned settings as variables, so that they hold for every step.
fn settings() -> Vec<(String, String)> {
    let more = ["core.symlinks=true", "core.fsync=none", "core.bare=false"];
    let all = SETTINGS.iter().copied().chain(more).filter_map(|setting| setting.split_once('='));
    let mut variables = Vec::new();
    for (at, (name, value)) in all.enumerate() {
        variables.push((format!("GIT_CONFIG_KEY_{at}"), name.to_owned()));
        variables.push((format!("GIT_CONFIG_VALUE_{at}"), value.to_owned()));
    }
    variables.push(("GIT_CONFIG_COUNT".to_owned(), (variables.len() / 2).to_string()));
    variables
}
