//! A page of Markdown: where the money is, under each policy side by side.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    io::Write,
};

use crate::{
    Error, Result, escape,
    model::{Amount, Booking, Leaf, TraceDocument},
    words,
};

/// What the page says besides the traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Its title.
    pub title: String,
    /// A picture to show: a path or URL relative to the page.
    pub picture: Option<String>,
    /// At most this many destinations; what is left out is said.
    pub destinations: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { title: "Where the money is".to_owned(), picture: None, destinations: 20 }
    }
}

/// Writes the page. The documents are traces of the same roots under different policies; the
/// first one decides which destinations are listed and in which order.
///
/// # Errors
/// [`Error::NothingToReport`] without a document, [`Error::Write`] where `out` fails.
pub fn write(documents: &[TraceDocument], options: &Options, out: &mut dyn Write) -> Result<()> {
    let first = documents.first().ok_or(Error::NothingToReport)?;
    writeln!(out, "# {}\n", escape::markdown(&options.title))?;
    facts(first, out)?;
    if let Some(picture) = &options.picture {
        writeln!(
            out,
            "\n![Flow of the money]({})",
            picture.replace([' ', '(', ')', '<', '>'], "_")
        )?;
    }
    writeln!(out, "\n## Sums\n")?;
    sums(documents, out)?;
    writeln!(out, "\n## Destinations\n")?;
    destinations(documents, options, out)?;
    writeln!(out, "\n## How to read this\n")?;
    reading(documents, out)
}

fn facts(document: &TraceDocument, out: &mut dyn Write) -> Result<()> {
    let provenance = &document.provenance;
    writeln!(out, "**{} BTC** taken:\n", words::btc(document.totals.root_sat))?;
    for root in document.roots.iter().take(20) {
        let address = root.output.address.as_ref().map_or("no address", |address| address.as_str());
        let time = root.mined.time.map_or_else(String::new, |time| format!(", {time}"));
        let value = words::btc(root.amount.upper());
        writeln!(
            out,
            "* {value} BTC to `{address}` (`{}:{}`{time})",
            root.output.txid, root.output.vout
        )?;
    }
    if document.roots.len() > 20 {
        writeln!(out, "* and {} more outputs", words::thousands(document.roots.len() as u64 - 20))?;
    }
    let tip = provenance.tip.map_or_else(
        || "no blocks known".to_owned(),
        |tip| format!("up to block {} (`{}`)", words::thousands(tip.height.into()), tip.hash),
    );
    let network = provenance.network;
    let version = escape::markdown(&provenance.tool_version);
    writeln!(out, "\nNetwork {network}, {tip}. Made by {} {version}.", provenance.tool)?;
    Ok(())
}

/// Destinations down, policies across.
fn sums(documents: &[TraceDocument], out: &mut dyn Write) -> Result<()> {
    head(&["where it is"], documents, out)?;
    let mut ends: Vec<&Booking> = Vec::new();
    for booking in documents.iter().flat_map(|document| &document.bookings) {
        if !ends.iter().any(|known| known.end() == booking.end()) {
            ends.push(booking);
        }
    }
    for end in ends {
        let mut line = format!("| {} |", escape::markdown(&words::booking(end)));
        for document in documents {
            let booking = document.bookings.iter().find(|booking| booking.end() == end.end());
            line.push_str(&format!(" {} |", cell(booking.map(|booking| booking.amount))));
        }
        writeln!(out, "{line}")?;
    }
    let mut line = "| **sum** |".to_owned();
    for document in documents {
        let totals = &document.totals;
        let sum = match (totals.booked_lower_sat, totals.equal) {
            (Some(lower_sat), _) => {
                cell(Some(Amount::Between { lower_sat, upper_sat: totals.booked_sat }))
            }
            (None, Some(false)) => {
                format!("{} (**not** what was taken)", words::btc(totals.booked_sat))
            }
            (None, _) => words::btc(totals.booked_sat),
        };
        line.push_str(&format!(" {sum} |"));
    }
    writeln!(out, "{line}")?;
    Ok(())
}

fn head(first: &[&str], documents: &[TraceDocument], out: &mut dyn Write) -> Result<()> {
    let policies = documents.iter().map(|document| document.provenance.parameters.policy);
    let policies: Vec<&str> = policies.collect();
    writeln!(out, "| {} | {} |", first.join(" | "), policies.join(" | "))?;
    writeln!(out, "|{}{}", "---|".repeat(first.len()), "---:|".repeat(policies.len()))?;
    Ok(())
}

