//! `chainhound exposure`.

use std::collections::BTreeMap;

use analyze::{
    exposure::{AtCoinJoin, EndsAt, Exposure, Question, Share, Side, exposure_with},
    trace::{RootSpec, Stops},
};
use chain::{Height, Ledger, Sats};
use report::model::{AddressNote, Basis};
use serde::Serialize;

use super::{Session, subject};
use crate::{
    args::{CoinJoins, ExposureArgs, Sides},
    failure::{Exit, Failure},
    ledger::{self, on_ledger},
    names::{Lent, Names, PARTIES, Party, Selection, find_tags},
    output::{
        CategoryRow, EntityRow, ExposureDocument, ExposureReach, ExposureSide, ExposureSubject,
        ExposureTotals, Provenance, RestRow, in_millionths,
    },
    root::parse_root,
};

/// Asks and prints.
pub(crate) fn run(args: &ExposureArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let subject = parse_root(&args.subject, place.network)?;
    if !args.policy.conserves_value() {
        return Err(analyze::Error::NotConserving(args.policy).into());
    }
    let tags = find_tags(&args.labels.tags, &place, session.say)?;
    if tags.is_none() {
        session.say.warning(
            "there are no labels, so nobody is known: `chainhound tags import FILE`, or --tags FILE",
        );
    }
    let file = args.esplora.esplora.as_deref();
    let (provenance, body) = ledger::ask(&place, file, session.say, |chain| {
        subject::require(chain, &args.subject, &subject)?;
        let set = tags.as_ref();
        let lent =
            Lent::find(set.filter(|_| args.labels.by_cluster()), chain, &place, session.say)?;
        let (least, lent) = (args.labels.min_confidence, lent.as_ref());
        let names = Selection { set, roles: PARTIES, least, lent };
        let body = on_ledger!(chain, ledger => document(ledger, args, &subject, names))?;
        let parameters = Parameters::new(args, names.clustering());
        Ok((Provenance::new(chain, parameters).with_labels(tags.as_ref()), body))
    })?;
    session.output.answer(args.format.format, provenance, body)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Parameters {
    subject: String,
    sides: Vec<&'static str>,
    policy: &'static str,
    coinjoins: &'static str,
    until_height: Option<u32>,
    max_hops: Option<u32>,
    min_value_sat: u64,
    max_transactions: u64,
    min_confidence: u8,
    /// The clusters that lent their labels.
    clusters: Option<String>,
}

impl Parameters {
    fn new(args: &ExposureArgs, clusters: Option<String>) -> Self {
        Self {
            subject: args.subject.clone(),
            sides: sides(args.direction).iter().map(|side| side.name()).collect(),
            policy: args.policy.name(),
            coinjoins: match args.coinjoins {
                CoinJoins::Stop => "stop",
                CoinJoins::Pass => "pass",
            },
            until_height: args.until_height,
            max_hops: args.max_hops,
            min_value_sat: args.min_value.unwrap_or(Sats::ZERO).0,
            max_transactions: args.budget,
            min_confidence: args.labels.min_confidence,
            clusters,
        }
    }
}

fn sides(sides: Sides) -> &'static [Side] {
    match sides {
        Sides::Sending => &[Side::Sending],
        Sides::Receiving => &[Side::Receiving],
        Sides::Both => &[Side::Sending, Side::Receiving],
    }
}

fn document<L: Ledger>(
    ledger: &L,
    args: &ExposureArgs,
    subject: &RootSpec,
    names: Selection<'_>,
) -> Result<ExposureDocument, Failure> {
    let mut document = ExposureDocument {
        subject: subject_of(ledger, &args.subject, subject, &names)?,
        sending: None,
        receiving: None,
    };
    for side in sides(args.direction) {
        let question = Question {
            policy: args.policy,
            coinjoins: match args.coinjoins {
                CoinJoins::Stop => AtCoinJoin::Stop,
                CoinJoins::Pass => AtCoinJoin::Pass,
            },
            stops: Stops {
                max_hops: args.max_hops,
                min_tainted: args.min_value.unwrap_or(Sats::ZERO),
                until_height: args.until_height.map(Height),
                max_transactions: Some(args.budget),
                ..Stops::default()
            },
            ..Question::new(subject.clone(), *side)
        };
        let (found, ends) = exposure_with(ledger, &question, Names::new(ledger, names))?;
        let parties = ends.into_naming().into_parties();
        let written = Some(side_of(&found, &parties)?);
        match side {
            Side::Sending => document.sending = written,
            Side::Receiving => document.receiving = written,
        }
    }
    Ok(document)
}

