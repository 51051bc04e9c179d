//! What a scan counts and lists, wherever the transactions come from.

use std::collections::BTreeMap;

use analyze::coinjoin::Finding;

use crate::output::{ErrorRates, FoundTransaction, ScanDocument};

/// Counts of a scan.
#[derive(Debug, Default)]
pub(super) struct Tally {
    scanned: u64,
    found: BTreeMap<&'static str, u64>,
    suspicions: BTreeMap<&'static str, u64>,
    kept_apart: u64,
}

impl Tally {
    /// Counts a transaction. Whether it is to be listed.
    pub(super) fn count(&mut self, finding: Option<&Finding>) -> bool {
        self.scanned += 1;
        let Some(finding) = finding else { return false };
        self.kept_apart += u64::from(finding.do_not_union);
        let counts = if finding.is_named() { &mut self.found } else { &mut self.suspicions };
        *counts.entry(finding.protocol.name()).or_default() += 1;
        finding.is_named()
    }

    /// Transactions so far.
    pub(super) const fn scanned(&self) -> u64 {
        self.scanned
    }

    /// The document.
    pub(super) fn finish(self, transactions: Vec<FoundTransaction>) -> ScanDocument {
        ScanDocument {
            scanned: self.scanned,
            found: self.found,
            suspicions: self.suspicions,
            kept_apart: self.kept_apart,
            error_rates: ErrorRates::published(),
            transactions,
        }
    }
}
