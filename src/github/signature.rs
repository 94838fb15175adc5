//! Whether a webhook body was really sent by GitHub: HMAC over the raw bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header that carries the signature.
pub const HEADER: &str = "X-Hub-Signature-256";
/// Most secrets accepted at once; two suffice to change one without losing a delivery.
pub const SECRETS_MAX: usize = 4;

fn mac_of(secret: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).ok()?;
    mac.update(body);
    Some(mac)
}

/// The value of [`HEADER`] for `body`.
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    let digest = mac_of(secret, body).map(|mac| mac.finalize().into_bytes());
    format!("sha256={}", digest.map(hex::encode).unwrap_or_default())
}

/// Whether `header` signs exactly `body` with one of `secrets` (the first [`SECRETS_MAX`]).
/// Compares in constant time; an empty secret never verifies anything.
pub fn verify<S: AsRef<[u8]>>(secrets: &[S], body: &[u8], header: Option<&str>) -> bool {
    let Some(digits) = header.and_then(|value| value.trim().strip_prefix("sha256=")) else {
        return false;
    };
    let mut claimed = [0_u8; 32];
    if hex::decode_to_slice(digits, &mut claimed).is_err() {
        return false;
    }
    let mut matched = false;
    for secret in secrets.iter().take(SECRETS_MAX) {
        let secret = secret.as_ref();
        if secret.is_empty() {
            continue;
        }
        let same = mac_of(secret, body).is_some_and(|mac| mac.verify_slice(&claimed).is_ok());
        matched |= same;
    }
    matched
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Vec<u8> {
        (0..32).map(|_| fastrand::u8(..)).collect()
    }

    #[test]
    fn only_the_exact_body_under_a_known_secret_verifies() {
        let (old, new, other) = (fresh(), fresh(), fresh());
        let body: Vec<u8> = (0..500).map(|_| fastrand::u8(..)).collect();
        let header = sign(&old, &body);
        assert!(verify(&[&new, &old], &body, Some(&header)), "during a change of secrets");
        assert!(!verify(&[&new, &other], &body, Some(&header)));
        let longer = [body.as_slice(), b"\n"].concat();
        assert!(!verify(&[&old], &longer, Some(&header)), "one byte more");
    }

    #[test]
    fn a_missing_or_broken_header_never_verifies() {
        let secret = fresh();
        let good = sign(&secret, b"{}");
        let digits = good.strip_prefix("sha256=").unwrap();
        let sha1 = format!("sha1={digits}");
        let short = good.get(..good.len() - 2).unwrap();
        let long = format!("{good}00");
        for bad in [None, Some(""), Some(digits), Some(&sha1), Some(short), Some(&long)] {
            assert!(!verify(&[&secret], b"{}", bad), "{bad:?}");
        }
        assert!(verify(&[&secret], b"{}", Some(&good)));
    }

    #[test]
    fn no_secret_and_an_empty_secret_let_nobody_in() {
        let forged = sign(b"", b"{}");
        assert!(!verify(&[Vec::new()], b"{}", Some(&forged)));
        assert!(!verify::<Vec<u8>>(&[], b"{}", Some(&forged)));
    }

    #[test]
    fn another_implementation_agrees() {
        let (secret, body) = (fresh(), fresh());
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
        let tag = hex::encode(aws_lc_rs::hmac::sign(&key, &body));
        assert!(verify(&[&secret], &body, Some(&format!("sha256={tag}"))));
    }
}
