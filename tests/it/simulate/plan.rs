//! What a life is like, drawn from its seed: policy, rules, CI, agents and how bad the weather is.

use slipway::agent::scripted::{Edit, Resolution, Script, Scripted};
use slipway::agent::{Agent, Kind};
use slipway::model::budget::{Rules, Scope};
use slipway::policy::{Freshness, MergeMethod, MergeMode};

/// The file every change touches, with a line for each issue and one they fight over.
pub(super) const FILE: &str = "app.txt";

/// How CI behaves in this life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ci {
    None,
    Judges,
    Flaky,
    NeverStarts,
    NeverEnds,
    RedBase,
    Aborts,
}

/// One life.
#[expect(clippy::struct_excessive_bools, reason = "a life's dice are independent switches")]
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub issues: u64,
    pub merge: MergeMode,
    pub method: MergeMethod,
    pub freshness: Freshness,
    pub planning: bool,
    pub verify: bool,
    pub review: bool,
    pub allow_no_checks: bool,
    pub ci: Ci,
    pub required: bool,
    pub strict_rule: bool,
    pub approvals: Option<u32>,
    pub scripts: Vec<Script>,
    pub engines: usize,
    pub mailbox_chaos: bool,
    pub faults: bool,
    pub crashes: bool,
    pub stalls: bool,
    pub breaths: u32,
    pub actions: u32,
}

impl Plan {
    pub(super) fn draw(dice: &mut fastrand::Rng) -> Self {
        let issues = dice.u64(1..4);
        let often = |dice: &mut fastrand::Rng, percent: u32| dice.u32(0..100) < percent;
        Self {
            issues,
            merge: pick(
                dice,
                &[
                    MergeMode::Auto,
                    MergeMode::Auto,
                    MergeMode::OnApproval,
                    MergeMode::OnApproval,
                    MergeMode::OnCommand,
                    MergeMode::Never,
                ],
            ),
            method: pick(
                dice,
                &[
                    MergeMethod::Squash,
                    MergeMethod::Squash,
                    MergeMethod::Merge,
                    MergeMethod::Rebase,
                ],
            ),
            freshness: pick(dice, &[Freshness::Strict, Freshness::Strict, Freshness::Loose]),
            planning: often(dice, 20),
            verify: often(dice, 60),
            review: often(dice, 80),
            allow_no_checks: often(dice, 30),
            ci: pick(
                dice,
                &[
                    Ci::Judges,
                    Ci::Judges,
                    Ci::Judges,
                    Ci::Judges,
                    Ci::Judges,
                    Ci::Flaky,
                    Ci::Flaky,
                    Ci::None,
                    Ci::None,
                    Ci::NeverStarts,
                    Ci::NeverEnds,
                    Ci::RedBase,
                    Ci::Aborts,
                ],
            ),
            required: often(dice, 50),
            strict_rule: often(dice, 30),
            approvals: pick(dice, &[None, None, Some(0), Some(1)]),
            scripts: (0..issues).map(|slot| script(dice, slot)).collect(),
            engines: if often(dice, 30) { 2 } else { 1 },
            mailbox_chaos: often(dice, 60),
            faults: often(dice, 60),
            crashes: often(dice, 50),
            stalls: often(dice, 10),
            breaths: pick(dice, &[0, 10, 40]),
            actions: dice.u32(2..14),
        }
    }

    /// The policy file.
    pub(super) fn policy(&self) -> String {
        let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let merge = word(serde_json::to_value(self.merge).unwrap_or_default());
        let method = word(serde_json::to_value(self.method).unwrap_or_default());
        let freshness = word(serde_json::to_value(self.freshness).unwrap_or_default());
        let verify = if self.verify { "verify:\n  - check\n" } else { "" };
        format!(
            "merge: {merge}\nmethod: {method}\nfreshness: {freshness}\n\
             allow_no_checks: {}\nstages:\n  plan: {}\n  review: {}\n  critique: {}\n{verify}\
             limits:\n  agent_minutes_max: 2\n  verify_minutes_max: 2\n  ci_minutes_max: 12\n  \
             ci_start_minutes_max: 3\n  ci_quiet_seconds: 30\n  hold_hours_max: 1\n",
            self.allow_no_checks,
            self.planning,
            self.review,
            self.is_reviewed()
        )
    }

    /// The CI's description; `None` when there is no CI.
    pub(super) fn jobs(&self) -> Option<String> {
        let red = format!("\"fails_if\": {{\"file\": \"{FILE}\", \"contains\": \"CI-RED\"}}");
        let more = match self.ci {
            Ci::None => return None,
            Ci::Judges | Ci::RedBase => String::new(),
            Ci::Flaky => ", \"flaky\": {\"fails_first\": 1}".to_owned(),
            Ci::NeverStarts => ", \"never_starts\": true".to_owned(),
            Ci::NeverEnds => ", \"never_ends\": true".to_owned(),
            Ci::Aborts => ", \"conclusion\": \"cancelled\"".to_owned(),
        };
        Some(format!(
            "{{\"jobs\": [{{\"name\": \"test\", \"delay_ms\": 2000, \"duration_ms\": 40000, \
             {red}{more}}}]}}"
        ))
    }

