//! Counts: how many files, how many bytes, how many lines.

use super::{Case, Say, shown};

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    let (limits, change) = (&case.policy.limits, case.change);
    if change.truncated {
        say.refuse("", None, "it touches more files than can be listed".to_owned());
    }
    let files = change.files.len() as u64;
    if files > u64::from(limits.files_max) {
        let max = limits.files_max;
        say.refuse("", None, format!("it touches {files} files; {max} are allowed"));
    }
    if change.patch_bytes > u64::from(limits.patch_bytes_max) {
        let max = limits.patch_bytes_max;
        say.refuse("", None, format!("its patch has more than {max} bytes, which are allowed"));
    }
    let sum = |file: &super::FileChange| u64::from(file.added) + u64::from(file.removed);
    let lines: u64 = change.files.iter().map(sum).sum();
    if lines > u64::from(limits.lines_max) {
        let max = limits.lines_max;
        say.refuse("", None, format!("it changes {lines} lines; {max} are allowed"));
    }
    for file in change.files.iter().filter(|file| file.stays()) {
        if file.bytes > u64::from(limits.file_bytes_max) {
            let (path, bytes, max) = (shown(&file.path), file.bytes, limits.file_bytes_max);
            let why = format!("{path} has {bytes} bytes; {max} are allowed");
            say.refuse(&file.path, None, why);
        }
    }
}
