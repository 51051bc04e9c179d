//! GEXF 1.3 (gexf.net), for Gephi: a node for each output or fee, an edge for each flow, all values as
//! typed attributes. Nothing is folded.

use std::{fmt::Display, io::Write};

use super::{
    graph::{self, Values},
    places::{Places, Spot},
};
use crate::{
    Result, escape,
    model::{Place, TraceDocument},
};

/// Writes a directed graph. Tainted amounts are given for roots, leaves and flows. There is no date of
/// writing in it, so that the same trace gives the same bytes.
///
/// # Errors
/// [`crate::Error::Write`] where `out` fails.
pub fn write(document: &TraceDocument, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<gexf xmlns=\"http://gexf.net/1.3\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:schemaLocation=\"http://gexf.net/1.3 http://gexf.net/1.3/gexf.xsd\" version=\"1.3\">"
    )?;
    writeln!(out, "  <meta>\n    <creator>chainhound</creator>\n  </meta>")?;
    writeln!(out, "  <graph mode=\"static\" defaultedgetype=\"directed\">")?;
    for (class, keys) in [("node", graph::OF_NODES), ("edge", graph::OF_EDGES)] {
        writeln!(out, "    <attributes class=\"{class}\" mode=\"static\">")?;
        for (name, kind) in keys {
            let kind = if *kind == "int" { "integer" } else { kind };
            let id = graph::id(class, name);
            writeln!(out, "      <attribute id=\"{id}\" title=\"{name}\" type=\"{kind}\"/>")?;
        }
        writeln!(out, "    </attributes>")?;
    }
    let places = Places::of(document);
    writeln!(out, "    <nodes>")?;
    for (number, spot) in places.spots.iter().enumerate() {
        let label = escape::xml(&label(spot));
        writeln!(out, "      <node id=\"n{number}\" label=\"{label}\">\n        <attvalues>")?;
        graph::node(&mut Attributes { class: "node", out }, spot)?;
        writeln!(out, "        </attvalues>\n      </node>")?;
    }
    writeln!(out, "    </nodes>\n    <edges>")?;
    for (number, flow) in document.flows.iter().enumerate() {
        let (from, to) = (places.number(&flow.from), places.number(&flow.to));
        writeln!(
            out,
            "      <edge id=\"e{number}\" source=\"n{from}\" target=\"n{to}\">\n        <attvalues>"
        )?;
        graph::edge(&mut Attributes { class: "edge", out }, flow)?;
        writeln!(out, "        </attvalues>\n      </edge>")?;
    }
    writeln!(out, "    </edges>\n  </graph>\n</gexf>")?;
    Ok(())
}

/// `TXID:VOUT`, or `TXID:fee`; before it who holds it, where that is known.
fn label(spot: &Spot<'_>) -> String {
    let place = match &spot.place {
        Place::Output { txid, vout, .. } => format!("{txid}:{vout}"),
        place => format!("{}:fee", place.txid()),
    };
    match spot.leaf.and_then(|leaf| leaf.entity.as_ref()) {
        Some(entity) => format!("{entity} {place}"),
        None => place,
    }
}

struct Attributes<'a> {
    class: &'static str,
    out: &'a mut dyn Write,
}

impl Values for Attributes<'_> {
    fn put(&mut self, name: &str, value: &dyn Display) -> Result<()> {
        let value = escape::xml(&value.to_string());
        let id = graph::id(self.class, name);
        Ok(writeln!(self.out, "          <attvalue for=\"{id}\" value=\"{value}\"/>")?)
    }
}
