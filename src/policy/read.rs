//! Reading a policy file: every key known, every value within its bounds, or one short sentence
//! with the place.

use std::fmt;

use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use super::choice;
use super::manual::{Bound, KEYS, Key};
use super::{POLICY_BYTES_MAX, POLICY_PATH, Policy};
use crate::model::{Dollars, text};

/// Longest sentence about a refused file, in characters.
const WHY_CHARS_MAX: usize = 400;
/// Longest entry of a list and longest name, in bytes.
const ENTRY_BYTES_MAX: usize = 2_000;
/// Longest part of a refused entry that is repeated, in characters.
const ODD_CHARS_MAX: usize = 60;

/// Why a policy file is refused, with the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    /// From 1; 0 when the place is unknown.
    pub line: u64,
    /// From 1, in characters; 0 when the place is unknown.
    pub column: u64,
    pub why: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{POLICY_PATH}: {}", self.why)
        } else {
            write!(f, "{POLICY_PATH}, line {}, column {}: {}", self.line, self.column, self.why)
        }
    }
}

impl Policy {
    /// Reads a policy file; unknown keys are refused with their place. A file without content
    /// is the default.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > POLICY_BYTES_MAX {
            let why = format!("the file is larger than {} KiB", POLICY_BYTES_MAX / 1024);
            return Err(PolicyError { line: 0, column: 0, why });
        }
        let idle = |line: &str| line.is_empty() || line.starts_with('#') || line == "---";
        if text.lines().all(|line| idle(line.trim())) {
            return Ok(Self::default());
        }
        let policy: Self = serde_saphyr::from_str(text).map_err(|error| {
            let (line, column) =
                error.location().map_or((0, 0), |place| (place.line(), place.column()));
            PolicyError { line, column, why: text::cut(&why(&error), WHY_CHARS_MAX) }
        })?;
        for key in KEYS {
            if let Some(why) = outside(key, &policy) {
                let (line, column) = place(text, key.name);
                return Err(PolicyError { line, column, why });
            }
        }
        Ok(policy)
    }
}

/// What is wrong, in the words of the file and not of the parser.
fn why(error: &Error) -> String {
    let error = error.without_snippet();
    if let Error::SerdeUnknownField { field, expected, .. } = error {
        return format!("there is no key `{field}`; known here: {}", expected.join(", "));
    }
    if let Error::SerdeUnknownVariant { variant, expected, .. } = error {
        return format!("`{variant}` is not possible here; possible: {}", expected.join(", "));
    }
    if let Error::DuplicateMappingKey { .. } = error {
        return "this key is given twice".to_owned();
    }
    let mut said = UserMessageFormatter.format_message(error).into_owned();
    said.retain(|c| !c.is_control());
    PLAIN.iter().find(|(parser, _)| said == *parser).map_or(said, |(_, plain)| (*plain).to_owned())
}

/// What the parser says, and what it means for somebody who writes the file.
const PLAIN: &[(&str, &str)] = &[
    ("invalid u32", "a whole number is expected here"),
    ("invalid boolean", "`true` or `false` is expected here"),
    ("expected sequence start", "a list is expected here"),
    ("expected mapping start", "keys with values are expected here"),
    ("externally tagged enum expected scalar or mapping", "one word is expected here"),
];

