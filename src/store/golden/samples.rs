//! Samples of what agents leave in the state of a run: questions, choices, reviews.

use super::*;
use crate::model::Cost;
use crate::pipeline::live::Worked;
use crate::pipeline::salvage::Salvage;

pub(super) fn states(doing: &State) -> Vec<(&'static str, State)> {
    let mut reviewed = doing.clone();
    reviewed.work.critic =
        Critic { found: Some(Box::new(critique())), waived: Some(Box::new(approval())), rounds: 1 };
    reviewed.work.complaint = Some(Complaint::Critique { findings: critique().findings });
    let mut asking = doing.clone();
    asking.work.asked = Some(Box::new(asked()));
    let reply = Reply { by: person(), text: "That one.".to_owned() };
    asking.work.answers = vec![Answered { question: "This one?".to_owned(), reply }];
    let mut chosen = doing.clone();
    chosen.work.preview = Some(previewed());
    let by = By::Label("agent:claude".to_owned());
    let stages = [(Role::Fixer, "codex:gpt-5.5".to_owned())].into();
    Arc::make_mut(&mut chosen.request).chosen = Some(Chosen { by, stages });
    let mut failed = doing.clone();
    failed.work.salvage = short().left.map(|left| Box::new(Salvage { on: Some(sha('a')), left }));
    vec![("asking", asking), ("chosen", chosen), ("failed", failed), ("reviewed", reviewed)]
}

/// What is told beside the end of a task.
pub(super) fn ended() -> Vec<(&'static str, Event)> {
    let worked = Worked {
        agent: "codex:m".to_owned(),
        seconds: 240,
        calls: 31,
        files: 6,
        turns: 12,
        tokens: 120_000,
        cost: Cost::Micros(430_000),
    };
    let told = Told { worked: vec![worked], salvaged: short().left, ..Told::default() };
    let done = Done::AgentFailed { why: "it was silent".to_owned(), cost_micros: 7 };
    vec![("worked", Event { kind: EventKind::Performed { entry: 3, done, told }, ..event(9) })]
}

pub(super) fn asked() -> Asked {
    Asked {
        text: "Which one?".to_owned(),
        role: Role::Fixer,
        round: 2,
        at: Millis(5),
        did: "I looked.".to_owned(),
        left: short().left,
        talk: Some(talk()),
        reply: Some(Reply { by: person(), text: "This one.".to_owned() }),
    }
}

pub(super) fn talk() -> Talk {
    Talk { agent: "codex:m".to_owned(), session: "t-1".to_owned(), entry: 3 }
}

pub(super) fn approval() -> Approval {
    Approval { by: person(), head: sha('a') }
}

pub(super) fn critique() -> Critique {
    let finding = Finding {
        path: "a.rs".to_owned(),
        line: Some(3),
        severity: Severity::Major,
        text: "It leaks.".to_owned(),
        suggestion: Some("Close it.".to_owned()),
    };
    let (head, summary) = (sha('a'), "Mostly good.".to_owned());
    Critique { head, summary, findings: vec![finding], left_out: 2, given_up: true }
}

pub(super) fn previewed() -> Arc<Preview> {
    let owned = |text: &str| vec![text.to_owned()];
    let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    Arc::new(Preview {
        agent: "codex:gpt-5.5".to_owned(),
        fallbacks: owned("claude"),
        refused: None,
        argv: owned("codex"),
        env: pair("LLM_KEY", "‹token of this run›"),
        directory: "/workspace".to_owned(),
        files: pair("a/b", "text"),
        masks: owned(".codex/"),
        hosts: owned("api.example.com:443"),
        doors: owned("3129: the gateway to its model"),
        limits: owned("30 minutes"),
        prompt: "Role: builder".to_owned(),
    })
}
