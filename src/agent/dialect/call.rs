//! The arguments of a tool call: what the call is about, and whether it is the same as another.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::lenient::Word;

/// The arguments of a tool call: what they are about, and a number that is the same for the
/// same arguments.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    about: Option<(usize, Cow<'a, str>)>,
    pub(super) digest: Option<u64>,
}

/// Keys that say what a call is about, the best first.
const ABOUT: [&str; 12] = [
    "command",
    "file_path",
    "filePath",
    "path",
    "notebook_path",
    "pattern",
    "query",
    "url",
    "name",
    "skill",
    "description",
    "prompt",
];

impl Call<'_> {
    pub(super) fn about(&self) -> &str {
        self.about.as_ref().map(|(_, about)| about.as_ref()).unwrap_or_default()
    }
}

shape!(Call<'a>, CallVisitor, [bool number str null list], {
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Call<'a>, A::Error> {
        let (mut call, mut digest) = (Call::default(), DefaultHasher::new());
        while let Some(key) = map.next_key::<Word<'de>>()? {
            let value: Digested<'a> = map.next_value()?;
            digest.write(key.text().as_bytes());
            digest.write_u64(value.digest);
            let rank = ABOUT.iter().position(|about| *about == key.text());
            if let (Some(rank), Some(text)) = (rank, value.text)
                && call.about.as_ref().is_none_or(|(best, _)| rank < *best)
            {
                call.about = Some((rank, text));
            }
        }
        call.digest = Some(digest.finish());
        Ok(call)
    }
});

/// Any value, with a number for it; kept where it is a text.
#[derive(Default)]
struct Digested<'a> {
    text: Option<Cow<'a, str>>,
    digest: u64,
}

impl Digested<'_> {
    fn of(shape: u8, bytes: &[u8]) -> Self {
        Self { text: None, digest: digest(shape, bytes) }
    }
}

/// A number for `bytes` that is the same on every machine running the same program.
pub(super) fn digest(shape: u8, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(shape);
    hasher.write(bytes);
    hasher.finish()
}

shape!(Digested<'a>, DigestedVisitor, [null], {
    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Digested<'a>, E> {
        Ok(Digested::of(1, &[u8::from(flag)]))
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Digested<'a>, E> {
        Ok(Digested::of(2, &number.to_be_bytes()))
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Digested<'a>, E> {
        Ok(Digested::of(3, &number.to_be_bytes()))
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Digested<'a>, E> {
        Ok(Digested::of(4, &number.to_be_bytes()))
    }
    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Digested<'a>, E> {
        Ok(Digested { text: Some(Cow::Borrowed(text)), digest: digest(5, text.as_bytes()) })
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Digested<'a>, E> {
        let digest = digest(5, text.as_bytes());
        Ok(Digested { text: Some(Cow::Owned(text.to_owned())), digest })
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Digested<'a>, A::Error> {
        let mut all = DefaultHasher::new();
        while let Some(item) = list.next_element::<Digested<'de>>()? {
            all.write_u64(item.digest);
        }
        Ok(Digested::of(6, &all.finish().to_be_bytes()))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Digested<'a>, A::Error> {
        let mut all = DefaultHasher::new();
        while let Some((key, value)) = map.next_entry::<Word<'de>, Digested<'de>>()? {
            all.write(key.text().as_bytes());
            all.write_u64(value.digest);
        }
        Ok(Digested::of(7, &all.finish().to_be_bytes()))
    }
});
