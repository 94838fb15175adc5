//! Whom the operator lets be heard, and the limits: numbers within their bounds.

use std::collections::BTreeSet;

use super::layer::{Placed, Said};
use super::read::{WORKERS_MAX, whole};
use super::{ConfigError, Limits, webhooks};

/// Most bots that are heard.
const BOTS_MAX: usize = 50;

/// Numbers of an environment variable, separated by commas.
pub(super) fn numbers(list: &str) -> Result<Vec<u64>, ConfigError> {
    let place = "SLIPWAY_TRUSTED_BOTS";
    list.split(',').map(|number| whole(place, number)).collect()
}

/// Bots by their own number: there is no word for all of them.
pub(super) fn bots(said: Option<Said<Vec<u64>>>) -> Result<BTreeSet<u64>, ConfigError> {
    let Some(Said { value, place }) = said else { return Ok(BTreeSet::new()) };
    if value.contains(&0) || value.len() > BOTS_MAX {
        let why = format!("it must hold at most {BOTS_MAX} numbers, and 0 is nobody's");
        let next = "write the `id` that the users API of GitHub gives for the bot's login";
        return Err(ConfigError::new(place, why, next));
    }
    Ok(value.into_iter().collect())
}

pub(super) fn limits(said: &Placed) -> Result<Limits, ConfigError> {
    let usual = Limits::default();
    let number = |said: Option<&Said<u32>>, usual, max| within(said.cloned(), usual, max);
    Ok(Limits {
        heavy_max: number(said.heavy_max.as_ref(), usual.heavy_max, WORKERS_MAX)?,
        heavy_per_repo_max: number(
            said.heavy_per_repo_max.as_ref(),
            usual.heavy_per_repo_max,
            WORKERS_MAX,
        )?,
        report_gap_ms: number(said.report_gap_ms.as_ref(), usual.report_gap_ms, 600_000)?,
        look_ms_max: number(said.look_ms_max.as_ref(), usual.look_ms_max, 600_000)?,
        sweep_ms: number(said.sweep_ms.as_ref(), usual.sweep_ms, 3_600_000)?,
        poll_ms: webhooks::pace(said.poll_ms.clone(), usual.poll_ms)?,
        command_minutes_max: number(
            said.command_minutes_max.as_ref(),
            usual.command_minutes_max,
            1_440,
        )?,
        runs_per_issue_max: number(
            said.runs_per_issue_max.as_ref(),
            usual.runs_per_issue_max,
            100,
        )?,
        runs_per_actor_max: number(
            said.runs_per_actor_max.as_ref(),
            usual.runs_per_actor_max,
            400,
        )?,
        answers_per_issue_max: number(
            said.answers_per_issue_max.as_ref(),
            usual.answers_per_issue_max,
            1_000,
        )?,
    })
}

pub(super) fn within(said: Option<Said<u32>>, usual: u32, max: u32) -> Result<u32, ConfigError> {
    let Some(said) = said else { return Ok(usual) };
    if (1..=max).contains(&said.value) {
        return Ok(said.value);
    }
    let next = format!("write a number from 1 to {max}");
    Err(ConfigError::new(said.place, "it is out of bounds", next))
}

#[cfg(test)]
mod tests {
    use super::super::layer::Layer;
    use super::super::read::load;
    use super::*;

    fn by_env(list: &str) -> Result<BTreeSet<u64>, String> {
        let state = std::env::temp_dir().display().to_string();
        let env = |name: &str| match name {
            "SLIPWAY_TRUSTED_BOTS" => Some(list.to_owned()),
            "STATE_DIRECTORY" => Some(state.clone()),
            _ => None,
        };
        let read = load(None, env, Layer::default());
        read.map(|settings| settings.trusted_bots).map_err(|error| error.to_string())
    }

    #[test]
    fn attack_06_a_wildcard_for_bots_is_refused_at_load() {
        assert_eq!(by_env("41898282, 7"), Ok(BTreeSet::from([7, 41_898_282])));
        for wild in ["*", "*,7", "renovate[bot]", "7 *", "0", "-1", ","] {
            let refused = by_env(wild).unwrap_err();
            assert!(refused.contains("SLIPWAY_TRUSTED_BOTS"), "{wild}: {refused}");
        }
        for wild in ["[\"*\"]", "\"*\"", "[\"renovate[bot]\"]"] {
            let text = format!("trusted_bots = {wild}\n");
            let refused = super::super::file::parse("slipway.toml", &text).unwrap_err();
            assert!(refused.to_string().contains("line 1"), "{wild}: {refused}");
        }
        // With numbers the same places are read: it is the wildcard that is refused.
        let read = super::super::file::parse("slipway.toml", "trusted_bots = [7]\n").unwrap();
        assert_eq!(read.trusted_bots, Some(vec![7]));
    }
}
