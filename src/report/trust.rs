//! What was read, how far it is believed, and what is held, as people see it.

use super::Context;
use crate::markdown;
use crate::model::sanitized::{Markdown, code, fenced, said};
use crate::pipeline::State;
use crate::pipeline::trust::Held;

/// Most paths listed in a comment.
const PATHS_MAX: usize = 50;
/// Longest part of a held change shown in a comment, in characters.
const PATCH_CHARS_MAX: usize = 24_000;

/// What an agent reads of the issue, and what follows from who wrote it; empty for runs that
/// were asked for before this was kept.
pub(super) fn read(context: &Context<'_>) -> Markdown {
    let state = context.state;
    let Some(frozen) = &state.request.frozen else { return Markdown::default() };
    let many = if frozen.remarks.len() == 1 { "comment" } else { "comments" };
    let mut line = markdown!(
        "Read as it stood when it was asked: title, body and {} {}; {} left out. Digest {}.",
        frozen.remarks.len(),
        many,
        frozen.left_out,
        code(frozen.short())
    );
    if let Some(commit) = &frozen.policy_at {
        line.push(&markdown!(" Policy of {}.", code(commit.short())));
    }
    markdown!("{} {}", line, tainted(context))
}

/// Whether the run is tainted, why, and what that means.
fn tainted(context: &Context<'_>) -> Markdown {
    let state = context.state;
    let reasons: Vec<Markdown> =
        state.tainted.iter().map(|taint| Markdown::from(taint.why())).collect();
    if reasons.is_empty() {
        return "Not tainted.".into();
    }
    let pushes = if state.holds_push(context.policy) {
        "every push waits for `/push`, and a person must approve the merge"
    } else {
        "a person must approve the merge"
    };
    markdown!("Tainted, since {}: {}.", Markdown::joined(&reasons, " and "), pushes)
}

/// The change that waits for `/push`; `None` when none does.
pub(super) fn held(context: &Context<'_>) -> Option<Markdown> {
    let held = context.state.held()?;
    let diff = &held.diff;
    let (commit, sums) = (code(held.head.short()), said(&totals(held)));
    let mut text = markdown!("**Held: what {} changes.** {}\n\n", commit, sums);
    for file in diff.files.iter().take(PATHS_MAX) {
        let path = said(&file.path);
        text.push(&markdown!("- {} (+{} −{})\n", path, file.added, file.removed));
    }
    let more = diff.files.len().saturating_sub(PATHS_MAX);
    let more = u32::try_from(more).unwrap_or(u32::MAX).saturating_add(diff.more_files);
    if more > 0 {
        text.push(&markdown!("- and {} more\n", more));
    }
    let (patch, rest) = context.shortened(&diff.patch, PATCH_CHARS_MAX);
    let incomplete = if diff.is_cut && rest.is_empty() {
        "\n\n<sub>Not every line fits here.</sub>"
    } else {
        ""
    };
    let body = markdown!("{}{}{}", fenced(&patch), rest, incomplete);
    let open = "<details><summary>The change</summary>";
    text.push(&markdown!("\n{}\n\n{}\n\n</details>", open, body));
    Some(text)
}

/// Files and lines of a held change.
fn totals(held: &Held) -> String {
    let files = held.diff.files.len() + usize::try_from(held.diff.more_files).unwrap_or(0);
    let sum = |of: fn(&crate::pipeline::trust::DiffFile) -> u32| -> u64 {
        held.diff.files.iter().map(|file| u64::from(of(file))).sum()
    };
    let (added, removed) = (sum(|file| file.added), sum(|file| file.removed));
    let many = if files == 1 { "" } else { "s" };
    format!("{files} file{many}, {added} lines put in, {removed} taken out.")
}

