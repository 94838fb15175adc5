//! Unicode: added lines show what they say; nothing turns, hides or carries unseen text.

use super::letters::{hides, joins, tags, turns};
use super::{Case, Say, shown};

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    for file in case.change.files {
        for line in &file.added_lines {
            // A mark of the byte order belongs to the beginning of a file.
            let text = match line.text.strip_prefix('\u{feff}') {
                Some(rest) if line.number == 1 => rest,
                Some(_) | None => &line.text,
            };
            if let Some((c, what)) = unseen(text) {
                let path = shown(&file.path);
                let why = format!("{path} holds {what} (U+{:04X})", u32::from(c));
                say.refuse(&file.path, Some(line.number), why);
                break;
            }
        }
    }
}

/// The first character that is not what it looks like, and what it does.
pub(super) fn unseen(text: &str) -> Option<(char, &'static str)> {
    let mut before = None;
    for c in text.chars() {
        if turns(c) {
            return Some((c, "a character that turns the direction of text"));
        }
        if tags(c) {
            return Some((c, "a character that carries text nobody sees"));
        }
        let joined = joins(c) && before.is_some_and(takes);
        if hides(c) && !joined {
            return Some((c, "a letter nobody sees"));
        }
        before = Some(c);
    }
    None
}

/// Letters that are joined or dressed: of scripts that need it, emoji, the keys of a keypad.
fn takes(before: char) -> bool {
    let keypad = before.is_ascii_digit() || before == '#' || before == '*';
    keypad || before == '\u{fe0f}' || (!before.is_ascii() && !hides(before))
}
