//! What people name on the command line: transactions, outputs, addresses.

use analyze::trace::RootSpec;
use chain::{Network, OutPoint, Txid, script};

use crate::failure::Failure;

/// A transaction's id.
pub(crate) fn parse_txid(text: &str) -> Result<Txid, Failure> {
    text.parse().map_err(|_| {
        Failure::usage(format!("'{text}' is not a txid: a txid has 64 hexadecimal digits"))
    })
}

/// `TXID:VOUT`.
pub(crate) fn parse_outpoint(text: &str) -> Result<OutPoint, Failure> {
    let Some((txid, vout)) = text.split_once(':') else {
        return Err(Failure::usage(format!("'{text}' is not an output: write TXID:VOUT")));
    };
    let vout = vout.parse().map_err(|_| {
        Failure::usage(format!("'{text}': after the ':' comes the output's number, from 0"))
    })?;
    Ok(OutPoint { txid: parse_txid(txid)?, vout })
}

/// `TXID`, `TXID:VOUT`, an address, or `script:HEX`.
pub(crate) fn parse_root(text: &str, network: Network) -> Result<RootSpec, Failure> {
    if text.starts_with("script:") {
        return Ok(RootSpec::Script(script::parse(text, network)?));
    }
    if text.contains(':') {
        return Ok(RootSpec::Output(parse_outpoint(text)?));
    }
    // No address has 64 characters and only hexadecimal digits.
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(RootSpec::Transaction(parse_txid(text)?));
    }
    if text.len() > 50 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::usage(format!(
            "'{text}' has {} hexadecimal digits: a txid has 64",
            text.len()
        )));
    }
    Ok(RootSpec::Script(script::parse(text, network)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TXID: &str = "975ec405c9d4adcc0d02d2f3d3b9f5f3a5d8a2b1c0d9e8f7a6b5c4d3e2f1a0b9";

    #[test]
    fn roots_are_told_apart() {
        let root = |text: &str| parse_root(text, Network::Mainnet);
        assert!(matches!(root(TXID), Ok(RootSpec::Transaction(_))));
        assert!(matches!(root(&format!("{TXID}:7")), Ok(RootSpec::Output(out)) if out.vout == 7));
        let genesis = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        assert!(matches!(root(genesis), Ok(RootSpec::Script(_))));
        assert!(matches!(root("script:51024e73"), Ok(RootSpec::Script(_))));
        for bad in ["", "x", &TXID[1..], &format!("{TXID}:x"), &format!("{TXID}:-1"), "script:5"] {
            assert!(root(bad).is_err(), "{bad}");
        }
    }
}
