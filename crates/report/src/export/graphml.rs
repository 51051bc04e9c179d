//! GraphML (graphml.graphdrawing.org), for yEd, NetworkX, Gephi and others: a node for each output
//! or fee, an edge for each flow, all values as typed data. Nothing is folded.

use std::{fmt::Display, io::Write};

use super::{
    graph::{self, Values},
    places::Places,
};
use crate::{Result, escape, model::TraceDocument};

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
    for (domain, keys) in [("node", graph::OF_NODES), ("edge", graph::OF_EDGES)] {
        for (name, kind) in keys {
            let id = graph::id(domain, name);
            writeln!(
                out,
                "  <key id=\"{id}\" for=\"{domain}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>"
            )?;
        }
    }
    writeln!(out, "  <graph id=\"trace\" edgedefault=\"directed\">")?;
    let places = Places::of(document);
    for (number, spot) in places.spots.iter().enumerate() {
        writeln!(out, "    <node id=\"n{number}\">")?;
        graph::node(&mut Data { domain: "node", out }, spot)?;
        writeln!(out, "    </node>")?;
    }
    for (number, flow) in document.flows.iter().enumerate() {
        let (from, to) = (places.number(&flow.from), places.number(&flow.to));
        writeln!(out, "    <edge id=\"e{number}\" source=\"n{from}\" target=\"n{to}\">")?;
        graph::edge(&mut Data { domain: "edge", out }, flow)?;
        writeln!(out, "    </edge>")?;
    }
    writeln!(out, "  </graph>\n</graphml>")?;
    Ok(())
}

struct Data<'a> {
    domain: &'static str,
    out: &'a mut dyn Write,
}

impl Values for Data<'_> {
    fn put(&mut self, name: &str, value: &dyn Display) -> Result<()> {
        let value = escape::xml(&value.to_string());
        let id = graph::id(self.domain, name);
        Ok(writeln!(self.out, "      <data key=\"{id}\">{value}</data>")?)
    }
}
