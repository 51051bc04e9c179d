//! GraphML (graphml.graphdrawing.org), for Gephi, yEd, NetworkX and others: a node for each output
//! or fee, an edge for each flow, all values as typed data. Nothing is folded.

use std::{fmt::Display, io::Write};

use super::places::{Places, Spot};
use crate::{
    Result, escape,
    model::{Amount, Flow, Place, TraceDocument},
};

/// Key, `node` or `edge`, type. Ids are the names with the first letter of the domain before them.
const KEYS: &[(&str, &str, &str)] = &[
    ("role", "node", "string"),
    ("txid", "node", "string"),
    ("vout", "node", "int"),
    ("address", "node", "string"),
    ("value_sat", "node", "long"),
    ("tainted_sat", "node", "long"),
    ("lower_sat", "node", "long"),
    ("upper_sat", "node", "long"),
    ("status", "node", "string"),
    ("stop_reason", "node", "string"),
    ("basis", "node", "string"),
    ("hops", "node", "int"),
    ("height", "node", "int"),
    ("time", "node", "string"),
    ("entity", "node", "string"),
    ("txid", "edge", "string"),
    ("height", "edge", "int"),
    ("time", "edge", "string"),
    ("tainted_sat", "edge", "long"),
    ("lower_sat", "edge", "long"),
    ("upper_sat", "edge", "long"),
    ("basis", "edge", "string"),
];

/// Writes a directed graph. Tainted amounts are given for roots, leaves and flows.
///
/// # Errors
/// [`crate::Error::Write`] where `out` fails.
pub fn write(document: &TraceDocument, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns \
         http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">"
    )?;
    for (name, domain, kind) in KEYS {
        let id = id(domain, name);
        writeln!(
            out,
            "  <key id=\"{id}\" for=\"{domain}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>"
        )?;
    }
    writeln!(out, "  <graph id=\"trace\" edgedefault=\"directed\">")?;
    let places = Places::of(document);
    for (number, spot) in places.spots.iter().enumerate() {
        writeln!(out, "    <node id=\"n{number}\">")?;
        node(&mut Data { domain: "node", out }, spot)?;
        writeln!(out, "    </node>")?;
    }
    for (number, flow) in document.flows.iter().enumerate() {
        let (from, to) = (places.number(&flow.from), places.number(&flow.to));
        writeln!(out, "    <edge id=\"e{number}\" source=\"n{from}\" target=\"n{to}\">")?;
        edge(&mut Data { domain: "edge", out }, flow)?;
        writeln!(out, "    </edge>")?;
    }
    writeln!(out, "  </graph>\n</graphml>")?;
    Ok(())
}

fn id(domain: &str, name: &str) -> String {
    format!("{}_{name}", domain.get(..1).unwrap_or(domain))
}

fn node(data: &mut Data<'_>, spot: &Spot<'_>) -> Result<()> {
    data.put("role", spot.role())?;
    data.put("txid", spot.place.txid())?;
    if let Place::Output { vout, address, value_sat, .. } = &spot.place {
        data.put("vout", vout)?;
        data.put_some("address", address.as_ref())?;
        data.put("value_sat", value_sat)?;
    }
    if let Some(leaf) = spot.leaf {
        data.amount(leaf.amount)?;
        data.put("status", leaf.status)?;
        data.put("stop_reason", &leaf.stop_reason)?;
        data.put("basis", leaf.basis.name())?;
        data.put("hops", leaf.hops)?;
        data.put_some("height", leaf.mined.height)?;
        data.put_some("time", leaf.mined.time)?;
        data.put_some("entity", leaf.entity.as_ref())?;
    } else if let Some(root) = spot.root {
        data.amount(root.amount)?;
        data.put("hops", 0)?;
        data.put_some("height", root.mined.height)?;
        data.put_some("time", root.mined.time)?;
    }
    Ok(())
}

fn edge(data: &mut Data<'_>, flow: &Flow) -> Result<()> {
    data.put("txid", flow.txid)?;
    data.put_some("height", flow.height)?;
    data.put_some("time", flow.time)?;
    data.amount(flow.amount)?;
    data.put("basis", flow.basis.name())
}

struct Data<'a> {
    domain: &'static str,
    out: &'a mut dyn Write,
}

impl Data<'_> {
    fn put(&mut self, name: &str, value: impl Display) -> Result<()> {
        let value = escape::xml(&value.to_string());
        let id = id(self.domain, name);
        Ok(writeln!(self.out, "      <data key=\"{id}\">{value}</data>")?)
    }

    fn put_some(&mut self, name: &str, value: Option<impl Display>) -> Result<()> {
        value.map_or(Ok(()), |value| self.put(name, value))
    }

    fn amount(&mut self, amount: Amount) -> Result<()> {
        match amount {
            Amount::Exact { tainted_sat } => self.put("tainted_sat", tainted_sat),
            Amount::Between { lower_sat, upper_sat } => {
                self.put("lower_sat", lower_sat)?;
                self.put("upper_sat", upper_sat)
            }
            Amount::Unmeasured {} => Ok(()),
        }
    }
}
