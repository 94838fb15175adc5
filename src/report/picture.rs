//! The stages of a run with how far each is: for the Mermaid picture and for the page.

use crate::markdown;
use crate::model::sanitized::Markdown;
use crate::pipeline::{Outcome, Phase, Progress, StageKind, State};
use crate::policy::Policy;

/// How far a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Done,
    Active,
    Waiting,
    Parked,
    /// The policy leaves it out.
    Skipped,
    /// Still to come, or never reached.
    Open,
}

impl Mark {
    /// The class for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Skipped => "skipped",
            Self::Open => "open",
        }
    }

    fn style(self) -> &'static str {
        match self {
            Self::Done => "fill:#1a7f37,stroke:#1a7f37,color:#fff",
            Self::Active => "fill:#0969da,stroke:#0969da,color:#fff",
            Self::Waiting => "fill:#9a6700,stroke:#9a6700,color:#fff",
            Self::Parked => "fill:#cf222e,stroke:#cf222e,color:#fff",
            Self::Skipped => "fill:none,stroke:#818b98,color:#818b98,stroke-dasharray:3",
            Self::Open => "fill:none,stroke:#818b98",
        }
    }
}

/// Every stage that people may expect with its mark, in order.
pub(super) fn marks(state: &State, policy: &Policy) -> Vec<(StageKind, Mark)> {
    // What is off unless a policy asks for it is not missed.
    let is_extra = |stage: StageKind| stage == StageKind::Critique && stage.stage().skipped(policy);
    let shown = StageKind::ALL.iter().copied().filter(|&stage| !is_extra(stage));
    shown.map(|stage| (stage, mark(state, policy, stage))).collect()
}

fn mark(state: &State, policy: &Policy, kind: StageKind) -> Mark {
    if kind.stage().skipped(policy) {
        return Mark::Skipped;
    }
    match &state.progress {
        Progress::Running { stage: now, phase, .. } if kind == *now => match phase {
            Phase::Doing(_) => Mark::Active,
            Phase::Waiting(_) => Mark::Waiting,
            Phase::Parked(_) => Mark::Parked,
        },
        Progress::Running { stage: now, .. } if kind < *now => Mark::Done,
        Progress::Idle | Progress::Running { .. } => Mark::Open,
        Progress::Finished { outcome, .. } => match outcome {
            Outcome::Merged { .. } => Mark::Done,
            Outcome::Stopped { .. } | Outcome::HandedOver { .. } | Outcome::Failed { .. } => {
                if reached(state, kind) {
                    Mark::Done
                } else {
                    Mark::Open
                }
            }
        },
    }
}

/// A finished run forgot its stage; what it made tells how far it came.
fn reached(state: &State, kind: StageKind) -> bool {
    let work = &state.work;
    match kind {
        StageKind::Accept => work.onto.is_some(),
        StageKind::Plan => work.plan.is_some(),
        StageKind::Build => work.head.is_some(),
        StageKind::Verify => work.verified.is_some() && work.verified == work.head,
        StageKind::Critique => {
            work.head.as_ref().is_some_and(|head| work.critic.of(head).is_some())
        }
        StageKind::Publish => work.published.is_some(),
        StageKind::Merge => work.landed.is_some(),
        StageKind::Conflicts | StageKind::Ci | StageKind::Review | StageKind::Close => false,
    }
}

/// The stages as a Mermaid flow chart.
pub(super) fn mermaid(state: &State, policy: &Policy) -> Markdown {
    let marks = marks(state, policy);
    let node = |(stage, mark): &(StageKind, Mark)| markdown!("{}:::{}", stage.word(), mark.word());
    let nodes: Vec<Markdown> = marks.iter().map(node).collect();
    let nodes = Markdown::joined(&nodes, " --> ");
    let mut out = markdown!("```mermaid\nflowchart LR\n{}\n", nodes);
    let mut used: Vec<Mark> = marks.into_iter().map(|(_, mark)| mark).collect();
    used.sort_unstable();
    used.dedup();
    for mark in used {
        out.push(&markdown!("classDef {} {}\n", mark.word(), mark.style()));
    }
    out.push(&"```".into());
    out
}
