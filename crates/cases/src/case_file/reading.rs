//! From the text of a case file to a [`Case`].

use std::{ops::Range, str::FromStr};

use analyze::trace::{Policy, RootSpec};
use chain::{Network, OutPoint, script};
use serde::Deserialize;
use toml::Spanned;

use super::{Case, CaseStops, POLICIES, Source, Theft};
use crate::{Error, Result};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    network: Option<Spanned<String>>,
    victim: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    theft: Vec<Spanned<TheftTable>>,
    #[serde(default)]
    trace: TraceTable,
    #[serde(default)]
    stops: StopsTable,
    #[serde(default)]
    source: Vec<Spanned<SourceTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TheftTable {
    output: Option<Spanned<String>>,
    transaction: Option<Spanned<String>>,
    address: Option<Spanned<String>>,
    amount_sat: Option<u64>,
    source: Option<Spanned<String>>,
    note: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TraceTable {
    policy: Option<Spanned<String>>,
    alternatives: Option<Vec<Spanned<String>>>,
    fees: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StopsTable {
    #[serde(default)]
    at: Vec<Spanned<String>>,
    #[serde(default)]
    addresses: Vec<Spanned<String>>,
    until_height: Option<u32>,
    max_hops: Option<u32>,
    #[serde(default)]
    min_tainted_sat: u64,
    max_transactions: Option<u64>,
    min_confidence: Option<Spanned<u8>>,
    #[serde(default)]
    clusters: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    id: String,
    title: String,
    url: Option<String>,
    date: Option<String>,
    says: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Case> {
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        fault(text, at, with_suggestion(error.message()))
    })?;
    let at = |span: Range<usize>, detail: String| fault(text, span.start, detail);
    let network = match &file.network {
        None => Network::Mainnet,
        Some(name) => Network::from_str(name.get_ref()).map_err(|error| {
            let names = Network::ALL.map(Network::name);
            let near = nearest(name.get_ref(), names.into_iter());
            at(name.span(), format!("{error}{near}"))
        })?,
    };
    let sources = sources(&file.source).map_err(|(span, detail)| at(span, detail))?;
    let theft = |table| theft(table, network, &sources);
    let thefts: Vec<Theft> = file
        .theft
        .iter()
        .map(theft)
        .collect::<Found<_>>()
        .map_err(|(span, detail)| at(span, detail))?;
    if thefts.is_empty() {
        let detail = "nothing to follow: a [[theft]] names an output, a transaction or an address";
        return Err(fault(text, 0, detail.to_owned()));
    }
    Ok(Case {
        title: file.title,
        network,
        victim: file.victim,
        labels: file.labels,
        notes: file.notes,
        thefts,
        policies: policies(&file.trace).map_err(|(span, detail)| at(span, detail))?,
        stops: stops(&file.stops, network).map_err(|(span, detail)| at(span, detail))?,
        sources,
    })
}

/// What was found, or where something is wrong and what.
type Found<T> = Result<T, (Range<usize>, String)>;

fn sources(tables: &[Spanned<SourceTable>]) -> Found<Vec<Source>> {
    let mut sources: Vec<Source> = Vec::new();
    for spanned in tables {
        let table = spanned.get_ref();
        if sources.iter().any(|known| known.id == table.id) {
            return Err((
                spanned.span(),
                format!("there is another source with the id '{}'", table.id),
            ));
        }
        sources.push(Source {
            id: table.id.clone(),
            title: table.title.clone(),
            url: table.url.clone(),
            date: table.date.clone(),
            says: table.says.clone(),
        });
    }
    Ok(sources)
}

fn theft(spanned: &Spanned<TheftTable>, network: Network, sources: &[Source]) -> Found<Theft> {
    let table = spanned.get_ref();
    let (text, root) = match (&table.output, &table.transaction, &table.address) {
        (Some(text), None, None) => (text, output(text.get_ref()).map(RootSpec::Output)),
        (None, Some(text), None) => {
            let txid = text.get_ref().parse().map(RootSpec::Transaction);
            (text, txid.map_err(|_| "a txid has 64 hexadecimal digits".to_owned()))
        }
        (None, None, Some(text)) => {
            let script = script::parse(text.get_ref(), network).map(RootSpec::Script);
            (text, script.map_err(|error| error.to_string()))
        }
        _ => {
            let detail = "a [[theft]] names one thing: output = \"TXID:VOUT\", transaction = \"TXID\" or \
                          address = \"...\"";
            return Err((spanned.span(), detail.to_owned()));
        }
    };
    let root = root.map_err(|detail| (text.span(), detail))?;
    if let Some(id) = &table.source
        && !sources.iter().any(|source| source.id == *id.get_ref())
    {
        let near = nearest(id.get_ref(), sources.iter().map(|source| source.id.as_str()));
        return Err((id.span(), format!("no [[source]] has the id '{}'{near}", id.get_ref())));
    }
    Ok(Theft {
        text: text.get_ref().clone(),
        root,
        amount_sat: table.amount_sat,
        source: table.source.as_ref().map(|id| id.get_ref().clone()),
        note: table.note.clone(),
    })
}

fn output(text: &str) -> Result<OutPoint, String> {
    let wrong =
        || "an output is TXID:VOUT: 64 hexadecimal digits, a colon, a number from 0".to_owned();
    let (txid, vout) = text.split_once(':').ok_or_else(wrong)?;
    let txid = txid.parse().map_err(|_| wrong())?;
    Ok(OutPoint { txid, vout: vout.parse().map_err(|_| wrong())? })
}

fn policies(table: &TraceTable) -> Found<Vec<Policy>> {
    if let Some(fees) = &table.fees
        && fees.get_ref() != "drop"
    {
        let detail = match fees.get_ref().as_str() {
            "follow" => {
                "fees = \"follow\" needs every transaction of a block, with all that they spend: a bundle \
                 does not hold them; use \"drop\", or `chainhound trace --fees follow`"
                    .to_owned()
            }
            other => format!("unknown fees '{other}': use \"drop\""),
        };
        return Err((fees.span(), detail));
    }
    let parse = |name: &Spanned<String>| -> Found<Policy> {
        name.get_ref().parse().map_err(|error| {
            let near = nearest(name.get_ref(), POLICIES.map(Policy::name).into_iter());
            (name.span(), format!("{error}{near}"))
        })
    };
    let mut policies = vec![table.policy.as_ref().map_or(Ok(Policy::Haircut), parse)?];
    let others = match &table.alternatives {
        None => POLICIES.to_vec(),
        Some(names) => names.iter().map(parse).collect::<Found<_>>()?,
    };
    for policy in others {
        if !policies.contains(&policy) {
            policies.push(policy);
        }
    }
    Ok(policies)
}

fn stops(table: &StopsTable, network: Network) -> Found<CaseStops> {
    let mut stops = CaseStops {
        until_height: table.until_height,
        max_hops: table.max_hops,
        min_tainted_sat: table.min_tainted_sat,
        max_transactions: table.max_transactions,
        clusters: table.clusters,
        ..CaseStops::default()
    };
    for rule in &table.at {
        match rule.get_ref().as_str() {
            "service" => stops.services = true,
            "coinjoin" => stops.coinjoins = true,
            other => {
                let near = nearest(other, ["service", "coinjoin"].into_iter());
                let detail =
                    format!("unknown rule '{other}', expected `service` or `coinjoin`{near}");
                return Err((rule.span(), detail));
            }
        }
    }
    for text in &table.addresses {
        let script = script::parse(text.get_ref(), network)
            .map_err(|error| (text.span(), error.to_string()))?;
        stops.addresses.push((text.get_ref().clone(), script));
    }
    if let Some(level) = &table.min_confidence {
        if *level.get_ref() > 100 {
            return Err((
                level.span(),
                "min_confidence is a whole number from 0 to 100".to_owned(),
            ));
        }
        stops.min_confidence = *level.get_ref();
    }
    Ok(stops)
}

fn fault(text: &str, at: usize, detail: String) -> Error {
    let before = text.get(..at).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    Error::CaseFile { line, column, detail }
}

/// Serde says ``unknown field `x`, expected one of `a`, `b` ``: adds which of these is nearest.
fn with_suggestion(message: &str) -> String {
    let message = message.trim();
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next().filter(|_| message.starts_with("unknown ")) {
        Some(given) => format!("{message}{}", nearest(given, quoted)),
        None => message.to_owned(),
    }
}

/// `; did you mean ...?` where one of the names is near enough.
fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> String {
    let near = names
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, name)| distance * 3 <= name.len().max(3))
        .min();
    near.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}
