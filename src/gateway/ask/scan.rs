//! Looks through a whole body for what is not text: addresses that a provider would fetch, and
//! pictures, sounds and documents.
//!
//! Every key is looked at where it stands, also one that stands there twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::gateway::Wire;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    pub(super) media: bool,
    pub(super) fetches: bool,
}

/// Keys that hold an address, or an object with one.
const ADDRESSES: [&str; 8] =
    ["image_url", "file_url", "video_url", "server_url", "fileUri", "file_uri", "url", "source"];
/// Keys of objects whose `url` and `data` are what the model is shown.
const HOLDERS: [&str; 9] = [
    "image_url",
    "video_url",
    "file_url",
    "source",
    "input_audio",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
];

/// `None` for what is no JSON, or nested deeper than the parser goes.
pub(super) fn look(wire: Wire, body: &[u8]) -> Option<Seen> {
    let mut seen = Seen::default();
    let mut parser = serde_json::Deserializer::from_slice(body);
    let walk = Walk { wire, seen: &mut seen, holder: "", key: "" };
    walk.deserialize(&mut parser).ok()?;
    parser.end().ok()?;
    Some(seen)
}

struct Walk<'a> {
    wire: Wire,
    seen: &'a mut Seen,
    /// The key of the object around this one.
    holder: &'a str,
    key: &'a str,
}

impl Walk<'_> {
    fn inside<'b>(&'b mut self, key: &'b str) -> Walk<'b> {
        Walk { wire: self.wire, seen: self.seen, holder: self.key, key }
    }

    /// What a program gives to its own tool, and gets from it, is the program's.
    fn is_the_programs(&self, key: &str) -> bool {
        match self.wire {
            Wire::Messages => key == "input",
            Wire::Gemini => matches!(key, "args" | "response"),
            Wire::Ollama => key == "arguments",
            Wire::Responses | Wire::Chat => false,
        }
    }

    fn judge(&mut self, text: &str) {
        let shown = HOLDERS.contains(&self.holder);
        let data = begins(text, "data:");
        if ADDRESSES.contains(&self.key) {
            let plain = self.key == "url" || self.key == "source";
            if data {
                self.seen.media = true;
            } else if !text.is_empty() && (!plain || shown) {
                self.seen.fetches = true;
            }
        }
        let pictures = self.wire == Wire::Ollama && self.key == "images";
        let stored = matches!(self.key, "file_id" | "file_data");
        self.seen.media |= stored || pictures || (self.key == "data" && shown);
    }
}

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.judge(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        // What stands in a list has the key of the list.
        let (key, holder) = (self.key, self.holder);
        while list.next_element_seed(Walk { holder, ..self.inside(key) })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if self.is_the_programs(&key) {
                map.next_value::<serde::de::IgnoredAny>()?;
            } else {
                map.next_value_seed(self.inside(&key))?;
            }
        }
        Ok(())
    }
}
