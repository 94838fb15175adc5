//! Scope: only what was asked for is touched, and nothing is left half resolved.

use super::{Case, Say, shown};

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    let change = case.change;
    for path in change.markers {
        say.refuse(path, None, format!("{} still has conflict markers", shown(path)));
    }
    let Some(only) = change.only else { return };
    for file in change.files.iter().filter(|file| !only.contains(&file.path)) {
        let why = format!("{} had no conflict and was changed", shown(&file.path));
        say.refuse(&file.path, None, why);
    }
}
