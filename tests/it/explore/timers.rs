//! The laws of timers, which ask and never conclude, and of money, which is asked for.

use slipway::pipeline::budget::is_for_money;
use slipway::pipeline::{Done, Effect, EventKind, ParkReason, Task, Timer};

use super::laws::{effects, fail, is_command, next, performed};
use super::walk::Move;

pub(super) fn timers_ask(m: &Move<'_>) -> Result<(), String> {
    let EventKind::TimerFired { timer, .. } = &m.letter.event.kind else { return Ok(()) };
    if *timer == Timer::Lane && m.result.is_ok() {
        // What it asks for is the lane, and whoever gets that looks.
        fail(m.before.state.waits_for_lane().is_none(), "nobody waits for a lane")?;
        let asks = matches!(performed(m), None | Some(Task::Ready { .. }));
        return fail(!asks || next(m).finished().is_some(), "it does more than ask for the lane");
    }
    if *timer == Timer::Budget && m.result.is_ok() {
        let short = m.before.state.park().is_some_and(|park| is_for_money(park.why));
        fail(!short, "nobody waits for money")?;
        return fail(!matches!(performed(m), Some(Task::Afford)), "it does not ask for room");
    }
    // To park is to ask: a hold that lasted too long has no look that would.
    let parks = next(m).park().is_some_and(|park| park.why == ParkReason::NotReleased);
    fail(next(m) != &m.before.state && !parks, "it changed the state")?;
    let asks = effects(m).iter().all(|e| matches!(e, Effect::Look | Effect::Arm { .. }));
    fail(!asks, "it does more than ask")
}

/// Whoever stopped for want of money is started again only by the answer that there is room,
/// and as the same agent.
pub(super) fn asks_for_money(m: &Move<'_>) -> Result<(), String> {
    let state = &m.before.state;
    let agent = matches!(performed(m), Some(Task::Agent { .. }));
    let parked = state.park().is_some_and(|park| is_for_money(park.why));
    fail(parked && agent, "it did not ask")?;
    if state.task() != Some(&Task::Afford) || !agent {
        return Ok(());
    }
    let room = matches!(&m.letter.event.kind, EventKind::Performed { done: Done::Affordable, .. });
    fail(!room, "there is no room")?;
    let short = state.budget.short.as_deref().ok_or("nobody stopped")?;
    let same = Task::Agent { role: short.role, round: short.round };
    fail(performed(m) != Some(&same), "it is another agent")?;
    fail(next(m).budget.left() != short.left.as_ref(), "what it had made is forgotten")
}

/// Whoever asked something is started again only by a person's word, as the same agent, and
/// with what it had made.
pub(super) fn asks_people(m: &Move<'_>) -> Result<(), String> {
    let state = &m.before.state;
    let Some(asked) = state.open_question() else { return Ok(()) };
    if !matches!(performed(m), Some(Task::Agent { .. })) {
        return Ok(());
    }
    fail(!is_command(m, "/answer") && !is_command(m, "/retry"), "nobody said anything")?;
    let same = Task::Agent { role: asked.role, round: asked.round };
    fail(performed(m) != Some(&same), "it is another agent")?;
    fail(next(m).left() != asked.left.as_ref(), "what it had made is forgotten")?;
    let reply = next(m).work.asked.as_ref().and_then(|asked| asked.reply.as_ref());
    let said = reply.is_some_and(|reply| reply.text.is_empty() == is_command(m, "/retry"));
    fail(!said, "what was said is not told")
}
