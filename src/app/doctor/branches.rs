//! Check: where a policy merges without a person, something guards the branch, and our App
//! cannot bypass it.

use super::Case;
use super::report::Line;
use crate::gate::seen::Rules;
use crate::github::app::App;
use crate::github::{At, Error, GitHub as _};
use crate::policy::{MergeMode, POLICY_PATH, Policy};

const NAME: &str = "branches";
/// Most repositories looked at; the engine judges each of them before every merge anyway.
const PLACES_MAX: usize = 20;

/// A repository whose policy merges by itself, and what GitHub tells of its default branch.
pub(super) struct Guarded {
    pub(super) repo: String,
    pub(super) branch: String,
    pub(super) rules: Result<Rules, Error>,
}

/// Those among the first repositories.
pub(super) async fn look(app: &App) -> Result<Vec<Guarded>, Error> {
    let mut found = Vec::new();
    for at in app.places().await?.into_iter().take(PLACES_MAX) {
        // What one repository refuses to tell, its own runs will tell.
        if let Ok(Some(guarded)) = one(app, &at).await {
            found.push(guarded);
        }
    }
    Ok(found)
}

async fn one(app: &App, at: &At) -> Result<Option<Guarded>, Error> {
    let text = app.file(at, POLICY_PATH).await?.unwrap_or_default();
    let merges = Policy::parse(&text).is_ok_and(|policy| policy.merge == MergeMode::Auto);
    if !merges {
        return Ok(None);
    }
    let branch = app.repository(at).await?.default_branch;
    let rules = async {
        let mut rules = app.rules(at, &branch).await?;
        rules.bypass = app.may_bypass(at, &branch).await?;
        Ok(rules)
    };
    let rules = rules.await;
    Ok(Some(Guarded { repo: at.repo.to_string(), branch: branch.to_string(), rules }))
}

pub(super) fn check(case: &Case) -> Vec<Line> {
    let Some(seen) = &case.seen else { return Vec::new() };
    match &seen.branches {
        Ok(branches) => branches.iter().map(line).collect(),
        // Another check tells that GitHub does not list them.
        Err(_) => Vec::new(),
    }
}

fn line(one: &Guarded) -> Line {
    let Guarded { repo, branch, rules } = one;
    let what = format!("{repo}: `merge: auto` into {branch}");
    match rules {
        Err(error) => {
            Line::warn(NAME, format!("{what}: its rules are not told: {error}"), "try again")
        }
        Ok(rules) if rules.bypass => {
            let next = "take the App out of the bypass list of the branch's rules";
            Line::fail(NAME, format!("{what}: the App may bypass the branch's rules"), next)
        }
        Ok(rules) if !rules.protected => {
            let next = "add a rule for the branch, such as a required check; until then a person \
                        must approve";
            Line::fail(NAME, format!("{what}: no rule protects the branch"), next)
        }
        Ok(_) => Line::ok(NAME, format!("{what}: guarded by rules the App cannot bypass")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Report;
    use super::*;

    #[test]
    fn attack_43_the_doctor_fails_an_unguarded_branch_that_merges_by_itself() {
        let fails = |protected: bool, bypass: bool| {
            let rules = Ok(Rules { protected, bypass, ..Rules::default() });
            let (repo, branch) = ("o/r".to_owned(), "main".to_owned());
            !Report::of(vec![line(&Guarded { repo, branch, rules })]).ok()
        };
        assert!(fails(false, false), "nothing guards it");
        assert!(fails(true, true), "the App may bypass what does");
        assert!(!fails(true, false));
    }
}
