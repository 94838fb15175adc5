//! Check: GitHub accepts our private key as the App's.

use super::Case;
use super::report::Line;
use crate::github::Error;

const NAME: &str = "key";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let (Some(about), Ok(identity)) = (&case.about, &case.identity) else { return Vec::new() };
    let id = identity.app_id;
    vec![match about {
        Ok(app) => Line::ok(NAME, format!("GitHub knows us as {} (App {})", app.slug, app.id)),
        Err(Error::Forbidden(why)) if why.contains("'iat'") || why.contains("'exp'") => Line::fail(
            NAME,
            format!("GitHub does not believe the time we claim: {why}"),
            "set the clock (timedatectl set-ntp true)",
        ),
        Err(Error::Forbidden(why) | Error::Gone(why)) => Line::fail(
            NAME,
            format!("GitHub does not accept it for App {id}: {why}"),
            format!(
                "compare app_id with the App's page below {}, or generate a new private key \
                 there and put it into private_key_file",
                case.app_settings("")
            ),
        ),
        Err(Error::Unexpected(why)) => Line::fail(
            NAME,
            why,
            "use the .pem file that GitHub gave you, unchanged; it can make another one",
        ),
        Err(error @ (Error::Refused { .. } | Error::Limited { .. } | Error::Unavailable(_))) => {
            Line::fail(NAME, format!("GitHub does not tell: {error}"), "try again in a minute")
        }
    }]
}
