//! Checking a bundle: no node, no network, no store, and no belief in whoever made it.

use std::collections::{BTreeMap, BTreeSet};

use chain::{Height, Ledger, Network, OutPoint};

use super::{
    CASE, HEADERS, LABELS, LOG, MANIFEST, PROVENANCE, README, SCHEMA, SIGNATURE, SIGNER,
    TRANSACTIONS, UNSPENT, log,
    make::amounts,
    manifest::Manifest,
    provenance::{PROVENANCE_SCHEMA, Provenance},
    results_name,
    verdict::{Check, Outcome, Verdict},
};
use crate::{
    Case,
    case_file::POLICIES,
    container,
    digest::sha256_hex,
    evidence::{HeaderChain, Role, Transactions, checkpoints},
    labels::Labels,
    results::{RESULTS_VERSION, compute},
    sign::PublicKey,
};

/// Checks everything in a bundle. With a `key`, the bundle must be signed by it.
pub fn verify(bytes: &[u8], key: Option<&PublicKey>) -> Verdict {
    let mut verdict = Verdict {
        checks: Vec::new(),
        bundle_sha256: sha256_hex(bytes),
        manifest_sha256: None,
        signer: None,
        title: None,
        provenance: None,
    };
    let mut checking = Checking { files: BTreeMap::new(), checks: Vec::new() };
    match container::read(bytes) {
        Err(error) => checking.fails("container", None, error.to_string()),
        Ok(entries) => {
            let damaged: Vec<_> = entries.iter().filter(|entry| !entry.intact).collect();
            for entry in &damaged {
                let detail = format!(
                    "bytes {} to {}: are not those that were packed: their CRC-32 is another",
                    entry.offset,
                    entry.offset + entry.bytes.len()
                );
                checking.fails("container", Some(entry.name), detail);
            }
            if damaged.is_empty() {
                let detail =
                    format!("{} files, {} bytes, in the one form", entries.len(), bytes.len());
                checking.holds("container", None, detail);
            }
            checking.files = entries.iter().map(|entry| (entry.name, entry.bytes)).collect();
            checking.all(&mut verdict, key);
        }
    }
    verdict.checks = checking.checks;
    verdict
}

struct Checking<'a> {
    files: BTreeMap<&'a str, &'a [u8]>,
    checks: Vec<Check>,
}

impl<'a> Checking<'a> {
    fn push(&mut self, name: &'static str, file: Option<&str>, outcome: Outcome, detail: String) {
        self.checks.push(Check { name, file: file.map(str::to_owned), outcome, detail });
    }

    fn holds(&mut self, name: &'static str, file: Option<&str>, detail: String) {
        self.push(name, file, Outcome::Holds, detail);
    }

    fn fails(&mut self, name: &'static str, file: Option<&str>, detail: String) {
        self.push(name, file, Outcome::Fails, detail);
    }

    /// The outcome of a check of one file; its value where it holds.
    fn one<T>(
        &mut self,
        name: &'static str,
        file: &str,
        check: impl FnOnce(&Self) -> Result<(T, String), String>,
    ) -> Option<T> {
        match check(self) {
            Ok((value, detail)) => {
                self.holds(name, Some(file), detail);
                Some(value)
            }
            Err(detail) => {
                self.fails(name, Some(file), detail);
                None
            }
        }
    }

