//! Lenses: each walks the whole core under one policy with one part of the alphabet, so that
//! every walk stays small and their sum covers every pair that can matter to each other.

use slipway::command::SlashCommand;
use slipway::model::Dollars;
use slipway::policy::{
    Commits, Freshness, Limits, MergeMethod, MergeMode, Policy, Then, UpdateWith,
};

use super::alphabet::every_command;
use super::world::{self as w, Look};

const SOON: (&str, i64) = ("", 10);
/// Past every pause and the quiet time.
const LATER: (&str, i64) = (" later", 120_000);
/// Past every deadline.
const LATE: (&str, i64) = (" late", 18_000_000);

/// One walk.
#[expect(clippy::struct_excessive_bools, reason = "switches of a test, each on its own")]
#[derive(Debug, Clone)]
pub(crate) struct Lens {
    pub name: &'static str,
    pub policy: Policy,
    pub looks: Vec<Look>,
    pub commands: Vec<SlashCommand>,
    pub withdrawals: bool,
    pub method: MergeMethod,
    pub dry_run: bool,
    /// A stranger wrote the issue, in a public repository.
    pub tainted: bool,
    /// The merge call can get every answer; otherwise it is done.
    pub answers: bool,
    /// Every task can fail for good, or end in a way its stage does not know.
    pub faults: bool,
    /// Agents can run out of money.
    pub money: bool,
    /// Agents can ask something.
    pub asks: bool,
    /// When looks come, with the word for it.
    pub moments: &'static [(&'static str, i64)],
    /// More states than this is a mistake in the lens.
    pub states_max: usize,
}

impl Lens {
    /// Somebody can say something that makes a stage judge the last look again.
    pub(crate) fn recalled(&self) -> bool {
        self.commands.iter().any(|command| {
            matches!(command, SlashCommand::Approve | SlashCommand::Merge | SlashCommand::Unhold)
        })
    }
}

fn policy(merge: MergeMode) -> Policy {
    Policy {
        merge,
        verify: vec!["make test".to_owned()],
        limits: Limits {
            fix_rounds_max: 1,
            resolve_rounds_max: 1,
            review_rounds_max: 1,
            update_rounds_max: 1,
            ..Limits::default()
        },
        ..Policy::default()
    }
}

fn lens(name: &'static str, policy: Policy, looks: &[Look], commands: &[SlashCommand]) -> Lens {
    Lens {
        name,
        policy,
        looks: looks.to_vec(),
        commands: commands.to_vec(),
        withdrawals: false,
        method: MergeMethod::Squash,
        dry_run: false,
        tainted: false,
        answers: false,
        faults: false,
        money: false,
        asks: false,
        moments: &[SOON],
        states_max: 6_000,
    }
}

/// Every lens, in the order of the table.
pub(crate) fn lenses() -> Vec<Lens> {
    vec![
        building(),
        dry_run(),
        asking(),
        checks(),
        no_checks(),
        conflicts(),
        updating(),
        merging(),
        queueing(),
        rebasing(),
        loose(),
        holding(),
        people("approval", MergeMode::OnApproval, true),
        people("command", MergeMode::OnCommand, false),
        people("never", MergeMode::Never, true),
        delicate("delicate", MergeMode::OnApproval),
        delicate("delicate, nobody asked", MergeMode::Auto),
        delicate("delicate, by command", MergeMode::OnCommand),
        critique("critique", Then::Ask),
        critique("critique, going on", Then::GoOn),
    ]
}

/// Making the change, with every command and both withdrawals, up to the first green.
fn building() -> Lens {
    let looks = [w::WELL, w::FOREIGN_HEAD, w::LANDED_LOOK, w::CLOSED];
    let mut commands = every_command();
    commands.retain(|command| {
        !matches!(
            command,
            SlashCommand::Approve | SlashCommand::Merge | SlashCommand::Hold | SlashCommand::Unhold
        )
    });
    let lens = lens("building", policy(MergeMode::Auto), &looks, &commands);
    Lens { withdrawals: true, faults: true, money: true, ..lens }
}

fn dry_run() -> Lens {
    let looks = [w::WELL];
    let lens = lens("dry run", policy(MergeMode::Auto), &looks, &every_command());
    Lens { withdrawals: true, dry_run: true, money: true, ..lens }
}

