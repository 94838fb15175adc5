//! Which houses rest, as the server that runs beside us tells in its metrics: it alone knows.

use std::time::Duration;

use super::args::{Common, Serve};
use crate::model::Millis;

/// How long the server may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// How a line begins that tells of one.
const LINE: &str = "slipway_pool_rests_until_seconds{pool=\"";

/// A house whose agents are not started before a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resting {
    pub(super) pool: String,
    pub(super) until: Millis,
}

/// Those that rest at `now`; `None` where no server of this configuration answers.
pub(super) async fn resting(common: &Common, now: Millis) -> Option<Vec<Resting>> {
    let settings = common.settings(&Serve::default()).ok()?;
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX).build().ok()?;
    let mut request = client.get(format!("http://{}/metrics", settings.listen));
    if let Some(token) = &settings.dashboard_token {
        request = request.bearer_auth(token.reveal());
    }
    let answer = request.send().await.ok()?.error_for_status().ok()?;
    Some(read(&answer.text().await.ok()?, now))
}

fn read(metrics: &str, now: Millis) -> Vec<Resting> {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(LINE)?.split_once("\"} "));
    let all = lines.filter_map(|(pool, seconds)| {
        let until = Millis(seconds.parse::<i64>().ok()?.checked_mul(1_000)?);
        Some(Resting { pool: pool.to_owned(), until })
    });
    all.filter(|resting| resting.until > now).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    #[test]
    fn houses_that_rest_are_read_from_what_the_server_tells() {
        let metrics = Metrics::new();
        metrics.pool_rests("openai", Millis(1_900_000));
        metrics.pool_rests("anthropic", Millis(1_000_000));
        let told = metrics.render(None);
        let openai = Resting { pool: "openai".to_owned(), until: Millis(1_900_000) };
        assert_eq!(read(&told, Millis(1_000_000)), [openai]);
        assert_eq!(read(&told, Millis(1_900_000)), [], "it has had its rest");
        assert_eq!(read("slipway_pool_rests_until_seconds{pool=\"x\"} y", Millis(0)), []);
    }
}
