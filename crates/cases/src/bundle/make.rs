//! Making a bundle.

use std::collections::{BTreeMap, BTreeSet};

use analyze::trace::Summary;
use bitcoin::block::Header;
use chain::{BlockHash, Height, Ledger, OutPoint, TxNum, Txid};

use super::{
    CASE, HEADERS, LABELS, LOG, MANIFEST, PROVENANCE, README, SIGNATURE, SIGNER, TRANSACTIONS,
    UNSPENT,
    log::Log,
    manifest::Manifest,
    provenance::{Amounts, BlockAt, Counts, Headers, PROVENANCE_SCHEMA, Provenance},
    results_name,
};
use crate::{
    Case, Error, LabelSource, Result, container,
    digest::sha256_hex,
    evidence::{
        Checkpoint, HeaderChain, Needed, Proofs, ProvenTx, Role, Transactions,
        checkpoint_at_or_below, gather, without_witnesses,
    },
    results::{Line, RESULTS_VERSION, Results, compute},
    sign::SecretKey,
};

const README_TEXT: &str = include_str!("README.txt");

/// The program that makes a bundle.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its version.
    pub version: String,
    /// SHA-256 of its file.
    pub binary_sha256: Option<String>,
}

/// What a bundle is made from.
pub struct Making<'a, L> {
    /// The case file's text.
    pub text: &'a str,
    /// What it says.
    pub case: &'a Case,
    /// The chain.
    pub ledger: &'a L,
    /// What the chain is called: `store` or `sparse`.
    pub source: &'a str,
    /// What is said about addresses.
    pub labels: &'a mut dyn LabelSource,
    /// Digest of all labels that are asked.
    pub tag_set_digest: Option<String>,
    /// Where transactions and headers come from.
    pub proofs: &'a mut dyn Proofs,
    /// What makes it.
    pub tool: Tool,
    /// Whose signature goes on it.
    pub key: Option<&'a SecretKey>,
    /// Is told what is being done.
    pub progress: &'a mut dyn FnMut(&str),
}

/// A bundle.
#[derive(Clone, Debug)]
pub struct Made {
    /// The zip.
    pub bytes: Vec<u8>,
    /// SHA-256 of the manifest: what is signed.
    pub manifest_sha256: String,
    /// Whether it is signed.
    pub signed: bool,
    /// From what it was made.
    pub provenance: Provenance,
    /// The results, in the order of the case's policies.
    pub results: Vec<Results>,
}