fn cell(amount: Option<Amount>) -> String {
    match amount {
        None | Some(Amount::Unmeasured {}) => "0".to_owned(),
        Some(Amount::Between { lower_sat, upper_sat }) if lower_sat != upper_sat => {
            format!("{} to {}", words::btc(lower_sat), words::btc(upper_sat))
        }
        Some(amount) => words::btc(amount.upper()),
    }
}

/// An address (or an output without one), and why the trace ended there.
type Destination = (String, String);

/// The outputs of a trace by destination.
fn by_destination(document: &TraceDocument) -> HashMap<Destination, Sum<'_>> {
    let mut sums: HashMap<Destination, Sum<'_>> = HashMap::new();
    for leaf in &document.leaves {
        let key = (words::whereabouts(leaf), leaf.stop_reason.clone());
        let sum = sums.entry(key).or_insert(Sum { lower: 0, upper: 0, exact: true, leaf });
        sum.lower = sum.lower.saturating_add(leaf.amount.lower());
        sum.upper = sum.upper.saturating_add(leaf.amount.upper());
        sum.exact &= !matches!(leaf.amount, Amount::Between { .. });
    }
    sums
}

struct Sum<'a> {
    lower: u64,
    upper: u64,
    exact: bool,
    leaf: &'a Leaf,
}

impl Sum<'_> {
    const fn amount(&self) -> Amount {
        if self.exact {
            Amount::Exact { tainted_sat: self.upper }
        } else {
            Amount::Between { lower_sat: self.lower, upper_sat: self.upper }
        }
    }
}

fn destinations(documents: &[TraceDocument], options: &Options, out: &mut dyn Write) -> Result<()> {
    let all: Vec<_> = documents.iter().map(by_destination).collect();
    let Some(first) = all.first() else { return Ok(()) };
    let order: BTreeMap<(Reverse<u64>, &Destination), &Sum<'_>> =
        first.iter().map(|(key, sum)| ((Reverse(sum.upper), key), sum)).collect();
    head(&["address", "what"], documents, out)?;
    for ((_, key), sum) in order.iter().take(options.destinations) {
        let (whereabouts, reason) = key;
        let reason = escape::markdown(&words::reason(reason));
        let what = match &sum.leaf.entity {
            Some(entity) => format!("{}, {reason}", escape::markdown(entity)),
            None => reason,
        };
        let mut line = format!("| `{whereabouts}` | {what} |");
        for sums in &all {
            line.push_str(&format!(" {} |", cell(sums.get(*key).map(Sum::amount))));
        }
        writeln!(out, "{line}")?;
    }
    let hidden = order.len().saturating_sub(options.destinations);
    if hidden > 0 {
        let rest = order.values().skip(options.destinations);
        let rest = rest.fold(0_u64, |sum, one| sum.saturating_add(one.upper));
        let hidden = words::count(hidden as u64, "smaller destination", "smaller destinations");
        let policy = documents.first().map_or("", |first| first.provenance.parameters.policy);
        writeln!(out, "\nAnd {hidden}, {} BTC under {policy}.", words::btc(rest))?;
    }
    if documents.iter().any(|document| document.leaves_truncated) {
        writeln!(out, "\nThe list of outputs was cut off at its limit; the sums above were not.")?;
    }
    Ok(())
}

fn reading(documents: &[TraceDocument], out: &mut dyn Write) -> Result<()> {
    writeln!(out, "Amounts are bitcoin, exact to the satoshi. Which coin came out of a mixed")?;
    writeln!(out, "transaction is a convention, and each policy is one:\n")?;
    for document in documents {
        let meaning = match document.provenance.parameters.policy {
            "haircut" => "every output gets its share, in proportion to its value",
            "fifo" => "first in, first out",
            "lifo" => "last in, first out",
            "tiho" => "taint goes to the highest outputs first",
            "poison" => {
                "whatever shares a transaction with taint is tainted as a whole: sums exceed what was taken"
            }
            "bounds" => {
                "at least and at most, whichever convention is applied, as long as it adds up. \
                 A coin that may be in several places counts in each at-most"
            }
            _ => continue,
        };
        writeln!(out, "* **{}**: {meaning}.", document.provenance.parameters.policy)?;
    }
    Ok(())
}
