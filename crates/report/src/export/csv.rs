//! CSV (RFC 4180, UTF-8, one header line): flows, leaves or bookings.
//!
//! | part | columns |
//! |---|---|
//! | flows | `txid,height,time,from,from_address,from_value_sat,to,to_address,to_value_sat,tainted_sat,lower_sat,upper_sat,by_root,basis` |
//! | leaves | `txid,vout,address,script_type,value_sat,tainted_sat,lower_sat,upper_sat,by_root,status,stop_reason,basis,hops,height,block_hash,time,entity,tags,category,protocol,anonymity_set` |
//! | bookings | `stop_reason,count,tainted_sat,lower_sat,upper_sat,by_root,basis,entity,category,protocol` |
//!
//! * `from` and `to` are `TXID:VOUT`, `TXID:fee`, `TXID:unclaimed` or `TXID:subsidy`.
//! * Exact policies fill `tainted_sat`; bounds fills `lower_sat` and `upper_sat`; poison leaves a
//!   flow's amounts empty.
//! * `by_root` is `ROOT=SATOSHIS` or `ROOT=LOWER..UPPER`, several joined by `;`. The number is an
//!   index into the roots as they were named.
//! * `tags` is `LABEL (SOURCE)`, several joined by `; `.
//! * A text that a spreadsheet would take for a formula gets a `'` before it.

use std::{fmt::Display, io::Write};

use crate::{
    Result, escape,
    model::{Amount, Booking, Flow, Leaf, Place, Share, Tag, TraceDocument},
};

/// What to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Every step, one a line.
    #[default]
    Flows,
    /// Every output where the trace ended.
    Leaves,
    /// The sums by destination.
    Bookings,
}

/// Writes a part of a trace.
///
/// # Errors
/// [`crate::Error::Write`] where `out` fails.
pub fn write(document: &TraceDocument, part: Part, out: &mut dyn Write) -> Result<()> {
    match part {
        Part::Flows => {
            out.write_all(
                b"txid,height,time,from,from_address,from_value_sat,to,to_address,to_value_sat,\
                tainted_sat,lower_sat,upper_sat,by_root,basis\n",
            )?;
            document.flows.iter().try_for_each(|flow| row(out, flow_fields(flow)))
        }
        Part::Leaves => {
            out.write_all(
                b"txid,vout,address,script_type,value_sat,tainted_sat,lower_sat,upper_sat,by_root,\
                status,stop_reason,basis,hops,height,block_hash,time,entity,tags,category,protocol,\
                anonymity_set\n",
            )?;
            document.leaves.iter().try_for_each(|leaf| row(out, leaf_fields(leaf)))
        }
        Part::Bookings => {
            out.write_all(
                b"stop_reason,count,tainted_sat,lower_sat,upper_sat,by_root,basis,entity,category,\
                protocol\n",
            )?;
            document.bookings.iter().try_for_each(|booking| row(out, booking_fields(booking)))
        }
    }
}

fn row(out: &mut dyn Write, fields: Vec<String>) -> Result<()> {
    out.write_all(fields.join(",").as_bytes())?;
    out.write_all(b"\n")?;
    Ok(())
}

fn flow_fields(flow: &Flow) -> Vec<String> {
    let mut fields = vec![flow.txid.to_string(), optional(flow.height), optional(flow.time)];
    for place in [&flow.from, &flow.to] {
        let (address, value) = match place {
            Place::Output { address, value_sat, .. } => {
                (optional(address.as_ref()), value_sat.to_string())
            }
            _ => (String::new(), String::new()),
        };
        fields.extend([place.name(), address, value]);
    }
    fields.extend(amounts(flow.amount));
    fields.extend([shares(&flow.by_root), flow.basis.name().to_owned()]);
    fields
}

fn leaf_fields(leaf: &Leaf) -> Vec<String> {
    let mut fields = vec![
        leaf.output.txid.to_string(),
        leaf.output.vout.to_string(),
        optional(leaf.output.address.as_ref()),
        leaf.output.script_type.to_owned(),
        leaf.output.value_sat.to_string(),
    ];
    fields.extend(amounts(leaf.amount));
    fields.extend([
        shares(&leaf.by_root),
        leaf.status.to_owned(),
        escape::csv(&leaf.stop_reason),
        leaf.basis.name().to_owned(),
        leaf.hops.to_string(),
        optional(leaf.mined.height),
        optional(leaf.mined.block_hash),
        optional(leaf.mined.time),
        escape::csv(leaf.entity.as_deref().unwrap_or_default()),
        escape::csv(&tags(&leaf.tags)),
        escape::csv(leaf.category.as_deref().unwrap_or_default()),
        leaf.coinjoin.as_ref().map_or("", |coinjoin| coinjoin.protocol).to_owned(),
        optional(leaf.coinjoin.as_ref().map(|coinjoin| coinjoin.anonymity_set)),
    ]);
    fields
}

fn booking_fields(booking: &Booking) -> Vec<String> {
    let mut fields = vec![escape::csv(&booking.stop_reason), booking.count.to_string()];
    fields.extend(amounts(booking.amount));
    fields.extend([
        shares(&booking.by_root),
        booking.basis.name().to_owned(),
        escape::csv(booking.entity.as_deref().unwrap_or_default()),
        escape::csv(booking.category.as_deref().unwrap_or_default()),
        booking.protocol.unwrap_or_default().to_owned(),
    ]);
    fields
}

fn optional<T: Display>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// `tainted_sat`, `lower_sat`, `upper_sat`.
fn amounts(amount: Amount) -> [String; 3] {
    let none = String::new;
    match amount {
        Amount::Exact { tainted_sat } => [tainted_sat.to_string(), none(), none()],
        Amount::Between { lower_sat, upper_sat } => {
            [none(), lower_sat.to_string(), upper_sat.to_string()]
        }
        Amount::Unmeasured {} => [none(), none(), none()],
    }
}

fn shares(shares: &[Share]) -> String {
    let one = |share: &Share| match share.amount {
        Amount::Exact { tainted_sat } => format!("{}={tainted_sat}", share.root),
        Amount::Between { lower_sat, upper_sat } => {
            format!("{}={lower_sat}..{upper_sat}", share.root)
        }
        Amount::Unmeasured {} => share.root.to_string(),
    };
    shares.iter().map(one).collect::<Vec<_>>().join(";")
}

fn tags(tags: &[Tag]) -> String {
    let one = |tag: &Tag| match tag.basis() {
        crate::model::Basis::Claim { source, .. } => format!("{} ({source})", tag.label),
        _ => tag.label.clone(),
    };
    tags.iter().map(one).collect::<Vec<_>>().join("; ")
}