/// Agents that ask, and run out of money between.
fn asking() -> Lens {
    let looks = [w::WELL, w::FOREIGN_HEAD];
    let commands = [
        SlashCommand::Answer("This one.".to_owned()),
        SlashCommand::Retry,
        SlashCommand::Stop,
        SlashCommand::Budget(Dollars(5_000_000)),
    ];
    let mut policy = policy(MergeMode::Auto);
    policy.stages.plan = false;
    policy.verify.clear();
    policy.limits.questions_max = 1;
    Lens { asks: true, money: true, ..lens("asking", policy, &looks, &commands) }
}

/// CI in all its colours.
fn checks() -> Lens {
    let looks = [
        w::WELL,
        w::PENDING,
        w::MISSING,
        w::RED,
        w::RED_AGAIN,
        w::RED_STATUS,
        w::RED_BASE,
        w::ABORTED,
        w::ABORTED_AGAIN,
        w::NEEDS_PERSON,
        w::GREEN_NO_RULE,
        w::SKIPPED,
    ];
    let mut policy = policy(MergeMode::Auto);
    policy.stages.plan = false;
    policy.stages.verify = false;
    let lens = lens("checks", policy, &looks, &[SlashCommand::Retry, SlashCommand::Stop]);
    Lens { moments: &[SOON, LATE], ..lens }
}

/// Nothing speaks for the head, and what people say to that.
fn no_checks() -> Lens {
    let looks =
        [w::NO_CHECKS, w::WELL, w::GREEN_NO_RULE, w::RED_NO_RULE, w::SKIPPED, w::FOREIGN_HEAD];
    let commands = [SlashCommand::Approve, SlashCommand::Retry, SlashCommand::Stop];
    let mut policy = policy(MergeMode::Auto);
    policy.stages.plan = false;
    policy.stages.verify = false;
    Lens { moments: &[SOON, LATE], ..lens("no checks", policy, &looks, &commands) }
}

/// The ground moves: conflicts, a moving base, a lagging GitHub.
fn conflicts() -> Lens {
    let looks = [
        w::WELL,
        w::BEHIND,
        w::CONFLICT,
        w::RED_CONFLICT,
        w::LAG,
        w::GONE,
        w::UNPROBED,
        w::PENDING,
        w::FOREIGN_HEAD,
    ];
    let mut policy = policy(MergeMode::Auto);
    policy.stages.plan = false;
    policy.stages.verify = false;
    let lens = lens("conflicts", policy, &looks, &[SlashCommand::Retry, SlashCommand::Stop]);
    Lens { moments: &[SOON, LATE], ..lens }
}

/// GitHub merges the base: asked for, awaited, lost, and overtaken by somebody.
fn updating() -> Lens {
    let looks = [w::WELL, w::BEHIND, w::CONFLICT, w::PENDING, w::FOREIGN_HEAD, w::GONE, w::CLOSED];
    let mut policy = policy(MergeMode::Auto);
    policy.update_with = UpdateWith::Github;
    policy.stages.plan = false;
    policy.stages.verify = false;
    let lens = lens("updating", policy, &looks, &[SlashCommand::Retry, SlashCommand::Stop]);
    Lens { moments: &[SOON, LATE], ..lens }
}

/// The merge itself: every answer, every reading, every interruption.
fn merging() -> Lens {
    let looks =
        [w::WELL, w::BEHIND, w::PENDING, w::FOREIGN_HEAD, w::RETARGETED, w::LANDED_LOOK, w::CLOSED];
    let commands = [SlashCommand::Stop, SlashCommand::Retry];
    let mut policy = policy(MergeMode::Auto);
    policy.stages.plan = false;
    policy.verify.clear();
    policy.limits.fix_rounds_max = 0;
    policy.limits.update_rounds_max = 0;
    let lens = lens("merging", policy, &looks, &commands);
    Lens { answers: true, moments: &[LATER], ..lens }
}

