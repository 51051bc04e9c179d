//! What a text names: an address, a transaction, a payment, or nothing that could be read.

use bitcoin::{ScriptBuf, base58, base64::prelude::*, bech32};
use chain::{Network, Txid, script};

/// What to screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An address of the own network, or `script:HEX`.
    Address {
        /// As it was written.
        text: String,
        /// Its locking script.
        script: ScriptBuf,
    },
    /// An address of another network or chain.
    Elsewhere {
        /// As it was written.
        text: String,
        /// The other Bitcoin network, where it is one.
        network: Option<Network>,
    },
    /// A transaction.
    Transaction(Txid),
    /// A payment as bytes (BIP-0174). Not looked into yet.
    Psbt(Vec<u8>),
    /// Nearly an address: a checksum or a length is wrong.
    BadAddress(String),
    /// None of these, and why.
    Unreadable(String),
}

/// How a PSBT begins.
pub(crate) const PSBT_MAGIC: &[u8] = b"psbt\xff";
/// The same in base64, as far as it does not depend on what follows.
const PSBT_BASE64: &str = "cHNidP";
/// The same in hexadecimal.
const PSBT_HEX: &str = "70736274ff";
/// Lengths of addresses in Base58Check and Bech32, the shortest and the longest (BIP-0173).
const ADDRESS_LENGTHS: std::ops::RangeInclusive<usize> = 14..=90;
/// How much of a text an error repeats.
const MOST_SHOWN: usize = 100;

impl Target {
    /// What a text names. Spaces around it do not matter.
    pub fn read(text: &str, network: Network) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Unreadable("nothing is there".to_owned());
        }
        if text.starts_with(PSBT_BASE64) {
            return match BASE64_STANDARD.decode(text) {
                Ok(bytes) => Self::Psbt(bytes),
                Err(error) => Self::Unreadable(format!("a PSBT with broken base64: {error}")),
            };
        }
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex
            && text.len() == 64
            && let Ok(txid) = text.parse()
        {
            return Self::Transaction(txid);
        }
        if is_hex
            && text.get(..PSBT_HEX.len()).is_some_and(|head| head.eq_ignore_ascii_case(PSBT_HEX))
        {
            return match from_hex(text) {
                Some(bytes) => Self::Psbt(bytes),
                None => Self::Unreadable("a PSBT with half a byte at its end".to_owned()),
            };
        }
        match script::parse(text, network) {
            Ok(script) => Self::Address { text: text.to_owned(), script },
            Err(script::AddressError::OtherNetwork { of, .. }) => {
                Self::Elsewhere { text: text.to_owned(), network: Some(of) }
            }
            Err(script::AddressError::Hex(_)) => Self::Unreadable(format!(
                "'{}': after 'script:' comes the locking script in hexadecimal",
                shown(text)
            )),
            Err(script::AddressError::Malformed { .. }) if is_of_another_chain(text) => {
                Self::Elsewhere { text: text.to_owned(), network: None }
            }
            Err(error) if looks_like_address(text) => Self::BadAddress(error.to_string()),
            Err(_) => Self::Unreadable(format!(
                "'{}' is neither an address nor a txid nor a PSBT",
                shown(text)
            )),
        }
    }

    /// The content of a file as a PSBT: its bytes, or base64 or hexadecimal of them. `None` where it
    /// is none.
    pub fn from_file(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(PSBT_MAGIC) {
            return Some(Self::Psbt(bytes.to_vec()));
        }
        let text = std::str::from_utf8(bytes).ok()?;
        // Line breaks in base64 are common in files.
        let text: String = text.split_ascii_whitespace().collect();
        match Self::read(&text, Network::Mainnet) {
            found @ Self::Psbt(_) => Some(found),
            _ => None,
        }
    }
}

/// The beginning of a text that may be anything.
pub(crate) fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut head: String = text.chars().take(MOST_SHOWN).map(clean).collect();
    if text.chars().nth(MOST_SHOWN).is_some() {
        head.push('…');
    }
    head
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// An address of another chain, as far as a form or a checksum vouches for it.
fn is_of_another_chain(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("0x") {
        return digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if !ADDRESS_LENGTHS.contains(&text.len()) {
        return false;
    }
    base58::decode_check(text).is_ok_and(|bytes| (21..=22).contains(&bytes.len()))
        || bech32::segwit::decode(text).is_ok()
}

/// Whether somebody meant an address: the alphabet and the length of one.
fn looks_like_address(text: &str) -> bool {
    let is_bech32 = ["bc1", "tb1", "bcrt1", "BC1", "TB1", "BCRT1"]
        .iter()
        .any(|prefix| text.starts_with(prefix));
    let is_base58 = || {
        (26..=36).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte))
    };
    (is_bech32 && ADDRESS_LENGTHS.contains(&text.len())) || is_base58()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match Target::read(text, Network::Mainnet) {
            Target::Address { .. } => "address".to_owned(),
            Target::Elsewhere { network, .. } => format!("elsewhere {network:?}"),
            Target::Transaction(_) => "transaction".to_owned(),
            Target::Psbt(bytes) => format!("psbt {}", bytes.len()),
            Target::BadAddress(why) => why,
            Target::Unreadable(why) => format!("unreadable: {why}"),
        };
        assert!(found.starts_with(expected), "{found}");
    }

    #[test]
    fn texts_are_told_apart() {
        let genesis = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
        check(" 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n", "address");
        check("script:51", "address");
        check(genesis, "transaction");
        check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "'1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb' is not");
        check("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "'bc1qw508d6");
        check("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "elsewhere Some(Regtest)");
        check("0x098B716B8Aaf21512996dC57EB0615e2383E2f96", "elsewhere None");
        check("TNVaKWQzau7xL9bcnvLmF9KSEQkWEs4Ug8", "elsewhere None");
        check("cHNidP8BAA==", "psbt 7");
        check("cHNidP8BAA==!", "unreadable: a PSBT with broken base64");
        check("70736274FF00", "psbt 6");
        check("70736274ff0", "unreadable: a PSBT with half");
        check("", "unreadable: nothing");
        check("script:zz", "unreadable: 'script:zz': after");
        check("héllo \u{7} world", "unreadable: 'héllo \u{fffd} world' is neither");
        check(&"x".repeat(100_000), "unreadable: 'xxxx");
        check(&genesis[1..], "unreadable");
    }

    #[test]
    fn files_hold_bytes_or_text() {
        let psbt = Some(Target::Psbt(b"psbt\xff\x01\x00".to_vec()));
        assert_eq!(Target::from_file(b"psbt\xff\x01\x00"), psbt);
        assert_eq!(Target::from_file(b"cHNi\ndP8BAA==\n"), psbt);
        assert_eq!(Target::from_file(b"70736274ff0100\n"), psbt);
        assert_eq!(Target::from_file(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), None);
        assert_eq!(Target::from_file(&[0xff, 0xfe]), None);
    }
}
