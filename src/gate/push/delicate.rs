//! Class review: files that say what is built, from where and under which terms.

use super::glob::matches;
use super::letters::folded;
use super::never::NEVER;
use super::{Case, Say, shown};

/// Patterns with what stands in such files; lower case, like the paths they are held against.
pub(super) const DELICATE: &[(&str, &[&str])] = &[
    (
        "says which dependencies are taken, and from where",
        &[
            "**/package.json",
            "**/package-lock.json",
            "**/npm-shrinkwrap.json",
            "**/yarn.lock",
            "**/pnpm-lock.yaml",
            "**/pnpm-workspace.yaml",
            "**/bun.lock*",
            "**/deno.json*",
            "**/deno.lock",
            "**/jsr.json",
            "**/cargo.toml",
            "**/cargo.lock",
            "**/go.mod",
            "**/go.sum",
            "**/go.work*",
            "**/requirements*.txt",
            "**/requirements*.in",
            "**/constraints*.txt",
            "**/pyproject.toml",
            "**/poetry.lock",
            "**/uv.lock",
            "**/pdm.lock",
            "**/pipfile*",
            "**/setup.cfg",
            "**/environment.y*ml",
            "**/gemfile*",
            "**/*.gemspec",
            "**/composer.json",
            "**/composer.lock",
            "**/pom.xml",
            "**/libs.versions.toml",
            "**/gradle.lockfile",
            "**/mix.exs",
            "**/mix.lock",
            "**/rebar.*",
            "**/package.swift",
            "**/package.resolved",
            "**/podfile*",
            "**/cartfile*",
            "**/pubspec.*",
            "**/*.csproj",
            "**/*.fsproj",
            "**/*.vbproj",
            "**/packages.config",
            "**/packages.lock.json",
            "**/nuget.config",
            "**/directory.*.props",
            "**/directory.*.targets",
            "**/stack.yaml*",
            "**/*.cabal",
            "**/cabal.project*",
            "**/flake.*",
            "**/conanfile*",
            "**/vcpkg*.json",
            "**/module.bazel*",
            "**/workspace.bazel",
        ],
    ),
    (
        "runs when the repository is built",
        &[
            "**/build.rs",
            "**/makefile",
            "**/gnumakefile",
            "**/*.mk",
            "**/cmakelists.txt",
            "**/dockerfile*",
            "**/*.dockerfile",
            "**/containerfile*",
            "**/docker-compose*",
            "**/compose.y*ml",
            "**/setup.py",
            "**/noxfile.py",
            "**/tox.ini",
            "**/build.gradle*",
            "**/settings.gradle*",
            "**/gradlew*",
            "**/gradle/wrapper/**",
            "**/mvnw*",
            "**/rakefile",
            "**/justfile",
            "**/taskfile.y*ml",
            "**/sconstruct",
            "**/build.xml",
            "**/build.sbt",
            "**/gulpfile*",
            "**/gruntfile*",
            "workspace",
        ],
    ),
    (
        "says what others may rely on",
        &[
            "**/security.md",
            "**/license",
            "**/license.*",
            "**/license-*",
            "**/licence",
            "**/licence.*",
            "**/copying",
            "**/copying.*",
            "**/notice",
            "**/notice.*",
        ],
    ),
];

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    let own: Vec<String> = case.policy.review_paths.iter().map(|rule| folded(rule)).collect();
    for file in case.change.files {
        let path = folded(&file.path);
        if NEVER.iter().any(|rule| matches(rule, &path)) {
            continue;
        }
        let listed = |rules: &[&str]| rules.iter().any(|rule| matches(rule, &path));
        let what = DELICATE.iter().find(|(_, rules)| listed(rules)).map(|(what, _)| *what);
        let what = what.or_else(|| {
            let named = own.iter().any(|rule| matches(rule, &path));
            named.then_some("is on the policy's list for one more look")
        });
        let what = what.or_else(|| path.starts_with('.').then_some("sets up tools"));
        if let Some(what) = what {
            say.review(&file.path, None, format!("{} {what}", shown(&file.path)));
        }
    }
}