/// Why the value of `key` is refused, if it is.
fn outside(key: &Key, policy: &Policy) -> Option<String> {
    let name = key.name;
    match key.bound {
        Bound::Free => None,
        Bound::Number { of, min, max } => {
            let given = of(&policy.limits);
            (!(min..=max).contains(&given))
                .then(|| format!("`{name}` must be from {min} to {max}, and it is {given}"))
        }
        Bound::Money { of, min, max } => {
            let given = of(policy)?;
            (!(min..=max).contains(&given)).then(|| {
                let [min, max, given] = [min, max, given].map(Dollars::plain);
                format!("`{name}` must be from {min} to {max} dollars, and it is {given}")
            })
        }
        Bound::Name { of, bytes_max } => {
            let given = of(policy)?;
            let fits = !given.is_empty()
                && given.len() <= bytes_max
                && !given.contains(char::is_control)
                && given.trim() == given;
            (!fits).then(|| {
                format!("`{name}` must have 1 to {bytes_max} bytes, without spaces around it")
            })
        }
        Bound::Agent { of } => choice::unfit(name, of(policy)?),
        Bound::Labels { of, entries_max } => choice::unfit_labels(name, of(policy), entries_max),
        Bound::List { of, entries_max } => {
            let given = of(policy);
            let fits = |entry: &String| {
                !entry.trim().is_empty() && entry.len() <= ENTRY_BYTES_MAX && !entry.contains('\0')
            };
            (given.len() > entries_max || !given.iter().all(fits)).then(|| {
                format!(
                    "`{name}` must have at most {entries_max} entries of 1 to {ENTRY_BYTES_MAX} \
                     bytes"
                )
            })
        }
        Bound::Paths { of, entries_max } => {
            let given = of(policy);
            if given.len() > entries_max {
                return Some(format!("`{name}` must have at most {entries_max} entries"));
            }
            let odd = given.iter().find(|entry| !names_paths(entry))?;
            let odd = text::cut(&odd.replace(char::is_control, " "), ODD_CHARS_MAX);
            Some(format!(
                "`{name}` must have paths from the root of the repository, with `/` between \
                 names, and `{odd}` is none"
            ))
        }
    }
}

/// A pattern that can name something: one that cannot would protect nothing and look as if.
fn names_paths(entry: &str) -> bool {
    let plain = entry.strip_suffix('/').unwrap_or(entry);
    let part = |part: &str| {
        let whole = part == "**" || !part.contains("**");
        !part.is_empty() && part != "." && part != ".." && whole
    };
    entry.len() <= ENTRY_BYTES_MAX
        && !entry.contains(|c: char| c.is_control() || c == '\\')
        && plain.trim() == plain
        && plain.split('/').all(part)
}