    fn file(&self, name: &str) -> Result<&'a [u8], String> {
        self.files.get(name).copied().ok_or_else(|| "is not in the bundle".to_owned())
    }

    fn text(&self, name: &str) -> Result<&'a str, String> {
        let bytes = self.file(name)?;
        std::str::from_utf8(bytes)
            .map_err(|error| format!("byte {}: is not text", error.valid_up_to()))
    }

    fn all(&mut self, verdict: &mut Verdict, key: Option<&PublicKey>) {
        self.manifest(verdict);
        self.signature(verdict, key);
        let case = self.one("case", CASE, |this| {
            let case = Case::parse(this.text(CASE)?).map_err(|error| error.to_string())?;
            let detail =
                format!("{} theft(s), {} policies", case.thefts.len(), case.policies.len());
            Ok((case, detail))
        });
        verdict.title = case.as_ref().map(|case| case.title.clone());
        let provenance = self.one("provenance", PROVENANCE, |this| this.provenance(case.as_ref()));
        verdict.provenance.clone_from(&provenance);
        self.one("log", LOG, |this| {
            let digest = |name: &str| this.files.get(name).map(|bytes| sha256_hex(bytes));
            let count = log::check(this.text(LOG)?, digest).map_err(|fault| fault.to_string())?;
            Ok(((), format!("{count} lines, each with the digest of the one before")))
        });
        let (Some(case), Some(provenance)) = (case, provenance) else { return };
        let headers = self.one("headers", HEADERS, |this| this.headers(case.network, &provenance));
        let Some(headers) = headers else { return };
        let transactions =
            self.one("transactions", TRANSACTIONS, |this| this.transactions(&headers, &provenance));
        let labels = self.one("labels", LABELS, |this| {
            let labels = Labels::read(this.text(LABELS)?, case.network);
            let labels = labels.map_err(|fault| fault.to_string())?;
            let detail = format!("what is said about {} addresses", labels.len());
            Ok((labels, detail))
        });
        let unspent = self.one("unspent", UNSPENT, |this| {
            let unspent = unspent(this.text(UNSPENT)?)?;
            let detail = format!(
                "{} outputs, said to be unspent at block {}",
                unspent.len(),
                provenance.as_of.height
            );
            Ok((unspent, detail))
        });
        let (Some(transactions), Some(labels), Some(unspent)) = (transactions, labels, unspent)
        else {
            return;
        };
        let known = (RESULTS_VERSION, analyze::coinjoin::RULES_VERSION);
        if (provenance.results_version, provenance.coinjoin_rules) != known {
            let detail = format!(
                "made by rules of version {}.{}, and this program has {}.{}: check the results with \
                 chainhound {}",
                provenance.results_version,
                provenance.coinjoin_rules,
                known.0,
                known.1,
                provenance.tool_version
            );
            return self.push("results", None, Outcome::Skipped, detail);
        }
        self.results(&case, &provenance, &Evidence { headers, transactions, labels, unspent });
    }

    fn manifest(&mut self, verdict: &mut Verdict) {
        let Ok(bytes) = self.file(MANIFEST) else {
            return self.fails("manifest", Some(MANIFEST), "is not in the bundle".to_owned());
        };
        verdict.manifest_sha256 = Some(sha256_hex(bytes));
        let manifest: Manifest = match serde_json::from_slice(bytes) {
            Ok(manifest) => manifest,
            Err(error) => return self.fails("manifest", Some(MANIFEST), error.to_string()),
        };
        let mut faults: Vec<(String, String)> = Vec::new();
        if manifest.schema != SCHEMA {
            let detail = format!("is of '{}', not of {SCHEMA}", manifest.schema);
            faults.push((MANIFEST.to_owned(), detail));
        }
        if manifest.to_bytes().ok().as_deref() != Some(bytes) {
            faults.push((MANIFEST.to_owned(), "is not written in its one form".to_owned()));
        }
        for (one, other) in manifest.files.iter().zip(manifest.files.iter().skip(1)) {
            if one.name >= other.name {
                faults.push((other.name.clone(), "is not in its place in the manifest".to_owned()));
            }
        }
        for listed in &manifest.files {
            let fault = match self.files.get(listed.name.as_str()) {
                None => Some("is in the manifest and not in the bundle".to_owned()),
                Some(bytes) if bytes.len() as u64 != listed.bytes => Some(format!(
                    "has {} bytes, and the manifest says {}",
                    bytes.len(),
                    listed.bytes
                )),
                Some(bytes) => {
                    Some(sha256_hex(bytes)).filter(|found| *found != listed.sha256).map(|found| {
                        format!("has SHA-256 {found}, and the manifest says {}", listed.sha256)
                    })
                }
            };
            faults.extend(fault.map(|fault| (listed.name.clone(), fault)));
        }
        let outside = [MANIFEST, SIGNATURE, SIGNER];
        for name in self.files.keys().filter(|name| !outside.contains(name)) {
            if manifest.files.iter().all(|listed| listed.name != *name) {
                faults.push((
                    (*name).to_owned(),
                    "is in the bundle and not in the manifest".to_owned(),
                ));
            } else if !is_known(name) {
                faults.push(((*name).to_owned(), "is no file of a bundle".to_owned()));
            }
        }
        if faults.is_empty() {
            let detail = format!("{} files have the digests that it lists", manifest.files.len());
            return self.holds("manifest", Some(MANIFEST), detail);
        }
        for (name, fault) in faults {
            self.fails("manifest", Some(&name), fault);
        }
    }

    fn signature(&mut self, verdict: &mut Verdict, key: Option<&PublicKey>) {
        let signed = self.files.contains_key(SIGNATURE) || self.files.contains_key(SIGNER);
        if !signed {
            let detail = "the bundle is not signed".to_owned();
            let outcome = if key.is_some() { Outcome::Fails } else { Outcome::Skipped };
            return self.push("signature", None, outcome, detail);
        }
        let signer = self.one("signature", SIGNATURE, |this| {
            let text = this.text(SIGNER).map_err(|error| format!("{SIGNER} {error}"))?;
            let signer = PublicKey::parse(text).map_err(|error| format!("{SIGNER}: {error}"))?;
            if signer.to_text() != text {
                return Err(format!("{SIGNER} is not written in its one form"));
            }
            if let Some(key) = key.filter(|key| **key != signer) {
                return Err(format!("the bundle is signed by {signer}, not by {key}"));
            }
            signer.check(this.file(MANIFEST)?, this.text(SIGNATURE)?)?;
            let detail = match key {
                Some(_) => format!("by the key that was named, {signer}"),
                None => format!("by {signer}: compare it with the key of whom you got this from"),
            };
            Ok((signer, detail))
        });
        verdict.signer = signer.map(|signer| signer.to_string());
    }

    fn provenance(&self, case: Option<&Case>) -> Result<(Provenance, String), String> {
        let bytes = self.file(PROVENANCE)?;
        let provenance: Provenance =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if provenance.to_bytes().ok().as_deref() != Some(bytes) {
            return Err("is not written in its one form".to_owned());
        }
        if provenance.schema != PROVENANCE_SCHEMA {
            return Err(format!("is of '{}', not of {PROVENANCE_SCHEMA}", provenance.schema));
        }
        if let Some(case) = case {
            if provenance.network != case.network.name() {
                return Err(format!(
                    "is of {}, and the case of {}",
                    provenance.network, case.network
                ));
            }
            let policies = case.policies.iter().map(|policy| policy.name());
            if !policies.eq(provenance.policies.iter().map(String::as_str)) {
                return Err("has other policies than the case".to_owned());
            }
            if case.stops.until_height.is_some_and(|until| provenance.as_of.height > until) {
                return Err("looks further than the case's until_height".to_owned());
            }
        }
        let detail = format!(
            "chainhound {}, {}, up to block {} ({})",
            provenance.tool_version,
            provenance.network,
            provenance.as_of.height,
            provenance.as_of.hash
        );
        Ok((provenance, detail))
    }

    fn headers(
        &self,
        network: Network,
        provenance: &Provenance,
    ) -> Result<(HeaderChain, String), String> {
        let (first, said) = (Height(provenance.headers.first), &provenance.checkpoint);
        let known = checkpoints(network).into_iter().find(|known| known.height == first);
        let checkpoint = known
            .filter(|known| said.height == first.0 && said.hash == known.hash.to_string())
            .ok_or_else(|| {
                format!(
                    "start at block {first}, checkpoint {} ({}), which is none of this program's",
                    said.height, said.hash
                )
            })?;
        let chain = HeaderChain::from_bytes(first, self.file(HEADERS)?)
            .map_err(|fault| fault.to_string())?;
        let work = chain.check(network, checkpoint).map_err(|fault| fault.to_string())?;
        let as_of = &provenance.as_of;
        let last = chain.last();
        if last != Some(Height(as_of.height)) || provenance.headers.last != as_of.height {
            let last = last.map_or(0, |last| last.0);
            return Err(format!("end at block {last}, and {PROVENANCE} says {}", as_of.height));
        }
        let hash = chain.get(Height(as_of.height)).map(|header| header.block_hash().to_string());
        if hash.as_deref() != Some(as_of.hash.as_str()) {
            return Err(format!(
                "block {} is {}, and {PROVENANCE} says {}",
                as_of.height,
                hash.unwrap_or_default(),
                as_of.hash
            ));
        }
        if work.to_string() != provenance.headers.work {
            return Err(format!(
                "their work is {work}, and {PROVENANCE} says {}",
                provenance.headers.work
            ));
        }
        let detail = format!("{} linked headers from checkpoint {first}, work {work}", chain.len());
        Ok((chain, detail))
    }

    fn transactions(
        &self,
        headers: &HeaderChain,
        provenance: &Provenance,
    ) -> Result<(Transactions, String), String> {
        let transactions = Transactions::check(self.text(TRANSACTIONS)?, headers)
            .map_err(|fault| fault.to_string())?;
        let count = |role| transactions.count(role) as u64;
        let (passed, named, source) =
            (count(Role::Passed), count(Role::Named), count(Role::Source));
        let said = &provenance.transactions;
        if (passed, named, source) != (said.passed, said.named, said.source) {
            return Err(format!("{PROVENANCE} counts other transactions than there are"));
        }
        let detail = format!(
            "{} are in their blocks, and {source} more show the values of what these spend",
            passed + named
        );
        Ok((transactions, detail))
    }

    /// Computes everything again.
    fn results(&mut self, case: &Case, provenance: &Provenance, evidence: &Evidence) {
        let Evidence { headers, transactions, labels, unspent } = evidence;
        let ledger = match transactions.ledger(case.network, headers, unspent) {
            Ok(ledger) => ledger,
            Err(error) => return self.fails("results", None, error.to_string()),
        };
        let whole: BTreeSet<_> = transactions
            .list()
            .iter()
            .filter(|tx| tx.role == Role::Passed)
            .map(|tx| tx.txid())
            .collect();
        let until = Height(provenance.as_of.height);
        for (place, &policy) in case.policies.iter().enumerate() {
            let name = results_name(policy);
            self.one("results", &name, |this| {
                let computed = compute(case, &ledger, labels, until, policy)
                    .map_err(|error| format!("cannot be computed again: {error}"))?;
                for &tx in &computed.asked {
                    let txid = ledger.txid(tx).map_err(|error| error.to_string())?;
                    if !whole.contains(&txid) {
                        return Err(format!(
                            "the trace passes transaction {txid}, of which not all inputs are proven"
                        ));
                    }
                }
                if place == 0 && amounts(case, Some(&computed.results)) != provenance.amounts {
                    return Err(format!("{PROVENANCE} has other amounts of the thefts"));
                }
                let lines = computed.results.lines.len();
                let bytes = computed.results.to_bytes().map_err(|error| error.to_string())?;
                same_lines(this.text(&name)?, &String::from_utf8_lossy(&bytes))?;
                Ok(((), format!("{lines} lines, the same when computed again")))
            });
        }
    }
}

