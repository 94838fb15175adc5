//! A model that plans and reviews in the demo, asked without a program: `--thinker chat:gpt-5.5`.

use std::path::Path;

use anyhow::Context;

use super::super::args::{Common, Demo};
use super::cast::private;
use super::known::House;
use crate::model::Wire;

/// What the policy of the sample says in addition, and why.
pub(super) const POLICY: (&str, &str) = (
    "stages:\n  critique: true\nagents:\n  plan: thinker\n  critique: thinker\n",
    "Let a model plan and review what agents change",
);

/// What the configuration says in addition, behind everything else; nothing without a thinker.
/// Its key is read from the environment, and laid into `directory` for the bot alone.
pub(super) fn lines(demo: &Demo, directory: &Path) -> anyhow::Result<String> {
    let Some(thinker) = &demo.thinker else { return Ok(String::new()) };
    let (wire, model) = asked(thinker)?;
    let house = House::of(wire);
    let url = demo.thinker_url.as_deref();
    let prices = if url.is_some() { "free" } else { house.prices };
    let mut lines = format!(
        "[[agents]]\nname = 'thinker'\ndirect = true\nprovider = 'thinker'\nmodels = {}\n\
         at_once_max = 2\n[[providers]]\nname = 'thinker'\nwire = '{}'\nurl = {}\n\
         prices = '{prices}'\n",
        serde_json::to_string(&[model])?,
        wire.name(),
        serde_json::to_string(url.unwrap_or(house.url))?,
    );
    if url.is_none() {
        let key = Common::env(house.variable);
        let key = key.with_context(|| format!("{model} needs a key: set {}", house.variable))?;
        let file = directory.join("thinker-key");
        private(&file, &key)?;
        lines.extend(["key = { file = '", &file.display().to_string(), "' }\n"]);
    }
    Ok(lines)
}

/// The protocol and the model somebody wants.
fn asked(thinker: &str) -> anyhow::Result<(Wire, &str)> {
    let known = Wire::ALL.map(Wire::name).join(", ");
    let (wire, model) = thinker
        .split_once(':')
        .with_context(|| format!("write --thinker WIRE:MODEL; the wires are {known}"))?;
    let wire = Wire::named(wire)
        .with_context(|| format!("there is no wire {wire:?}; there are {known}"))?;
    anyhow::ensure!(!model.is_empty(), "write --thinker WIRE:MODEL, as in chat:gpt-5.5");
    Ok((wire, model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinker_is_a_wire_and_a_model() {
        assert_eq!(asked("chat:qwen3:8b").unwrap(), (Wire::Chat, "qwen3:8b"));
        for bad in ["chat", "soap:m", "chat:"] {
            assert!(asked(bad).is_err(), "{bad}");
        }
        let policy = crate::policy::Policy::parse(POLICY.0).unwrap();
        assert!(policy.stages.critique && policy.stages.plan);
    }
}
