//! Binary files: only text, and images where the policy allows them.

use super::content::IMAGE_BYTES_MAX;
use super::glob::matches;
use super::letters::folded;
use super::{Case, Content, Format, Say, shown};

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    let allowed: Vec<String> = case.policy.allow_binary.iter().map(|rule| folded(rule)).collect();
    for file in case.change.files.iter().filter(|file| file.stays()) {
        let path = shown(&file.path);
        let fault = match &file.content {
            Content::Nothing | Content::Text => continue,
            Content::Pointer => "stands for a file kept elsewhere, which nobody can look at here",
            Content::Unread => "is too large to be looked at",
            Content::Binary(Format::Program(what) | Format::Archive(what), _) => {
                say.refuse(&file.path, None, format!("{path} is {what}"));
                continue;
            }
            Content::Binary(Format::Image(_), _) if file.bytes > IMAGE_BYTES_MAX as u64 => {
                "is an image of more than 512 KiB"
            }
            Content::Binary(Format::Image(_), _) => {
                let name = folded(&file.path);
                if allowed.iter().any(|rule| matches(rule, &name)) {
                    continue;
                }
                "is an image, and the policy's `allow_binary` does not name it"
            }
            Content::Binary(Format::Unknown, _) => "is not text",
        };
        say.refuse(&file.path, None, format!("{path} {fault}"));
    }
}
