//! Changed files as tables of lines: numbers of both sides, the sign, the text.

use maud::{Markup, html};

use super::super::forge::{ChangeKind, FileChange};

/// Lines of all files that are shown.
const LINES_MAX: usize = 6_000;
/// Characters of a line that are shown.
const LINE_MAX: usize = 1_000;

/// One row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Row<'a> {
    Hunk(&'a str),
    Kept(u64, u64, &'a str),
    Added(u64, &'a str),
    Removed(u64, &'a str),
    /// What git says about a line, such as a missing line end.
    Note(&'a str),
}

/// All files; `below` gives what stands under a line of the new side.
pub(super) fn show(files: &[FileChange], below: impl Fn(&str, u64) -> Markup) -> Markup {
    let (added, removed) =
        files.iter().fold((0, 0), |sum, one| (sum.0 + one.additions, sum.1 + one.deletions));
    let mut left = LINES_MAX;
    html! {
        p.lead {
            (super::parts::plural(files.len(), "file")) " changed, "
            span.plus { "+" (added) } " " span.minus { "−" (removed) }
        }
        @for file in files {
            @let lines = rows(&file.patch);
            @let count = lines.len().min(left);
            @let hidden = lines.len() - count;
            section.panel.file id=(file.path) {
                h2.panel-head {
                    (kind(file.kind)) " " code { (file.path) } " "
                    span.plus { "+" (file.additions) } " " span.minus { "−" (file.deletions) }
                }
                @if lines.is_empty() {
                    p.empty {
                        "No lines to show: the file is empty, binary, or only its mode changed."
                    }
                }
                div.scroll tabindex="0" role="region" aria-label={ "Changes of " (file.path) } {
                    table.diff {
                        thead.sr {
                            tr { th { "Old line" } th { "New line" } th { "Sign" } th { "Text" } }
                        }
                        tbody {
                            @for row in lines.iter().take(count) { (line(row, &file.path, &below)) }
                        }
                    }
                }
                @if hidden > 0 {
                    p.empty { (super::parts::plural(hidden, "more line")) " not shown" }
                }
            }
            ({ left -= count; "" })
        }
    }
}

fn kind(kind: ChangeKind) -> Markup {
    let word = match kind {
        ChangeKind::Added => "new",
        ChangeKind::Modified => "changed",
        ChangeKind::Removed => "removed",
    };
    html! { span.tag { (word) } }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(LINE_MAX).map_or(text, |(at, _)| text.get(..at).unwrap_or(text))
}

fn line(row: &Row<'_>, path: &str, below: &impl Fn(&str, u64) -> Markup) -> Markup {
    let cells = |class: &str, (old, new): (Option<u64>, Option<u64>), sign: &str, text: &str| {
        html! {
            tr class=(class) {
                td.n { @if let Some(old) = old { (old) } }
                td.n { @if let Some(new) = new { (new) } }
                td.sign { (sign) }
                td.text { (cut(text)) }
            }
        }
    };
    let under = |new: u64| {
        let found = below(path, new);
        html! { @if !found.0.is_empty() { tr.talk { td colspan="4" { (found) } } } }
    };
    match row {
        Row::Hunk(text) => html! { tr.hunk { td colspan="4" { (text) } } },
        Row::Kept(old, new, text) => html! {
            (cells("", (Some(*old), Some(*new)), "", text)) (under(*new))
        },
        Row::Added(new, text) => {
            html! { (cells("added", (None, Some(*new)), "+", text)) (under(*new)) }
        }
        Row::Removed(old, text) => cells("removed", (Some(*old), None), "−", text),
        Row::Note(text) => html! { tr.note { td colspan="4" { (text) } } },
    }
}

fn rows(patch: &str) -> Vec<Row<'_>> {
    let (mut old, mut new) = (0, 0);
    let mut rows = Vec::new();
    for line in patch.lines() {
        if let Some(starts) = starts(line) {
            (old, new) = starts;
            rows.push(Row::Hunk(line));
        } else if let Some(text) = line.strip_prefix('+') {
            rows.push(Row::Added(new, text));
            new += 1;
        } else if let Some(text) = line.strip_prefix('-') {
            rows.push(Row::Removed(old, text));
            old += 1;
        } else if let Some(text) = line.strip_prefix('\\') {
            rows.push(Row::Note(text.trim_start()));
        } else {
            rows.push(Row::Kept(old, new, line.strip_prefix(' ').unwrap_or(line)));
            (old, new) = (old + 1, new + 1);
        }
    }
    rows
}

/// The first lines of both sides from `@@ -a,b +c,d @@`.
fn starts(line: &str) -> Option<(u64, u64)> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let first = |range: &str| range.split(',').next()?.parse().ok();
    Some((first(old)?, first(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "@@ -3,3 +3,3 @@ fn x\n a\n-b\n+<b>\n c\n\\ No newline at end of file\n";

    #[test]
    fn lines_carry_the_numbers_of_their_sides() {
        assert_eq!(
            rows(PATCH),
            [
                Row::Hunk("@@ -3,3 +3,3 @@ fn x"),
                Row::Kept(3, 3, "a"),
                Row::Removed(4, "b"),
                Row::Added(4, "<b>"),
                Row::Kept(5, 5, "c"),
                Row::Note("No newline at end of file"),
            ]
        );
    }

    #[test]
    fn text_is_escaped_talk_stands_under_its_line_and_the_whole_is_bounded() {
        let file = |patch: String| FileChange {
            path: "a.sh".to_owned(),
            kind: ChangeKind::Modified,
            additions: 1,
            deletions: 1,
            patch,
        };
        let below = |path: &str, line: u64| {
            html! { @if (path, line) == ("a.sh", 4) { "said here" } }
        };
        let html = show(&[file(PATCH.to_owned())], below).0;
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
        let (at, talk) = (html.find("&lt;b&gt;").unwrap(), html.find("said here").unwrap());
        assert!(at < talk && html.matches("said here").count() == 1);

        let long = format!("@@ -0,0 +1,9 @@\n{}", "+x\n".repeat(LINES_MAX));
        let html = show(&[file(long), file(PATCH.to_owned())], |_, _| html! {}).0;
        assert_eq!(html.matches("<td class=\"text\">").count(), LINES_MAX - 1);
        assert!(html.contains("6 more lines not shown"));
    }
}
