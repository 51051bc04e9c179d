//! The page: everything that the template fills in.

use askama::Template;

use super::{
    Dossier, Language,
    destinations::{Destination, destinations},
    letter, methods, rows,
    words::{Words, fill},
};
use crate::{
    Result, escape,
    export::svg,
    model::{Amount, TraceDocument},
    words as numbers,
};

#[derive(Template)]
#[template(path = "dossier.html")]
struct Page<'a> {
    w: &'static Words,
    lang: &'static str,
    title: String,
    victim: Option<String>,
    network: &'static str,
    policy: &'static str,
    height: String,
    hash: String,
    taken: Vec<Taken>,
    now_intro: String,
    now: Vec<Now>,
    freeze: Vec<Freeze>,
    not_frozen: Vec<String>,
    unspent: bool,
    picture: String,
    policies: Vec<&'static str>,
    destinations: Vec<Row>,
    sums: Vec<String>,
    starts: Vec<String>,
    poison: bool,
    conserved: bool,
    timeline: rows::Cut<rows::Event>,
    hops_intro: String,
    hops: rows::Cut<rows::Hop>,
    ends_intro: String,
    ends: rows::Cut<rows::EndRow>,
    marks: [rows::Rests; 3],
    meanings: Vec<&'static str>,
    rates: Vec<methods::Rate>,
    pages: Vec<&'static str>,
    notes: Vec<String>,
    sources: Vec<Cited>,
    bundle: &'a super::Bundle,
    file: String,
    program: String,
}

struct Taken {
    line: String,
    differs: Option<String>,
    note: Option<String>,
    source: Option<String>,
}

struct Now {
    line: String,
    bounds: Option<String>,
    rests: rows::Rests,
}

struct Freeze {
    line: String,
    bounds: Option<String>,
    rests: rows::Rests,
    letter: String,
}

/// A row of the table of destinations. Cells are markup.
struct Row {
    name: String,
    rests: rows::Rests,
    cells: Vec<String>,
}

struct Cited {
    id: String,
    title: String,
    date: Option<String>,
    url: Option<String>,
    /// Whether it is an address of the web.
    link: bool,
    says: Option<String>,
}

/// An amount in bitcoin as markup: `<data value="SATOSHIS">4,502.9</data>`.
pub(super) fn money(amount: Amount, w: &Words) -> String {
    let one = |sat: u64| format!("<data value=\"{sat}\">{}</data>", numbers::btc(sat));
    written(amount, w, one)
}

/// The same as text.
pub(super) fn money_text(amount: Amount, w: &Words) -> String {
    written(amount, w, numbers::btc)
}

fn written(amount: Amount, w: &Words, one: impl Fn(u64) -> String) -> String {
    match amount {
        Amount::Exact { tainted_sat } => one(tainted_sat),
        Amount::Between { lower_sat, upper_sat } if lower_sat == upper_sat => one(upper_sat),
        Amount::Between { lower_sat, upper_sat } => {
            fill(w.between, &[("lower", &one(lower_sat)), ("upper", &one(upper_sat))])
        }
        Amount::Unmeasured {} => "–".to_owned(),
    }
}

/// The same with its unit.
fn btc(amount: Amount, w: &Words) -> String {
    format!("{} BTC", money(amount, w))
}

fn exact(tainted_sat: u64) -> Amount {
    Amount::Exact { tainted_sat }
}

