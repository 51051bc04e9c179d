//! Locking scripts: their kinds, their addresses, and back.

use std::{fmt, str::FromStr};

use bitcoin::{
    Address, Script, ScriptBuf,
    address::{NetworkUnchecked, ParseError},
    base58, bech32,
    script::PushBytesBuf,
};

use crate::Network;

/// The standard shapes of a locking script, named as Bitcoin Core names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScriptKind {
    /// Pay to public key, bare.
    P2pk,
    /// Pay to public key hash.
    P2pkh,
    /// Pay to script hash (BIP-0016).
    P2sh,
    /// Witness v0 key hash (BIP-0141).
    P2wpkh,
    /// Witness v0 script hash (BIP-0141).
    P2wsh,
    /// Taproot, witness v1 (BIP-0341).
    P2tr,
    /// Pay to anchor (Core PR 30352).
    P2a,
    /// Bare m-of-n multisig.
    Multisig,
    /// Data carrier, provably unspendable.
    OpReturn,
    /// A witness version without meaning yet.
    WitnessUnknown,
    /// Anything else.
    NonStandard,
}

impl ScriptKind {
    /// The kind of a locking script. Looks at the bytes only; never fails.
    pub fn of(script: &[u8]) -> Self {
        match script {
            [0x76, 0xa9, 0x14, .., 0x88, 0xac] if script.len() == 25 => Self::P2pkh,
            [0xa9, 0x14, .., 0x87] if script.len() == 23 => Self::P2sh,
            [0x00, 0x14, ..] if script.len() == 22 => Self::P2wpkh,
            [0x00, 0x20, ..] if script.len() == 34 => Self::P2wsh,
            [0x51, 0x20, ..] if script.len() == 34 => Self::P2tr,
            [0x51, 0x02, 0x4e, 0x73] => Self::P2a,
            [0x6a, ..] => Self::OpReturn,
            [0x21, 0x02 | 0x03, .., 0xac] if script.len() == 35 => Self::P2pk,
            [0x41, 0x04, .., 0xac] if script.len() == 67 => Self::P2pk,
            [.., 0xae] if Script::from_bytes(script).is_multisig() => Self::Multisig,
            _ if Script::from_bytes(script).is_witness_program() => Self::WitnessUnknown,
            _ => Self::NonStandard,
        }
    }

    /// The name used in tables and JSON (`script_type`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::P2pk => "p2pk",
            Self::P2pkh => "p2pkh",
            Self::P2sh => "p2sh",
            Self::P2wpkh => "p2wpkh",
            Self::P2wsh => "p2wsh",
            Self::P2tr => "p2tr",
            Self::P2a => "p2a",
            Self::Multisig => "multisig",
            Self::OpReturn => "op_return",
            Self::WitnessUnknown => "witness_unknown",
            Self::NonStandard => "nonstandard",
        }
    }
}

impl fmt::Display for ScriptKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The address of a locking script, where its kind has one (bare keys and multisig have none).
pub fn address(script: &Script, network: Network) -> Option<String> {
    Address::from_script(script, network.params()).ok().map(|address| address.to_string())
}

/// The data that an `OP_RETURN` script carries: its pushes, joined. `None` for other scripts and
/// for pushes that run past the end.
pub fn op_return_data(script: &Script) -> Option<Vec<u8>> {
    let mut instructions = script.instructions();
    let first = instructions.next()?.ok()?;
    if first.opcode() != Some(bitcoin::opcodes::all::OP_RETURN) {
        return None;
    }
    let mut data = Vec::new();
    for instruction in instructions {
        if let Some(push) = instruction.ok()?.push_bytes() {
            data.extend_from_slice(push.as_bytes());
        }
    }
    Some(data)
}

/// An `OP_RETURN` script with one push; `None` where the data is longer than a push can be.
pub fn op_return(data: &[u8]) -> Option<ScriptBuf> {
    PushBytesBuf::try_from(data.to_vec()).ok().map(ScriptBuf::new_op_return)
}

/// The locking script that a person named: an address of `network`, or `script:HEX` for a script
/// without an address.
///
/// # Errors
/// [`AddressError`] says what is wrong with the text, and which network it is of when it is
/// simply another one's.
pub fn parse(text: &str, network: Network) -> Result<ScriptBuf, AddressError> {
    if let Some(hex) = text.strip_prefix("script:") {
        return ScriptBuf::from_hex(hex).map_err(|_| AddressError::Hex(text.to_owned()));
    }
    let address = Address::<NetworkUnchecked>::from_str(text)
        .map_err(|error| AddressError::Malformed { text: text.to_owned(), error })?;
    if address.is_valid_for_network(network.params()) {
        return Ok(address.assume_checked().script_pubkey());
    }
    let other = Network::ALL.into_iter().find(|other| address.is_valid_for_network(other.params()));
    Err(AddressError::OtherNetwork {
        text: text.to_owned(),
        of: other.unwrap_or(network),
        expected: network,
    })
}

