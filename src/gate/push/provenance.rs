//! Provenance: the change starts where the run recorded that it starts.

use super::{Case, Say};

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    match (case.change.from, case.change.recorded) {
        (None, _) => {
            say.refuse("", None, "it has nothing in common with the base branch".to_owned());
        }
        (Some(from), Some(recorded)) if from != recorded => {
            let (from, recorded) = (from.short(), recorded.short());
            say.refuse("", None, format!("it starts from {from}, and {recorded} was recorded"));
        }
        (Some(_), Some(_) | None) => {}
    }
}
