//! Tags from documents to answers: made-up documents, bad ones, random ones, real ones.

// Tests may fail loudly; the lints' own exception sees only functions marked `#[test]`.
#![allow(clippy::unwrap_used, clippy::panic)]

mod bad;
mod documents;
mod lookalike;
mod properties;
mod real;

use chain::Network;
use intel::{Document, Import, IntelError, Settings, TagSet, TagSetBuilder};

/// A document read for mainnet.
fn import(name: &str, text: &str) -> Result<Import, IntelError> {
    intel::import(Document { name, bytes: text.as_bytes() }, &Settings::new(Network::Mainnet))
}

/// The set of some imports.
fn set(imports: &[Import]) -> TagSet {
    let mut builder = TagSetBuilder::new(Network::Mainnet);
    for import in imports {
        builder.add(import).unwrap();
    }
    builder.build().unwrap()
}

/// Every claim of a set, a line each: subject, what is said, who says it.
fn claims(set: &TagSet) -> String {
    let mut lines = String::new();
    for claim in set.claims() {
        let concepts: Vec<&str> = claim.all_concepts().collect();
        lines.push_str(&format!(
            "{} {} [{}] {} {} {} {}\n",
            claim.subject().unwrap().text(set.network()),
            claim.label(),
            concepts.join(","),
            claim.actor().unwrap_or("-"),
            claim.confidence().level,
            claim.currency(),
            claim.source(),
        ));
    }
    lines
}