pub(super) fn html(
    dossier: &Dossier,
    argued: &TraceDocument,
    language: Language,
) -> Result<String> {
    let w = language.words();
    let from = &argued.provenance;
    let policy = from.parameters.policy;
    let height = from.tip.map_or_else(String::new, |tip| numbers::thousands(tip.height.into()));
    let rows = destinations(dossier);
    let policies: Vec<_> = dossier.traces.iter().map(|t| t.provenance.parameters.policy).collect();
    let total = |of: &dyn Fn(&TraceDocument) -> Amount| -> Vec<String> {
        dossier.traces.iter().map(|trace| money(of(trace), w)).collect()
    };
    let page = Page {
        w,
        lang: language.code(),
        title: escape::plain(&dossier.title),
        victim: dossier.victim.as_deref().map(escape::plain),
        network: from.network,
        policy,
        now_intro: fill(w.now_intro, &[("height", &height), ("policy", policy)]),
        height,
        hash: from.tip.map_or_else(String::new, |tip| tip.hash.to_string()),
        taken: taken(dossier, argued, w),
        now: now(dossier, argued, &rows, w),
        freeze: freeze(dossier, &rows, w),
        not_frozen: not_frozen(&rows, w),
        unspent: rows.iter().any(|row| row.reason == "unspent" && row.under(0).is_some()),
        picture: picture(argued)?,
        destinations: rows.iter().map(|row| table_row(row, w)).collect(),
        sums: total(&|trace| sum(trace)),
        starts: total(&|trace| exact(trace.totals.root_sat)),
        poison: policies.contains(&"poison"),
        conserved: {
            let mut checked =
                dossier.traces.iter().filter_map(|trace| trace.totals.equal).peekable();
            checked.peek().is_some() && checked.all(|equal| equal)
        },
        policies,
        timeline: rows::timeline(argued, w),
        hops_intro: fill(w.hops_intro, &[("policy", policy)]),
        hops: rows::hops(argued, w),
        ends_intro: fill(w.ends_intro, &[("policy", policy)]),
        ends: rows::ends(argued, w),
        marks: marks(w),
        meanings: dossier
            .traces
            .iter()
            .map(|trace| w.policy(trace.provenance.parameters.policy))
            .collect(),
        rates: methods::rates(dossier, w),
        pages: methods::pages(dossier),
        notes: dossier.notes.iter().map(|note| escape::plain(note)).collect(),
        sources: dossier.sources.iter().map(cited).collect(),
        bundle: &dossier.bundle,
        file: escape::plain(&dossier.bundle.file),
        program: format!("{} {}", from.tool, escape::plain(&from.tool_version)),
    };
    let mut text = page.render()?;
    text.push('\n');
    Ok(text)
}

fn taken(dossier: &Dossier, argued: &TraceDocument, w: &Words) -> Vec<Taken> {
    let one = |(number, theft): (usize, &super::Theft)| {
        let first = argued.roots.iter().find(|root| root.root as usize == number);
        let (amount, place) = (btc(exact(theft.chain_sat), w), markup(&theft.text));
        let line = match first.map(|root| root.mined) {
            Some(crate::model::Mined { height: Some(height), time: Some(time), .. }) => fill(
                w.taken_dated,
                &[
                    ("amount", &amount),
                    ("place", &place),
                    ("day", &time.day()),
                    ("height", &numbers::thousands(height.into())),
                ],
            ),
            _ => fill(w.taken_line, &[("amount", &amount), ("place", &place)]),
        };
        let differs = theft.claimed_sat.filter(|claimed| *claimed != theft.chain_sat);
        let differs = differs.map(|claimed| {
            let (claimed, chain) = (btc(exact(claimed), w), btc(exact(theft.chain_sat), w));
            fill(w.chain_differs, &[("claimed", &claimed), ("chain", &chain)])
        });
        let (note, source) = (theft.note.as_deref(), theft.source.as_deref());
        Taken { line, differs, note: note.map(escape::plain), source: source.map(escape::plain) }
    };
    dossier.thefts.iter().enumerate().map(one).collect()
}

/// Text from outside for a place that takes markup.
fn markup(text: &str) -> String {
    escape::xml(text)
}

/// What was booked in a trace, from its own sum.
fn sum(trace: &TraceDocument) -> Amount {
    match trace.totals.booked_lower_sat {
        Some(lower_sat) => Amount::Between { lower_sat, upper_sat: trace.totals.booked_sat },
        None => exact(trace.totals.booked_sat),
    }
}

/// The place of the bounds among the traces, where they are not the trace argued with.
fn bounds_at(dossier: &Dossier) -> Option<usize> {
    dossier
        .traces
        .iter()
        .position(|trace| trace.provenance.parameters.policy == "bounds")
        .filter(|place| *place > 0)
}

