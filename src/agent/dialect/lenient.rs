//! Reading JSON that others write: what has another shape than expected is as if it were not
//! there, and what nobody asks for is passed over without being kept.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Members of one list that are kept; the rest is passed over.
pub(super) const LIST_ITEMS_MAX: usize = 256;

/// Takes values of the named shapes for nothing.
macro_rules! nothing {
    ($($shape:ident)*) => { $(nothing!(@ $shape);)* };
    (@ bool) => {
        fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (@ number) => {
        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (@ str) => {
        fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (@ null) => {
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (@ list) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut list: A,
        ) -> Result<Self::Value, A::Error> {
            while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
    (@ map) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

/// A struct that is read from the named keys of an object, every field of which may be missing
/// or be of another shape. The last of two equal keys counts.
macro_rules! object {
    ($name:ident { $($field:ident $key:literal : $shape:ty),* $(,)? }) => {
        #[derive(Debug, Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: $shape,)*
            pub(super) _life: std::marker::PhantomData<&'a ()>,
        }

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Own<'a>(std::marker::PhantomData<&'a ()>);
                impl<'de: 'a, 'a> serde::de::Visitor<'de> for Own<'a> {
                    type Value = $name<'a>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("anything")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        let mut read = $name::default();
                        while let Some(key) = map.next_key()? {
                            let key: $crate::agent::dialect::lenient::Word<'de> = key;
                            match key.text() {
                                $($key => read.$field = map.next_value()?,)*
                                _ => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(read)
                    }
                    nothing!(bool number str null list);
                }
                from.deserialize_any(Own(std::marker::PhantomData))
            }
        }
    };
}

/// Implements `Deserialize` by a visitor that takes what is not in its methods for nothing.
macro_rules! shape {
    ($name:ty, $visitor:ident, [$($other:ident)*], { $($method:item)* }) => {
        impl<'de: 'a, 'a> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct $visitor<'a>(PhantomData<&'a ()>);
                impl<'de: 'a, 'a> Visitor<'de> for $visitor<'a> {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("anything")
                    }
                    $($method)*
                    nothing!($($other)*);
                }
                from.deserialize_any($visitor(PhantomData))
            }
        }
    };
}

/// A text, borrowed from the line where it has no escapes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Word<'a>(pub(super) Option<Cow<'a, str>>);

impl Word<'_> {
    /// The text, empty where there is none.
    pub(super) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    pub(super) fn some(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

shape!(Word<'a>, WordVisitor, [bool number null list map], {
    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Word<'a>, E> {
        Ok(Word(Some(Cow::Borrowed(text))))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Word<'a>, E> {
        Ok(Word(Some(Cow::Owned(text.to_owned()))))
    }
    fn visit_string<E: de::Error>(self, text: String) -> Result<Word<'a>, E> {
        Ok(Word(Some(Cow::Owned(text))))
    }
});

/// A number, whole or not.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Number {
    /// Where it is whole, and not negative.
    pub(super) whole: Option<u64>,
    pub(super) any: Option<f64>,
}

impl Number {
    pub(super) fn count(self) -> u64 {
        self.whole.unwrap_or_default()
    }

    pub(super) fn small<T: TryFrom<u64>>(self) -> Option<T> {
        self.whole.and_then(|whole| whole.try_into().ok())
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
        let any = u32::try_from(number).ok().map(f64::from);
        Ok(Number { whole: Some(number), any })
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
        let any = i32::try_from(number).ok().map(f64::from);
        Ok(Number { whole: number.try_into().ok(), any })
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
        Ok(Number { whole: None, any: Some(number) })
    }
    nothing!(bool str null list map);
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NumberVisitor)
    }
}

/// A truth value.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(pub(super) Option<bool>);

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(Some(flag)))
    }
    nothing!(number str null list map);
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(FlagVisitor)
    }
}

/// The members of a list, or the values of an object, up to [`LIST_ITEMS_MAX`].
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < LIST_ITEMS_MAX {
            match list.next_element()? {
                Some(item) => kept.push(item),
                None => return Ok(List(kept)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(List(kept))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<List<T>, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < LIST_ITEMS_MAX {
            match map.next_entry::<IgnoredAny, T>()? {
                Some((_, item)) => kept.push(item),
                None => return Ok(List(kept)),
            }
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(List(kept))
    }
    nothing!(bool number str null);
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ListVisitor(PhantomData))
    }
}

/// What a failure says: a text, or an object with a `message`.
#[derive(Debug, Default)]
pub(super) struct Fault<'a> {
    pub(super) message: Word<'a>,
    pub(super) kind: Word<'a>,
}

shape!(Fault<'a>, FaultVisitor, [bool number null list], {
    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Fault<'a>, E> {
        Ok(Fault { message: Word(Some(Cow::Borrowed(text))), kind: Word::default() })
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Fault<'a>, E> {
        let message = Word(Some(Cow::Owned(text.to_owned())));
        Ok(Fault { message, kind: Word::default() })
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fault<'a>, A::Error> {
        let mut fault = Fault::default();
        while let Some(key) = map.next_key::<Word<'de>>()? {
            match key.text() {
                "message" => fault.message = map.next_value()?,
                "type" | "name" => fault.kind = map.next_value()?,
                _ => {
                                    map.next_value::<IgnoredAny>()?;
                                }
            }
        }
        Ok(fault)
    }
});
