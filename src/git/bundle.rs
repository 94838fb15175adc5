//! The header of a git bundle, read in this process: it is checked before git sees a byte of it.

use crate::model::CommitSha;

/// The reference under which the work of a workspace is packed.
pub const PACKED: &str = "refs/slipway/packed";
/// Most lines a header may have, and bytes in one of them.
const LINES_MAX: usize = 16;
const LINE_BYTES_MAX: usize = 1_000;
const SIGNATURE: &[u8] = b"# v2 git bundle\n";

/// What a bundle says it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Commits whoever takes it must have.
    pub needs: Vec<CommitSha>,
    pub tip: CommitSha,
    /// Where the pack begins, in bytes.
    pub pack_at: usize,
}

/// Reads the header of a bundle of version 2 that holds [`PACKED`] and nothing else; the error
/// is a sentence.
pub fn header(bytes: &[u8]) -> Result<Header, &'static str> {
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or("it is no bundle of version 2")?;
    let (mut needs, mut tip) = (Vec::new(), None);
    for _ in 0..LINES_MAX {
        let end = rest.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n');
        let (line, after) = rest.split_at(end.ok_or("a line of its header does not end")?);
        rest = after.get(1..).unwrap_or_default();
        if line.is_empty() {
            let tip = tip.ok_or("it names no commit")?;
            if !rest.starts_with(b"PACK") {
                return Err("no pack follows its header");
            }
            return Ok(Header { needs, tip, pack_at: bytes.len() - rest.len() });
        }
        let line = std::str::from_utf8(line).map_err(|_error| "its header is no text")?;
        if let Some(need) = line.strip_prefix('-') {
            // Behind the name stands the commit's subject, for people.
            let name = need.split(' ').next().unwrap_or_default();
            needs.push(
                CommitSha::parse(name).map_err(|_error| "it needs something without a name")?,
            );
            continue;
        }
        let (name, reference) = line.split_once(' ').ok_or("a line of its header is unknown")?;
        if tip.is_some() || reference != PACKED {
            return Err("it holds a reference that was not asked for");
        }
        tip = Some(CommitSha::parse(name).map_err(|_error| "what it holds has no name")?);
    }
    Err("its header is too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn read(lines: &str) -> Result<Header, &'static str> {
        header(format!("# v2 git bundle\n{lines}").as_bytes())
    }

    #[test]
    fn a_header_says_what_is_needed_and_what_is_held() {
        let text = format!("-{ONE} a subject\n{TWO} {PACKED}\n\nPACKrest");
        let header = read(&text).unwrap();
        assert_eq!(header.needs[0].as_str(), ONE);
        assert_eq!(header.tip.as_str(), TWO);
        assert_eq!(header.pack_at, SIGNATURE.len() + text.len() - "PACKrest".len());
    }

    #[test]
    fn every_other_header_is_refused_in_words() {
        let many = format!("-{ONE}\n").repeat(LINES_MAX + 1);
        let bad = [
            String::new(),
            "\nPACK".to_owned(),
            format!("{TWO} {PACKED}\n\nPAC"),
            format!("{TWO} {PACKED}\n"),
            format!("{TWO} refs/heads/main\n\nPACK"),
            format!("{TWO} {PACKED}\n{ONE} {PACKED}\n\nPACK"),
            format!("-x\n{TWO} {PACKED}\n\nPACK"),
            format!("{PACKED}\n\nPACK"),
            format!("@filter=blob:none\n{TWO} {PACKED}\n\nPACK"),
            "x".repeat(LINE_BYTES_MAX + 1),
            many,
        ];
        for text in bad {
            assert!(read(&text).is_err(), "{text:?}");
        }
        assert!(header(format!("# v3 git bundle\n{TWO} {PACKED}\n\nPACK").as_bytes()).is_err());
    }
}