/// The merge queue: every answer, every way out of it, every interruption.
fn queueing() -> Lens {
    let looks = [
        w::QUEUE,
        w::IN_QUEUE,
        w::SENT_BACK,
        w::SENT_BACK_BEHIND,
        w::TAKEN_OUT,
        w::FOREIGN_HEAD,
        w::LANDED_LOOK,
        w::CLOSED,
    ];
    let commands = [SlashCommand::Stop, SlashCommand::Retry];
    let mut policy = policy(MergeMode::Auto);
    policy.stages.plan = false;
    policy.verify.clear();
    policy.limits.fix_rounds_max = 0;
    policy.limits.update_rounds_max = 0;
    let lens = lens("queueing", policy, &looks, &commands);
    Lens { answers: true, moments: &[LATER], states_max: 12_000, ..lens }
}

/// A stranger's words: every push waits for a person, and so does the merge.
fn holding() -> Lens {
    let looks =
        [w::WELL, w::RED, w::RED_AGAIN, w::APPROVED, w::PUSHED_LAST, w::FOREIGN_HEAD, w::CLOSED];
    let commands =
        [SlashCommand::Push, SlashCommand::Approve, SlashCommand::Retry, SlashCommand::Stop];
    let mut policy = policy(MergeMode::Auto);
    policy.stages.plan = false;
    policy.verify.clear();
    policy.requester_may_approve = Some(true);
    policy.limits.hold_hours_max = 1;
    Lens { tainted: true, ..lens("holding", policy, &looks, &commands) }
}

fn rebasing() -> Lens {
    let looks = [w::WELL, w::LANDED_LOOK, w::CLOSED];
    let mut policy = policy(MergeMode::Auto);
    policy.stages.plan = false;
    policy.limits.fix_rounds_max = 0;
    policy.commits = Commits::SignedByGithub;
    let commands = [SlashCommand::Stop, SlashCommand::Retry];
    Lens {
        method: MergeMethod::Rebase,
        withdrawals: true,
        answers: true,
        ..lens("rebasing", policy, &looks, &commands)
    }
}

/// Without verification, without strictness.
fn loose() -> Lens {
    let looks = [w::WELL, w::BEHIND, w::RED, w::RED_AGAIN, w::CONFLICT, w::FOREIGN_HEAD];
    let mut policy = policy(MergeMode::Auto);
    policy.stages.plan = false;
    policy.verify.clear();
    policy.freshness = Freshness::Loose;
    policy.allow_no_checks = true;
    lens("loose", policy, &looks, &[SlashCommand::Retry, SlashCommand::Stop])
}

/// Reviews, approvals, orders, holds and drafts under one mode.
fn people(name: &'static str, merge: MergeMode, review: bool) -> Lens {
    let looks = [
        w::WELL,
        w::APPROVED,
        w::APPROVED_OTHER,
        w::APPROVED_BEHIND,
        w::CHANGES,
        w::TWO_NEEDED,
        w::DRAFT,
        w::FOREIGN_HEAD,
    ];
    let commands = [
        SlashCommand::Approve,
        SlashCommand::Merge,
        SlashCommand::Hold,
        SlashCommand::Unhold,
        SlashCommand::Stop,
    ];
    let mut policy = policy(merge);
    policy.stages.plan = false;
    policy.stages.review = review;
    policy.requester_may_approve = Some(true);
    policy.verify.clear();
    policy.limits.fix_rounds_max = 0;
    lens(name, policy, &looks, &commands)
}

/// Another agent reviews what is not pushed yet; people still have to agree.
fn critique(name: &'static str, then: Then) -> Lens {
    let looks = [w::WELL, w::RED_AGAIN, w::APPROVED, w::FOREIGN_HEAD];
    let commands = [SlashCommand::Push, SlashCommand::Retry, SlashCommand::Stop];
    let mut policy = policy(MergeMode::OnApproval);
    policy.stages.plan = false;
    policy.stages.critique = true;
    policy.critique.then = then;
    policy.limits.critique_rounds_max = 1;
    policy.verify.clear();
    Lens { states_max: 12_000, ..lens(name, policy, &looks, &commands) }
}

/// The head touches what one more person must approve.
fn delicate(name: &'static str, merge: MergeMode) -> Lens {
    let looks = [w::DELICATE, w::DELICATE_APPROVED, w::FOREIGN_HEAD];
    let commands = [SlashCommand::Approve, SlashCommand::Merge, SlashCommand::Stop];
    let mut policy = policy(merge);
    policy.stages.plan = false;
    policy.verify.clear();
    policy.limits.fix_rounds_max = 0;
    lens(name, policy, &looks, &commands)
}
