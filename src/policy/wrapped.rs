//! Long sentences broken into lines, so that snapshots in tests can be read.

/// `text` with its lines broken at spaces to have at most `chars_max` characters, unless a word
/// alone has more.
pub(crate) fn wrapped(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut used = 0;
        for word in line.split(' ') {
            let chars = word.chars().count();
            if used > 0 && used + 1 + chars > chars_max {
                out.push('\n');
                used = 0;
            } else if used > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += chars;
        }
        out.push('\n');
    }
    out
}
