//! `chainhound coinjoin TXID`.

use analyze::{
    coinjoin::Protocol,
    entropy::{IntraFees, Limits, of_shape},
};
use chain::{Flags, Ledger, TxNum};
use report::model::UtcTime;
use serde::Serialize;

use super::Finder;
use crate::{
    args::CoinJoinArgs,
    failure::{Exit, Failure},
    ledger::on_ledger,
    output::{AbsenceField, CoinJoinDocument, CoinJoinField, EntropyField},
    root::parse_txid,
    run::Session,
};

/// What JoinMarket's makers earn at most, parts of a million of the amount: half a per cent, as the
/// tables of Boltzmann assume (docs/methods/entropy.md).
const MAKER_FEES: u32 = 5_000;

#[derive(Serialize)]
struct Parameters {
    txid: String,
}

/// Prints what a transaction looks like.
pub(super) fn run(
    txid: &str,
    args: &CoinJoinArgs,
    session: &mut Session<'_>,
) -> Result<Exit, Failure> {
    let txid = parse_txid(txid)?;
    let place = session.place()?;
    let file = args.esplora.esplora.as_deref();
    session.answer(&place, file, args.format.format, |chain| {
        let tx = chain.find_tx(&txid)?;
        let parameters = Parameters { txid: txid.to_string() };
        Ok((parameters, on_ledger!(chain, ledger => document(ledger, tx))?))
    })
}

/// What a transaction looks like, with its neighbours looked at.
pub(in crate::run) fn inspect(
    ledger: &impl Ledger,
    tx: TxNum,
) -> chain::Result<Option<CoinJoinField>> {
    let mut finder = Finder::default();
    finder.find(ledger, tx)?.map(|finding| finder.judged(ledger, tx, finding)).transpose()
}

fn document(ledger: &impl Ledger, tx: TxNum) -> chain::Result<CoinJoinDocument> {
    let mut finder = Finder::default();
    let finding = finder.find(ledger, tx)?;
    let protocol = finding.as_ref().map(|finding| finding.protocol);
    let coinjoin = finding.map(|finding| finder.judged(ledger, tx, finding)).transpose()?;
    let (absence, entropy) = match finder.buffer.load_any(ledger, tx)? {
        None if ledger.flags(tx)?.has(Flags::COINBASE) => {
            let text = "it is a coinbase: new coins, nobody's inputs";
            (Some(AbsenceField::without_inputs("coinbase", text)), None)
        }
        None => {
            let text = "its inputs are not known here";
            (Some(AbsenceField::without_inputs("unknown_inputs", text)), None)
        }
        Some(shape) => {
            let named = protocol.is_some_and(Protocol::is_named);
            let absence = (!named).then(|| finder.detector.absence(&shape));
            let per_million = if protocol == Some(Protocol::JoinMarket) { MAKER_FEES } else { 0 };
            let entropy = of_shape(&shape, IntraFees { per_million }, Limits::default());
            (absence.map(AbsenceField::new), Some(EntropyField::new(entropy, per_million)))
        }
    };
    Ok(CoinJoinDocument {
        txid: ledger.txid(tx)?.to_string(),
        height: ledger.height(tx)?.map(|height| height.0),
        time: ledger.time(tx)?.map(UtcTime),
        coinjoin,
        absence,
        entropy,
    })
}
