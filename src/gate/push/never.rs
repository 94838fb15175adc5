//! Class never: what decides what runs, who decides, and what agents are told.

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

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    let own: Vec<String> = case.policy.protected.iter().map(|rule| folded(rule)).collect();
    for file in case.change.files {
        let path = folded(&file.path);
        let mut rules = NEVER.iter().copied().chain(own.iter().map(String::as_str));
        if rules.any(|rule| matches(rule, &path)) {
            let path = shown(&file.path);
            let why = format!("{path} is protected; it decides what runs and who decides");
            say.refuse(&file.path, None, why);
        }
    }
}
