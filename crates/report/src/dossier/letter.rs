//! A letter to a service: what is asked, the outputs concerned, and how to check it. Plain text, so that it
//! can be pasted into the service's own form.

use askama::Template;

use super::{
    Dossier, Language,
    destinations::{Destination, destinations},
    page::money_text,
    rows::{self, Rests, block, when},
    words::{Words, fill},
};
use crate::{
    Result, escape,
    model::{Amount, Leaf, TraceDocument},
    words as numbers,
};

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// A name for its file: small letters, digits, dots and dashes.
    pub file: String,
    /// The service, as labels call it.
    pub service: String,
    /// The text, lines ended by line feeds.
    pub text: String,
}

#[derive(Template)]
#[template(path = "letter.txt", escape = "none")]
struct Page {
    w: &'static Words,
    subject: String,
    to: String,
    opening: String,
    attributed: String,
    amounts: String,
    outputs: Vec<Output>,
    check: String,
}

struct Output {
    outpoint: String,
    address: String,
    line: String,
    state: String,
    /// Labels of the address with their sources.
    said: Vec<String>,
}

/// The services that can be asked, largest amount under the first policy first, then under any other.
pub(super) fn services(rows: &[Destination]) -> Vec<&Destination> {
    let mut services: Vec<_> = rows.iter().filter(|row| row.can_freeze()).collect();
    let first = |row: &Destination| row.under(0).map_or(0, |(amount, _)| amount.upper());
    let most = |row: &Destination| {
        row.found.iter().flatten().map(|(amount, _)| amount.upper()).max().unwrap_or(0)
    };
    services.sort_by_key(|row| std::cmp::Reverse((first(row), most(row))));
    services
}

/// The file of the letter to the service of this place among [`services`].
pub(super) fn file(number: usize, row: &Destination) -> String {
    let name: String = row
        .entity
        .as_deref()
        .unwrap_or_default()
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let name: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
    let dash = if name.is_empty() { "" } else { "-" };
    format!("freeze-request-{:02}{dash}{}.txt", number + 1, name.join("-"))
}

pub(super) fn letters(
    dossier: &Dossier,
    argued: &TraceDocument,
    language: Language,
) -> Result<Vec<Letter>> {
    let w = language.words();
    let rows = destinations(dossier);
    let mut letters = Vec::new();
    for (number, row) in services(&rows).into_iter().enumerate() {
        let page = page(dossier, argued, row, w);
        let mut text = page.render()?;
        text.push('\n');
        letters.push(Letter {
            file: file(number, row),
            service: row.entity.clone().unwrap_or_default(),
            text,
        });
    }
    Ok(letters)
}

fn page(dossier: &Dossier, argued: &TraceDocument, row: &Destination, w: &'static Words) -> Page {
    let from = &argued.provenance;
    let (title, name) = (escape::plain(&dossier.title), row.entity.as_deref().unwrap_or_default());
    let height = from.tip.map_or_else(String::new, |tip| numbers::thousands(tip.height.into()));
    let btc = |amount| format!("{} BTC", money_text(amount, w));
    let zero = Amount::Exact { tainted_sat: 0 };
    let amount = row.under(0).map_or(zero, |(amount, _)| amount);
    let bounds = dossier.traces.iter().position(|t| t.provenance.parameters.policy == "bounds");
    let bounds = match bounds {
        Some(place) => btc(row.under(place).map_or(zero, |(amount, _)| amount)),
        None => w.unknown.to_owned(),
    };
    let file = escape::plain(&dossier.bundle.file);
    Page {
        w,
        subject: fill(w.letter_subject, &[("title", &title)]),
        to: fill(w.letter_to, &[("name", &escape::plain(name))]),
        opening: fill(
            w.letter_opening,
            &[("title", &title), ("network", from.network), ("height", &height)],
        ),
        attributed: fill(w.letter_attributed, &[("basis", &Rests::new(&row.basis, w).text())]),
        amounts: fill(
            w.letter_amounts,
            &[("amount", &btc(amount)), ("policy", from.parameters.policy), ("bounds", &bounds)],
        ),
        outputs: outputs(dossier, row, &height, w),
        check: fill(w.letter_check, &[("file", &file), ("digest", &dossier.bundle.sha256)]),
    }
}

/// Every output that ended at the service under any policy, each once, with the amount under the first
/// policy.
fn outputs(dossier: &Dossier, service: &Destination, height: &str, w: &Words) -> Vec<Output> {
    let mut seen = std::collections::HashSet::new();
    let mut outputs = Vec::new();
    for (number, trace) in dossier.traces.iter().enumerate() {
        let ours = |leaf: &&Leaf| {
            leaf.stop_reason == service.reason
                && (&leaf.entity, &leaf.category) == (&service.entity, &service.category)
        };
        for leaf in trace.leaves.iter().filter(ours) {
            if !seen.insert((leaf.output.txid, leaf.output.vout)) {
                continue;
            }
            let traced = if number == 0 { leaf.amount } else { Amount::Exact { tainted_sat: 0 } };
            outputs.push(output(leaf, traced, height, w));
        }
    }
    outputs
}

fn output(leaf: &Leaf, traced: Amount, height: &str, w: &Words) -> Output {
    let value = numbers::btc(leaf.output.value_sat);
    Output {
        outpoint: format!("{}:{}", leaf.output.txid, leaf.output.vout),
        address: rows::address(leaf.output.address.as_ref()),
        line: fill(
            w.letter_output,
            &[
                ("value", &value),
                ("amount", &money_text(traced, w)),
                ("height", &block(leaf.mined.height, w)),
                ("time", &when(leaf.mined.time, w)),
            ],
        ),
        state: match leaf.status {
            "spent" => w.letter_spent.to_owned(),
            "unspent" => fill(w.letter_unspent, &[("height", height)]),
            other => w.status(other).to_owned(),
        },
        said: leaf
            .tags
            .iter()
            .map(|tag| {
                format!("{}: {}", escape::plain(&tag.label), Rests::new(tag.basis(), w).text())
            })
            .collect(),
    }
}
