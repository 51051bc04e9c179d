//! A trace as a graph with typed values, for the formats that programs for graphs read: a node for
//! each output or fee, an edge for each flow. Nothing is folded.

use std::fmt::Display;

use super::places::Spot;
use crate::{
    Result,
    model::{Amount, Flow, Place},
};

/// Name, and type as both formats call it.
pub(super) type Key = (&'static str, &'static str);

/// What a node may say.
pub(super) const OF_NODES: &[Key] = &[
    ("role", "string"),
    ("txid", "string"),
    ("vout", "int"),
    ("address", "string"),
    ("value_sat", "long"),
    ("tainted_sat", "long"),
    ("lower_sat", "long"),
    ("upper_sat", "long"),
    ("status", "string"),
    ("stop_reason", "string"),
    ("basis", "string"),
    ("hops", "int"),
    ("height", "int"),
    ("time", "string"),
    ("entity", "string"),
];

/// What an edge may say.
pub(super) const OF_EDGES: &[Key] = &[
    ("txid", "string"),
    ("height", "int"),
    ("time", "string"),
    ("tainted_sat", "long"),
    ("lower_sat", "long"),
    ("upper_sat", "long"),
    ("basis", "string"),
];

/// Where a format puts the values of a node or an edge.
pub(super) trait Values {
    /// A value under a name of [`OF_NODES`] or [`OF_EDGES`].
    fn put(&mut self, name: &str, value: &dyn Display) -> Result<()>;
}

/// What is known about an output or fee. Tainted amounts are given for roots and leaves.
pub(super) fn node(values: &mut dyn Values, spot: &Spot<'_>) -> Result<()> {
    values.put("role", &spot.role())?;
    values.put("txid", &spot.place.txid())?;
    if let Place::Output { vout, address, value_sat, .. } = &spot.place {
        values.put("vout", vout)?;
        put_some(values, "address", address.as_ref())?;
        values.put("value_sat", value_sat)?;
    }
    if let Some(leaf) = spot.leaf {
        amount(values, leaf.amount)?;
        values.put("status", &leaf.status)?;
        values.put("stop_reason", &leaf.stop_reason)?;
        values.put("basis", &leaf.basis.name())?;
        values.put("hops", &leaf.hops)?;
        put_some(values, "height", leaf.mined.height)?;
        put_some(values, "time", leaf.mined.time)?;
        put_some(values, "entity", leaf.entity.as_ref())?;
    } else if let Some(root) = spot.root {
        amount(values, root.amount)?;
        values.put("hops", &0)?;
        put_some(values, "height", root.mined.height)?;
        put_some(values, "time", root.mined.time)?;
    }
    Ok(())
}

/// What is known about a flow.
pub(super) fn edge(values: &mut dyn Values, flow: &Flow) -> Result<()> {
    values.put("txid", &flow.txid)?;
    put_some(values, "height", flow.height)?;
    put_some(values, "time", flow.time)?;
    amount(values, flow.amount)?;
    values.put("basis", &flow.basis.name())
}

/// The id of a key: its name with the first letter of `node` or `edge` before it, so that no id is there
/// twice.
pub(super) fn id(of: &str, name: &str) -> String {
    format!("{}_{name}", of.get(..1).unwrap_or(of))
}

fn put_some(values: &mut dyn Values, name: &str, value: Option<impl Display>) -> Result<()> {
    value.map_or(Ok(()), |value| values.put(name, &value))
}

fn amount(values: &mut dyn Values, amount: Amount) -> Result<()> {
    match amount {
        Amount::Exact { tainted_sat } => values.put("tainted_sat", &tainted_sat),
        Amount::Between { lower_sat, upper_sat } => {
            values.put("lower_sat", &lower_sat)?;
            values.put("upper_sat", &upper_sat)
        }
        Amount::Unmeasured {} => Ok(()),
    }
}