    /// What [`FILE`] holds at first.
    pub(super) fn text(&self) -> String {
        let base = if self.ci == Ci::RedBase { "CI-RED" } else { "fine" };
        format!("base: {base}\n\n\nslot0: -\n\n\nslot1: -\n\n\nslot2: -\n\n\nhot: -\n")
    }

    /// In some lives agents cost money, and there is not enough of it.
    fn is_poor(&self) -> bool {
        self.actions.is_multiple_of(3)
    }

    pub(super) fn budget(&self) -> Rules {
        let usual = Rules::default();
        if !self.is_poor() {
            return usual;
        }
        let caps = usual.caps.with(Scope::Run, 1_000_000).with(Scope::Day, 3_000_000);
        Rules { caps, ..usual }
    }

    /// In some lives another agent reviews, and is content the second time.
    fn is_reviewed(&self) -> bool {
        self.actions % 4 == 1
    }

    /// Where it is, it objects at first in some, and cannot be understood in others.
    fn critic(&self) -> Vec<Vec<Edit>> {
        let said = |findings: &str| {
            Edit::Say(format!("{{\"summary\": \"\", \"findings\": [{findings}]}}"))
        };
        let finding = "{\"path\": \"app.txt\", \"line\": 1, \"severity\": \"major\", \
                       \"text\": \"It is wrong.\", \"suggestion\": null}";
        let mine = write("reviewed.txt", "by a critic\n");
        match self.actions / 4 {
            0 => vec![vec![mine, said(finding)], vec![said("")]],
            1 => vec![vec![mine, said("")]],
            _ => vec![vec![said(finding)], vec![Edit::Say("Well.".to_owned())], vec![said("")]],
        }
    }

    pub(super) fn agents(&self) -> Vec<Agent> {
        let calls = if self.is_poor() { vec![250_000, 150_000] } else { Vec::new() };
        let paid = |script: &Script| Script {
            calls: calls.clone(),
            critic: self.critic(),
            ..script.clone()
        };
        let agent = |(slot, script): (usize, &Script)| Agent {
            name: format!("a{slot}"),
            kind: Kind::Scripted(Scripted { program: "/slipway".into(), script: paid(script) }),
            at_once_max: 2,
            hosts: Vec::new(),
        };
        self.scripts.iter().enumerate().map(agent).collect()
    }
}

fn pick<T: Copy>(dice: &mut fastrand::Rng, from: &[T]) -> T {
    from[dice.usize(0..from.len())]
}

fn replace(from: &str, to: &str) -> Edit {
    Edit::Replace { path: FILE.to_owned(), from: from.to_owned(), to: to.to_owned() }
}

fn write(path: &str, text: &str) -> Edit {
    Edit::Write { path: path.to_owned(), text: text.to_owned() }
}

/// An agent of some kind for the issue of `slot`.
fn script(dice: &mut fastrand::Rng, slot: u64) -> Script {
    let mine = format!("slot{slot}: -");
    let good = format!("slot{slot}: done");
    let red = format!("slot{slot}: CI-RED");
    let broken = format!("slot{slot}: BROKEN");
    let hot = format!("hot: {slot}");
    let builder = match dice.u32(0..20) {
        0..6 => vec![vec![replace(&mine, &good)]],
        6..10 => vec![vec![replace(&mine, &good), replace("hot: -", &hot)]],
        10..13 => vec![vec![replace(&mine, &red)]],
        13 => vec![vec![replace(&mine, &broken)]],
        14 => vec![vec![Edit::Ask("Which one?".to_owned()), replace(&mine, &good)]],
        15 => vec![vec![]],
        16 => vec![vec![Edit::Crash], vec![replace(&mine, &good)]],
        17 => vec![vec![Edit::Hang], vec![replace(&mine, &good)]],
        18 => vec![vec![write(".github/workflows/x.yml", "x")], vec![replace(&mine, &good)]],
        _ => vec![vec![Edit::Say("I give up.".to_owned()), Edit::Fail(3)]],
    };
    let cure = |from: &str| vec![write("cure.txt", &mine), replace(from, "done")];
    let fixer = match dice.u32(0..10) {
        0..5 => vec![cure("CI-RED"), cure("BROKEN"), vec![write("more.txt", "more")]],
        5 => vec![cure("BROKEN"), cure("CI-RED"), vec![write("more.txt", "more")]],
        6 => vec![vec![]],
        7 => vec![vec![write(".playground/ci.json", "{}")], cure("CI-RED")],
        8 => vec![vec![replace("CI-RED", "CI-RED2")], vec![replace("CI-RED2", "CI-RED")]],
        _ => vec![vec![Edit::Crash], vec![write(FILE, "all gone\n")]],
    };
    let by = Resolution::Union;
    let resolve = Edit::Resolve { path: FILE.to_owned(), by };
    let resolver = match dice.u32(0..4) {
        0..2 => vec![vec![resolve]],
        2 => vec![vec![], vec![resolve]],
        _ => vec![vec![resolve.clone(), write("outside.txt", "x")], vec![resolve]],
    };
    let planner = match dice.u32(0..5) {
        0 => vec![vec![Edit::Fail(1)], vec![Edit::Say("First this.".to_owned())]],
        1 => vec![vec![Edit::Ask("May I?".to_owned()), Edit::Say("First that.".to_owned())]],
        _ => vec![vec![Edit::Say("First this, then that.".to_owned())]],
    };
    Script { planner, builder, fixer, resolver, critic: Vec::new(), calls: Vec::new() }
}