/// The text names no locking script of the network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No address at all: a checksum, a length or an alphabet is wrong.
    #[error("'{text}' is not a Bitcoin address: {}", fault(text, error))]
    Malformed {
        /// What was given.
        text: String,
        /// What the decoder says.
        error: ParseError,
    },
    /// After `script:` must come hexadecimal bytes.
    #[error("'{0}': after 'script:' comes the locking script in hexadecimal")]
    Hex(String),
    /// A good address, of another network.
    #[error("'{text}' is an address of {of}, and this is {expected}: choose it with --network")]
    OtherNetwork {
        /// What was given.
        text: String,
        /// The network it belongs to (the first, where several share the prefix).
        of: Network,
        /// The network in use.
        expected: Network,
    },
}

/// What is wrong with a text that is no address, as the decoder for its form says. The decoder for all
/// forms takes everything that it does not know for Base58 and says no more than that it is none.
fn fault(text: &str, error: &ParseError) -> String {
    let is_segwit = ["bc1", "tb1", "bcrt1"]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start)));
    let innermost = if is_segwit {
        bech32::segwit::decode(text).err().map(|error| cause(&error))
    } else {
        base58::decode_check(text).err().map(|error| cause(&error))
    };
    let fault = innermost.unwrap_or_else(|| cause(error));
    match fault.contains("checksum") && !fault.contains("length") {
        true => format!("{fault}; a character is mistyped or missing"),
        false => fault,
    }
}

/// What the last of a chain of errors says.
fn cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hex: &str, kind: ScriptKind, expected: Option<&str>) {
        let script = ScriptBuf::from_hex(hex).unwrap();
        assert_eq!(ScriptKind::of(script.as_bytes()), kind);
        let found = address(&script, Network::Mainnet);
        assert_eq!(found.as_deref(), expected);
        if let Some(text) = expected {
            assert_eq!(parse(text, Network::Mainnet), Ok(script));
        }
    }

    #[test]
    fn what_is_no_address_is_told_why() {
        let fault = |text: &str| parse(text, Network::Mainnet).unwrap_err().to_string();
        for (text, expected) in [
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "a character is mistyped or missing"),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "a character is mistyped or missing"),
            ("BC1QW508", "length"),
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0", "invalid base58 character"),
            ("", "not long enough"),
        ] {
            assert!(fault(text).contains(expected), "{}", fault(text));
        }
    }

    #[test]
    fn every_kind_has_its_name_and_address() {
        use ScriptKind::*;
        // Vectors: BIP-0173, BIP-0350, Core PR 30352, and the addresses of the DMM theft.
        check(
            "0014751e76e8199196d454941c45d1b3a323f1433bd6",
            P2wpkh,
            Some("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        );
        check("51024e73", P2a, Some("bc1pfeessrawgf"));
        check(
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            P2tr,
            Some("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),
        );
        check(
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
            P2wsh,
            Some("bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"),
        );
        check(
            "a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87",
            P2sh,
            Some("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
        );
        check(
            "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac",
            P2pkh,
            Some("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        );
        let key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        check(&format!("21{key}ac"), P2pk, None);
        check(&format!("5121{key}51ae"), Multisig, None);
        check("6a0401020304", OpReturn, None);
        check("6a", OpReturn, None);
        check("", NonStandard, None);
        check("61", NonStandard, None);
        check("6002751e", WitnessUnknown, Some("bc1sw50qgdz25j"));
    }

    #[test]
    fn an_address_of_another_network_says_so() {
        let text = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
        let error = parse(text, Network::Mainnet).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "'{text}' is an address of regtest, and this is mainnet: choose it with --network"
            )
        );
        assert!(parse("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", Network::Mainnet).is_err());
        assert!(parse("script:zz", Network::Mainnet).is_err());
    }

    #[test]
    fn data_survives_the_round_trip() {
        let memo = b"=:ETH.ETH:0x0000000000000000000000000000000000000000";
        let script = op_return(memo).unwrap();
        assert_eq!(op_return_data(&script).as_deref(), Some(&memo[..]));
        assert_eq!(op_return_data(Script::from_bytes(&[0x51])), None);
        assert_eq!(op_return_data(Script::from_bytes(&[0x6a, 0x4c])), None);
    }
}
