//! The Traffic Light Protocol (FIRST, version 2.0): to whom an export may be passed on.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};

/// To whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tlp {
    /// To everybody.
    Clear,
    /// Within the community.
    Green,
    /// Within the organisation and to its clients, as far as they need it.
    #[default]
    Amber,
    /// Within the organisation.
    AmberStrict,
    /// To those who got it, and nobody else.
    Red,
}

impl Tlp {
    /// All of them, the most open first.
    pub const ALL: [Self; 5] =
        [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// The name in flags, and after `tlp:`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    /// The id that OASIS published for it in STIX 2.1.
    pub(super) const fn marking(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }

    /// The object that OASIS published for it.
    pub(super) fn definition(self) -> Value {
        json!({
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": self.marking(),
            "created": "2022-10-01T00:00:00.000Z",
            "name": format!("TLP:{}", self.name().to_uppercase()),
            "extensions": {
                "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                    "extension_type": "property-extension",
                    "tlp_2_0": self.name(),
                },
            },
        })
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tlp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown =
            || format!("unknown marking '{text}': use clear, green, amber, amber+strict or red");
        Self::ALL.into_iter().find(|tlp| tlp.name() == text).ok_or_else(unknown)
    }
}
