//! From a trace and the ledger that it was made on to a document.

use std::collections::{BTreeMap, HashMap};

use analyze::trace::{self, Policy, RootSpec, StopReason};
use chain::{
    AddressNum, BlockHash, Height, Ledger, OutNum, ScriptBuf, TxNum,
    script::{self, ScriptKind},
};

use super::{
    Address, AddressNote, Amount, Basis, Booking, CoinJoin, EndNote, Flow, Leaf, Mined, Notes,
    Output, Parameters, Place, Provenance, Reach, Root, Share, StopRule, TRACE_SCHEMA, Tip, Totals,
    TraceDocument, Transaction, UtcTime,
};
use crate::Result;

/// What a document says besides the trace itself.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The program's version.
    pub tool_version: String,
    /// Digest of the labels in use.
    pub tag_set_digest: Option<String>,
    /// What the caller's stop rules rest on, by name. One that is missing here is a
    /// [`Basis::Inference`] of its own name.
    pub stop_rules: BTreeMap<String, Basis>,
    /// Parameters beyond those of the query. Must not be called like one of
    /// [`Parameters`]' fields.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// What is said about addresses and transactions.
    pub notes: Notes,
}

impl TraceDocument {
    /// The document of a trace that was made on this ledger.
    ///
    /// # Errors
    /// [`crate::Error::Ledger`] where the ledger cannot answer.
    pub fn new<L: Ledger>(trace: &trace::Trace, ledger: &L, context: &Context) -> Result<Self> {
        let mut reader = Reader { ledger, context, trace, addresses: HashMap::new() };
        let mut times = Times { ledger, blocks: HashMap::new() };
        let roots =
            trace.roots.iter().map(|root| reader.root(root, &mut times)).collect::<Result<_>>()?;
        let leaves =
            trace.leaves.iter().map(|leaf| reader.leaf(leaf, &mut times)).collect::<Result<_>>()?;
        let flows: Vec<Flow> =
            trace.flows.iter().map(|flow| reader.flow(flow, &mut times)).collect::<Result<_>>()?;
        let transactions = reader.transactions(&flows);
        Ok(Self {
            schema: TRACE_SCHEMA,
            provenance: reader.provenance()?,
            roots,
            leaves,
            leaves_truncated: trace.leaves_truncated,
            flows,
            flows_truncated: trace.flows_truncated,
            transactions,
            bookings: reader.bookings(),
            totals: totals(trace.query.policy, &trace.summary.totals),
            reach: reach(&trace.summary.reach),
        })
    }
}

fn sat(n: u128) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn totals(policy: Policy, totals: &trace::Totals) -> Totals {
    let conserves = policy.conserves_value();
    Totals {
        root_sat: sat(totals.root_upper),
        booked_sat: sat(totals.booked_upper),
        booked_lower_sat: (policy == Policy::Bounds).then(|| sat(totals.booked_lower)),
        equal: conserves.then_some(totals.root_upper == totals.booked_upper),
    }
}

fn reach(reach: &trace::Reach) -> Reach {
    Reach {
        transactions: reach.transactions,
        outputs: reach.outputs,
        value_sat: sat(reach.value),
        max_hops: reach.max_hops,
    }
}

/// Hash and time of the blocks asked for.
struct Times<'a, L> {
    ledger: &'a L,
    blocks: HashMap<u32, Option<(BlockHash, UtcTime)>>,
}

impl<L: Ledger> Times<'_, L> {
    fn of(&mut self, height: Option<Height>) -> Result<Option<(BlockHash, UtcTime)>> {
        let Some(height) = height else { return Ok(None) };
        if let Some(known) = self.blocks.get(&height.0) {
            return Ok(*known);
        }
        let block = self.ledger.block(height)?.map(|block| (block.hash, UtcTime(block.time)));
        self.blocks.insert(height.0, block);
        Ok(block)
    }
}

struct Reader<'a, L> {
    ledger: &'a L,
    context: &'a Context,
    trace: &'a trace::Trace,
    addresses: HashMap<AddressNum, (Option<Address>, ScriptKind)>,
}

