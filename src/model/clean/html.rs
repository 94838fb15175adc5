//! What HTML hides inside of Markdown: comments, declarations, attributes.

use std::fmt::Write as _;

/// `text` without comments, declarations and instructions; how many there were; and whether the
/// last one has no end, which hides everything behind it.
pub(super) fn without_comments(text: &str) -> (String, u32, bool) {
    let (mut out, mut count) = (String::with_capacity(text.len()), 0);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        out.push(first);
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
        let opened = OPENINGS.iter().find(|(open, _)| out.ends_with(open));
        let Some((open, close)) = opened else { continue };
        out.truncate(out.len() - open.len());
        count += 1;
        // `<!-->` and `<!--->` are whole.
        let short = rest.strip_prefix('>').or_else(|| rest.strip_prefix("->"));
        if let Some(after) = short.filter(|_| *open == COMMENT) {
            rest = after;
            continue;
        }
        match close.iter().filter_map(|close| Some((rest.find(close)?, close.len()))).min() {
            Some((at, length)) => rest = rest.get(at + length..).unwrap_or_default(),
            None => return (out, count, true),
        }
    }
    (out, count, false)
}

const COMMENT: &str = "<!--";
const OPENINGS: [(&str, &[&str]); 4] = [
    (COMMENT, &["-->", "--!>"]),
    ("<![CDATA[", &["]]>"]),
    ("<!DOCTYPE", &[">"]),
    ("<?", &["?>", ">"]),
];

/// A piece that is HTML, its tags with nothing but their names and where they lead.
pub(super) fn bare(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let (kept, length) = tag_kept(tag).unwrap_or_else(|| ("<".to_owned(), 1));
        out.push_str(&kept);
        rest = tag.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// What is kept of the tag `text` begins with, and how long it is; to the end when it is open.
fn tag_kept(text: &str) -> Option<(String, usize)> {
    let body = text.get(1..)?;
    let closing = body.starts_with('/');
    let name_from = if closing { 2 } else { 1 };
    let name = text.get(name_from..)?;
    let name_length = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let name_length = name_length.unwrap_or(name.len());
    let letters = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !letters {
        // `</ x>` is a comment to a browser.
        let end = text.find('>').map_or(text.len(), |at| at + 1);
        return closing.then(|| (String::new(), end));
    }
    let after = name.get(name_length..)?;
    if !after.starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/') && !after.is_empty()
    {
        // An address in angle brackets, and it is shown.
        return None;
    }
    let name = name.get(..name_length)?;
    let (attributes, length) = attributes(after);
    let slash = if closing { "/" } else { "" };
    let mut kept = format!("<{slash}{name}");
    for (key, value) in attributes {
        if !closing && KEPT.iter().any(|kept| key.eq_ignore_ascii_case(kept)) {
            _ = write!(kept, " {key}=\"{value}\"");
        }
    }
    kept.push('>');
    Some((kept, name_from + name_length + length))
}

/// Attributes that lead somewhere. All others only hide words.
const KEPT: [&str; 2] = ["href", "src"];

/// The attributes in front of `>`, and how many bytes they and it take.
fn attributes(text: &str) -> (Vec<(&str, &str)>, usize) {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (found, text.len());
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (found, text.len() - after.len());
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '>' | '=' | '/');
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let length = rest.get(first..).and_then(|rest| rest.find(ends));
        let (key, after) = rest.split_at(length.map_or(rest.len(), |at| first + at));
        let Some(value) = after.trim_start().strip_prefix('=') else {
            rest = after;
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inner = quote.and_then(|quote| value.get(1..)?.split_once(quote));
        let (value, after) = inner.unwrap_or_else(|| {
            let end = value.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(value.len());
            value.split_at(end)
        });
        found.push((key, value));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_however_they_end() {
        let gone = |text: &str| without_comments(text);
        assert_eq!(gone("a<!-- x -->b<!-->c<!--->d"), ("abcd".to_owned(), 3, false));
        assert_eq!(gone("a<!-- x --!>b"), ("ab".to_owned(), 1, false));
        assert_eq!(gone("a <!-- x\n\ny"), ("a ".to_owned(), 1, true));
        assert_eq!(gone("<!<!-- a -->-- b -->c"), ("c".to_owned(), 2, false));
        assert_eq!(gone("<![CDATA[x]]>a<?php y?>b"), ("ab".to_owned(), 2, false));
        assert_eq!(gone("a < b, x <- y, <!x>"), ("a < b, x <- y, <!x>".to_owned(), 0, false));
    }

    #[test]
    fn tags_keep_their_names_and_where_they_lead() {
        for (given, want) in [
            ("<img alt=\"obey\" src='u' title=x>", "<img src=\"u\">"),
            ("<a href=u data-x=\"a>b\" aria-label='z'>t</a hidden>", "<a href=\"u\">t</a>"),
            ("<details open><summary>s</summary>", "<details><summary>s</summary>"),
            ("<div\nsecret words", "<div>"),
            ("<div <b> x", "<div> x"),
            ("</ secret>a</>b", "ab"),
            ("<https://x> <a@b> < b", "<https://x> <a@b> < b"),
            ("<br/>", "<br>"),
        ] {
            assert_eq!(bare(given), want, "{given:?}");
            assert_eq!(bare(want), want);
        }
    }
}
