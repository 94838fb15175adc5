//! Show: what a held change changes, read from our own mirror for the person who releases it.

use std::fmt::Write as _;

use super::Context;
use crate::git::Changes;
use crate::model::CommitSha;
use crate::pipeline::Done;
use crate::pipeline::trust::{Diff, DiffFile, HELD_BYTES_MAX, HELD_FILES_MAX};
use crate::worker::failure::Failure;

pub(super) async fn perform(context: &Context<'_>, head: &CommitSha) -> Result<Done, Failure> {
    let state = context.state;
    let Some(onto) = state.work.onto.as_ref() else {
        return Err(Failure::Fault("a run without a base has nothing to show".to_owned()));
    };
    context.refresh().await?;
    let git = &context.engine.ports.git;
    let changes = git.between(&state.request.repo, onto, head).await?;
    Ok(Done::Shown { head: head.clone(), diff: diff(&changes) })
}

/// The change within its limits; whatever is left out is told.
pub(super) fn diff(changes: &Changes) -> Diff {
    let all = changes.files.len();
    let files = changes.files.iter().take(HELD_FILES_MAX).map(|file| DiffFile {
        path: file.path.clone(),
        added: file.added,
        removed: file.removed,
    });
    let mut diff = Diff {
        files: files.collect(),
        more_files: u32::try_from(all.saturating_sub(HELD_FILES_MAX)).unwrap_or(u32::MAX),
        ..Diff::default()
    };
    for file in &changes.files {
        let mut text = format!("{}\n", file.path);
        if file.added_lines.is_empty() && file.removed_lines.is_empty() {
            text.push_str("(not shown: it is no text)\n");
            diff.is_cut = true;
        }
        for line in &file.removed_lines {
            _ = writeln!(text, "-{line}");
        }
        for line in &file.added_lines {
            _ = writeln!(text, "+{}", line.text);
        }
        let shown = file.removed_lines.len() + file.added_lines.len();
        let counted = u64::from(file.added) + u64::from(file.removed);
        if (shown as u64) < counted {
            text.push_str("(more lines are not shown)\n");
            diff.is_cut = true;
        }
        if diff.patch.len() + text.len() > HELD_BYTES_MAX {
            diff.is_cut = true;
            break;
        }
        diff.patch.push_str(&text);
    }
    diff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::push::Line;
    use crate::git::{ChangeKind, FileChange};

    fn line(text: &str) -> Line {
        Line { number: 1, text: text.to_owned() }
    }

    fn file(path: &str, lines: usize) -> FileChange {
        let changed = FileChange::new(path.to_owned(), ChangeKind::Modified);
        FileChange { added: 2, added_lines: vec![line("x"); lines], ..changed }
    }

    #[test]
    fn what_is_left_out_of_a_held_change_is_told() {
        let of = |files: Vec<FileChange>| diff(&Changes { files, ..Changes::default() });
        let whole = of(vec![file("a", 2)]);
        assert_eq!((whole.patch.as_str(), whole.is_cut), ("a\n+x\n+x\n", false));
        assert!(of(vec![file("a", 1)]).is_cut, "a line is missing");
        assert!(of(vec![file("b", 0)]).is_cut, "git sees no text");
        let many: Vec<_> = (0..=HELD_FILES_MAX).map(|n| file(&format!("f{n}"), 2)).collect();
        let many = of(many);
        assert_eq!((many.files.len(), many.more_files), (HELD_FILES_MAX, 1));
        let mut long = file("l", 2);
        long.added_lines = vec![line(&"y".repeat(HELD_BYTES_MAX)), line("")];
        let long = of(vec![file("a", 2), long]);
        assert!(long.is_cut && long.patch.len() <= HELD_BYTES_MAX);
    }
}