fn subject_of(
    ledger: &impl Ledger,
    text: &str,
    subject: &RootSpec,
    names: &Selection<'_>,
) -> Result<ExposureSubject, Failure> {
    let (kind, script) = match subject {
        RootSpec::Script(script) => ("address", Some(script.clone())),
        RootSpec::Transaction(_) => ("transaction", None),
        RootSpec::Output(outpoint) => {
            let tx = ledger.find_tx(&outpoint.txid)?;
            let out = match tx {
                Some(tx) => ledger.output_at(tx, outpoint.vout)?,
                None => None,
            };
            ("output", out.map(|out| ledger.output_script(out)).transpose()?)
        }
    };
    let note: AddressNote =
        script.and_then(|script| names.note(script.as_bytes(), None)).unwrap_or_default();
    let (entity, category, tags) = (note.entity, note.category, note.tags);
    Ok(ExposureSubject { kind, name: text.to_owned(), entity, category, tags })
}

fn side_of(found: &Exposure, parties: &[Party]) -> Result<ExposureSide, Failure> {
    let amounts: Vec<u128> = found.ends.iter().map(Share::amount).collect();
    let rests = found.rest.iter().map(|rest| rest.amount);
    let shares = in_millionths(&amounts.into_iter().chain(rests).collect::<Vec<_>>());
    let (of_ends, of_rest) = shares.split_at(found.ends.len());
    let mut entities = Vec::new();
    for (share, millionths) in found.ends.iter().zip(of_ends) {
        entities.push(entity(share, *millionths, parties)?);
    }
    let mut rest = Vec::new();
    for (one, millionths) in found.rest.iter().zip(of_rest) {
        rest.push(RestRow {
            stop_reason: one.reason.name(),
            amount_sat: sat(one.amount)?,
            share_ppm: *millionths,
            count: one.count,
            basis: Basis::Fact,
        });
    }
    let booked = found.ends.iter().map(Share::amount).sum::<u128>()
        + found.rest.iter().map(|rest| rest.amount).sum::<u128>();
    Ok(ExposureSide {
        categories: categories(&entities),
        entities,
        rest,
        totals: ExposureTotals {
            root_sat: sat(found.total)?,
            booked_sat: sat(booked)?,
            equal: found.total == booked,
        },
        reach: ExposureReach {
            transactions: found.reach.transactions,
            outputs: found.reach.outputs,
            max_hops: found.reach.max_hops,
        },
    })
}

fn entity(share: &Share, share_ppm: u32, parties: &[Party]) -> Result<EntityRow, Failure> {
    let (entity, category, protocol, basis) = match share.at {
        EndsAt::CoinJoin(protocol) => {
            let heuristic = protocol.name().to_owned();
            let basis = Basis::Inference { heuristic, confidence: None };
            (None, "coinjoin".to_owned(), Some(protocol.name()), basis)
        }
        EndsAt::Party(number) => {
            let party = parties.get(number as usize);
            let entity = party.map(|party| party.entity.clone());
            let category = party.map(|party| party.category.clone()).unwrap_or_default();
            (entity, category, None, party.map(Party::basis).unwrap_or_default())
        }
    };
    Ok(EntityRow {
        entity,
        category,
        protocol,
        direct_sat: sat(share.direct)?,
        indirect_sat: sat(share.indirect)?,
        amount_sat: sat(share.amount())?,
        share_ppm,
        outputs: share.outputs,
        min_hops: share.min_hops,
        max_hops: share.max_hops,
        path_confidence: share.confidence,
        basis,
    })
}

/// The same by category, the largest first.
fn categories(entities: &[EntityRow]) -> Vec<CategoryRow> {
    let mut found: BTreeMap<&str, CategoryRow> = BTreeMap::new();
    for row in entities {
        let sum = found.entry(&row.category).or_insert_with(|| CategoryRow::new(&row.category));
        sum.add(row);
    }
    let mut rows: Vec<CategoryRow> = found.into_values().collect();
    // Among equals the order of the alphabet stays.
    rows.sort_by_key(|row| std::cmp::Reverse(row.amount_sat));
    rows
}

fn sat(sum: u128) -> Result<u64, Failure> {
    u64::try_from(sum).map_err(|_| Failure::unavailable("sums that no chain can have"))
}