/// Walks a case on the chain, gathers and checks what proves it, computes it again on that alone, and
/// packs it.
///
/// # Errors
/// A root that is not there, a trace that leads too far, blocks that are missing; and a difference between
/// the two computations, which would be a mistake of ours.
pub fn make<L: Ledger>(making: Making<'_, L>) -> Result<Made> {
    let Making { text, case, ledger, labels, proofs, progress, .. } = making;
    let tip = ledger.tip().ok_or_else(|| {
        Error::Question("the chain here has no blocks: nothing in it can be proven".to_owned())
    })?;
    let until = case.stops.until_height.map_or(tip.height, |height| Height(height).min(tip.height));
    progress("following the traces on the chain");
    let needed = gather(case, ledger, until, labels)?;
    progress("gathering transactions, paths and headers");
    let transactions = transactions(ledger, proofs, &needed.transactions)?;
    let headers = headers(case, proofs, &transactions, until)?;
    let (checkpoint, chain) = &headers;
    let work =
        chain.check(case.network, *checkpoint).map_err(|fault| Error::proof("headers", fault))?;
    let bytes = transactions.to_bytes()?;
    let transactions = Transactions::check(&String::from_utf8_lossy(&bytes), chain)
        .map_err(|fault| Error::proof("transactions", fault))?;

    progress("computing the traces again from the bundle alone");
    let own = transactions.ledger(case.network, chain, &needed.unspent)?;
    let mut results = Vec::new();
    for (policy, on_chain) in &needed.summaries {
        let computed = compute(case, &own, &needed.labels, until, *policy)?;
        let mut on_chain = on_chain.clone();
        on_chain.reach.peak_waiting = 0;
        if computed.summary != on_chain {
            let detail = difference(&computed.summary, &on_chain);
            return Err(Error::Differs { policy: policy.name(), detail });
        }
        results.push((*policy, computed.results));
    }

    progress("packing");
    let last = chain.get(until).ok_or(Error::NoHeader(until))?;
    let count = |role| transactions.count(role) as u64;
    let provenance = Provenance {
        schema: PROVENANCE_SCHEMA.to_owned(),
        tool: "chainhound".to_owned(),
        tool_version: making.tool.version,
        binary_sha256: making.tool.binary_sha256,
        results_version: RESULTS_VERSION,
        coinjoin_rules: analyze::coinjoin::RULES_VERSION,
        network: case.network.name().to_owned(),
        source: making.source.to_owned(),
        as_of: block_at(until, last.block_hash()),
        checkpoint: block_at(checkpoint.height, checkpoint.hash),
        headers: Headers { first: chain.first.0, last: until.0, work: work.to_string() },
        transactions: Counts {
            passed: count(Role::Passed),
            named: count(Role::Named),
            source: count(Role::Source),
        },
        policies: case.policies.iter().map(|policy| policy.name().to_owned()).collect(),
        tag_set_digest: making.tag_set_digest,
        amounts: amounts(case, results.first().map(|(_, results)| results)),
    };
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut add = |name: &str, bytes: Vec<u8>| _ = files.insert(name.to_owned(), bytes);
    add(README, README_TEXT.as_bytes().to_vec());
    add(CASE, text.as_bytes().to_vec());
    add(HEADERS, chain.to_bytes());
    add(LABELS, needed.labels.to_bytes(case.network)?);
    add(PROVENANCE, provenance.to_bytes()?);
    add(TRANSACTIONS, bytes);
    add(UNSPENT, unspent_file(&needed.unspent));
    for (policy, results) in &results {
        add(&results_name(*policy), results.to_bytes()?);
    }
    let log = log(case, &provenance, &needed, &files)?;
    files.insert(LOG.to_owned(), log);
    let mut files: Vec<(String, Vec<u8>)> = files.into_iter().collect();
    let manifest = Manifest::of(&files).to_bytes()?;
    let manifest_sha256 = sha256_hex(&manifest);
    if let Some(key) = making.key {
        files.push((SIGNATURE.to_owned(), key.sign(&manifest).into_bytes()));
        files.push((SIGNER.to_owned(), key.public().to_text().into_bytes()));
    }
    files.push((MANIFEST.to_owned(), manifest));
    files.sort();
    let bytes = container::write(&files)?;
    let results = results.into_iter().map(|(_, results)| results).collect();
    Ok(Made { bytes, manifest_sha256, signed: making.key.is_some(), provenance, results })
}

fn block_at(height: Height, hash: BlockHash) -> BlockAt {
    BlockAt { height: height.0, hash: hash.to_string() }
}

/// Reads the transactions, block by block.
fn transactions<L: Ledger>(
    ledger: &L,
    proofs: &mut dyn Proofs,
    needed: &BTreeMap<TxNum, Role>,
) -> Result<Transactions> {
    let mut by_block: BTreeMap<(Height, BlockHash), Vec<(Txid, Role)>> = BTreeMap::new();
    let mut list = Vec::new();
    for (&tx, &role) in needed {
        let txid = ledger.txid(tx)?;
        let block = match ledger.height(tx)? {
            Some(height) => ledger.block(height)?.map(|block| (height, block.hash)),
            None => None,
        };
        match block {
            Some(block) => by_block.entry(block).or_default().push((txid, role)),
            None if role == Role::Source => {
                let tx = without_witnesses(proofs.alone(txid)?);
                list.push(ProvenTx { role, tx, place: None });
            }
            None => return Err(Error::Unconfirmed(txid)),
        }
    }
    for ((height, hash), wanted) in by_block {
        let ids: Vec<Txid> = wanted.iter().map(|(txid, _)| *txid).collect();
        for (shown, (_, role)) in proofs.in_block(height, hash, &ids)?.into_iter().zip(wanted) {
            let place = (role != Role::Source).then_some((height, shown.path));
            list.push(ProvenTx { role, tx: without_witnesses(shown.tx), place });
        }
    }
    Transactions::new(list)
}

