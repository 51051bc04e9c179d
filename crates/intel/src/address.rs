//! What an address in a tag is about: which chain it is of, and whether its checksum holds.

use std::str::FromStr;

use bitcoin::base58;
use chain::{Network, Txid, script};

use crate::{
    Subject,
    import::report::{NoteKind, Reason},
};

/// Tickers of tokens that live on several chains. Their addresses say which.
const TOKENS: &[&str] = &["USDT", "USDC", "BUSD", "TUSD", "DAI", "USDP", "GUSD", "PYUSD"];
/// Chains with Ethereum's addresses.
const EVM: &[&str] =
    &["ETH", "ETC", "BSC", "BEP20", "ARB", "MATIC", "AVAX", "FTM", "OP", "BASE", "ERC20"];
/// Chains with Base58Check addresses of 20 bytes behind a version.
const BASE58: &[&str] = &["LTC", "DASH", "DOGE", "BSV", "DGB", "XVG", "ZEC"];

/// What an address is about, and what is worth saying about it.
pub(crate) struct Found {
    pub(crate) subject: Subject,
    pub(crate) currency: String,
    pub(crate) note: Option<NoteKind>,
}

/// The subject of an address. `currency` and `network` are the tag's; without a network the
/// currency names the chain, and without either, or for a token, the shape of the address does.
pub(crate) fn of_address(
    text: &str,
    currency: Option<&str>,
    network: Option<&str>,
    own: Network,
) -> Result<Found, Reason> {
    let text = text.trim();
    let currency = currency.map(ticker);
    let mut note = None;
    let chain = match (network.map(ticker), &currency) {
        (Some(network), _) => network,
        (None, Some(currency)) if !is_token(currency) => currency.clone(),
        (None, _) => {
            note = Some(NoteKind::ChainFromShape);
            shape(text).to_owned()
        }
    };
    let currency = currency.unwrap_or_else(|| chain.clone());
    if let Some(of) = bitcoin_network(&chain, own) {
        return match script::parse(text, of) {
            Ok(script) if of == own => {
                Ok(Found { subject: Subject::Script(script), currency, note })
            }
            Ok(_) => Ok(other_network(text, of, currency)),
            Err(script::AddressError::OtherNetwork { of: found, .. }) if found != own => {
                Ok(other_network(text, found, currency))
            }
            // Named as another network's, and of the own one after all.
            Err(error) => Err(Reason::Address(error)),
        };
    }
    let (address, checked) = elsewhere(text, &chain)?;
    if !checked {
        note = Some(NoteKind::Unchecked);
    }
    Ok(Found { subject: Subject::Elsewhere { network: chain, address }, currency, note })
}

/// The subject of a transaction hash.
pub(crate) fn of_transaction(
    text: &str,
    currency: Option<&str>,
    network: Option<&str>,
    own: Network,
) -> Result<Found, Reason> {
    let text = text.trim();
    let currency = currency.map_or_else(|| "BTC".to_owned(), ticker);
    let chain = network.map_or_else(|| currency.clone(), ticker);
    let subject = match bitcoin_network(&chain, own) {
        Some(of) => {
            let txid = Txid::from_str(text).map_err(|_| Reason::TxHash(text.to_owned()))?;
            if of == own {
                Subject::Tx(txid)
            } else {
                Subject::TxElsewhere { network: of.name().to_owned(), hash: txid.to_string() }
            }
        }
        None if text.is_empty() || text.chars().any(char::is_whitespace) => {
            return Err(Reason::TxHash(text.to_owned()));
        }
        None => Subject::TxElsewhere { network: chain, hash: text.to_ascii_lowercase() },
    };
    Ok(Found { subject, currency, note: None })
}

/// Whether a ticker is a token's, which does not name a chain.
pub(crate) fn is_token(ticker: &str) -> bool {
    TOKENS.contains(&ticker)
}

/// A ticker in its usual spelling.
pub(crate) fn ticker(text: &str) -> String {
    let upper = text.trim().to_ascii_uppercase();
    match upper.as_str() {
        "XBT" | "BITCOIN" => "BTC".to_owned(),
        "TRON" => "TRX".to_owned(),
        "ETHEREUM" => "ETH".to_owned(),
        "RIPPLE" => "XRP".to_owned(),
        _ => upper,
    }
}

