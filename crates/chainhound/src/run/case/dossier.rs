//! From what a bundle says to what a report is made of.

use std::collections::{BTreeMap, BTreeSet};

use analyze::{coinjoin::Protocol, trace::Policy};
use cases::{
    bundle::{Opened, Provenance as MadeFrom, Verdict},
    results::{self as found, Line, Results},
};
use chain::{Network, OutPoint, ScriptBuf, Txid, script};
use report::{
    dossier::{Bundle, Dossier, Measured, Source, Theft},
    model::{
        Address, Amount, Basis, Booking, Flow, Leaf, Mined, Output, Parameters, Place, Provenance,
        Reach, Root, Share, TRACE_SCHEMA, Tag, Tip, Totals, TraceDocument, UtcTime,
    },
};

use crate::failure::Failure;

/// Everything that a report says.
pub(super) fn dossier(
    opened: &Opened,
    verdict: &Verdict,
    file: String,
) -> Result<Dossier, Failure> {
    let (case, from) = (&opened.case, &opened.provenance);
    let thefts = case.thefts.iter().zip(&from.amounts).map(|(theft, amounts)| Theft {
        text: theft.text.clone(),
        claimed_sat: amounts.claimed_sat,
        chain_sat: amounts.chain_sat,
        source: theft.source.clone(),
        note: theft.note.clone(),
    });
    let sources = case.sources.iter().map(|source| Source {
        id: source.id.clone(),
        title: source.title.clone(),
        url: source.url.clone(),
        date: source.date.clone(),
        says: source.says.clone(),
    });
    let reading = Reading { outputs: &opened.outputs, network: case.network, from };
    let traces = opened.results.iter().map(|(policy, results)| reading.trace(*policy, results));
    Ok(Dossier {
        title: case.title.clone(),
        victim: case.victim.clone(),
        notes: case.notes.clone(),
        thefts: thefts.collect(),
        sources: sources.collect(),
        traces: traces.collect::<Result<_, _>>()?,
        measured: measured(opened),
        bundle: Bundle {
            file,
            sha256: verdict.bundle_sha256.clone(),
            manifest_sha256: verdict.manifest_sha256.clone().unwrap_or_default(),
            signer: verdict.signer.clone(),
            binary_sha256: from.binary_sha256.clone(),
            computed_again: verdict.is_complete(),
        },
    })
}

/// The rates of the protocols at which traces ended.
fn measured(opened: &Opened) -> Vec<Measured> {
    let mut rates: BTreeMap<&str, Measured> = BTreeMap::new();
    for line in opened.results.iter().flat_map(|(_, results)| &results.lines) {
        let Line::Booking(booking) = line else { continue };
        if let found::Basis::Inference { heuristic, measured: Some(rate), .. } = &booking.basis {
            rates.entry(heuristic).or_insert_with(|| Measured {
                heuristic: heuristic.clone(),
                labelled: rate.labelled,
                found: rate.found,
                named: rate.named,
                false_positives: rate.false_positives,
                out_of: rate.out_of,
            });
        }
    }
    rates.into_values().collect()
}

struct Reading<'a> {
    outputs: &'a BTreeMap<OutPoint, (u64, ScriptBuf)>,
    network: Network,
    from: &'a MadeFrom,
}

