//! A secret: a value that is used and never shown.

use std::fmt;

/// Text that neither `Debug` nor `Display` prints. [`Secret::reveal`] is the only way to it, so
/// that every use can be found by its name.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hidden")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let value = format!("{:x}", fastrand::u128(..));
        let secret = Secret::new(value.clone());
        assert!(!format!("{secret} {secret:?} {:#?}", Some(&secret)).contains(&value));
        assert_eq!(secret.reveal(), value);
    }
}
