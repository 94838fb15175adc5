//! Our own check among the rules of a branch: nobody can wait for what only we report.

use super::CHECK_NAME;
use crate::gate::seen::Rules;

/// Takes our own check out of what is required, and remembers that it was: it follows from the
/// other gates. The same name demanded of another App is theirs.
pub fn set_ours_apart(rules: &mut Rules, app: u64) {
    let of_other = rules.by_app.get(CHECK_NAME).is_some_and(|only| *only != app);
    if !of_other && rules.required.remove(CHECK_NAME) {
        rules.by_app.remove(CHECK_NAME);
        rules.ours = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_check_is_set_apart() {
        for (only, ours) in [(None, true), (Some(7), true), (Some(8), false)] {
            let mut rules = Rules::default();
            rules.required.extend(["test".to_owned(), CHECK_NAME.to_owned()]);
            rules.by_app.extend(only.map(|app| (CHECK_NAME.to_owned(), app)));
            set_ours_apart(&mut rules, 7);
            assert_eq!(rules.ours, ours, "{only:?}");
            assert_eq!(rules.required.contains(CHECK_NAME), !ours, "{only:?}");
            assert!(rules.required.contains("test"));
        }
    }
}
