//! Amounts as people type them: bitcoin, satoshis, bytes.

use std::fmt;

use chain::Sats;

/// Satoshis (`1000`, `1000sat`) or bitcoin (`0.5btc`, `0.5 BTC`).
///
/// # Errors
/// A sentence that says what is accepted.
pub(crate) fn parse_sats(text: &str) -> Result<Sats, AmountError> {
    let lower = text.trim().to_ascii_lowercase();
    let sats = match lower.strip_suffix("btc") {
        Some(coins) => parse_coins(coins.trim()),
        None => lower.strip_suffix("sat").unwrap_or(&lower).trim().parse().ok(),
    };
    sats.map(Sats)
        .filter(|sats| *sats <= Sats::MAX_MONEY)
        .ok_or(AmountError("an amount is satoshis or bitcoin, like 1000, 1000sat or 0.5btc"))
}

/// Bytes: `1GiB`, `512MiB`, `2G`, `1000000`. Multiples of 1024, whatever the spelling.
///
/// # Errors
/// A sentence that says what is accepted.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, AmountError> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let shift = match unit.trim() {
        "" | "b" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    };
    shift
        .and_then(|shift| number.parse::<u64>().ok()?.checked_mul(1 << shift))
        .ok_or(AmountError("a size is a whole number and a unit, like 512MiB or 1GiB"))
}

/// What an amount has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmountError(&'static str);

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for AmountError {}

/// Bitcoin with up to eight decimals, in satoshis. No floating point: 0.1 must be 10000000.
fn parse_coins(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 8 || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u64 = format!("{part:0<8}").parse().ok()?;
    whole.checked_mul(100_000_000)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, sats) in [
            ("0", 0),
            ("546", 546),
            ("546sat", 546),
            ("0.1btc", 10_000_000),
            ("4502.9 BTC", 450_290_000_000),
            (".00000001btc", 1),
            ("21000000btc", 2_100_000_000_000_000),
        ] {
            assert_eq!(parse_sats(text), Ok(Sats(sats)), "{text}");
        }
        for text in
            ["", "btc", ".btc", "0.1", "-1", "1.000000001btc", "21000001btc", "1e3", "+1btc"]
        {
            assert!(parse_sats(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in [("5", 5), ("1GiB", 1 << 30), ("2 mb", 2 << 20), ("1T", 1 << 40)] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "GiB", "1.5GiB", "1x", "99999999999999T"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
