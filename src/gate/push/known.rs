//! Known secrets: nothing this process keeps secret leaves, however it is written.

use super::{Case, Content, Say, shown};
use crate::model::Vault;

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    search(case, case.known.secrets, "a secret that Slipway knows", say);
}

/// Says where any value of `vault` stands. Neither the value nor the text around it is repeated.
pub(super) fn search(case: &Case<'_>, vault: &Vault, what: &str, say: &mut Say<'_>) {
    for file in case.change.files {
        if vault.finds(file.path.as_bytes()) {
            say.refuse("", None, format!("the name of a file holds {what}"));
            continue;
        }
        let whole: Vec<&str> = file.added_lines.iter().map(|line| line.text.as_str()).collect();
        let image = match &file.content {
            Content::Binary(_, bytes) => vault.finds(bytes),
            Content::Nothing | Content::Text | Content::Pointer | Content::Unread => false,
        };
        let link = file.link.as_deref().is_some_and(|link| vault.finds(link.as_bytes()));
        if image || link || across(&whole, vault) {
            let first = file.added_lines.iter().find(|line| vault.finds(line.text.as_bytes()));
            let why = format!("{} holds {what}", shown(&file.path));
            say.refuse(&file.path, first.map(|line| line.number), why);
        }
    }
    for (name, text) in case.change.texts {
        if across(&text.lines().collect::<Vec<_>>(), vault) {
            say.refuse("", None, format!("{name} holds {what}"));
        }
    }
}

/// It stands in the lines, or is broken over them or spread with spaces.
fn across(lines: &[&str], vault: &Vault) -> bool {
    let packed = |text: &&str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let spread: String = lines.iter().map(packed).collect();
    vault.finds(lines.join("\n").as_bytes()) || vault.finds(spread.as_bytes())
}
