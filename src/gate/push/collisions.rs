//! Collisions: no two names in the new tree that some file system takes for one.

use std::collections::{BTreeMap, BTreeSet};

use super::letters::folded;
use super::{Case, ChangeKind, Say, paths, shown};

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    let mut spelled: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let near = case.change.near.iter().map(|near| near.path.as_str());
    let staying = case.change.files.iter().filter(|file| file.stays());
    for path in near.chain(staying.map(|file| file.path.as_str())) {
        for place in paths::prefixes(path) {
            spelled.entry(folded(place)).or_default().insert(place);
        }
    }
    for file in case.change.files.iter().filter(|file| file.kind == ChangeKind::Added) {
        let other = paths::prefixes(&file.path).find_map(|place| {
            let same = spelled.get(&folded(place))?;
            same.iter().copied().find(|other| *other != place)
        });
        if let Some(other) = other {
            let (path, other) = (shown(&file.path), shown(other));
            let why = format!("{path} and {other} are one name to some file systems");
            say.refuse(&file.path, None, why);
        }
    }
}
