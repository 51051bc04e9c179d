//! `chainhound cluster diff`.

use std::cmp::Reverse;

use analyze::cluster::diff;
use serde::Serialize;

use super::{build_command, field, in_force, parts, whole};
use crate::{
    args::DiffArgs,
    clusters::{self, Shelf},
    failure::{Exit, Failure},
    output::{ClusteringField, DiffDocument, Regrouped},
    run::Session,
};

#[derive(Serialize)]
struct Parameters {
    rule: &'static str,
    limit: usize,
}

/// Prints what the last build joined.
pub(super) fn run(args: &DiffArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let (which, shelf) = (args.which.which(), Shelf::of(&place));
    session.answer(&place, None, args.format.format, |chain| {
        let store = whole(chain)?;
        let new = in_force(&shelf, which, store)?;
        let before = shelf.read_before(which)?;
        let before = match before {
            Some(before) if clusters::is_on(store, before.basis())? => before,
            _ => {
                return Err(Failure::unavailable(
                    "there is no clustering of an earlier tip of this chain to compare with",
                )
                .hint(format!(
                    "index more blocks; then {} and keeps this one",
                    build_command(which)
                )));
            }
        };
        let mut found = diff(&before, &new);
        found.merges.sort_by_key(|merge| (Reverse(merge.addresses), merge.cluster));
        found.splits.sort_by_key(|split| (Reverse(split.addresses), split.cluster));
        let (merge_count, split_count) = (found.merges.len() as u64, found.splits.len() as u64);
        let mut merges = Vec::new();
        for merge in found.merges.iter().take(args.limit) {
            let whole = field(store, merge.cluster, merge.addresses)?;
            merges.push(Regrouped { whole, parts: parts(store, &merge.parts)? });
        }
        let mut splits = Vec::new();
        for split in found.splits.iter().take(args.limit) {
            let whole = field(store, split.cluster, split.addresses)?;
            splits.push(Regrouped { whole, parts: parts(store, &split.parts)? });
        }
        let behind = clusters::blocks_behind(store, new.basis());
        let body = DiffDocument {
            clustering: ClusteringField::new(new.basis(), behind),
            before: before.basis().tip.map(Into::into),
            new_addresses: found.new_addresses,
            joined_old: found.joined_old,
            merge_count,
            merges,
            split_count,
            splits,
        };
        Ok((Parameters { rule: which.name(), limit: args.limit }, body))
    })
}
