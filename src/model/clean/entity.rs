//! Character references of HTML, such as `&commat;`, as the characters they stand for.

/// Longest reference, in bytes, without `&` and `;`.
const NAME_BYTES_MAX: usize = 24;

/// Those that stand for ASCII signs or for nothing that is seen; the others are left as they
/// are, since whoever reads `&eacute;` sees what it is.
const NAMED: [(&str, char); 80] = [
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("amp", '&'),
    ("AMP", '&'),
    ("apos", '\''),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("lt", '<'),
    ("LT", '<'),
    ("equals", '='),
    ("gt", '>'),
    ("GT", '>'),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("grave", '`'),
    ("DiacriticalGrave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("vert", '|'),
    ("VerticalLine", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("dash", '-'),
    ("hyphen", '-'),
    ("nbsp", ' '),
    ("NonBreakingSpace", ' '),
    ("ensp", ' '),
    ("emsp", ' '),
    ("thinsp", ' '),
    ("ThinSpace", ' '),
    ("hairsp", ' '),
    ("VeryThinSpace", ' '),
    ("numsp", ' '),
    ("puncsp", ' '),
    ("MediumSpace", ' '),
    ("shy", '\u{ad}'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
    ("ZeroWidthSpace", '\u{200b}'),
    ("NegativeVeryThinSpace", '\u{200b}'),
    ("NegativeThinSpace", '\u{200b}'),
    ("NegativeMediumSpace", '\u{200b}'),
    ("NegativeThickSpace", '\u{200b}'),
    ("NoBreak", '\u{2060}'),
    ("af", '\u{2061}'),
    ("ApplyFunction", '\u{2061}'),
    ("it", '\u{2062}'),
    ("InvisibleTimes", '\u{2062}'),
    ("ic", '\u{2063}'),
    ("InvisibleComma", '\u{2063}'),
    ("iexcl", '¡'),
    ("copy", '©'),
    ("reg", '®'),
    ("hellip", '…'),
    ("mdash", '—'),
];

/// `text` with every reference decoded, and those that decoding puts together too.
pub fn decoded(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        out.push(c);
        while out.ends_with(';') {
            let Some((from, found)) = at_end(&out) else { break };
            out.truncate(from);
            out.push(found);
        }
    }
    out
}

/// The reference `text` ends with: where it begins, and its character.
fn at_end(text: &str) -> Option<(usize, char)> {
    let end = text.len().checked_sub(1)?;
    let window = text.get(..end)?;
    let from = window.bytes().rev().take(NAME_BYTES_MAX + 1).position(|b| b == b'&')?;
    let from = end - from - 1;
    let name = window.get(from + 1..)?;
    Some((from, character(name)?))
}

fn character(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else {
        return NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
    };
    let digits = number.strip_prefix(['x', 'X']);
    let (digits, radix) = digits.map_or((number, 10), |hex| (hex, 16));
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    // What is no character is shown as one that says so.
    let code = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    Some(char::from_u32(code).filter(|c| *c != '\0').unwrap_or('\u{fffd}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_until_none_is_left() {
        for (given, want) in [
            ("&commat;bob &#64;bob &#x40;bob &#X40;bob", "@bob @bob @bob @bob"),
            ("&amp;commat;bob", "@bob"),
            ("&&#97;mp;&#108;t&semi;!-- x", "<!-- x"),
            ("&eacute; & &; &#; &#x; AT&T; &unknown;", "&eacute; & &; &#; &#x; AT&T; &unknown;"),
            ("&#0;&#xD800;&#99999999999;", "\u{fffd}\u{fffd}\u{fffd}"),
            ("a&ZeroWidthSpace;b", "a\u{200b}b"),
        ] {
            assert_eq!(decoded(given), want, "{given:?}");
            assert_eq!(decoded(want), want);
        }
        let nested = format!("&{}lt;", "amp;".repeat(10_000));
        assert_eq!(decoded(&nested), "<");
    }
}