fn within(dossier: &Dossier, row: &Destination, w: &Words) -> Option<String> {
    let nothing = Amount::Between { lower_sat: 0, upper_sat: 0 };
    let bounds = row.under(bounds_at(dossier)?).map_or(nothing, |(amount, _)| amount);
    Some(fill(w.now_bounds, &[("amount", &btc(bounds, w))]))
}

fn now(dossier: &Dossier, argued: &TraceDocument, rows: &[Destination], w: &Words) -> Vec<Now> {
    let mut here: Vec<_> = rows.iter().filter_map(|row| Some((row, row.under(0)?.0))).collect();
    here.sort_by_key(|(_, amount)| std::cmp::Reverse(amount.upper()));
    let whole = argued.totals.booked_sat;
    let one = |(row, amount): (&Destination, Amount)| Now {
        line: fill(
            w.now_line,
            &[
                ("amount", &btc(amount, w)),
                ("share", &markup(&numbers::percent(amount.upper(), whole))),
                ("name", &markup(&row.name(w))),
            ],
        ),
        bounds: within(dossier, row, w),
        rests: rows::Rests::new(&row.basis, w),
    };
    here.into_iter().map(one).collect()
}

fn freeze(dossier: &Dossier, rows: &[Destination], w: &Words) -> Vec<Freeze> {
    let one = |(number, row): (usize, &Destination)| {
        let (amount, count) = row.under(0).unwrap_or((exact(0), 0));
        let count = fill(w.count_outputs, &[("n", &numbers::thousands(count))]);
        let name = markup(row.entity.as_deref().unwrap_or_default());
        let file = letter::file(number, row);
        Freeze {
            line: fill(
                w.freeze_line,
                &[("name", &name), ("amount", &btc(amount, w)), ("count", &count)],
            ),
            bounds: within(dossier, row, w),
            rests: rows::Rests::new(&row.basis, w),
            letter: fill(w.freeze_letter, &[("file", &file)]),
        }
    };
    letter::services(rows).into_iter().enumerate().map(one).collect()
}

/// The rest of the money, that no service can be asked about.
fn not_frozen(rows: &[Destination], w: &Words) -> Vec<String> {
    let line = |row: &Destination| {
        let (amount, count) = row.under(0)?;
        let count = fill(w.count_outputs, &[("n", &numbers::thousands(count))]);
        let text = match row.reason.as_str() {
            "unspent" => w.unspent_line,
            "coinjoin" => w.mixed_line,
            _ if row.can_freeze() => return None,
            _ => w.other_line,
        };
        let (amount, name) = (btc(amount, w), markup(&row.name(w)));
        Some(fill(text, &[("amount", &amount), ("count", &count), ("name", &name)]))
    };
    rows.iter().filter_map(line).collect()
}

fn table_row(row: &Destination, w: &Words) -> Row {
    let cell = |found: &Option<(Amount, u64)>| {
        found.map_or_else(|| "–".to_owned(), |(amount, _)| money(amount, w))
    };
    Row {
        name: row.name(w),
        rests: rows::Rests::new(&row.basis, w),
        cells: row.found.iter().map(cell).collect(),
    }
}

fn marks(w: &Words) -> [rows::Rests; 3] {
    let (fact, inference, claim) = (w.fact_means, w.inference_means, w.claim_means);
    [
        ("fact", "■", w.fact, fact),
        ("inference", "◇", w.inference, inference),
        ("claim", "“”", w.claim, claim),
    ]
    .map(|(class, sign, word, detail)| rows::Rests {
        class,
        sign,
        word,
        detail: detail.to_owned(),
    })
}

fn cited(source: &super::Source) -> Cited {
    let url = source.url.as_deref().map(escape::plain);
    let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    Cited {
        id: escape::plain(&source.id),
        title: escape::plain(&source.title),
        date: source.date.as_deref().map(escape::plain),
        link: url.as_ref().is_some_and(is_web),
        url,
        says: source.says.as_deref().map(escape::plain),
    }
}

/// The drawing, which escapes its own texts.
fn picture(argued: &TraceDocument) -> Result<String> {
    let mut bytes = Vec::new();
    svg::write(argued, &svg::Options::default(), &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
