//! The disguises in which a secret is looked for.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How a secret may be written. Where it stands inside of something longer that was encoded as
/// a whole, only what it alone decides is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Raw,
    Reversed,
    /// Behind this many bytes of something else, counted modulo three.
    Base64(usize),
    Base64Url(usize),
    HexLower,
    HexUpper,
    /// Every byte, as `%6d`.
    PercentLower,
    PercentUpper,
    /// Only what an address cannot hold.
    PercentNeeded,
    /// Line breaks as `\n`, quotes and backslashes with a backslash: inside of JSON.
    Escaped,
}

impl Encoding {
    pub(super) const ALL: [Self; 14] = [
        Self::Raw,
        Self::Reversed,
        Self::Base64(0),
        Self::Base64(1),
        Self::Base64(2),
        Self::Base64Url(0),
        Self::Base64Url(1),
        Self::Base64Url(2),
        Self::HexLower,
        Self::HexUpper,
        Self::PercentLower,
        Self::PercentUpper,
        Self::PercentNeeded,
        Self::Escaped,
    ];

    /// `secret` in this disguise.
    pub(super) fn of(self, secret: &str) -> Vec<u8> {
        let bytes = secret.as_bytes();
        match self {
            Self::Raw => bytes.to_vec(),
            Self::Reversed => bytes.iter().rev().copied().collect(),
            Self::Base64(behind) => inside(&STANDARD_NO_PAD, bytes, behind),
            Self::Base64Url(behind) => inside(&URL_SAFE_NO_PAD, bytes, behind),
            Self::HexLower => hex::encode(bytes).into_bytes(),
            Self::HexUpper => hex::encode_upper(bytes).into_bytes(),
            Self::PercentLower => bytes.iter().flat_map(|b| percent(*b, false)).collect(),
            Self::PercentUpper => bytes.iter().flat_map(|b| percent(*b, true)).collect(),
            Self::PercentNeeded => {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
                let one = |b: &u8| if plain(*b) { vec![*b] } else { percent(*b, true) };
                bytes.iter().flat_map(one).collect()
            }
            Self::Escaped => bytes.iter().flat_map(|b| escaped(*b)).collect(),
        }
    }

    /// Whether what stands first in the secret also stands first here.
    pub(super) fn keeps_order(self) -> bool {
        self != Self::Reversed
    }
}

fn inside(engine: &impl Engine, secret: &[u8], behind: usize) -> Vec<u8> {
    let whole = [vec![0; behind], secret.to_vec()].concat();
    let sure = whole.len() * 8 / 6;
    // Characters that what stands before takes part in.
    let shared = (behind * 8).div_ceil(6);
    let encoded = engine.encode(&whole).into_bytes();
    encoded.get(shared..sure).unwrap_or_default().to_vec()
}

fn percent(byte: u8, upper: bool) -> Vec<u8> {
    if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") }.into_bytes()
}

fn escaped(byte: u8) -> Vec<u8> {
    match byte {
        b'\n' => b"\\n".to_vec(),
        b'\r' => b"\\r".to_vec(),
        b'\t' => b"\\t".to_vec(),
        b'"' | b'\\' => vec![b'\\', byte],
        byte => vec![byte],
    }
}
