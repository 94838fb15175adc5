//! The one thing of a connection that is read: the head of a CONNECT request.

use super::authority::Authority;
use super::defence::{Defence, Defences};
use super::rule::{self, Rule};
use super::verdict::Refusal;

/// Longest head, in bytes.
pub const HEAD_BYTES_MAX: usize = 8 * 1024;
/// What ends a head.
pub const END: &[u8] = b"\r\n\r\n";
const LINE: &str = "\r\n";

/// Where `head` may go: read and judged. `head` ends with [`END`].
pub fn judge(head: &[u8], rules: &[Rule]) -> Result<Authority, Refusal> {
    judge_with(head, rules, Defences::ALL)
}

pub(super) fn judge_with(
    head: &[u8],
    rules: &[Rule],
    defences: Defences,
) -> Result<Authority, Refusal> {
    if defences.has(Defence::Length) && head.len() > HEAD_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    // Not UTF-8, so not a name either.
    let text = std::str::from_utf8(head).map_err(|_bytes| Refusal::Malformed)?;
    let (method, target) = match request(text) {
        Some(read) => read,
        None if defences.has(Defence::Form) => return Err(Refusal::Malformed),
        None => loose(text).ok_or(Refusal::Malformed)?,
    };
    if defences.has(Defence::Method) && method != "CONNECT" {
        return Err(Refusal::Method);
    }
    let asked = Authority::judge(target, defences)?;
    if rule::allow(rules, &asked, defences) {
        return Ok(asked);
    }
    Err(Refusal::NotAllowed(asked))
}

/// Method and target of a head of exactly the right form.
fn request(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_suffix("\r\n\r\n")?;
    let mut lines = text.split(LINE);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    let good = words.next().is_none()
        && token(method)
        && !target.is_empty()
        && !first.contains(['\r', '\n'])
        && matches!(version, "HTTP/1.1" | "HTTP/1.0");
    (good && lines.all(field)).then_some((method, target))
}

/// `name: value`, on one line.
fn field(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(tchar)
        && value.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

/// What a forgiving reader would make of it; used when the strict one is taken away.
fn loose(text: &str) -> Option<(&str, &str)> {
    let mut words = text.split_ascii_whitespace();
    Some((words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_a_connect_with_fields_and_nothing_else() {
        let rules = [Rule::parse("api.example.com").unwrap()];
        let head = b"CONNECT API.example.com.:443 HTTP/1.1\r\nHost: x\r\nA-b:\r\n\r\n";
        assert_eq!(judge(head, &rules).unwrap().to_string(), "api.example.com:443");
        assert_eq!(judge(b"", &rules), Err(Refusal::Malformed));
        assert_eq!(judge(b"CONNECT \xff:1 HTTP/1.1\r\n\r\n", &rules), Err(Refusal::Malformed));
        let other = judge(b"CONNECT b.example.com:443 HTTP/1.0\r\n\r\n", &rules);
        assert!(matches!(other, Err(Refusal::NotAllowed(asked)) if asked.port() == 443));
    }
}
