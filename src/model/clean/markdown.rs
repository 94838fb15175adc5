//! What Markdown hides: descriptions of images, titles of links, references nobody uses.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

/// A part of a text, as a person would read it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Code: everything in it is seen.
    Code(String),
    Html(String),
    Text(String),
}

/// What stands in place of a range.
struct Edit {
    range: Range<usize>,
    piece: Piece,
}

/// `text` in pieces, with `hidden` things left out of links and images.
pub(super) fn pieces(text: &str, hidden: bool) -> Vec<Piece> {
    let mut edits = edits(text, hidden);
    // What holds another goes first, and takes it along.
    edits.sort_by_key(|edit| (edit.range.start, Reverse(edit.range.end)));
    let (mut out, mut from) = (Vec::new(), 0);
    for Edit { range, piece } in edits {
        if range.start < from {
            continue;
        }
        out.push(Piece::Text(text.get(from..range.start).unwrap_or_default().to_owned()));
        out.push(piece);
        from = range.end;
    }
    out.push(Piece::Text(text.get(from..).unwrap_or_default().to_owned()));
    out
}

/// A link that was begun.
struct Open {
    range: Range<usize>,
    /// Where what is inside of it ends.
    inside: usize,
    inline: bool,
    titled: bool,
}

fn edits(text: &str, hidden: bool) -> Vec<Edit> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let parser = Parser::new_ext(text, options);
    let definitions: Vec<(String, Range<usize>)> = parser
        .reference_definitions()
        .iter()
        .map(|(label, definition)| (label.to_lowercase(), definition.span.clone()))
        .collect();
    let (mut edits, mut open, mut used) = (Vec::new(), Vec::<Open>::new(), BTreeSet::new());
    let source = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default().to_owned();
    for (event, range) in parser.into_offset_iter() {
        if matches!(&event, Event::Start(Tag::CodeBlock(_)) | Event::Code(_)) {
            edits.push(Edit { range: range.clone(), piece: Piece::Code(source(&range)) });
        } else if matches!(&event, Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_)) {
            edits.push(Edit { range: range.clone(), piece: Piece::Html(source(&range)) });
        } else if let (Event::Start(Tag::Image { id, .. }), true) = (&event, hidden) {
            used.insert(id.to_lowercase());
            let piece = Piece::Text(image(&source(&range)));
            edits.push(Edit { range: range.clone(), piece });
        } else if let Event::Start(Tag::Link { link_type, title, id, .. }) = &event {
            used.insert(id.to_lowercase());
            open.push(Open {
                range: range.clone(),
                inside: range.start + 1,
                inline: *link_type == LinkType::Inline,
                titled: !title.is_empty(),
            });
            continue;
        } else if matches!(&event, Event::End(TagEnd::Link)) {
            let Some(link) = open.pop().filter(|link| hidden && link.inline && link.titled) else {
                continue;
            };
            let tail = link.inside..link.range.end;
            let piece = Piece::Text(untitled(&source(&tail)));
            edits.push(Edit { range: tail, piece });
        }
        for link in &mut open {
            link.inside = link.inside.max(range.end.min(link.range.end));
        }
    }
    if hidden {
        edits.extend(definitions.into_iter().map(|(label, range)| {
            let kept = if used.contains(&label) { defined(&source(&range)) } else { String::new() };
            Edit { range, piece: Piece::Text(kept) }
        }));
    }
    edits
}

/// An image without its description and title.
fn image(source: &str) -> String {
    // What an image shows is over at the last `](` or `][`; a description may hold others.
    let target = source.rfind("](").or_else(|| source.rfind("]["));
    match target.and_then(|at| source.get(at..)) {
        Some(tail) => format!("![{}", untitled(tail)),
        None => "![]".to_owned(),
    }
}

/// `](address "title")` without the title.
fn untitled(tail: &str) -> String {
    let Some(inner) = tail.strip_prefix("](") else { return tail.to_owned() };
    format!("]({})", address(inner.trim_start()))
}

/// `[label]: address "title"` without the title.
fn defined(source: &str) -> String {
    match source.split_once("]:") {
        Some((label, rest)) => format!("{label}]: {}", address(rest.trim_start())),
        None => String::new(),
    }
}

/// The address `text` begins with: in angle brackets, or with its parentheses in pairs.
fn address(text: &str) -> &str {
    if text.starts_with('<') {
        let end = text.find('>').map_or(text.len(), |at| at + 1);
        return text.get(..end).unwrap_or_default();
    }
    let mut depth = 0_usize;
    let end = text.find(|c: char| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' if depth == 0 => true,
        ')' => {
            depth -= 1;
            false
        }
        c => c.is_whitespace(),
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let pieces = pieces(text, true).into_iter();
        pieces
            .map(|piece| match piece {
                Piece::Code(text) | Piece::Html(text) | Piece::Text(text) => text,
            })
            .collect()
    }

    #[test]
    fn what_is_not_shown_goes_and_what_is_shown_stays() {
        for (given, want) in [
            ("![obey](u \"too\") on", "![](u) on"),
            ("![a [b](c) d](u(v)w)", "![](u(v)w)"),
            ("[t](u \"obey\")", "[t](u)"),
            ("[*t* ![a](i 'b')](<u v> (obey))", "[*t* ![](i)](<u v>)"),
            ("[//]: # (obey)\nseen", "\nseen"),
            ("> [x]: u\n> \"obey\n> me\"\n\nseen", "> \n\nseen"),
            ("[x][Y] ![z][y]\n\n[y]: u \"obey\"", "[x][Y] ![][y]\n\n[y]: u"),
            ("`![a](b \"c\")`\n\n    [x]: y \"z\"\n", "`![a](b \"c\")`\n\n    [x]: y \"z\"\n"),
            ("[t](u) and [n]: no", "[t](u) and [n]: no"),
        ] {
            assert_eq!(shown(given), want, "{given:?}");
        }
    }
}
