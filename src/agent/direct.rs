//! A model that is asked without a program: it plans and reviews, has no tools, and edits nothing.

use serde::Deserialize;

use super::wanted::Model;

/// The most such a model may write, in tokens, its thoughts included.
pub const OUTPUT_TOKENS_MAX: u64 = 16_000;
/// Most steps of a plan that are kept, and the longest one, in characters.
pub const STEPS_MAX: usize = 30;

/// What a model is to be; the task itself is in the prompt.
pub const SYSTEM: &str = "You work for Slipway, which brings changes from an issue to a merge. \
                          You have no tools. You answer with JSON in the form that is asked for, \
                          and nothing else.";

/// A model, with what the operator says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direct {
    /// Whose model it is, by the provider's name.
    pub provider: String,
    /// The models it may be; the first is its own choice.
    pub models: Vec<Model>,
    /// Agents that do its work when it cannot, in this order.
    pub fallbacks: Vec<String>,
}

impl Direct {
    /// The model that is used: the `wanted` one, which has to be listed, or the first.
    pub fn model<'a>(&'a self, wanted: Option<&Model>) -> Option<&'a Model> {
        match wanted {
            Some(wanted) => self.models.iter().find(|model| *model == wanted),
            None => self.models.first(),
        }
    }
}

/// The schema of a plan.
pub const PLAN_SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["plan"],
  "properties": {"plan": {"type": "array", "items": {"type": "string"}}}
}"#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    plan: Vec<String>,
}

/// Reads a plan, as text with numbered lines; the error is a sentence for the model.
pub fn plan(answer: &str) -> Result<String, String> {
    let Plan { plan } = serde_json::from_str(answer).map_err(|error| error.to_string())?;
    let line = |step: &String| step.split_whitespace().collect::<Vec<_>>().join(" ");
    let steps: Vec<String> = plan.iter().map(line).filter(|step| !step.is_empty()).collect();
    if steps.is_empty() {
        return Err("`plan` has no steps".to_owned());
    }
    if steps.len() > STEPS_MAX {
        return Err(format!("`plan` has more than {STEPS_MAX} steps"));
    }
    let numbered = (1..).zip(&steps).map(|(number, step)| format!("{number}. {step}"));
    Ok(numbered.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_a_list_of_steps() {
        let read = plan(r#"{"plan": ["Edit  a.rs", " ", "Test\nit"]}"#).unwrap();
        assert_eq!(read, "1. Edit a.rs\n2. Test it");
        let long = format!(r#"{{"plan": [{}"x"]}}"#, "\"x\",".repeat(STEPS_MAX));
        for bad in
            [r#"{"plan": []}"#, r#"{"plan": "x"}"#, r#"{"plan": ["x"], "merge": true}"#, &long]
        {
            assert!(plan(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<serde_json::Value>(PLAN_SCHEMA).is_ok());
    }
}
