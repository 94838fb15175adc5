//! Patterns for paths: `dir/` is all below, `*` and `?` stay within a name, `**` does not.

/// Whether the pattern `given` names `path`. One that ends in `/` or `/**` names the place itself
/// too, so that nothing else can be put there.
pub fn matches(given: &str, path: &str) -> bool {
    let pattern = given.strip_suffix('/');
    let pattern = pattern.map_or_else(|| given.to_owned(), |dir| format!("{dir}/**"));
    let parts: Vec<&str> = pattern.split('/').collect();
    let names: Vec<&str> = path.split('/').collect();
    // `reached[i]`: the parts so far name exactly the first `i` names.
    let mut reached = vec![false; names.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in parts {
        let mut next = vec![false; names.len() + 1];
        let mut before = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or(false);
            let name = at.checked_sub(1).and_then(|last| names.get(last));
            if part == "**" {
                before |= here;
                *slot = before;
            } else if let Some(name) = name {
                *slot = before && named(part, name);
            }
            if part != "**" {
                before = here;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// Whether one name fits one part. The last `*` is the only one that is ever tried again.
fn named(part: &str, name: &str) -> bool {
    let (part, name): (Vec<char>, Vec<char>) = (part.chars().collect(), name.chars().collect());
    let (mut at, mut on) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = name.get(on) {
        match part.get(at) {
            Some('*') => {
                star = Some((at, on));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => {
                at += 1;
                on += 1;
            }
            Some(_) | None => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from + 1));
                at = back + 1;
                on = from + 1;
            }
        }
    }
    part.get(at..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_what_they_say() {
        for (pattern, path, expected) in [
            ("a", "a", true),
            ("a", "b/a", false),
            ("a", "a/b", false),
            ("a/", "a/b/c", true),
            ("a/", "a", true),
            ("a/", "ab", false),
            ("a/**", "a", true),
            ("**/a", "a", true),
            ("**/a", "x/y/a", true),
            ("**/a", "x/ya", false),
            ("**/a/**", "x/a/y/z", true),
            ("**/a/**", "a", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/x/y/c", false),
            ("*.png", "a.png", true),
            ("*.png", "x/a.png", false),
            ("**/*.png", "x/a.png", true),
            ("**/*.png", "a.png", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("lefthook*", "lefthook.yml", true),
            ("**", "any/thing", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern:?} {path:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = format!("{}b", "*a".repeat(500));
        assert!(!matches(&pattern, &"a".repeat(2_000)));
        assert!(!matches(&"**/*a/".repeat(200), &"aab/".repeat(1_000)));
    }
}
