//! An agent that a profile starts and that reaches its model through the gateway.

use super::profile::Profile;
use super::wanted::Model;
use crate::model::Secret;

/// A profile, with what the operator gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profiled {
    pub profile: Profile,
    /// Whose model it asks, by the provider's name; `None` for a profile without a wire.
    pub provider: Option<String>,
    /// The models it may use; the first is its own choice.
    pub models: Vec<Model>,
    /// A key of its own, where it asks its house without the gateway: it goes into the sandbox.
    pub key: Option<Secret>,
    /// Agents that do its work when it cannot, in this order.
    pub fallbacks: Vec<String>,
}

impl Profiled {
    /// The model that is used: the `wanted` one, which has to be listed, or the first.
    pub fn model<'a>(&'a self, wanted: Option<&Model>) -> Option<&'a Model> {
        match wanted {
            Some(wanted) => self.models.iter().find(|model| *model == wanted),
            None => self.models.first(),
        }
    }
}
