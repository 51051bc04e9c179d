//! Whether an address is made to resemble a known one.

use intel::lookalike::{Book, Check, MilliBits};

use crate::{
    rules::LookalikeRule,
    verdict::{Basis, Reason, Verdict},
};

/// The name of the heuristic: `docs/methods/lookalike.md`.
const HEURISTIC: &str = "lookalike_bits";
/// The rule about the book that somebody keeps by hand.
pub(crate) const BOOK: &str = "lookalike";
/// The rule about all labelled addresses.
pub(crate) const LABELS: &str = "lookalike_labels";

/// What a book says of an address: that it stands there, and which other entry it resembles.
/// The second value tells whether it stands there.
pub(crate) fn reasons(
    book: &Book,
    rule: LookalikeRule,
    name: &'static str,
    address: &str,
    way: &[String],
) -> (Vec<Reason>, bool) {
    let Some(check) = book.check(address) else { return (Vec::new(), false) };
    let outcome = if check.known { rule.verdict_known } else { rule.verdict };
    let needed = MilliBits(rule.min_bits.saturating_mul(1000));
    let mut reasons = Vec::new();
    if check.known && name == BOOK {
        let detail = "is in the book of known addresses".to_owned();
        let mut path = way.to_vec();
        path.push(detail.clone());
        reasons.push(Reason {
            rule: "in_book".to_owned(),
            verdict: Verdict::Allow,
            basis: Basis::Fact,
            address: Some(address.to_owned()),
            detail,
            path,
        });
    }
    if let Some(verdict) = outcome.verdict()
        && check.margin() >= needed
        && let Some(detail) = resembles(&check)
    {
        let mut path = way.to_vec();
        path.push(detail.clone());
        reasons.push(Reason {
            rule: name.to_owned(),
            verdict,
            basis: Basis::Inference { heuristic: HEURISTIC },
            address: Some(address.to_owned()),
            detail,
            path,
        });
    }
    (reasons, check.known)
}

fn resembles(check: &Check<'_>) -> Option<String> {
    let nearest = check.nearest?;
    let also = if check.known { "another" } else { "the" };
    Some(format!(
        "resembles {also} known address {}: the first {} and the last {} characters are the same, \
         {} bits, {} beyond chance",
        nearest.address,
        nearest.prefix,
        nearest.suffix,
        nearest.bits(),
        check.margin()
    ))
}
