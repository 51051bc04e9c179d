//! `chainhound tx`.

use analyze::change::{Judge, Options};
use chain::{Flags, Ledger, Sats, TxNum};
use source::esplora::explorer::Start;

use super::{Session, coinjoin, describe};
use crate::{
    args::TxArgs,
    explore::{self, Told},
    failure::{Exit, Failure},
    ledger::{Chain, on_ledger},
    output::{ChangeField, TxDocument, TxInput, TxOutput},
    root::parse_txid,
};

/// Prints a transaction.
pub(crate) fn run(args: &TxArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let txid = parse_txid(&args.txid)?;
    let place = session.place()?;
    let file = args.esplora.esplora.as_deref();
    let start = Start::Transaction(txid);
    let told = explore::look(file, &args.server, &place, session.say, start)?;
    let from = Told::or(told.as_ref(), file);
    session.answer(&place, from, args.format.format, |chain| {
        let tx = chain.find_tx(&txid)?;
        let server = told.as_ref().map(|told| told.server.clone());
        let parameters = Parameters { txid: txid.to_string(), server };
        Ok((parameters, document(chain, tx)?))
    })
}

#[derive(serde::Serialize)]
struct Parameters {
    txid: String,
    /// Who told, and whose claim it is that outputs are unspent.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

fn document(chain: &Chain, tx: TxNum) -> Result<TxDocument, Failure> {
    let ledger = chain.ledger();
    let flags = ledger.flags(tx)?;
    let height = ledger.height(tx)?;
    let block = match height {
        Some(height) => ledger.block(height)?,
        None => None,
    };
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    ledger.inputs(tx, &mut inputs)?;
    ledger.outputs(tx, &mut outputs)?;
    let paid: u64 = outputs.iter().map(|output| output.value.0).sum();
    let taken: u64 = inputs.iter().map(|input| input.value.0).sum();
    let mints = flags.has(Flags::COINBASE) || flags.has(Flags::STUB);
    let fee = (!mints).then(|| Sats(taken).checked_sub(Sats(paid))).flatten();
    let verdict = on_ledger!(chain, ledger => Judge::new(Options::default()).verdict(ledger, tx))?;
    let (change, heuristics) = verdict.map(ChangeField::of).unzip();
    // The place in a block is known only where all of the block is.
    let position = block.as_ref().filter(|_| chain.is_whole());
    Ok(TxDocument {
        txid: ledger.txid(tx)?.to_string(),
        height: height.map(|height| height.0),
        block_hash: block.as_ref().map(|block| block.hash.to_string()),
        time: ledger.time(tx)?.map(report::model::UtcTime),
        position: position.and_then(|block| tx.0.checked_sub(block.txs.start)),
        confirmations: height
            .and_then(|height| describe::confirmations(ledger, chain.is_whole(), height)),
        flags: describe::flag_names(flags),
        fee_sat: fee.map(|fee| fee.0),
        inputs: inputs.iter().map(|input| tx_input(ledger, input)).collect::<Result<_, _>>()?,
        outputs: outputs
            .iter()
            .map(|output| tx_output(ledger, output))
            .collect::<Result<_, _>>()?,
        coinjoin: on_ledger!(chain, ledger => coinjoin::inspect(ledger, tx))?,
        change,
        heuristics: heuristics.unwrap_or_default(),
    })
}

fn tx_input(ledger: &dyn Ledger, input: &chain::Input) -> chain::Result<TxInput> {
    let source = ledger.tx_of(input.source)?;
    let made = ledger.output(input.source)?;
    Ok(TxInput {
        txid: ledger.txid(source)?.to_string(),
        vout: made.vout,
        lock: describe::lock(&ledger.output_script(input.source)?, ledger.network()),
        value_sat: input.value.0,
        height: ledger.height(source)?.map(|height| height.0),
    })
}

fn tx_output(ledger: &dyn Ledger, output: &chain::Output) -> chain::Result<TxOutput> {
    let script = ledger.output_script(output.num)?;
    let carrier = output.address.is_none();
    Ok(TxOutput {
        vout: output.vout,
        lock: describe::lock(&script, ledger.network()),
        value_sat: output.value.0,
        fate: describe::fate(ledger, output, carrier)?,
        carried: if carrier { describe::carried(&script) } else { None },
    })
}
