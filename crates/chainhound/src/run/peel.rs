//! `chainhound peel`.

use analyze::{
    peel::{Coin, Hop, Options, Peeling, Sign, Stop, follow},
    trace::{Direction, NoStops, RootSpec},
};
use chain::{Ledger, OutPoint};
use serde::Serialize;

use super::{Session, describe, stops::Rules, subject};
use crate::{
    args::{PeelArgs, PeelStop},
    failure::{Exit, Failure},
    ledger::{self, on_ledger},
    names::{Lent, SERVICES, Selection, find_tags, no_labels},
    output::{
        PeelBranch, PeelDocument, PeelEnd, PeelHop, PeelOutput, PeelPayment, PeelSign, PeelTotals,
        Provenance,
    },
    root::parse_outpoint,
};

/// Follows and prints.
pub(crate) fn run(args: &PeelArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let start = parse_outpoint(&args.start)?;
    let place = session.place()?;
    let tags = find_tags(&args.labels.tags, &place, session.say)?;
    let parties = args.stop_at.contains(&PeelStop::Service);
    if parties && tags.is_none() {
        return Err(no_labels("--stop-at service", place.network));
    }
    let file = args.esplora.esplora.as_deref();
    let (provenance, body) = ledger::ask(&place, file, session.say, |chain| {
        subject::require(chain, &args.start, &RootSpec::Output(start))?;
        let set = tags.as_ref();
        let lent =
            Lent::find(set.filter(|_| args.labels.by_cluster()), chain, &place, session.say)?;
        let (least, lent) = (args.labels.min_confidence, lent.as_ref());
        let names = Selection { set, roles: SERVICES, least, lent };
        let rules = Rules { parties, coinjoins: false, names };
        let body = on_ledger!(chain, ledger => document(ledger, start, &args.options(), &rules))?;
        let parameters = Parameters::new(args, names.clustering());
        Ok((Provenance::new(chain, parameters).with_labels(tags.as_ref()), body))
    })?;
    session.output.answer(args.format.format, provenance, body)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Parameters {
    start: String,
    signs: usize,
    max_ambiguous: u32,
    larger: Option<u64>,
    change_heuristics: Vec<&'static str>,
    round_digits: u32,
    max_hops: u32,
    max_transactions: u64,
    min_value_sat: u64,
    stop_at: Vec<&'static str>,
    min_confidence: u8,
    /// The clusters that lent their labels.
    clusters: Option<String>,
}

impl Parameters {
    fn new(args: &PeelArgs, clusters: Option<String>) -> Self {
        let options = args.options();
        let service = args.stop_at.contains(&PeelStop::Service);
        Self {
            start: args.start.clone(),
            signs: options.signs,
            max_ambiguous: options.max_ambiguous,
            larger: options.larger,
            change_heuristics: options.change.heuristics.iter().map(|one| one.name()).collect(),
            round_digits: options.change.digits,
            max_hops: options.max_hops,
            max_transactions: options.max_transactions,
            min_value_sat: options.min_value.0,
            stop_at: service.then_some("service").into_iter().chain(["coinjoin"]).collect(),
            min_confidence: args.labels.min_confidence,
            clusters,
        }
    }
}

fn document<L: Ledger>(
    ledger: &L,
    start: OutPoint,
    options: &Options,
    rules: &Rules<'_>,
) -> Result<PeelDocument, Failure> {
    let peeling = if rules.parties {
        let mut ends = rules.ends(ledger, Direction::Forward);
        let peeling = follow(ledger, start, options, &mut ends)?;
        ends.check()?;
        peeling
    } else {
        follow(ledger, start, options, &mut NoStops)?
    };
    Writer { ledger, names: &rules.names }.document(&peeling)
}

/// A peeling in the words of a document.
struct Writer<'a, L> {
    ledger: &'a L,
    names: &'a Selection<'a>,
}

