//! The World's merge queue and auto-merge through the face.

use super::{Face, op, turn};
use crate::gate::seen::{Entry, EntryState, Group, Line};
use crate::github::{At, Error, MergeOrder, answer};
use crate::model::PullNumber;
use crate::pipeline::standing::{Enlisted, Way};
use crate::playground::world::merge::MergeCall;

impl Face {
    pub(super) fn read_line(&self, at: &At, pull: PullNumber) -> Result<Line, Error> {
        let view = self.read(at, ("graphql/MergeQueueEntry", ""), |state, actor, repo| {
            state.queue_view(actor, repo, pull.0)
        })?;
        let entry = match view.entry {
            None => None,
            Some((state, position, group)) => {
                let group = match group {
                    None => None,
                    Some(group) => {
                        let (head, base) = (turn::sha(&group.head)?, turn::sha(&group.base)?);
                        Some(Group { head, base, holds: None })
                    }
                };
                let state = match state {
                    "QUEUED" => EntryState::Queued,
                    "AWAITING_CHECKS" => EntryState::AwaitingChecks,
                    _ => EntryState::Other,
                };
                Some(Entry { state, position: u32::try_from(position).unwrap_or(0), group })
            }
        };
        Ok(Line { entry, removed: view.removed, failed: Vec::new() })
    }

    pub(super) fn send_order(
        &self,
        at: &At,
        way: Way,
        order: &MergeOrder,
    ) -> Result<Enlisted, Error> {
        let head = Some(order.head.as_str());
        let number = order.pull.0;
        // The adapter asks for the pull request's other name first.
        self.view(at, order.pull)?;
        let done = match way {
            Way::Queue => {
                self.write(at, op("POST", "graphql/Enqueue", at, ""), |state, actor, repo| {
                    state.enqueue(actor, repo, number, head)
                })
            }
            Way::Auto => {
                let call = MergeCall {
                    sha: None,
                    method: turn::method(order.method),
                    title: Some(order.title.as_str().to_owned()),
                    message: Some(order.message.as_str().to_owned()),
                };
                let op = op("POST", "graphql/EnableAutoMerge", at, "");
                self.write(at, op, |state, actor, repo| {
                    state.enable_auto_merge(actor, repo, number, (&call, head))
                })
            }
        };
        answer::enlisted(done, self.now())
    }

    pub(super) fn take_back(&self, at: &At, way: Way, pull: PullNumber) -> Result<bool, Error> {
        self.view(at, pull)?;
        let id = match way {
            Way::Queue => "graphql/Dequeue",
            Way::Auto => "graphql/DisableAutoMerge",
        };
        let done = self.write(at, op("POST", id, at, ""), |state, actor, repo| match way {
            Way::Queue => state.dequeue(actor, repo, pull.0),
            Way::Auto => state.disable_auto_merge(actor, repo, pull.0),
        });
        answer::taken_back(done)
    }
}
