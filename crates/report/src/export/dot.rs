//! Graphviz: a node for each output or fee, an edge for each flow. Draw with `dot -Tsvg`.

use std::io::Write;

use super::places::{Places, Spot};
use crate::{
    Result, escape,
    model::{Flow, Place, TraceDocument},
    words,
};

/// Writes a directed graph of everything, nothing folded.
///
/// # Errors
/// [`crate::Error::Write`] where `out` fails.
pub fn write(document: &TraceDocument, out: &mut dyn Write) -> Result<()> {
    let parameters = &document.provenance.parameters;
    let title = format!(
        "{} BTC, {} {}",
        words::btc(document.totals.root_sat),
        parameters.policy,
        parameters.direction
    );
    writeln!(out, "digraph trace {{")?;
    writeln!(out, "  graph [rankdir=LR, label={}];", escape::dot(&title))?;
    writeln!(out, "  node [fontname=monospace, fontsize=10];")?;
    writeln!(out, "  edge [fontname=monospace, fontsize=9];")?;
    let places = Places::of(document);
    for (number, spot) in places.spots.iter().enumerate() {
        let (label, shape) = (escape::dot_lines(&label(spot)), shape(spot));
        let tooltip = escape::dot(&spot.place.name());
        writeln!(out, "  n{number} [label={label}, {shape}, tooltip={tooltip}];")?;
    }
    for flow in &document.flows {
        let (from, to) = (places.number(&flow.from), places.number(&flow.to));
        let label = escape::dot(&words::amount(flow.amount).unwrap_or_default());
        let tooltip = escape::dot(&tooltip(flow));
        writeln!(out, "  n{from} -> n{to} [label={label}, tooltip={tooltip}];")?;
    }
    writeln!(out, "}}")?;
    Ok(())
}

/// The lines of a label.
fn label(spot: &Spot<'_>) -> Vec<String> {
    let name = match &spot.place {
        Place::Output { address: Some(address), .. } => address.to_string(),
        Place::Output { txid, vout, .. } => format!("{}:{vout}", words::short_txid(txid)),
        Place::Fee { .. } => "fee".to_owned(),
        Place::Unclaimed { .. } => "unclaimed".to_owned(),
        Place::Subsidy { .. } => "subsidy".to_owned(),
    };
    let mut lines = vec![name];
    if let Some(leaf) = spot.leaf {
        lines.extend(leaf.entity.clone());
        lines.push(words::reason(&leaf.stop_reason));
        lines.extend(words::amount(leaf.amount));
    } else if let Some(root) = spot.root {
        lines.extend(words::amount(root.amount));
    }
    lines
}

const fn shape(spot: &Spot<'_>) -> &'static str {
    match (&spot.root, &spot.leaf, &spot.place) {
        (Some(_), _, _) => "shape=doubleoctagon",
        (_, Some(_), _) => "shape=box, style=bold",
        (_, _, Place::Output { .. }) => "shape=ellipse",
        (_, _, _) => "shape=plaintext",
    }
}

fn tooltip(flow: &Flow) -> String {
    let mut text = flow.txid.to_string();
    if let Some(height) = flow.height {
        text.push_str(&format!(", block {height}"));
    }
    if let Some(time) = flow.time {
        text.push_str(&format!(", {time}"));
    }
    text
}
