//! Plain words that lead somewhere: `#12`, a commit's id, an address; and `@names` in bold.

use maud::{Markup, html};

use super::super::parts::short;

/// The text with its links.
pub(super) fn linked(text: &str, home: &str) -> Markup {
    html! { @for piece in text.split_inclusive(char::is_whitespace) { (word(piece, home)) } }
}

fn word(piece: &str, home: &str) -> Markup {
    let core = piece.trim_start_matches(['(', '[', '"', '\'']);
    let before = piece.strip_suffix(core).unwrap_or_default();
    let inner =
        core.trim_end().trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'']);
    let after = core.strip_prefix(inner).unwrap_or_default();
    if let Some(markup) = marked(inner, home) {
        return html! { (before) (markup) (after) };
    }
    html! { (piece) }
}

fn marked(word: &str, home: &str) -> Option<Markup> {
    if let Some(number) = word.strip_prefix('#') {
        let number: u32 = number.parse().ok()?;
        return Some(html! { a href={ (home) "/issues/" (number) } { "#" (number) } });
    }
    if let Some(name) = word.strip_prefix('@') {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let fits = !name.is_empty() && name.chars().all(good);
        return fits.then(|| html! { b.mention { "@" (name) } });
    }
    if word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(html! { a.sha href={ (home) "/commit/" (word) } { code { (short(word)) } } });
    }
    let rest = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"))?;
    (!rest.is_empty()).then(|| html! { a href=(word) { (word) } })
}

#[cfg(test)]
mod tests {
    use super::linked;

    #[test]
    fn numbers_names_commits_and_addresses_are_found_in_sentences() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let text = format!("See (#12), @mara: {sha} http://e.test/a?b=1&c=2. a#3 #x <b>");
        let html = linked(&text, "/o/r").0;
        assert_eq!(
            html,
            "See (<a href=\"/o/r/issues/12\">#12</a>), <b class=\"mention\">@mara</b>: \
             <a class=\"sha\" href=\"/o/r/commit/0123456789abcdef0123456789abcdef01234567\">\
             <code>0123456</code></a> <a href=\"http://e.test/a?b=1&amp;c=2\">\
             http://e.test/a?b=1&amp;c=2</a>. a#3 #x &lt;b&gt;"
        );
    }
}