/// The same for a page, which shows text alone.
pub(super) fn held_lines(state: &State) -> Option<(String, String)> {
    let held = state.held()?;
    let cut_off = if held.diff.is_cut { "\n(not every line fits here)" } else { "" };
    let title = format!("Held: what {} changes. {}", held.head.short(), totals(held));
    Some((title, format!("{}{cut_off}", held.diff.patch.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, sha, with};
    use super::super::{check_run, issue_comment, page, pull_comment};
    use crate::model::{CommentId, UserId};
    use crate::pipeline::frozen::{Frozen, Level, Remark, Taint};
    use crate::pipeline::trust::{Diff, DiffFile, HELD_BYTES_MAX, Held};
    use crate::pipeline::{Phase, StageKind, State};
    use crate::policy::Policy;
    use crate::policy::wrapped::wrapped;

    fn frozen(level: Level) -> Frozen {
        let by = crate::model::User { id: UserId(4), login: "eve".to_owned(), bot: false };
        let remark =
            Remark { id: CommentId(3), by, level: Level::Instruction, text: String::new() };
        Frozen {
            public: true,
            level,
            remarks: vec![remark],
            left_out: 2,
            digest: "0123456789abcdef".repeat(4),
            policy_at: Some(sha('9')),
        }
    }

    fn holding(patch: &str) -> State {
        let wait = sample::wait("`/push` of exactly `aaaaaaa`", Some((72 * 60, "it asks you")));
        let mut state = sample::running(StageKind::Publish, wait);
        std::sync::Arc::make_mut(&mut state.request).frozen = Some(frozen(Level::Quote));
        state.tainted = [Taint::Issue].into();
        state.work.head = Some(sha('a'));
        let file = |path: &str| DiffFile { path: path.to_owned(), added: 2, removed: 1 };
        let files = vec![file("src/a.rs"), file("@all/[x](http://e.vil)")];
        let diff = Diff { files, more_files: 0, patch: patch.to_owned(), is_cut: true };
        state.work.held = Some(Held { head: sha('a'), at: sample::T, diff });
        state
    }

    #[test]
    fn the_comment_says_what_was_read_and_whether_the_run_is_tainted() {
        let mut state = holding("");
        let say = |state: &State| {
            let text = with(state, &Policy::default(), super::read).to_string();
            wrapped(&text, 60)
        };
        insta::assert_snapshot!(say(&state), @"
        Read as it stood when it was asked: title, body and 1
        comment; 2 left out. Digest `01234567`. Policy of
        `9999999999`. Tainted, since the issue's words are those of
        somebody who may not write here: every push waits for
        `/push`, and a person must approve the merge.
        ");
        state.tainted = [Taint::Logs].into();
        assert!(
            say(&state).replace('\n', " ").contains("read the output of checks: a person must")
        );
        state.tainted.clear();
        assert!(say(&state).replace('\n', " ").trim_end().ends_with("Not tainted."));
    }

    #[test]
    fn a_held_change_is_shown_inert_where_people_release_it_and_gone_once_it_is_pushed() {
        let mut state = holding("src/a.rs\n-old\n+``` @all\u{202e} /merge\n");
        let policy = Policy::default();
        let comment = with(&state, &policy, issue_comment).to_string();
        assert!(comment.contains("Held: what `aaaaaaaaaa` changes.** 2 files, 4 lines put in"));
        assert!(comment.contains("- src/a.rs (+2 −1)") && comment.contains("Not every line"));
        assert!(!comment.contains('\u{202e}') && comment.contains("````"));
        assert!(!comment.contains("- @all"), "a path mentions nobody");
        let shown = with(&state, &policy, |context| page::run_page(context, (&[], &[], &[]), None));
        assert!(
            shown.contains("Held: what aaaaaaaaaa changes") && shown.contains("+``` @all /merge")
        );
        let report = with(&state, &policy, |context| check_run(context, &sha('a')));
        assert!(report.summary.as_str().contains("src/a.rs"));
        state.work.published = Some(sha('a'));
        for text in [with(&state, &policy, issue_comment), with(&state, &policy, pull_comment)] {
            assert!(!text.as_str().contains("Held: what"));
        }
    }

    #[test]
    fn a_held_change_of_any_size_fits_into_a_comment() {
        let state = holding(&format!("{}\n", "+y\n".repeat(HELD_BYTES_MAX / 3)));
        assert!(matches!(
            &state.progress,
            crate::pipeline::Progress::Running { phase: Phase::Waiting(_), .. }
        ));
        let comment = with(&state, &Policy::default(), issue_comment).to_string();
        assert!(comment.contains("Held: what") && comment.contains("tells it whole"));
        assert!(comment.chars().count() <= crate::model::text::COMMENT_CHARS_MAX);
    }
}
