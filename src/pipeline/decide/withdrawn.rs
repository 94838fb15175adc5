//! The reason for the run went away: the label was removed or the issue closed.

use super::{Ignored, walk};
use crate::model::User;
use crate::pipeline::effect::Effect;
use crate::pipeline::event::Withdrawal;
use crate::pipeline::run::Run;
use crate::pipeline::stage::{StageKind, Step, Task};
use crate::pipeline::state::Outcome;

pub(super) fn decide(run: &mut Run<'_>, by: Option<&User>, how: Withdrawal) -> Result<(), Ignored> {
    let landing = run.state.work.landed.is_some() || run.state.stage() == Some(StageKind::Close);
    // Closing the issue is the last thing done for its stories.
    let closing = matches!(run.state.task(), Some(Task::Stories { close: true }));
    if landing || closing || run.state.withdrawn.is_some() {
        return Err(Ignored::Unchanged);
    }
    // Merging closes issues too: with a pull request, the next look tells which came first.
    if run.state.work.pull.is_some() {
        run.state.withdrawn = Some(how);
        run.effects.push(Effect::Look);
        return Ok(());
    }
    let who = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let why = match how {
        Withdrawal::LabelRemoved => format!("The label was removed{who}."),
        Withdrawal::IssueClosed => format!("The issue was closed{who}."),
    };
    walk::go(run, Step::Finish(Outcome::Stopped { why }));
    Ok(())
}
