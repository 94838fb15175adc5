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
    /// Of a list of steps among them: how many are done, of how many.
    pub(super) steps: Option<(u32, u32)>,
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

/// Under this key agents write down their list of steps, each with a `status`.
const STEPS: &str = "todos";
/// How the status of a step ends that is done.
const DONE: &str = "completed";

/// Whether a status says that a step is done.
pub(super) fn is_done(status: &str) -> bool {
    let end = status.len().checked_sub(DONE.len()).and_then(|from| status.get(from..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(DONE))
}

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
            if key.text() == STEPS {
                call.steps = value.steps;
            }
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
    /// Of an object with a status: whether it is done.
    is_done: Option<bool>,
    /// Of a list of such objects.
    steps: Option<(u32, u32)>,
}

impl Digested<'_> {
    fn of(shape: u8, bytes: &[u8]) -> Self {
        Self { digest: digest(shape, bytes), ..Self::default() }
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
        let (digest, text) = (digest(5, text.as_bytes()), Some(Cow::Borrowed(text)));
        Ok(Digested { text, digest, ..Digested::default() })
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Digested<'a>, E> {
        let digest = digest(5, text.as_bytes());
        Ok(Digested { text: Some(Cow::Owned(text.to_owned())), digest, ..Digested::default() })
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Digested<'a>, A::Error> {
        let mut all = DefaultHasher::new();
        let (mut done, mut count) = (0_u32, 0_u32);
        while let Some(item) = list.next_element::<Digested<'de>>()? {
            all.write_u64(item.digest);
            count = count.saturating_add(u32::from(item.is_done.is_some()));
            done = done.saturating_add(u32::from(item.is_done == Some(true)));
        }
        let steps = (count > 0).then_some((done, count));
        Ok(Digested { steps, ..Digested::of(6, &all.finish().to_be_bytes()) })
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Digested<'a>, A::Error> {
        let mut all = DefaultHasher::new();
        let mut done = None;
        while let Some((key, value)) = map.next_entry::<Word<'de>, Digested<'de>>()? {
            all.write(key.text().as_bytes());
            all.write_u64(value.digest);
            if key.text() == "status" {
                done = value.text.as_deref().map(is_done);
            }
        }
        Ok(Digested { is_done: done, ..Digested::of(7, &all.finish().to_be_bytes()) })
    }
});