/// The headers from the last checkpoint before everything that is proven, to the last block looked at.
fn headers(
    case: &Case,
    proofs: &mut dyn Proofs,
    transactions: &Transactions,
    until: Height,
) -> Result<(Checkpoint, HeaderChain)> {
    let heights = transactions.list().iter().filter_map(|tx| tx.place.as_ref());
    let first = heights.map(|(height, _)| *height).min().unwrap_or(until);
    let checkpoint = checkpoint_at_or_below(case.network, first);
    let headers: Result<Vec<Header>> =
        (checkpoint.height.0..=until.0).map(|height| proofs.header(Height(height))).collect();
    Ok((checkpoint, HeaderChain::new(checkpoint.height, headers?)))
}

fn unspent_file(unspent: &BTreeSet<OutPoint>) -> Vec<u8> {
    unspent.iter().flat_map(|outpoint| format!("{outpoint}\n").into_bytes()).collect()
}

/// For each theft, the worth of its outputs.
pub(super) fn amounts(case: &Case, results: Option<&Results>) -> Vec<Amounts> {
    let mut sums = vec![0_u64; case.thefts.len()];
    for line in results.map_or(&[][..], |results| &results.lines) {
        if let Line::Root(root) = line
            && let Some(sum) = sums.get_mut(root.root as usize)
        {
            *sum = sum.saturating_add(root.value_sat);
        }
    }
    let one = |(theft, chain_sat): (&crate::case_file::Theft, u64)| Amounts {
        theft: theft.text.clone(),
        claimed_sat: theft.amount_sat,
        chain_sat,
    };
    case.thefts.iter().zip(sums).map(one).collect()
}

fn log(
    case: &Case,
    provenance: &Provenance,
    needed: &Needed,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Vec<u8>> {
    let mut log = Log::new();
    let empty = Vec::new();
    let bytes = |name: &str| files.get(name).unwrap_or(&empty);
    let digest = provenance.binary_sha256.clone();
    log.add(
        "started",
        &[
            ("tool_version", provenance.tool_version.clone().into()),
            ("binary_sha256", digest.into()),
        ],
    )?;
    log.add("read_case", &[("file", CASE.into()), ("sha256", sha256_hex(bytes(CASE)).into())])?;
    let as_of = &provenance.as_of;
    log.add(
        "opened_chain",
        &[
            ("network", provenance.network.clone().into()),
            ("source", provenance.source.clone().into()),
            ("as_of_height", as_of.height.into()),
            ("as_of_hash", as_of.hash.clone().into()),
        ],
    )?;
    log.add("opened_labels", &[("tag_set_digest", provenance.tag_set_digest.clone().into())])?;
    for amounts in &provenance.amounts {
        log.add(
            "compared_amount",
            &[
                ("theft", amounts.theft.clone().into()),
                ("claimed_sat", amounts.claimed_sat.into()),
                ("chain_sat", amounts.chain_sat.into()),
            ],
        )?;
    }
    for (policy, summary) in &needed.summaries {
        log.add(
            "traced_on_chain",
            &[
                ("policy", policy.name().into()),
                ("transactions", summary.reach.transactions.into()),
                ("outputs", summary.reach.outputs.into()),
            ],
        )?;
    }
    for name in [TRANSACTIONS, HEADERS, LABELS, UNSPENT] {
        log.wrote(name, bytes(name))?;
    }
    for &policy in &case.policies {
        log.add("traced_on_bundle", &[("policy", policy.name().into()), ("same", true.into())])?;
        let name = results_name(policy);
        log.wrote(&name, bytes(&name))?;
    }
    log.wrote(PROVENANCE, bytes(PROVENANCE))?;
    Ok(log.into_bytes())
}

/// The first thing in which two sums differ.
fn difference(own: &Summary, on_chain: &Summary) -> String {
    for (one, other) in own.bookings.iter().zip(&on_chain.bookings) {
        if one != other {
            return format!("{one:?} instead of {other:?}");
        }
    }
    format!("{:?} instead of {:?}", (own.totals, own.reach), (on_chain.totals, on_chain.reach))
}
