//! Paths and the calls they mean: slashes in branches and files belong to their value.

use super::spec::Operation;

/// Values that may hold slashes, as GitHub itself takes them.
const SLASHED: [&str; 5] = ["basehead", "branch", "name", "path", "ref"];

/// The path of a call, with places for values.
pub(super) struct Template {
    parts: Vec<Part>,
}

enum Part {
    Fixed(String),
    Value(String),
}

/// A call and the values its path gives it.
pub(super) struct Found<'a> {
    pub(super) operation: &'a Operation,
    pub(super) values: Vec<(String, String)>,
}

impl Template {
    pub(super) fn parse(path: &str) -> Self {
        let part = |text: &str| match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            Some(name) => Part::Value(name.to_owned()),
            None => Part::Fixed(text.to_owned()),
        };
        Self { parts: path.split('/').skip(1).map(part).collect() }
    }

    /// More fixed parts first, then fewer values.
    pub(super) fn rank(&self) -> (usize, usize) {
        let fixed = self.parts.iter().filter(|part| matches!(part, Part::Fixed(_))).count();
        (fixed, usize::MAX - self.parts.len())
    }

    /// The values in `path`, when it is of this form.
    pub(super) fn values(&self, path: &str) -> Option<Vec<(String, String)>> {
        let aliased = alias(path);
        let path = aliased.as_deref().unwrap_or(path);
        let given: Vec<&str> = path.split('/').skip(1).collect();
        let mut values = Vec::new();
        fits(&self.parts, &given, &mut values).then_some(values)
    }
}

/// GitHub's own links name a repository by its number.
fn alias(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/repositories/")?;
    let (id, rest) = rest.split_once('/').unwrap_or((rest, ""));
    id.parse::<u64>().ok()?;
    let slash = if rest.is_empty() { "" } else { "/" };
    Some(format!("/repos/owner/name{slash}{rest}"))
}

fn fits(parts: &[Part], given: &[&str], values: &mut Vec<(String, String)>) -> bool {
    let Some((first, rest)) = parts.split_first() else { return given.is_empty() };
    match first {
        Part::Fixed(text) => {
            given.first() == Some(&text.as_str()) && fits(rest, &given[1..], values)
        }
        Part::Value(name) => {
            let most = if SLASHED.contains(&name.as_str()) { given.len() } else { 1 };
            for count in 1..=most.min(given.len()) {
                let text = given[..count].join("/");
                let before = values.len();
                values.push((name.clone(), text.clone()));
                if !text.is_empty() && fits(rest, &given[count..], values) {
                    return true;
                }
                values.truncate(before);
            }
            false
        }
    }
}
