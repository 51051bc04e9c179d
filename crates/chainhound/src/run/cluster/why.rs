//! `chainhound cluster why`.

use analyze::cluster::{Limits, Step, Why, why};
use chain::Ledger;
use report::model::{Basis, UtcTime};
use serde::Serialize;
use store::Store;

use super::{in_force, number, whole};
use crate::{
    args::WhyArgs,
    clusters::{self, Shelf, by_rule},
    failure::{Exit, Failure},
    output::{ClusteringField, StepRow, WhyDocument},
    run::{Session, describe},
};

#[derive(Serialize)]
struct Parameters {
    from: String,
    to: String,
    rule: &'static str,
    visits: u64,
}

/// Prints the proof path of two addresses.
pub(super) fn run(args: &WhyArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let (which, shelf) = (args.which.which(), Shelf::of(&place));
    let mut exit = Exit::Done;
    session.answer(&place, None, args.format.format, |chain| {
        let store = whole(chain)?;
        let clustering = in_force(&shelf, which, store)?;
        let from = number(chain, &clustering, &args.from, which)?;
        let to = number(chain, &clustering, &args.to, which)?;
        let limits = Limits { visits: args.visits };
        let found = by_rule!(which, rule => {
            why(store, &rule, &clustering, (from, to), limits)
        })?;
        let (verdict, steps) = match found {
            Why::Same => ("same", Vec::new()),
            Why::Apart => ("apart", Vec::new()),
            Why::Joined(steps) => ("joined", steps),
            Why::GaveUp(_) => ("gave_up", Vec::new()),
        };
        exit = match verdict {
            "apart" => Exit::Negative,
            "gave_up" => Exit::Inconclusive,
            _ => Exit::Done,
        };
        let behind = clusters::blocks_behind(store, clustering.basis());
        let body = WhyDocument {
            clustering: ClusteringField::new(clustering.basis(), behind),
            verdict,
            from: describe::lock_of(store, from)?,
            to: describe::lock_of(store, to)?,
            steps: steps.iter().map(|step| row(store, step)).collect::<chain::Result<_>>()?,
        };
        let (from, to) = (args.from.clone(), args.to.clone());
        Ok((Parameters { from, to, rule: which.name(), visits: args.visits }, body))
    })?;
    Ok(exit)
}

fn row(store: &Store, step: &Step) -> chain::Result<StepRow> {
    Ok(StepRow {
        txid: store.txid(step.tx)?.to_string(),
        height: store.height(step.tx)?.map(|height| height.0),
        time: store.time(step.tx)?.map(UtcTime),
        from: describe::lock_of(store, step.from)?,
        to: describe::lock_of(store, step.to)?,
        basis: Basis::Inference { heuristic: step.joint.name().to_owned(), confidence: None },
    })
}
