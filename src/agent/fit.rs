//! Which agents may be what: who cannot edit makes no change, and who only reviews plans nothing.

use std::collections::BTreeMap;

use super::fallback::{Bar, Candidate};
use super::pick::named;
use super::wanted::Wanted;
use super::{Agent, Kind};
use crate::pipeline::stage::Role;

/// Why `agent` may not be `role`, as the rest of a sentence about it; `None` when it may.
pub fn unfit(agent: &Agent, role: Role) -> Option<&'static str> {
    match &agent.kind {
        Kind::Direct(_) if role.edits() => Some("it plans and reviews, and edits nothing"),
        Kind::Profiled(known) if known.profile.review_only && role != Role::Critic => {
            Some("it reviews, and does nothing else")
        }
        Kind::Direct(_) | Kind::Profiled(_) | Kind::Command(_) | Kind::Scripted(_) => None,
    }
}

/// Those of `candidates` that may not be `role`, and why.
pub fn barred(agents: &[Agent], candidates: &[Candidate], role: Role) -> BTreeMap<Wanted, Bar> {
    let bar = |one: &Candidate| {
        let why = unfit(named(agents, one.wanted.agent())?, role)?;
        Some((one.wanted.clone(), Bar::Unfit(why)))
    };
    candidates.iter().filter_map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::candidates;
    use crate::agent::command::Command;
    use crate::agent::direct::Direct;
    use crate::agent::fallback::{Choice, choose};
    use crate::agent::profile::Catalogue;
    use crate::agent::profiled::Profiled;

    fn agent(name: &str, kind: Kind) -> Agent {
        Agent { name: name.to_owned(), kind, at_once_max: 1, hosts: Vec::new() }
    }

    fn agents() -> [Agent; 3] {
        let direct = Direct {
            provider: "house".to_owned(),
            models: Vec::new(),
            fallbacks: vec!["maker".to_owned()],
        };
        let profile = Catalogue::shipped().unwrap().get("coderabbit").unwrap().clone();
        let (models, fallbacks) = (Vec::new(), Vec::new());
        let rabbit = Profiled { profile, provider: None, models, key: None, fallbacks };
        [
            agent("thinker", Kind::Direct(direct)),
            agent("rabbit", Kind::Profiled(Box::new(rabbit))),
            agent("maker", Kind::Command(Command { command: "true".to_owned() })),
        ]
    }

    #[test]
    fn who_cannot_edit_makes_no_change() {
        let may = |agent: &Agent| Role::ALL.map(|role| unfit(agent, role).is_none());
        let [thinker, rabbit, maker] = agents();
        assert_eq!(may(&thinker), [true, false, false, false, true]);
        assert_eq!(may(&rabbit), [false, false, false, false, true]);
        assert_eq!(may(&maker), [true; 5]);
    }

    #[test]
    fn another_one_does_it_or_it_is_said_why_nobody_does() {
        let agents = agents();
        let told = |name: &str| {
            let all = candidates(&agents, &name.parse().unwrap());
            let barred = barred(&agents, &all, Role::Builder);
            match choose(&all, &barred, &BTreeMap::new()) {
                Choice::Agent { told, .. } => told.unwrap(),
                Choice::Nobody { told, .. } => told,
            }
        };
        insta::assert_snapshot!(told("thinker"), @"`thinker` (it plans and reviews, and edits nothing) does not do it. So `maker` does.");
        insta::assert_snapshot!(told("rabbit"), @"`rabbit` (it reviews, and does nothing else) does not do it. No other agent is declared for this stage.");
    }
}
