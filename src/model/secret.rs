//! A secret: a value that is used, never shown, and wiped from memory when it is done with.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Text that cannot be printed or stored: it has no `Display` and no `Serialize`, and its `Debug`
/// shows nothing of it. [`Secret::reveal`] is the only way to it, so that every use can be found
/// by its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
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

/// Read from an answer or a file without being an ordinary text in between.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of two types can do something, asked without the compiler stopping: the inherent
    /// constant wins over the trait's where the bound holds.
    macro_rules! can {
        ($one:ty, $other:ty: $($bound:tt)+) => {{
            trait No {
                const ANSWER: bool = false;
            }
            impl<T: ?Sized> No for T {}
            struct Ask<T: ?Sized>(std::marker::PhantomData<T>);
            impl<T: ?Sized + $($bound)+> Ask<T> {
                const ANSWER: bool = true;
            }
            [<Ask<$one>>::ANSWER, <Ask<$other>>::ANSWER]
        }};
    }

    #[test]
    fn a_secret_is_never_printed() {
        let value = format!("{:x}", fastrand::u128(..));
        let secret = Secret::new(value.clone());
        assert!(!format!("{secret:?} {:#?}", Some(&secret)).contains(&value));
        assert_eq!(secret.reveal(), value);
    }

    #[test]
    fn no_way_leads_from_a_secret_to_a_page_a_log_or_a_row() {
        assert_eq!(can!(Secret, str: fmt::Display), [false, true]);
        assert_eq!(can!(Secret, str: serde::Serialize), [false, true]);
    }

    #[test]
    fn a_secret_is_read_as_one() {
        let read: Secret = serde_json::from_str("\"abc\"").unwrap();
        assert_eq!(read, Secret::new("abc"));
        assert_ne!(read, Secret::new("abd"));
    }
}
