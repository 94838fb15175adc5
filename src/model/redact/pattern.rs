//! What looks like a token or a key, whoever it belongs to. The patterns are open-ended, because
//! token formats change while this program runs.

/// Fewest characters after a prefix that make a token; GitHub's are longer, and grow.
const TOKEN_CHARS_MIN: usize = 20;

/// Beginnings of tokens.
pub(super) const TOKEN_PREFIXES: [&str; 11] = [
    "ghs_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "x-access-token:",
    "eyJ",
    "sk-",
    "xox",
    "AKIA",
];
const KEY_BEGIN: &[u8] = b"-----BEGIN ";
const KEY_END: &[u8] = b"-----END ";
const KEY_DASHES: &[u8] = b"-----";
/// Longest name of a kind of key, such as `OPENSSH PRIVATE KEY`, in bytes.
const LABEL_BYTES_MAX: usize = 40;

/// Bytes that must be known to tell whether a pattern begins.
pub(super) const SURE_BYTES: usize = 64;

/// Where patterns stand in `bytes`, in order.
pub(super) fn spans(bytes: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match key_bytes(rest).or_else(|| token_bytes(bytes, at)) {
            Some(length) => {
                found.push((at, at + length));
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// Length of the private key `bytes` begin with; a key cut short reaches to the end.
fn key_bytes(bytes: &[u8]) -> Option<usize> {
    let body = bytes.strip_prefix(KEY_BEGIN)?;
    let label = body.get(..body.len().min(LABEL_BYTES_MAX))?;
    find(label, b"PRIVATE KEY")?;
    let Some(end) = find(bytes, KEY_END) else { return Some(bytes.len()) };
    let after = end + KEY_END.len();
    let tail = bytes.get(after..).unwrap_or_default();
    Some(find(tail, KEY_DASHES).map_or(bytes.len(), |at| after + at + KEY_DASHES.len()))
}

/// Length of the token that begins at `at`.
fn token_bytes(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let prefix = TOKEN_PREFIXES.iter().find(|prefix| rest.starts_with(prefix.as_bytes()))?;
    let body = rest.get(prefix.len()..)?;
    let length = body.iter().take_while(|b| in_token(**b)).count();
    // Short beginnings are found in the middle of words, too.
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    let word = prefix.len() < 4 && before.is_some_and(u8::is_ascii_alphanumeric);
    (length >= TOKEN_CHARS_MIN && !word).then_some(prefix.len() + length)
}

fn in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
