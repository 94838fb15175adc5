//! GitHub's limits as we keep them: published figures less a margin, for clocks and paths differ.

use axum::http::Uri;

/// How much one installation may ask, in requests, points and writes; times in milliseconds.
///
/// GitHub publishes 100 requests at once, 900 points a minute, 80 writes a minute and 500 an
/// hour, and asks for a second between writes (GitHub facts, §6 "Secondary").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub at_once_max: u32,
    /// A read is 1 point, a write 5.
    pub points_a_minute_max: u32,
    pub writes_a_minute_max: u32,
    pub writes_an_hour_max: u32,
    /// Between two writes, but for acknowledgements.
    pub write_gap_ms: i64,
    /// The primary limit until GitHub's own headers tell it.
    pub requests_an_hour_max: u32,
    /// Requests of all installations together that wait inside the adapter: each holds a worker.
    pub waiting_max: u32,
}

impl Limits {
    /// No limit of that kind.
    pub const NONE: u32 = u32::MAX;

    /// What github.com and its data-residency twin publish.
    pub fn cloud() -> Self {
        Self {
            at_once_max: 90,
            points_a_minute_max: 800,
            writes_a_minute_max: 70,
            writes_an_hour_max: 450,
            write_gap_ms: 1_100,
            requests_an_hour_max: 5_000,
            waiting_max: 4,
        }
    }

    /// An Enterprise Server limits nothing by default: what it does limit, its answers say.
    pub fn server() -> Self {
        Self {
            at_once_max: 90,
            points_a_minute_max: Self::NONE,
            writes_a_minute_max: Self::NONE,
            writes_an_hour_max: Self::NONE,
            write_gap_ms: 0,
            requests_an_hour_max: Self::NONE,
            waiting_max: 4,
        }
    }

    /// With so many workers: half of them may wait, the others go on.
    #[must_use]
    pub fn with_workers(self, workers: u32) -> Self {
        Self { waiting_max: (workers / 2).max(1), ..self }
    }

    /// The limits that hold at the address of an interface.
    pub fn of(api_url: &str) -> Self {
        let uri: Option<Uri> = api_url.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default().to_ascii_lowercase();
        let cloud = host == "api.github.com" || host.ends_with(".ghe.com");
        if cloud { Self::cloud() } else { Self::server() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_limits_are_kept_where_they_hold() {
        for cloud in
            ["https://api.github.com", "https://API.github.com", "https://api.acme.ghe.com"]
        {
            assert_eq!(Limits::of(cloud), Limits::cloud(), "{cloud}");
        }
        for server in ["https://git.acme.example/api/v3", "http://127.0.0.1:8000", "", "a b"] {
            assert_eq!(Limits::of(server), Limits::server(), "{server}");
        }
        let ours = Limits::cloud();
        assert!(ours.at_once_max < 100 && ours.points_a_minute_max < 900);
        assert!(ours.writes_a_minute_max < 80 && ours.writes_an_hour_max < 500);
        assert!(ours.write_gap_ms > 1_000);
    }
}
