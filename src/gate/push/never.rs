//! Class never: what decides what runs, who decides, and what agents are told.
//!
//! No agent may change it, and no agent is told by a pull request: while one works there, it
//! finds the base branch's version of it.

use super::glob::matches;
use super::letters::folded;
use super::{Case, Say, shown};

/// Lower case; matched against paths without case and without letters that hide.
pub(super) const NEVER: &[&str] = &[
    // Who decides, and how git reads the repository.
    ".github/**",
    "codeowners",
    "docs/codeowners",
    "**/.gitmodules",
    "**/.gitattributes",
    "**/.gitconfig",
    ".bot.yml",
    // Hooks.
    "**/.husky/**",
    "**/.githooks/**",
    "lefthook*",
    ".lefthook*",
    "**/.pre-commit-config*",
    "**/.pre-commit-hooks*",
    // What agents are told and may do.
    "**/.claude/**",
    "**/.codex/**",
    "**/.gemini/**",
    "**/.opencode/**",
    "**/.cursor/**",
    "**/.windsurf/**",
    "**/.agents/**",
    "**/.mcp.json",
    "**/mcp.json",
    "**/opencode.json",
    "**/opencode.jsonc",
    "**/.aider*",
    "**/.aider*/**",
    "**/claude*.md",
    "**/agents*.md",
    "**/gemini*.md",
    "**/.cursorrules",
    "**/.windsurfrules",
    "**/.clinerules",
    "**/.clinerules/**",
    "**/.roo/**",
    "**/.continue/**",
    // What editors run.
    "**/.vscode/**",
    "**/.idea/**",
    "**/.devcontainer/**",
    "**/.devcontainer.json",
    // Other CI systems.
    "**/.gitlab-ci*",
    ".gitlab/**",
    ".circleci/**",
    ".travis.yml",
    "azure-pipelines*",
    ".azure-pipelines/**",
    "**/jenkinsfile*",
    ".drone*",
    ".woodpecker*",
    ".woodpecker*/**",
    ".buildkite/**",
    "bitbucket-pipelines.yml",
    "appveyor.yml",
    ".appveyor.yml",
    ".cirrus*",
    ".semaphore/**",
    ".teamcity/**",
    ".forgejo/**",
    ".gitea/**",
    ".tekton/**",
    "cloudbuild.y*ml",
    "codemagic.yaml",
    "wercker.yml",
    "buddy.yml",
    ".build.yml",
    ".builds/**",
    ".playground/**",
    // Where package managers fetch from, and what shells load.
    "**/.npmrc",
    "**/.yarnrc*",
    "**/.pnpmfile.cjs",
    "**/bunfig.toml",
    "**/pip.conf",
    "**/pip.ini",
    "**/.pypirc",
    "**/.netrc",
    "**/.cargo/config*",
    "**/.envrc",
];

/// What agents look for at the top of a checkout, in the spelling they look for; directories end
/// in a slash. Where it is absent it is to stay absent: nothing may be put there for the next
/// program to find.
pub const PLACES: &[&str] = &[
    ".aider.conf.yml",
    ".claude/",
    ".codex/",
    ".cursor/",
    ".cursorrules",
    ".envrc",
    ".gemini/",
    ".mcp.json",
    ".opencode/",
    "AGENTS.md",
    "CLAUDE.local.md",
    "CLAUDE.md",
    "GEMINI.md",
    "opencode.json",
];

/// `path` is one of these: it steers agents, tools or a CI.
pub fn steers(path: &str) -> bool {
    listed(&folded(path))
}

fn listed(path: &str) -> bool {
    NEVER.iter().any(|rule| matches(rule, path))
}

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    let own: Vec<String> = case.policy.protected.iter().map(|rule| folded(rule)).collect();
    for file in case.change.files {
        let path = folded(&file.path);
        if listed(&path) || own.iter().any(|rule| matches(rule, &path)) {
            let path = shown(&file.path);
            let why = format!("{path} is protected; it decides what runs and who decides");
            say.refuse(&file.path, None, why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_tells_a_program_what_to_do_steers() {
        for path in [
            ".claude/settings.json",
            "deep/.Claude/settings.json",
            "CLAUDE.md",
            "docs/AGENTS.md",
            "CLAUDE.local.md",
            ".github/workflows/ci.yml",
            ".github/CODEOWNERS",
            ".aider.conf.yml",
            ".yarnrc.yml",
            ".cargo/config.toml",
            "lefthook.yml",
            ".gitattributes",
        ] {
            assert!(steers(path), "{path}");
        }
        for path in ["src/claude.rs", "README.md", "docs/a.md", "cargo/config"] {
            assert!(!steers(path), "{path}");
        }
        assert!(PLACES.iter().all(|place| steers(place.trim_end_matches('/'))));
    }
}
