//! Small pieces that many pages show: people, times, badges, labels, marks of checks.

use maud::{Markup, html};

use super::super::world::{
    App, Issue, Reaction, Repo, Review, ReviewState, Run, RunStatus, State, User,
};

/// Characters of a commit id that are shown.
const SHORT_SHA: usize = 7;

/// The reactions people can give, as GitHub names them, with their pictures.
pub(super) const REACTIONS: [(&str, &str); 8] = [
    ("+1", "👍"),
    ("-1", "👎"),
    ("laugh", "😄"),
    ("confused", "😕"),
    ("heart", "❤️"),
    ("hooray", "🎉"),
    ("rocket", "🚀"),
    ("eyes", "👀"),
];

/// Path of a repository's page.
pub(super) fn home(repo: &Repo) -> String {
    format!("/{}/{}", encode(&repo.owner.login), encode(&repo.name))
}

/// Path of an issue's or pull request's page.
pub(super) fn about(repo: &Repo, issue: &Issue) -> String {
    let kind = if issue.is_pull { "pull" } else { "issues" };
    format!("{}/{kind}/{}", home(repo), issue.number)
}

/// Percent-encodes all but letters, digits and `-._~`, so that a name stays one path segment.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

/// As [`encode`], keeping the slashes of a file's path.
pub(super) fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

pub(super) fn short(sha: &str) -> &str {
    sha.get(..SHORT_SHA).unwrap_or(sha)
}

pub(super) fn commit_link(repo: &Repo, sha: &str) -> Markup {
    html! { a.sha href={ (home(repo)) "/commit/" (encode(sha)) } { code { (short(sha)) } } }
}

