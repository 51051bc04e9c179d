//! `chainhound status`: what there is, without reading a column.

use chain::Ledger;

use super::Session;
use crate::{
    args::StatusArgs,
    failure::{Exit, Failure},
    ledger::Chain,
    output::{Sizes, StatusDocument},
    place::Place,
};

/// Prints it.
pub(crate) fn run(args: &StatusArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    session.answer(&place, None, args.format.format, |chain| {
        Ok((Parameters {}, describe(chain, &place)?))
    })
}

/// `status` has none.
#[derive(serde::Serialize)]
struct Parameters {}

fn describe(chain: &Chain, place: &Place) -> Result<StatusDocument, Failure> {
    let (sizes, bytes, path) = match chain {
        Chain::Whole(store) => (store.counts().into(), store.bytes_on_disk()?, place.graph()),
        Chain::Sparse(memory) => {
            let path = place.sparse();
            (count(memory.as_ref())?, super::sparse::bytes(&path)?, path)
        }
    };
    Ok(StatusDocument {
        network: place.network.name(),
        tip: chain.ledger().tip().map(Into::into),
        sizes,
        bytes,
        path: path.display().to_string(),
        kind: chain.kind(),
    })
}

/// A handful of transactions is counted one by one.
fn count(ledger: &dyn Ledger) -> Result<Sizes, Failure> {
    let (mut blocks, mut last) = (0, None);
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let mut sizes = Sizes {
        blocks: 0,
        transactions: ledger.tx_count(),
        inputs: 0,
        outputs: 0,
        addresses: None,
    };
    for tx in (0..ledger.tx_count()).map(chain::TxNum) {
        let height = ledger.height(tx)?;
        if height.is_some() && height != last {
            blocks += 1;
            last = height;
        }
        ledger.inputs(tx, &mut inputs)?;
        ledger.outputs(tx, &mut outputs)?;
        sizes.inputs += inputs.len() as u64;
        sizes.outputs += outputs.len() as u64;
    }
    sizes.blocks = blocks;
    Ok(sizes)
}