/// Where the key `name` is written, or else the key above it; only for files that were read.
fn place(text: &str, name: &str) -> (u64, u64) {
    let written = |word: &str| {
        let stands = |line: &str| {
            let start = line.find(|c: char| !c.is_whitespace())?;
            let after = line.get(start..)?.trim_start_matches(['"', '\'']).strip_prefix(word)?;
            let after = after.trim_start_matches(['"', '\'']).trim_start();
            after.starts_with(':').then_some(start)
        };
        (1_u64..)
            .zip(text.lines())
            .find_map(|(number, line)| Some((number, u64::try_from(stands(line)?).ok()? + 1)))
    };
    name.rsplit('.').find_map(written).unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::super::wrapped::wrapped;
    use super::super::{Commits, Draft, Freshness, MergeMethod, MergeMode, MergeWith, UpdateWith};
    use super::*;

    fn refusal(text: &str) -> String {
        wrapped(&Policy::parse(text).unwrap_err().to_string(), 36)
    }

    #[test]
    fn a_file_without_content_is_the_default() {
        for empty in ["", "\n\n", "# nothing yet\n", "---\n# nothing\n", "{}", "stages: {}\n"] {
            assert_eq!(Policy::parse(empty), Ok(Policy::default()), "{empty:?}");
        }
    }

    #[test]
    fn every_key_is_read() {
        let policy = Policy::parse(
            "stages: {plan: false, review: false}\nmerge: auto\nmerge_with: auto-merge\n\
             method: rebase\nfreshness: loose\ndraft: never\n\
             commits: signed-by-github\nupdate_with: github\nverify:\n  - make test\n\
             allow_no_checks: true\nlabel: ship\n\
             agent: codex\nprotected: [ops/]\nreview_paths: ['db/**']\n\
             allow_binary: ['*.png']\nlimits:\n  fix_rounds_max: 1\n  file_bytes_max: 5\n\
             \x20 patch_bytes_max: 6\n",
        )
        .unwrap();
        assert!(!policy.stages.plan && policy.stages.verify && !policy.stages.review);
        assert_eq!(policy.merge, MergeMode::Auto);
        assert_eq!(policy.merge_with, MergeWith::AutoMerge);
        assert_eq!(policy.method, MergeMethod::Rebase);
        assert_eq!(policy.freshness, Freshness::Loose);
        assert_eq!((policy.draft, policy.commits), (Draft::Never, Commits::SignedByGithub));
        assert_eq!(policy.update_with, UpdateWith::Github);
        assert_eq!(policy.verify, ["make test"]);
        assert!(policy.allow_no_checks);
        assert_eq!((policy.label.as_str(), policy.agent.as_deref()), ("ship", Some("codex")));
        assert_eq!(policy.protected, ["ops/"]);
        assert_eq!(
            (&*policy.review_paths, &*policy.allow_binary),
            (&["db/**".to_owned()][..], &["*.png".to_owned()][..])
        );
        let limits = &policy.limits;
        assert_eq!((limits.file_bytes_max, limits.patch_bytes_max), (5, 6));
        assert_eq!((policy.limits.fix_rounds_max, policy.limits.resolve_rounds_max), (1, 3));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        insta::assert_snapshot!(refusal("merge: auto\nmerge_method: squash\n"), @"
        .github/slipway.yml, line 2, column
        1: there is no key `merge_method`;
        known here: stages, merge,
        merge_with, method, freshness,
        draft, commits, update_with, verify,
        allow_no_checks, label, agent,
        agents, agent_labels, protected,
        review_paths, allow_binary, push,
        outsiders, requester_may_approve,
        critique, limits, budget
        ");
        insta::assert_snapshot!(refusal("# mine\nlimits:\n  fix_rounds: 3\n"), @"
        .github/slipway.yml, line 3, column
        3: there is no key `fix_rounds`;
        known here: fix_rounds_max,
        resolve_rounds_max,
        review_rounds_max,
        critique_rounds_max,
        update_rounds_max,
        agent_minutes_max,
        verify_minutes_max,
        ci_start_minutes_max,
        ci_minutes_max, ci_quiet_seconds,
        files_max, lines_max,
        file_bytes_max, patch_bytes_max,
        questions_max, stories_at_once_max,
        hold_hours_max
        ");
    }

    #[test]
    fn what_does_not_fit_its_key_is_refused_with_its_place() {
        insta::assert_snapshot!(refusal("merge: sometimes\n"), @"
        .github/slipway.yml, line 1, column
        8: `sometimes` is not possible here;
        possible: auto, on-approval,
        on-command, never
        ");
        insta::assert_snapshot!(refusal("limits:\n  fix_rounds_max: many\n"), @"
        .github/slipway.yml, line 2, column
        19: a whole number is expected here
        ");
        insta::assert_snapshot!(refusal("limits:\n  fix_rounds_max: -1\n"), @"
        .github/slipway.yml, line 2, column
        19: a whole number is expected here
        ");
        insta::assert_snapshot!(refusal("verify: make test\n"), @"
        .github/slipway.yml, line 1, column
        9: a list is expected here
        ");
        insta::assert_snapshot!(refusal("allow_no_checks: 3\n"), @"
        .github/slipway.yml, line 1, column
        18: `true` or `false` is expected
        here
        ");
        insta::assert_snapshot!(refusal("label: a\nlabel: b\n"), @"
        .github/slipway.yml, line 2, column
        1: this key is given twice
        ");
        insta::assert_snapshot!(refusal("- a\n- b\n"), @"
        .github/slipway.yml, line 1, column
        1: keys with values are expected
        here
        ");
        insta::assert_snapshot!(refusal("merge: [auto\n"), @"
        .github/slipway.yml, line 1, column
        8: one word is expected here
        ");
        insta::assert_snapshot!(refusal("just words"), @"
        .github/slipway.yml, line 1, column
        1: keys with values are expected
        here
        ");
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_with_its_place() {
        insta::assert_snapshot!(refusal("label: ''\n"), @"
        .github/slipway.yml, line 1, column
        1: `label` must have 1 to 50 bytes,
        without spaces around it
        ");
        insta::assert_snapshot!(refusal("limits:\n  agent_minutes_max: 0\n"), @"
        .github/slipway.yml, line 2, column
        3: `limits.agent_minutes_max` must
        be from 1 to 480, and it is 0
        ");
        insta::assert_snapshot!(refusal("limits: {fix_rounds_max: 11}\n"), @"
        .github/slipway.yml, line 1, column
        1: `limits.fix_rounds_max` must be
        from 0 to 10, and it is 11
        ");
        insta::assert_snapshot!(refusal("merge: auto\nverify: ['']\n"), @"
        .github/slipway.yml, line 2, column
        1: `verify` must have at most 20
        entries of 1 to 2000 bytes
        ");
        insta::assert_snapshot!(refusal(&format!("verify: [{}]\n", "x,".repeat(21))), @"
        .github/slipway.yml, line 1, column
        1: `verify` must have at most 20
        entries of 1 to 2000 bytes
        ");
        insta::assert_snapshot!(refusal("budget:\n  run: 0\n"), @"
        .github/slipway.yml, line 2, column
        3: `budget.run` must be from 0.01 to
        10000 dollars, and it is 0
        ");
        insta::assert_snapshot!(refusal("budget: {issue: plenty}\n"), @"
        .github/slipway.yml, line 1, column
        17: an amount in dollars is expected
        here, such as 2.50
        ");
        insta::assert_snapshot!(refusal(&"# long\n".repeat(10_000)), @"
        .github/slipway.yml: the file is
        larger than 64 KiB
        ");
    }

    #[test]
    fn money_is_read_as_it_is_written() {
        for (text, micros) in [("2.50", 2_500_000), ("3", 3_000_000), ("'0.10'", 100_000)] {
            let policy = Policy::parse(&format!("budget:\n  run: {text}\n")).unwrap();
            assert_eq!(policy.budget.run.map(|run| run.0), Some(micros), "{text}");
            assert_eq!(policy.budget.issue, None);
        }
    }

    #[test]
    fn a_pattern_that_can_name_nothing_is_refused() {
        for entry in ["/ops", "./ops", "a/../b", "a//b", "", "/", "a\\\\b", "a**", "' a'", "a\\tb"]
        {
            for key in ["protected", "review_paths", "allow_binary"] {
                let file = format!("{key}: [\"{entry}\"]\n");
                let quoted = file.replace("\"'", "\"").replace("'\"", "\"");
                assert!(Policy::parse(&quoted).is_err(), "{quoted}");
            }
        }
        for entry in ["ops", "ops/", "**/x", "a/**", "*.png", "a b/c", ".env*"] {
            assert!(Policy::parse(&format!("protected: ['{entry}']\n")).is_ok(), "{entry}");
        }
        insta::assert_snapshot!(refusal("merge: auto\nprotected: [/ops]\n"), @"
        .github/slipway.yml, line 2, column
        1: `protected` must have paths from
        the root of the repository, with `/`
        between names, and `/ops` is none
        ");
    }

    #[test]
    fn a_hostile_file_is_refused_quickly() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                    c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nverify: [*c,*c,*c]\n";
        assert!(Policy::parse(bomb).is_err());
        assert!(Policy::parse(&"[".repeat(60_000)).is_err());
        assert!(Policy::parse(&"{a: ".repeat(10_000)).is_err());
        let long = format!("{}: 1\n", "k".repeat(5_000));
        assert!(refusal(&long).chars().count() < 500);
    }
}
