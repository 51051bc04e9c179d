//! Single fields of the documents: bytes and hashes in hexadecimal, amounts.

use std::{fmt, marker::PhantomData, str::FromStr};

use bitcoin::ScriptBuf;
use chain::Sats;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// Bytes in hexadecimal.
#[derive(Debug, Clone, Default)]
pub(super) struct Hex(pub(super) ScriptBuf);

/// A txid or a block hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id<T>(pub(super) T);

/// An amount. Nodes write bitcoin with a point here: that must not pass for satoshis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value(pub(super) Sats);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Amount;
        impl Visitor<'_> for Amount {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a `value` in satoshis, a whole number up to 21 million bitcoin")
            }

            fn visit_u64<E: Error>(self, sats: u64) -> Result<Value, E> {
                let value = Some(Sats(sats)).filter(|value| *value <= Sats::MAX_MONEY);
                let unexpected = serde::de::Unexpected::Unsigned(sats);
                value.map(Value).ok_or_else(|| E::invalid_value(unexpected, &self))
            }
        }
        from.deserialize_u64(Amount)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = |text: &str| ScriptBuf::from_hex(text).ok().map(Self);
        from.deserialize_str(Text { read, what: "bytes in hexadecimal", made: PhantomData })
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = |text: &str| text.parse().ok().map(Self);
        from.deserialize_str(Text { read, what: "64 hexadecimal digits", made: PhantomData })
    }
}

/// Reads a value from a string without copying the string.
struct Text<F, T> {
    read: F,
    what: &'static str,
    made: PhantomData<T>,
}

impl<F: Fn(&str) -> Option<T>, T> Visitor<'_> for Text<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).ok_or_else(|| {
            // Long values are cut: a message is for people.
            let start: String = text.chars().take(80).collect();
            E::custom(format!("'{start}' is not {}", self.what))
        })
    }
}
