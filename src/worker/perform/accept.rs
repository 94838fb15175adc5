//! Accept: read the repository, find the base and its tip, choose a way to merge.

use super::Context;
use crate::gate::seen::PullState;
use crate::model::trust::Rule;
use crate::model::{BranchName, PullNumber};
use crate::pipeline::Done;
use crate::pipeline::stage::Adopted;
use crate::policy::MergeMethod;
use crate::worker::failure::Failure;

pub(super) async fn perform(
    context: &Context<'_>,
    base: Option<&BranchName>,
    pull: Option<PullNumber>,
) -> Result<Done, Failure> {
    let github = &context.engine.ports.github;
    let repository = github.repository(&context.at).await?;
    let preferred = context.policy.method;
    let method = [preferred, MergeMethod::Squash, MergeMethod::Merge, MergeMethod::Rebase]
        .into_iter()
        .find(|method| repository.methods.contains(method));
    let Some(method) = method else {
        return Ok(Done::NoBase { why: "the repository allows no way to merge".to_owned() });
    };
    let (base, adopted) = match pull {
        None => (base.cloned().unwrap_or(repository.default_branch), None),
        Some(number) => {
            let pull = github.pull(&context.at, number).await?;
            let branch = BranchName::parse(&pull.head_branch).ok();
            let here = !pull.fork || !context.engine.holds(Rule::Forks);
            let (PullState::Open, Some(branch), true) = (&pull.state, branch, here) else {
                return Ok(Done::NoBase {
                    why: "the pull request is not open, or its branch is in another repository; \
                          Slipway pushes only to this one"
                        .to_owned(),
                });
            };
            let head = pull.head.clone();
            (pull.base, Some(Adopted { pull: number, branch, head }))
        }
    };
    let mut wanted = vec![base.clone()];
    wanted.extend(adopted.iter().map(|adopted| adopted.branch.clone()));
    let tips = context.engine.tips(context.state, &wanted).await?;
    let here = adopted.iter().all(|adopted| tips.contains_key(&adopted.branch));
    match tips.get(&base) {
        Some(tip) if here => {
            let sandbox = Some(context.engine.ports.sandbox.protection().brief());
            Ok(Done::Accepted { tip: tip.clone(), base, method, adopted, sandbox })
        }
        Some(_) | None => {
            let why = format!("there is no branch `{base}` here; name one with `/go --base`");
            Ok(Done::NoBase { why })
        }
    }
}
