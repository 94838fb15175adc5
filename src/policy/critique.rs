//! What the policy says of agents that review: what they may object to, and what follows.

use serde::{Deserialize, Serialize};

/// How the stage critique is played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Critique {
    /// Findings of this weight or more are given back for repair.
    pub severity: Severity,
    /// What follows when some are left.
    pub then: Then,
}

/// How much a finding weighs, by whoever found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Trivial,
    Minor,
    #[default]
    Major,
    Critical,
}

impl Severity {
    /// Every one, the heaviest first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Major, Self::Minor, Self::Trivial];

    /// The word for it in answers, reports and the policy file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trivial => "trivial",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

/// What follows when the rounds are used up, or nothing moves, and findings are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// A person is asked.
    #[default]
    Ask,
    /// The change is pushed with what is left, which is shown.
    GoOn,
}

#[cfg(test)]
mod tests {
    use super::super::Policy;
    use super::*;

    #[test]
    fn a_critic_is_off_unless_it_is_asked_for() {
        let policy = Policy::default();
        assert!(!policy.stages.critique);
        assert_eq!((policy.critique.severity, policy.critique.then), (Severity::Major, Then::Ask));
        let text = "stages: {critique: true}\ncritique: {severity: minor, then: go-on}\n\
                    limits: {critique_rounds_max: 0}\n";
        let policy = Policy::parse(text).unwrap();
        assert!(policy.stages.critique && policy.stages.review);
        assert_eq!((policy.critique.severity, policy.critique.then), (Severity::Minor, Then::GoOn));
        assert_eq!(policy.limits.critique_rounds_max, 0);
        for bad in ["critique: {severity: info}", "limits: {critique_rounds_max: 11}"] {
            assert!(Policy::parse(bad).is_err(), "{bad}");
        }
    }
}