pub(super) fn plural(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// A moment as seen from now, with the whole time at hand.
pub(super) fn time(now_ms: i64, at_ms: i64) -> Markup {
    let exact = jiff::Timestamp::from_millisecond(at_ms).map(|at| at.to_string());
    let exact = exact.unwrap_or_default();
    html! { time datetime=(exact) title=(exact) { (ago(now_ms - at_ms)) } }
}

fn ago(ms: i64) -> String {
    let words = |count: i64, unit: &str| {
        format!("{} ago", plural(usize::try_from(count).unwrap_or_default(), unit))
    };
    match ms.div_euclid(1000) {
        ..=9 => "just now".to_owned(),
        s @ 10..=89 => words(s, "second"),
        s @ 90..=5_399 => words((s + 30) / 60, "minute"),
        s @ 5_400..=129_599 => words((s + 1800) / 3600, "hour"),
        s => words((s + 43_200) / 86_400, "day"),
    }
}

/// How long something took.
pub(super) fn span(ms: i64) -> String {
    match ms.max(0) {
        ms @ 0..=999 => format!("{ms} ms"),
        ms @ 1_000..=119_999 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        ms => format!("{} min", ms / 60_000),
    }
}

/// A round (people) or square (bots) field with the first letter.
pub(super) fn avatar(user: &User) -> Markup {
    let letter = user.login.chars().next().unwrap_or('?').to_uppercase().to_string();
    let tint = user.login.bytes().fold(0_u32, |sum, byte| sum * 31 % 9_973 + u32::from(byte)) % 6;
    html! {
        span class={ "avatar tint-" (tint) @if user.bot { " bot" } } aria-hidden="true" { (letter) }
    }
}

/// A person's or App's name.
pub(super) fn who(user: &User) -> Markup {
    let name = user.login.strip_suffix("[bot]").unwrap_or(&user.login);
    html! { b.who { (name) } @if user.bot { " " span.tag { "bot" } } }
}

/// The state of an issue or pull request in a mark, a word and a colour.
pub(super) fn state_badge(repo: &Repo, issue: &Issue) -> Markup {
    let pull = repo.pulls.get(&issue.number);
    let (tone, mark, word) = match pull {
        Some(pull) if pull.merged => ("merged", "◆", "Merged"),
        Some(pull) if issue.open && pull.draft => ("draft", "◌", "Draft"),
        Some(_) | None if issue.open => ("open", "○", "Open"),
        Some(_) => ("closed", "×", "Closed"),
        None if issue.state_reason == Some("not_planned") => ("draft", "×", "Not planned"),
        None => ("closed", "✓", "Closed"),
    };
    html! { span class={ "badge " (tone) } { span aria-hidden="true" { (mark) } " " (word) } }
}

pub(super) fn labels(issue: &Issue) -> Markup {
    html! { @for name in issue.labels.keys() { span.label { (name) } " " } }
}

/// A run's colour, mark and word.
pub(super) fn verdict(run: &Run) -> (&'static str, &'static str, String) {
    match (run.status, run.conclusion.as_deref()) {
        (RunStatus::Queued, _) => ("wait", "◷", "queued".to_owned()),
        (RunStatus::InProgress, _) => ("now", "●", "running".to_owned()),
        (RunStatus::Completed, Some("success")) => ("good", "✓", "passed".to_owned()),
        (RunStatus::Completed, Some(said @ ("neutral" | "skipped"))) => {
            ("calm", "–", said.to_owned())
        }
        (RunStatus::Completed, Some("action_required")) => ("wait", "!", "asks for you".to_owned()),
        (RunStatus::Completed, Some("failure")) => ("bad", "✕", "failed".to_owned()),
        (RunStatus::Completed, said) => ("bad", "✕", said.unwrap_or("ended").replace('_', " ")),
    }
}

pub(super) fn mark((tone, mark, word): (&str, &str, &str)) -> Markup {
    html! { span class={ "verdict " (tone) } { span aria-hidden="true" { (mark) } " " (word) } }
}

pub(super) fn app_name(state: &State, app: u64) -> &str {
    state.apps.get(&app).map_or("an App", |app: &App| &app.name)
}

/// The words for a review's verdict, with colour and mark.
pub(super) fn review_words(review: &Review) -> (&'static str, &'static str, &'static str) {
    match review.state {
        ReviewState::Approved => ("good", "✓", "approved these changes"),
        ReviewState::ChangesRequested => ("bad", "±", "asked for changes"),
        ReviewState::Commented => ("calm", "…", "reviewed"),
        ReviewState::Dismissed => ("calm", "–", "left a review, since dismissed"),
    }
}

/// Reactions given, each a button that gives or takes back one's own, and the ones to give.
pub(super) fn reactions(
    action: &str,
    comment: Option<u64>,
    given: &[Reaction],
    me: Option<&User>,
) -> Markup {
    let of = |name: &str| given.iter().filter(|one| one.content == name).collect::<Vec<_>>();
    let button = |name: &str, picture: &str| {
        let these = of(name);
        let mine = me.is_some_and(|me| these.iter().any(|one| one.user.id == me.id));
        let names: Vec<&str> = these.iter().map(|one| one.user.login.as_str()).collect();
        let by = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        html! {
            button.reaction type="submit" name="content" value=(name) aria-pressed=(mine)
                title={ (name) (by) } aria-label={ (name) (by) } {
                span aria-hidden="true" { (picture) }
                @if !these.is_empty() { " " (these.len()) }
            }
        }
    };
    let (used, free): (Vec<_>, Vec<_>) =
        REACTIONS.into_iter().partition(|(name, _)| !of(name).is_empty());
    html! {
        form.reactions method="post" action=(action) aria-label="Reactions" {
            @if let Some(id) = comment { input type="hidden" name="comment" value=(id); }
            @for (name, picture) in used { (button(name, picture)) }
            details.more {
                summary aria-label="Add a reaction" { "☺+" }
                div { @for (name, picture) in free { (button(name, picture)) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_one_segment_and_times_read_well() {
        assert_eq!(encode("feature/a b?"), "feature%2Fa%20b%3F");
        assert_eq!(encode_path("src/ä.rs"), "src/%C3%A4.rs");
        assert_eq!(ago(-5), "just now");
        assert_eq!(ago(45_000), "45 seconds ago");
        assert_eq!(ago(120_000), "2 minutes ago");
        assert_eq!(ago(90_000_000), "25 hours ago");
        assert_eq!(ago(10 * 86_400_000), "10 days ago");
        assert_eq!((span(12_345), span(7)), ("12.3 s".to_owned(), "7 ms".to_owned()));
    }
}