struct Evidence {
    headers: HeaderChain,
    transactions: Transactions,
    labels: Labels,
    unspent: BTreeSet<OutPoint>,
}

/// Whether a bundle can have a file of this name.
fn is_known(name: &str) -> bool {
    let plain = [README, CASE, HEADERS, LABELS, LOG, PROVENANCE, TRANSACTIONS, UNSPENT];
    plain.contains(&name) || POLICIES.iter().any(|policy| results_name(*policy) == name)
}

/// One outpoint a line, ascending.
fn unspent(text: &str) -> Result<BTreeSet<OutPoint>, String> {
    let mut outpoints = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let outpoint: OutPoint =
            line.parse().map_err(|_| format!("line {number}: is no output: TXID:VOUT"))?;
        if outpoints.last().is_some_and(|last| *last >= outpoint) {
            return Err(format!("line {number}: is not in its place"));
        }
        outpoints.insert(outpoint);
    }
    let whole: String = outpoints.iter().map(|outpoint| format!("{outpoint}\n")).collect();
    if whole != text {
        return Err("is not written in its one form".to_owned());
    }
    Ok(outpoints)
}

/// The first line that differs.
fn same_lines(found: &str, expected: &str) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let mut expected = expected.lines();
    for (number, line) in (1..).zip(found.lines()) {
        match expected.next() {
            None => return Err(format!("line {number}: is one too many")),
            Some(expected) if expected != line => {
                let (expected, line) = (shortened(expected), shortened(line));
                return Err(format!("line {number}: says {line}; computed again it is {expected}"));
            }
            Some(_) => {}
        }
    }
    match expected.next() {
        Some(line) => Err(format!("a line is missing at the end: {}", shortened(line))),
        None => Err("differs in its line breaks".to_owned()),
    }
}

fn shortened(line: &str) -> String {
    const SHOWN: usize = 300;
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}
