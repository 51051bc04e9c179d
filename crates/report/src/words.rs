//! Amounts, shares and ids as people read them. Whole numbers only: the same on every machine.

use chain::Txid;

use crate::{
    escape,
    model::{Amount, Booking, Leaf},
};

const BTC: u64 = 100_000_000;

/// Bitcoin, thousands apart, without zeros at the end: `4,502.9`.
pub(crate) fn btc(sat: u64) -> String {
    let whole = thousands(sat / BTC);
    let rest = sat % BTC;
    if rest == 0 {
        return whole;
    }
    let decimals = format!("{rest:08}");
    format!("{whole}.{}", decimals.trim_end_matches('0'))
}

/// Bitcoin, thousands apart, all eight decimals: columns line up.
pub(crate) fn btc_full(sat: u64) -> String {
    format!("{}.{:08}", thousands(sat / BTC), sat % BTC)
}

/// `4,502.9 BTC`, or `1 to 2.5 BTC` for an interval; `None` where nothing was measured.
pub(crate) fn amount(amount: Amount) -> Option<String> {
    match amount {
        Amount::Exact { tainted_sat } => Some(format!("{} BTC", btc(tainted_sat))),
        Amount::Between { lower_sat, upper_sat } if lower_sat == upper_sat => {
            Some(format!("{} BTC", btc(upper_sat)))
        }
        Amount::Between { lower_sat, upper_sat } => {
            Some(format!("{} to {} BTC", btc(lower_sat), btc(upper_sat)))
        }
        Amount::Unmeasured {} => None,
    }
}

/// A whole number with thousands apart.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 output`, `2 outputs`.
pub(crate) fn count(n: u64, one: &str, more: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {more}", thousands(n)) }
}

/// A part of a whole in per cent with one decimal; `< 0.1 %` for what is small but there.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "0 %".to_owned();
    }
    let per_mille = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
    match per_mille {
        0 => "< 0.1 %".to_owned(),
        1000 if part != whole => "99.9 %".to_owned(),
        n if n % 10 == 0 => format!("{} %", n / 10),
        n => format!("{}.{} %", n / 10, n % 10),
    }
}

/// The two ends of a long name: `bc1qxy2…0wlh`. Harmless in any format that escapes markup.
pub(crate) fn short(text: &str, head: usize, tail: usize) -> String {
    let chars: Vec<char> = escape::plain(text).chars().collect();
    if chars.len() <= head + tail + 1 {
        return chars.into_iter().collect();
    }
    let end = chars.len() - tail;
    let (first, last) = (chars.iter().take(head), chars.iter().skip(end));
    first.chain(&['…']).chain(last).collect()
}

/// The first and last digits of a transaction's id.
pub(crate) fn short_txid(txid: &Txid) -> String {
    short(&txid.to_string(), 6, 4)
}

/// The address, or the outpoint of what has none.
pub(crate) fn whereabouts(leaf: &Leaf) -> String {
    match &leaf.output.address {
        Some(address) => address.to_string(),
        None => format!("{}:{} ({})", leaf.output.txid, leaf.output.vout, leaf.output.script_type),
    }
}

/// A stop reason in plain words.
pub(crate) fn reason(name: &str) -> String {
    match name {
        "unspent" => "not spent yet".to_owned(),
        "fee" => "paid as fees".to_owned(),
        "op_return" => "burned (OP_RETURN)".to_owned(),
        "unclaimed" => "left unclaimed by a miner".to_owned(),
        "coinbase" => "newly minted".to_owned(),
        "unknown" => "next step not known here".to_owned(),
        "address" => "reached a stop address".to_owned(),
        "hops" => "stopped: hop limit".to_owned(),
        "value" => "stopped: amount too small".to_owned(),
        "height" => "stopped: height limit".to_owned(),
        "budget" => "stopped: transaction limit".to_owned(),
        "coinjoin" => "CoinJoin".to_owned(),
        other => escape::plain(&other.replace('_', " ")),
    }
}

/// A booking's reason in plain words, with the party or protocol that it names.
pub(crate) fn booking(booking: &Booking) -> String {
    named(&reason(&booking.stop_reason), booking)
}

/// The party before a reason, the protocol behind it.
pub(crate) fn named(reason: &str, booking: &Booking) -> String {
    let mut text = String::new();
    if let Some(entity) = &booking.entity {
        text.push_str(&format!("{}, ", escape::plain(entity)));
    }
    text.push_str(reason);
    if let Some(protocol) = booking.protocol {
        text.push_str(&format!(", {protocol}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        assert_eq!(btc(450_290_000_000), "4,502.9");
        assert_eq!(btc(1), "0.00000001");
        assert_eq!(btc(0), "0");
        assert_eq!(btc_full(123_456_700_000_000), "1,234,567.00000000");
        assert_eq!(
            amount(Amount::Between { lower_sat: 0, upper_sat: 1 }).as_deref(),
            Some("0 to 0.00000001 BTC")
        );
        assert_eq!(thousands(999), "999");
        assert_eq!(count(1_000, "output", "outputs"), "1,000 outputs");
    }

    #[test]
    fn shares_do_not_lie_at_the_ends() {
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(1, 1_000_000), "< 0.1 %");
        assert_eq!(percent(999_999, 1_000_000), "99.9 %");
        assert_eq!(percent(5, 5), "100 %");
        assert_eq!(percent(0, 5), "0 %");
        assert_eq!(percent(u64::MAX, u64::MAX), "100 %");
    }

    #[test]
    fn names_are_cut_in_the_middle() {
        assert_eq!(short("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 7, 4), "bc1qw50…f3t4");
        assert_eq!(short("short", 7, 4), "short");
        assert_eq!(short("\u{1b}evil", 7, 4), "\u{fffd}evil");
    }
}