impl Reading<'_> {
    fn trace(&self, policy: Policy, results: &Results) -> Result<TraceDocument, Failure> {
        let none = || Failure::unavailable(format!("results of {}: not whole", policy.name()));
        let (mut question, mut sums) = (None, None);
        let (mut roots, mut leaves, mut flows) = (Vec::new(), Vec::new(), Vec::new());
        let mut bookings = Vec::new();
        for line in &results.lines {
            match line {
                Line::Question(line) => question = Some(line),
                Line::Totals(line) => sums = Some(line),
                Line::Root(line) => roots.push(self.root(line)?),
                Line::Booking(line) => bookings.push(booking(line)),
                Line::Leaf(line) => leaves.push(self.leaf(line)?),
                Line::Step(line) => flows.push(self.flow(line)?),
            }
        }
        let (question, sums) = (question.ok_or_else(none)?, sums.ok_or_else(none)?);
        let reach = Reach {
            transactions: sums.transactions,
            outputs: sums.outputs,
            value_sat: reached(&roots, &flows),
            max_hops: sums.max_hops,
        };
        Ok(TraceDocument {
            schema: TRACE_SCHEMA,
            provenance: self.provenance(policy, question),
            roots,
            leaves,
            leaves_truncated: false,
            flows,
            flows_truncated: false,
            transactions: Vec::new(),
            bookings,
            totals: Totals {
                root_sat: sums.root_sat,
                booked_sat: sums.booked_sat,
                booked_lower_sat: sums.booked_lower_sat,
                equal: policy.conserves_value().then_some(sums.root_sat == sums.booked_sat),
            },
            reach,
        })
    }

    fn provenance(&self, policy: Policy, question: &found::Question) -> Provenance {
        let (from, as_of) = (self.from, &self.from.as_of);
        let tip = as_of.hash.parse().ok().map(|hash| Tip { height: as_of.height, hash });
        Provenance {
            tool: "chainhound",
            tool_version: from.tool_version.clone(),
            network: self.network.name(),
            tip,
            tag_set_digest: from.tag_set_digest.clone(),
            parameters: Parameters {
                roots: question.roots.clone(),
                policy: policy.name(),
                direction: "forward",
                fees: "drop",
                keep_roots_apart: question.roots.len() > 1,
                until_height: Some(question.until_height),
                max_hops: question.max_hops,
                min_tainted_sat: question.min_tainted_sat,
                max_transactions: question.max_transactions,
                stop_addresses: question.stop_addresses.clone(),
                stop_rules: Vec::new(),
                flows_limit: usize::MAX,
                leaves_limit: usize::MAX,
                more: BTreeMap::new(),
            },
        }
    }

    fn output(&self, outpoint: OutPoint) -> Result<Output, Failure> {
        let Some((value_sat, script)) = self.outputs.get(&outpoint) else {
            return Err(Failure::unavailable(format!("output {outpoint} is not in the bundle")));
        };
        Ok(Output {
            txid: outpoint.txid,
            vout: outpoint.vout,
            address: script::address(script, self.network).map(|text| Address::from(&*text)),
            script_type: script::ScriptKind::of(script.as_bytes()).name(),
            value_sat: *value_sat,
        })
    }

    fn root(&self, root: &found::Root) -> Result<Root, Failure> {
        Ok(Root {
            root: root.root,
            output: self.output(OutPoint { txid: txid(&root.txid)?, vout: root.vout })?,
            amount: amount(root.amount),
            mined: mined(root.mined),
            basis: basis(&root.basis),
        })
    }

    fn leaf(&self, leaf: &found::Leaf) -> Result<Leaf, Failure> {
        let ending = leaf.entity.as_ref().and(leaf.labels.iter().find(|label| label.ends));
        Ok(Leaf {
            output: self.output(OutPoint { txid: txid(&leaf.txid)?, vout: leaf.vout })?,
            amount: amount(leaf.amount),
            by_root: shares(&leaf.by_root),
            status: status(&leaf.status),
            stop_reason: leaf.stop_reason.clone(),
            hops: leaf.hops,
            mined: mined(leaf.mined),
            basis: basis(&leaf.basis),
            entity: leaf.entity.clone(),
            category: ending.and_then(|label| label.category.clone()),
            tags: leaf.labels.iter().map(tag).collect(),
            coinjoin: None,
            path_confidence: leaf.path_confidence,
        })
    }

    fn flow(&self, step: &found::Step) -> Result<Flow, Failure> {
        let mined = mined(step.mined);
        Ok(Flow {
            txid: txid(&step.txid)?,
            height: mined.height,
            time: mined.time,
            from: self.place(&step.from)?,
            to: self.place(&step.to)?,
            amount: amount(step.amount),
            by_root: shares(&step.by_root),
            basis: basis(&step.basis),
        })
    }

    fn place(&self, name: &str) -> Result<Place, Failure> {
        let unknown = || Failure::unavailable(format!("'{name}' is no place of a trace"));
        let (of, what) = name.split_once(':').ok_or_else(unknown)?;
        let txid = txid(of)?;
        Ok(match what {
            "fee" => Place::Fee { txid },
            "unclaimed" => Place::Unclaimed { txid },
            "subsidy" => Place::Subsidy { txid },
            vout => {
                let vout = vout.parse().map_err(|_| unknown())?;
                self.output(OutPoint { txid, vout })?.place()
            }
        })
    }
}

