//! Values that are written as text: ids, addresses, times.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

/// An address (or `script:HEX` in parameters). Many rows share one text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<str>);

impl Address {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A block's time: seconds since 1970 UTC, written as ISO 8601 with a `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(pub u32);

impl UtcTime {
    /// The day alone: `2024-05-31`.
    pub fn day(self) -> String {
        self.to_string().chars().take_while(|&c| c != 'T').collect()
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every u32 is in range: the last one is in 2106.
        let time = jiff::Timestamp::from_second(self.0.into()).unwrap_or_default();
        f.pad(&time.to_string())
    }
}

impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// For ids whose own crate is built without serde.
pub(super) fn shown<T: fmt::Display, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(value)
}

/// The same for one that may be missing.
pub(super) fn shown_or_null<T: fmt::Display, S: Serializer>(
    value: &Option<T>,
    s: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => s.collect_str(value),
        None => s.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        assert_eq!(UtcTime(1_231_006_505).to_string(), "2009-01-03T18:15:05Z");
        assert_eq!(UtcTime(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(UtcTime(u32::MAX).day(), "2106-02-07");
    }
}
