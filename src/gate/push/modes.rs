//! Modes: plain files and safe links; no submodule; a new executable bit is shown to people.

use std::collections::BTreeSet;

use super::letters::folded;
use super::{Case, FileChange, Mode, Say, paths, shown};

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    let near = case.change.near.iter().filter(|near| near.link).map(|near| near.path.as_str());
    let new = case.change.files.iter().filter(|file| file.after == Mode::Link);
    let links: BTreeSet<&str> = near.chain(new.map(|file| file.path.as_str())).collect();
    for file in case.change.files {
        let path = shown(&file.path);
        if [file.before, file.after].contains(&Mode::Submodule) {
            say.refuse(&file.path, None, format!("{path} is a submodule"));
            continue;
        }
        match file.after {
            Mode::Absent | Mode::Plain => {}
            Mode::Runnable if file.before == Mode::Runnable => {}
            Mode::Runnable => say.review(&file.path, None, format!("{path} becomes executable")),
            Mode::Link => {
                if let Some(fault) = leads_astray(file, &links) {
                    let why = format!("{path} is a link {fault}");
                    say.refuse(&file.path, None, why);
                }
            }
            Mode::Submodule | Mode::Other => {
                let why = format!("{path} is neither a plain file nor a link");
                say.refuse(&file.path, None, why);
            }
        }
    }
}

/// The path a link leads to, from the root of the repository; why it leads nowhere we allow.
pub(super) fn target(path: &str, link: &str) -> Result<String, &'static str> {
    if link.is_empty() || link.starts_with('/') || link.contains(['\\', ':']) {
        return Err("that is not relative");
    }
    let mut place: Vec<&str> = path.split('/').collect();
    place.pop();
    for part in link.split('/') {
        match part {
            ".." if place.pop().is_none() => return Err("out of the repository"),
            "" | "." | ".." => {}
            part => place.push(part),
        }
    }
    Ok(place.join("/"))
}

fn leads_astray(file: &FileChange, links: &BTreeSet<&str>) -> Option<&'static str> {
    let Some(link) = file.link.as_deref() else { return Some("that cannot be read") };
    let target = match target(&file.path, link) {
        Ok(target) => target,
        Err(why) => return Some(why),
    };
    if target.is_empty() {
        return Some("to the repository itself");
    }
    if paths::fault(&target).is_some() {
        return Some("to a name that is not allowed");
    }
    if target.split('/').any(|part| folded(part).starts_with(".git")) {
        return Some("to what belongs to git or GitHub");
    }
    let through = paths::prefixes(&target).any(|place| links.contains(place));
    through.then_some("that leads through another link")
}
