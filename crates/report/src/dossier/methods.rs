//! How the results were found, and how often such findings are wrong.

use super::{
    Dossier,
    words::{Words, fill},
};
use crate::{escape, words};

/// A row of measured rates.
pub(super) struct Rate {
    pub(super) rule: String,
    pub(super) found: String,
    pub(super) named: String,
    pub(super) false_alarms: String,
}

/// What was measured of the rules that the case met.
pub(super) fn rates(dossier: &Dossier, w: &Words) -> Vec<Rate> {
    let of = |n: u32, all: u32| {
        let share = words::percent(n.into(), all.into());
        let (n, all) = (words::thousands(n.into()), words::thousands(all.into()));
        format!("{} ({share})", fill(w.measured_of, &[("n", &n), ("all", &all)]))
    };
    let row = |one: &super::Measured| Rate {
        rule: escape::plain(&one.heuristic),
        found: of(one.found, one.labelled),
        named: of(one.named, one.labelled),
        false_alarms: of(one.false_positives, one.out_of),
    };
    dossier.measured.iter().map(row).collect()
}

/// The pages on methods that concern this case, in the source of the program.
pub(super) fn pages(dossier: &Dossier) -> Vec<&'static str> {
    let mut pages = vec!["docs/methods/evidence.md", "docs/methods/tracing.md"];
    let bookings = || dossier.traces.iter().flat_map(|trace| &trace.bookings);
    if bookings().any(|booking| booking.entity.is_some()) {
        pages.extend(["docs/methods/labels.md", "docs/methods/clustering.md"]);
    }
    if bookings().any(|booking| booking.protocol.is_some()) || !dossier.measured.is_empty() {
        pages.push("docs/methods/coinjoin.md");
    }
    pages
}