impl<L: Ledger> Reader<'_, L> {
    fn provenance(&mut self) -> Result<Provenance> {
        let tip = self.ledger.tip().map(|tip| Tip { height: tip.height.0, hash: tip.hash });
        Ok(Provenance {
            tool: "chainhound",
            tool_version: self.context.tool_version.clone(),
            network: self.ledger.network().name(),
            tip,
            tag_set_digest: self.context.tag_set_digest.clone(),
            parameters: self.parameters()?,
        })
    }

    fn parameters(&mut self) -> Result<Parameters> {
        let query = &self.trace.query;
        let mut stop_addresses = Vec::new();
        for &address in &query.stops.addresses {
            stop_addresses.push(self.script_text(&self.ledger.script(address)?));
        }
        stop_addresses.sort();
        let rule = |name: &String| StopRule { name: name.clone(), basis: self.rule_basis(name) };
        // A rule has a number for each party that it met.
        let mut stop_rules: Vec<StopRule> = Vec::new();
        for name in &self.trace.summary.named_stops {
            if stop_rules.iter().all(|known| known.name != *name) {
                stop_rules.push(rule(name));
            }
        }
        Ok(Parameters {
            roots: query.roots.iter().map(|root| self.root_text(root)).collect(),
            policy: query.policy.name(),
            direction: query.direction.name(),
            fees: query.fees.name(),
            keep_roots_apart: query.keep_roots_apart,
            until_height: query.stops.until_height.map(|height| height.0),
            max_hops: query.stops.max_hops,
            min_tainted_sat: query.stops.min_tainted.0,
            max_transactions: query.stops.max_transactions,
            stop_addresses,
            stop_rules,
            flows_limit: query.limits.flows,
            leaves_limit: query.limits.leaves,
            more: self.context.parameters.clone(),
        })
    }

    fn root_text(&self, root: &RootSpec) -> String {
        match root {
            RootSpec::Output(outpoint) => outpoint.to_string(),
            RootSpec::Transaction(txid) => txid.to_string(),
            RootSpec::Script(script) => self.script_text(script),
        }
    }

    fn script_text(&self, script: &ScriptBuf) -> String {
        script::address(script, self.ledger.network())
            .unwrap_or_else(|| format!("script:{}", script.to_hex_string()))
    }

    fn rule_basis(&self, name: &str) -> Basis {
        let own = || Basis::Inference { heuristic: name.to_owned(), confidence: None };
        self.context.stop_rules.get(name).cloned().unwrap_or_else(own)
    }

    fn reason_basis(&self, reason: StopReason) -> Basis {
        match reason {
            StopReason::Named(_) => match self.end(reason) {
                Some(end) => end.basis.clone(),
                None => self.rule_basis(self.trace.summary.reason_name(reason)),
            },
            _ => Basis::Fact,
        }
    }

    fn end(&self, reason: StopReason) -> Option<&EndNote> {
        match reason {
            StopReason::Named(rule) => self.context.notes.ends.get(rule as usize),
            _ => None,
        }
    }

    /// On what it rests that the trace ended at this leaf.
    fn leaf_basis(
        &self,
        reason: StopReason,
        note: Option<&AddressNote>,
        coinjoin: Option<&CoinJoin>,
    ) -> Basis {
        let own = match (reason, coinjoin) {
            (StopReason::Named(_), Some(coinjoin)) => {
                Some(Basis::Inference { heuristic: coinjoin.rule.to_owned(), confidence: None })
            }
            (StopReason::Named(_), None) => note.and_then(|note| note.basis.clone()),
            _ => None,
        };
        own.unwrap_or_else(|| self.reason_basis(reason))
    }

    /// Address and kind of script of an output. Data carriers have no number.
    fn address(&mut self, number: Option<AddressNum>) -> Result<(Option<Address>, ScriptKind)> {
        let Some(number) = number else { return Ok((None, ScriptKind::OpReturn)) };
        if let Some(known) = self.addresses.get(&number) {
            return Ok(known.clone());
        }
        let script = self.ledger.script(number)?;
        let text = script::address(&script, self.ledger.network());
        let found = (text.as_deref().map(Address::from), ScriptKind::of(script.as_bytes()));
        self.addresses.insert(number, found.clone());
        Ok(found)
    }

    fn root(&mut self, root: &trace::Root, times: &mut Times<'_, L>) -> Result<Root> {
        let output = Output::new(root.outpoint, self.address(root.address)?, root.value);
        // What is surely covered is surely not added, and the other way round.
        let lower = root.value.0.saturating_sub(root.covered_upper.0);
        let upper = root.value.0.saturating_sub(root.covered_lower.0);
        Ok(Root {
            root: root.root,
            output,
            amount: Amount::of(self.trace.query.policy, lower.into(), upper.into()),
            mined: Mined::new(root.height, times.of(root.height)?),
            basis: Basis::Fact,
        })
    }

    fn leaf(&mut self, leaf: &trace::Leaf, times: &mut Times<'_, L>) -> Result<Leaf> {
        let policy = self.trace.query.policy;
        let output = Output::new(leaf.outpoint, self.address(leaf.address)?, leaf.value);
        let notes = &self.context.notes.addresses;
        let note = output.address.as_ref().and_then(|text| notes.get(text.as_str()));
        let coinjoin = self.context.notes.coinjoins.get(&leaf.outpoint);
        Ok(Leaf {
            output,
            amount: Amount::of_taint(policy, &leaf.taint),
            by_root: Share::of_taint(policy, &leaf.taint.by_root),
            status: leaf.status.name(),
            stop_reason: self.trace.summary.reason_name(leaf.reason).to_owned(),
            hops: leaf.hops,
            mined: Mined::new(leaf.height, times.of(leaf.height)?),
            basis: self.leaf_basis(leaf.reason, note, coinjoin),
            entity: note.and_then(|note| note.entity.clone()),
            category: note.and_then(|note| note.category.clone()),
            coinjoin: coinjoin.cloned(),
            path_confidence: (leaf.confidence < trace::CERTAIN).then_some(leaf.confidence),
            tags: note.map(|note| note.tags.clone()).unwrap_or_default(),
        })
    }

    fn flow(&mut self, flow: &trace::Flow, times: &mut Times<'_, L>) -> Result<Flow> {
        let policy = self.trace.query.policy;
        let height = self.ledger.height(flow.tx)?;
        let amount = match policy {
            Policy::Poison => Amount::Unmeasured {},
            _ => Amount::of_taint(policy, &flow.taint),
        };
        Ok(Flow {
            txid: flow.txid,
            height: height.map(|height| height.0),
            time: times.of(height)?.map(|(_, time)| time),
            from: self.place(flow.from)?,
            to: self.place(flow.to)?,
            amount,
            by_root: match policy {
                Policy::Poison => Vec::new(),
                _ => Share::of_taint(policy, &flow.taint.by_root),
            },
            basis: Basis::Fact,
        })
    }

    fn place(&mut self, place: trace::Place) -> Result<Place> {
        let of = |tx: TxNum| self.ledger.txid(tx);
        Ok(match place {
            trace::Place::Output(out) => self.output(out)?,
            trace::Place::Fee(tx) => Place::Fee { txid: of(tx)? },
            trace::Place::Unclaimed(tx) => Place::Unclaimed { txid: of(tx)? },
            trace::Place::Subsidy(tx) => Place::Subsidy { txid: of(tx)? },
        })
    }

    fn output(&mut self, out: OutNum) -> Result<Place> {
        let (outpoint, address, value) = match self.trace.node(out) {
            Some(node) => ((node.outpoint.txid, node.outpoint.vout), node.address, node.value),
            None => {
                let txid = self.ledger.txid(self.ledger.tx_of(out)?)?;
                let output = self.ledger.output(out)?;
                ((txid, output.vout), output.address, output.value)
            }
        };
        let (txid, vout) = outpoint;
        let (address, _) = self.address(address)?;
        Ok(Place::Output { txid, vout, address, value_sat: value.0 })
    }

    /// The notes on transactions that are in the trace, in the order in which it meets them.
    fn transactions(&self, flows: &[Flow]) -> Vec<Transaction> {
        let mut left = self.context.notes.transactions.clone();
        let mut found = Vec::new();
        let ids = flows.iter().map(|flow| flow.txid);
        for txid in ids.chain(self.trace.leaves.iter().map(|leaf| leaf.outpoint.txid)) {
            if left.is_empty() {
                break;
            }
            found.extend(left.remove(&txid).map(|note| Transaction { txid, note }));
        }
        found
    }

    fn bookings(&self) -> Vec<Booking> {
        let policy = self.trace.query.policy;
        let one = |booking: &trace::Booking| {
            let end = self.end(booking.reason);
            Booking {
                stop_reason: self.trace.summary.reason_name(booking.reason).to_owned(),
                entity: end.and_then(|end| end.entity.clone()),
                category: end.and_then(|end| end.category.clone()),
                protocol: end.and_then(|end| end.protocol),
                count: booking.count,
                amount: Amount::of(policy, booking.lower, booking.upper),
                by_root: Share::of_booking(policy, &booking.by_root),
                basis: self.reason_basis(booking.reason),
            }
        };
        self.trace.summary.bookings.iter().map(one).collect()
    }
}
