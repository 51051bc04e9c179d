//! How far a source is trusted: GraphSense's scale, by the kind of the source.

/// A tag's confidence: the id its source gives, and the level that the scale gives the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confidence<'a> {
    /// The id, as in the tag.
    pub id: &'a str,
    /// 0 to 100. Not a probability. An id that the scale does not have counts as 0.
    pub level: u8,
    /// Whether the scale has the id.
    pub known: bool,
}

/// The scale: id, level, what it stands for; best first. The ids and levels down to `unknown` are
/// GraphSense's (`graphsense-lib`, `tagpack/db/confidence.csv`). The last three are the words of
/// curated tables, which are not on that scale; their levels are ours.
pub const CONFIDENCES: &[(&str, u8, &str)] = &[
    ("override", 100, "set by the person in charge"),
    ("ownership", 100, "proven by a signature or by owning the key"),
    ("ledger_immanent", 100, "written on the ledger itself"),
    ("manual_transaction", 90, "an own transaction with the service"),
    ("service_api", 70, "told by the service's interface"),
    ("forensic_investigation", 70, "a forensic investigation of one's own"),
    ("authority_data", 60, "published by an authority"),
    ("trusted_provider", 50, "from a provider that is trusted"),
    ("service_data", 50, "published by the service itself"),
    ("forensic", 50, "a forensic report or a paper"),
    ("untrusted_transaction", 40, "a transaction that somebody reports"),
    ("web_crawl", 20, "found on the web"),
    ("heuristic", 10, "inferred by a heuristic"),
    ("unknown", 5, "no word about where it comes from"),
    ("high", 60, "a curated table's word"),
    ("medium", 40, "a curated table's word"),
    ("low", 20, "a curated table's word"),
];

impl<'a> Confidence<'a> {
    /// What the scale says about an id.
    pub fn of(id: &'a str) -> Self {
        match CONFIDENCES.iter().find(|(known, _, _)| *known == id) {
            Some((_, level, _)) => Self { id, level: *level, known: true },
            None => Self { id, level: 0, known: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_answers() {
        assert_eq!(Confidence::of("authority_data").level, 60);
        assert_eq!(Confidence::of("override").level, 100);
        assert_eq!(Confidence::of("sure!"), Confidence { id: "sure!", level: 0, known: false });
    }
}
