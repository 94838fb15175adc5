//! Credit: the requester as co-author of what was made at their word.

use super::Context;
use crate::model::User;
use crate::model::sanitized::{Plain, co_author as credited};

/// The account GitHub shows in place of one that was deleted.
const GHOST: &str = "ghost";

/// The value of the requester's `Co-authored-by:` trailer; `None` for bots and for accounts
/// that are gone, whom nobody could credit.
pub fn co_author(context: &Context<'_>) -> Option<Plain> {
    of(&context.state.request.by, &context.links.repo_url)
}

fn of(user: &User, repo_url: &str) -> Option<Plain> {
    let login = user.login.as_str();
    if user.bot || user.id.0 == 0 || login.eq_ignore_ascii_case(GHOST) {
        return None;
    }
    credited(login, user.id, host(repo_url))
}

/// The name of GitHub's host, without scheme, port and path.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', ':']).unwrap_or(rest.len());
    rest.get(..end).filter(|host| !host.is_empty()).unwrap_or("github.com")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UserId;

    #[test]
    fn people_are_credited_at_their_own_host_and_nobody_else_is() {
        let of = |id, login: &str, bot, url| {
            let user = User { id: UserId(id), login: login.to_owned(), bot };
            of(&user, url).map(|who| who.as_str().to_owned())
        };
        let hub = "https://github.com/octo/hello";
        let ann = Some("ann-b <7+ann-b@users.noreply.github.com>".to_owned());
        assert_eq!(of(7, "ann-b", false, hub), ann);
        let enterprise = of(7, "ann_corp", false, "https://ghe.example:8443/octo/hello");
        let at = "ann_corp <7+ann_corp@users.noreply.ghe.example>".to_owned();
        assert_eq!(enterprise, Some(at));
        for (id, login, bot) in [
            (7, "dependabot[bot]", true),
            (7, "slipway", true),
            (10_137, "ghost", false),
            (0, "ann", false),
            (7, "", false),
            (7, "ann\nSigned-off-by: bob <b@c>", false),
            (7, "ann <x@y>", false),
            (7, "ann>", false),
        ] {
            assert_eq!(of(id, login, bot, hub), None, "{login:?}");
        }
        assert_eq!(of(7, &"a".repeat(61), false, hub), None);
    }
}