/// The Bitcoin network that a chain's name stands for: `BTC` is the own one, and then there are
/// the networks' own names.
fn bitcoin_network(chain: &str, own: Network) -> Option<Network> {
    if chain == "BTC" {
        return Some(own);
    }
    Network::ALL.into_iter().find(|network| network.name().eq_ignore_ascii_case(chain))
}

fn other_network(text: &str, of: Network, currency: String) -> Found {
    let network = of.name().to_owned();
    let note = Some(NoteKind::OtherNetwork(network.clone()));
    Found { subject: Subject::Elsewhere { network, address: text.to_owned() }, currency, note }
}

/// The chain that an address looks like.
fn shape(text: &str) -> &'static str {
    if text.starts_with("0x") {
        return "ETH";
    }
    match base58::decode_check(text) {
        Ok(bytes) if bytes.len() == 21 && bytes.first() == Some(&0x41) => "TRX",
        _ => "BTC",
    }
}

/// An address of another chain as it is kept, and whether a checksum vouches for it.
fn elsewhere(text: &str, chain: &str) -> Result<(String, bool), Reason> {
    let bad = || Reason::Elsewhere { address: text.to_owned(), network: chain.to_owned() };
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(bad());
    }
    if EVM.contains(&chain) {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).ok_or_else(bad)?;
        if digits.len() != 40 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        // The case of letters is only a checksum (EIP-55).
        return Ok((format!("0x{}", digits.to_ascii_lowercase()), false));
    }
    if chain == "TRX" {
        let bytes = base58::decode_check(text).map_err(|_| bad())?;
        let good = bytes.len() == 21 && bytes.first() == Some(&0x41);
        return if good { Ok((text.to_owned(), true)) } else { Err(bad()) };
    }
    if BASE58.contains(&chain) && !text.starts_with("ltc1") && !text.starts_with("zs1") {
        base58::decode_check(text).map_err(|_| bad())?;
        return Ok((text.to_owned(), true));
    }
    Ok((text.to_owned(), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, currency: &str, network: &str, own: Network, expected: &str) {
        let option = |text: &'static str| (!text.is_empty()).then_some(text);
        let (currency, network): (String, String) = (currency.into(), network.into());
        let currency = option(Box::leak(currency.into_boxed_str()));
        let network = option(Box::leak(network.into_boxed_str()));
        let found = match of_address(text, currency, network, own) {
            Ok(found) => {
                let place = match &found.subject {
                    Subject::Script(_) => "own",
                    Subject::Elsewhere { network, .. } => network,
                    _ => "?",
                };
                format!("{place} {} {}", found.currency, found.subject.text(own))
            }
            Err(reason) => reason.to_string(),
        };
        assert!(found.starts_with(expected), "{found}");
    }

    #[test]
    fn addresses_find_their_chain() {
        use Network::{Mainnet, Regtest, Testnet4};
        let genesis = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        let regtest = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
        let tron = "TNVaKWQzau7xL9bcnvLmF9KSEQkWEs4Ug8";
        let ether = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96";
        check(genesis, "BTC", "", Mainnet, &format!("own BTC {genesis}"));
        check(genesis, "XBT", "", Mainnet, "own BTC");
        check(genesis, "", "", Mainnet, "own BTC");
        check(genesis, "USDT", "", Mainnet, "own USDT");
        check(genesis, "BTC", "", Regtest, "mainnet BTC");
        check(genesis, "BTC", "mainnet", Regtest, "mainnet BTC");
        check(regtest, "BTC", "", Mainnet, "regtest BTC");
        check(regtest, "BTC", "", Regtest, "own BTC");
        check("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "BTC", "", Testnet4, "own BTC");
        check(tron, "USDT", "", Mainnet, "TRX USDT");
        check(ether, "USDT", "", Mainnet, "ETH USDT 0x098b716b8aaf21512996dc57eb0615e2383e2f96");
        check("rGeyCsqc6vKXuyTGF39WJxmTRemoV3c97h", "Ripple", "", Mainnet, "XRP XRP rGey");
        check(
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "BTC",
            "",
            Mainnet,
            "'1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb' is not",
        );
        check(
            "TNVaKWQzau7xL9bcnvLmF9KSEQkWEs4Ug9",
            "TRX",
            "",
            Mainnet,
            "'TNVaKWQzau7xL9bcnvLmF9KSEQkWEs4Ug9' is not an address of TRX",
        );
        check("0x12", "ETH", "", Mainnet, "'0x12' is not an address of ETH");
        check("", "XMR", "", Mainnet, "'' is not");
    }
}