impl<L: Ledger> Writer<'_, L> {
    fn document(&self, peeling: &Peeling) -> Result<PeelDocument, Failure> {
        let (mut branches, mut payments) = (Vec::new(), Vec::new());
        for (number, branch) in peeling.branches.iter().enumerate() {
            let mut hops = Vec::new();
            for (place, hop) in (branch.depth + 1..).zip(&branch.hops) {
                hops.push(self.hop(place, hop)?);
                for paid in &hop.payments {
                    payments.push(self.payment(number, place, hop, paid)?);
                }
            }
            let output = self.ledger.output(branch.end.out)?;
            let protocol = match branch.stop {
                Stop::CoinJoin(protocol) => Some(protocol.name()),
                _ => None,
            };
            branches.push(PeelBranch {
                branch: number,
                parent: branch.parent,
                start: self.output(&branch.start)?,
                hops,
                end: PeelEnd {
                    output: self.output(&branch.end)?,
                    fate: describe::fate(self.ledger, &output, output.address.is_none())?,
                    stop_reason: peeling.stop_name(branch.stop).to_owned(),
                    protocol,
                    signs: signs(&branch.signs),
                },
            });
        }
        let totals = totals(peeling)?;
        let (basis, heuristic) = ("inference", "peel_chain");
        Ok(PeelDocument { basis, heuristic, branches, payments, totals })
    }

    fn output(&self, coin: &Coin) -> Result<PeelOutput, Failure> {
        let script = self.ledger.output_script(coin.out)?;
        let address = self.ledger.output(coin.out)?.address;
        let note = self.names.note(script.as_bytes(), address).unwrap_or_default();
        Ok(PeelOutput {
            txid: coin.outpoint.txid.to_string(),
            vout: coin.outpoint.vout,
            value_sat: coin.value.0,
            lock: describe::lock(&script, self.ledger.network()),
            entity: note.entity,
            entity_basis: note.basis,
            tags: note.tags,
        })
    }

    fn hop(&self, place: u32, hop: &Hop) -> Result<PeelHop, Failure> {
        let (height, time) = describe::block_time(self.ledger, hop.tx)?;
        let vouts = |coins: &[Coin]| coins.iter().map(|coin| coin.outpoint.vout).collect();
        Ok(PeelHop {
            hop: place,
            txid: hop.txid.to_string(),
            vin: hop.vin,
            height,
            time,
            ambiguous: hop.is_ambiguous(),
            vout_continue: vouts(&hop.next),
            vout_peel: vouts(&hop.payments),
            peeled_sat: hop.payments.iter().fold(0, |sum, coin| sum + coin.value.0),
            added_sat: hop.added.0,
            fee_sat: hop.fee.0,
            signs: signs(&hop.signs),
        })
    }

    fn payment(
        &self,
        branch: usize,
        place: u32,
        hop: &Hop,
        paid: &Coin,
    ) -> Result<PeelPayment, Failure> {
        let (height, time) = describe::block_time(self.ledger, hop.tx)?;
        let output = self.ledger.output(paid.out)?;
        Ok(PeelPayment {
            branch,
            hop: place,
            output: self.output(paid)?,
            height,
            time,
            fate: describe::fate(self.ledger, &output, false)?,
        })
    }
}

fn signs(signs: &[Sign]) -> Vec<PeelSign> {
    let one = |sign: &Sign| PeelSign {
        vout: sign.vout,
        evidence: sign.evidence.name(),
        heuristic: sign.heuristic,
        why: sign.why.clone(),
    };
    signs.iter().map(one).collect()
}

fn totals(peeling: &Peeling) -> Result<PeelTotals, Failure> {
    let totals = peeling.totals;
    let sat = |sum: u128| {
        u64::try_from(sum).map_err(|_| Failure::unavailable("sums that no chain can have"))
    };
    let hops = || peeling.branches.iter().flat_map(|branch| &branch.hops);
    let out = totals.paid + totals.fees + totals.burned + totals.left;
    Ok(PeelTotals {
        start_sat: sat(totals.start)?,
        added_sat: sat(totals.added)?,
        paid_sat: sat(totals.paid)?,
        fee_sat: sat(totals.fees)?,
        burned_sat: sat(totals.burned)?,
        left_sat: sat(totals.left)?,
        equal: totals.start + totals.added == out,
        hops: hops().count(),
        ambiguous: hops().filter(|hop| hop.is_ambiguous()).count(),
    })
}