fn booking(booking: &found::Booking) -> Booking {
    let protocol = booking.protocol.as_deref();
    let known = |name: &str| Protocol::ALL.into_iter().find(|one| one.name() == name);
    Booking {
        stop_reason: booking.stop_reason.clone(),
        entity: booking.entity.clone(),
        category: booking.category.clone(),
        protocol: protocol.and_then(known).map(Protocol::name),
        count: booking.count,
        amount: amount(booking.amount),
        by_root: shares(&booking.by_root),
        basis: basis(&booking.basis),
    }
}

/// The whole value of everything that a trace reached, each output once.
fn reached(roots: &[Root], flows: &[Flow]) -> u64 {
    let places = flows.iter().flat_map(|flow| [flow.from.clone(), flow.to.clone()]);
    let places: BTreeSet<Place> =
        places.chain(roots.iter().map(|root| root.output.place())).collect();
    let value = |place: &Place| match place {
        Place::Output { value_sat, .. } => *value_sat,
        _ => 0,
    };
    places.iter().map(value).fold(0, u64::saturating_add)
}

fn txid(text: &str) -> Result<Txid, Failure> {
    text.parse().map_err(|_| Failure::unavailable(format!("'{text}' is no transaction's id")))
}

fn amount(amount: found::Amount) -> Amount {
    match amount {
        found::Amount::Exact { tainted_sat } => Amount::Exact { tainted_sat },
        found::Amount::Between { lower_sat, upper_sat } => Amount::Between { lower_sat, upper_sat },
        found::Amount::Unmeasured {} => Amount::Unmeasured {},
    }
}

fn shares(shares: &[found::Share]) -> Vec<Share> {
    shares.iter().map(|share| Share { root: share.root, amount: amount(share.amount) }).collect()
}

fn mined(mined: found::Mined) -> Mined {
    Mined { height: mined.height, block_hash: None, time: mined.time.map(UtcTime) }
}

fn status(name: &str) -> &'static str {
    let known = ["unspent", "spent", "unspendable"];
    known.into_iter().find(|known| *known == name).unwrap_or("unknown")
}

fn tag(label: &cases::Label) -> Tag {
    let (text, source, sure) = (label.label.clone(), label.said_by(), Some(label.confidence));
    match &label.rule {
        None => Tag::new(text, source, sure),
        Some(rule) => Tag::carried(text, rule.clone(), source, sure),
    }
}

/// With what the rule found beside its name.
fn basis(basis: &found::Basis) -> Basis {
    match basis {
        found::Basis::Fact {} => Basis::Fact,
        found::Basis::Claim { source, confidence } => {
            Basis::Claim { source: source.clone(), confidence: Some(*confidence) }
        }
        found::Basis::Inference { heuristic, parameters, source, confidence, .. } => {
            let found = parameters.iter().map(|(name, value)| format!("{name} {value}"));
            let found = found.collect::<Vec<_>>().join(", ");
            let heuristic = match found.is_empty() {
                true => heuristic.clone(),
                false => format!("{heuristic} ({found})"),
            };
            match source.clone() {
                None => Basis::Inference { heuristic, confidence: *confidence },
                Some(source) => {
                    Basis::InferenceFromClaim { heuristic, source, confidence: *confidence }
                }
            }
        }
    }
}
