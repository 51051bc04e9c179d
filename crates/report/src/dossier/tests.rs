//! Pages and letters of a small theft.

use analyze::trace::Policy;
use chain::BlockHash;

use super::{Bundle, Dossier, Language, Measured, Source, Theft, rows::ROWS};
use crate::{
    Error,
    model::{Amount, Basis, Flow, Tag, Tip, TraceDocument},
    tests::shapes,
    words::btc,
};

const EXCHANGE: &str = "Exchange & Sons <\"1\">";

fn trace(policy: Policy) -> TraceDocument {
    let mut trace = shapes::tiny().policy(policy).document();
    let hash: BlockHash = "00".repeat(32).parse().unwrap();
    trace.provenance.tip = Some(Tip { height: 4, hash });
    let claim = Basis::Claim { source: "a list <b>".to_owned(), confidence: Some(70) };
    for booking in trace.bookings.iter_mut().filter(|booking| booking.stop_reason == "service") {
        booking.entity = Some(EXCHANGE.to_owned());
        booking.category = Some("exchange".to_owned());
        booking.basis = claim.clone();
    }
    for leaf in trace.leaves.iter_mut().filter(|leaf| leaf.stop_reason == "service") {
        leaf.entity = Some(EXCHANGE.to_owned());
        leaf.category = Some("exchange".to_owned());
        leaf.basis = claim.clone();
        let (rule, about) = ("cluster".to_owned(), "a list (about X)".to_owned());
        leaf.tags.push(Tag::carried("Its wallet".to_owned(), rule, about, Some(60)));
    }
    trace
}

fn dossier() -> Dossier {
    let policies =
        [Policy::Haircut, Policy::Fifo, Policy::Lifo, Policy::Tiho, Policy::Poison, Policy::Bounds];
    Dossier {
        title: "A made-up theft".to_owned(),
        victim: Some("A victim".to_owned()),
        notes: vec!["A note.".to_owned()],
        thefts: vec![Theft {
            text: "theft:0".to_owned(),
            claimed_sat: Some(3_100_000_000),
            chain_sat: 3_000_000_000,
            source: Some("news".to_owned()),
            note: Some("To the thief.".to_owned()),
        }],
        sources: vec![Source {
            id: "news".to_owned(),
            title: "The news".to_owned(),
            url: Some("https://example.org/theft".to_owned()),
            date: Some("2024-06-01".to_owned()),
            says: Some("31 bitcoin".to_owned()),
        }],
        traces: policies.into_iter().map(trace).collect(),
        measured: vec![Measured {
            heuristic: "wasabi_2".to_owned(),
            labelled: 200,
            found: 199,
            named: 150,
            false_positives: 1,
            out_of: 100_000,
        }],
        bundle: Bundle {
            file: "theft.zip".to_owned(),
            sha256: "ab".repeat(32),
            manifest_sha256: "cd".repeat(32),
            signer: None,
            binary_sha256: None,
            computed_again: true,
        },
    }
}

/// The page without its drawing, which has tests of its own.
fn undrawn(html: &str) -> String {
    let (before, rest) = html.split_once("<svg").unwrap();
    format!("{before}<svg…>{}", rest.split_once("</svg>").unwrap().1)
}

/// Every amount on a page: satoshis and text.
fn amounts(html: &str) -> Vec<(u64, &str)> {
    html.split("<data value=\"")
        .skip(1)
        .map(|part| {
            let (sat, rest) = part.split_once("\">").unwrap();
            (sat.parse().unwrap(), rest.split_once("</data>").unwrap().0)
        })
        .collect()
}

/// The cells of a row of the table of destinations.
fn cells(row: &str) -> Vec<Vec<u64>> {
    let cells = row.split("<td").skip(1);
    cells.map(|cell| amounts(cell).into_iter().map(|(sat, _)| sat).collect()).collect()
}

#[test]
fn page_and_letter_word_for_word() {
    let dossier = dossier();
    for language in Language::ALL {
        let html = dossier.html(language).unwrap();
        assert_eq!(html, dossier.html(language).unwrap());
        insta::assert_snapshot!(format!("page_{language}"), undrawn(&html));
        let letters = dossier.letters(language).unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].file, "freeze-request-01-exchange-sons-1.txt");
        assert_eq!(letters[0].service, EXCHANGE);
        insta::assert_snapshot!(format!("letter_{language}"), letters[0].text);
    }
}

#[test]
fn every_amount_is_one_of_the_results() {
    let dossier = dossier();
    let html = dossier.html(Language::English).unwrap();
    let mut known = vec![3_100_000_000, 3_000_000_000];
    let mut note = |amount: Amount| known.extend([amount.lower(), amount.upper()]);
    for trace in &dossier.traces {
        trace.roots.iter().for_each(|root| note(root.amount));
        trace.flows.iter().for_each(|flow| note(flow.amount));
        trace.leaves.iter().for_each(|leaf| note(leaf.amount));
        trace.bookings.iter().for_each(|booking| note(booking.amount));
    }
    for trace in &dossier.traces {
        known.extend([trace.totals.root_sat, trace.totals.booked_sat]);
        known.extend(trace.totals.booked_lower_sat);
        known.extend(trace.leaves.iter().map(|leaf| leaf.output.value_sat));
    }
    // What each transaction moved.
    let argued = &dossier.traces[0];
    for flow in &argued.flows {
        let same = argued.flows.iter().filter(|other| other.txid == flow.txid);
        known.push(same.map(|flow| flow.amount.upper()).sum());
    }
    let found = amounts(&html);
    assert!(found.len() > 40, "{}", found.len());
    for (sat, text) in found {
        assert_eq!(text, btc(sat));
        assert!(known.contains(&sat), "{sat} is no amount of the results");
    }
}

#[test]
fn destinations_add_up_to_what_was_started_with() {
    let dossier = dossier();
    let html = dossier.html(Language::Japanese).unwrap();
    let table = html.split_once("<section id=\"destinations\">").unwrap().1;
    let (body, foot) = table.split_once("<tfoot>").unwrap();
    let (sum, start) = foot.split_once("class=\"start\"").unwrap();
    let (sum, start) = (cells(sum), cells(start.split_once("</tr>").unwrap().0));
    let mut columns = vec![Vec::new(); dossier.traces.len()];
    for row in body.split("<tr>").skip(2) {
        for (column, cell) in columns.iter_mut().zip(cells(row)) {
            column.push(cell);
        }
    }
    for (number, trace) in dossier.traces.iter().enumerate() {
        let added: u64 = columns[number].iter().filter_map(|cell| cell.last()).sum();
        assert_eq!(sum[number].last(), Some(&trace.totals.booked_sat));
        assert_eq!(start[number], [trace.totals.root_sat]);
        let policy = trace.provenance.parameters.policy;
        if policy != "bounds" {
            assert_eq!(added, trace.totals.booked_sat, "{policy}");
        }
        if trace.totals.equal.is_some() {
            assert_eq!(added, trace.totals.root_sat, "{policy}");
        }
    }
}

#[test]
fn the_page_loads_nothing_and_text_from_outside_stays_text() {
    let hostile =
        "</title><script>alert(1)</script>\u{202e}\"'><img src=x onerror=y>{{ w.report }}\n.";
    let mut dossier = dossier();
    dossier.title = hostile.to_owned();
    dossier.victim = Some(hostile.to_owned());
    dossier.notes = vec![hostile.to_owned()];
    dossier.thefts[0].text = hostile.to_owned();
    dossier.thefts[0].note = Some(hostile.to_owned());
    dossier.sources[0].title = hostile.to_owned();
    dossier.sources[0].url = Some("javascript:alert(1)//https://".to_owned());
    dossier.sources[0].says = Some(hostile.to_owned());
    dossier.bundle.file = hostile.to_owned();
    for trace in &mut dossier.traces {
        for booking in trace.bookings.iter_mut().filter(|one| one.stop_reason == "service") {
            booking.entity = Some(hostile.to_owned());
            booking.category = Some(hostile.to_owned());
        }
        for leaf in trace.leaves.iter_mut().filter(|one| one.stop_reason == "service") {
            leaf.entity = Some(hostile.to_owned());
            leaf.category = Some(hostile.to_owned());
            leaf.tags = vec![Tag::new(hostile.to_owned(), hostile.to_owned(), None)];
        }
    }
    let safe = |c: char| c != '\u{202e}' && (c == '\n' || !c.is_control());
    for language in Language::ALL {
        let html = dossier.html(language).unwrap();
        let lower = html.to_lowercase();
        for tag in
            ["<script", "<img", "<link", "<iframe", "<object", "@import", "url(http", "href="]
        {
            assert!(!lower.contains(tag), "{tag}");
        }
        assert!(html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"));
        assert!(html.chars().all(safe));
        let letters = dossier.letters(language).unwrap();
        assert!(letters[0].text.chars().all(safe));
        assert!(letters[0].text.contains("{{ w.report }}"));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        assert!(letters[0].file.chars().all(plain), "{}", letters[0].file);
        assert!(!letters[0].file.contains("..") && letters[0].file.len() < 80);
    }
}

#[test]
fn long_tables_are_cut_and_say_so() {
    let mut dossier = dossier();
    let flows: Vec<Flow> = dossier.traces[0].flows.iter().cycle().take(1_234).cloned().collect();
    dossier.traces[0].flows = flows;
    let html = dossier.html(Language::English).unwrap();
    let expected = format!(
        "Shown are the {ROWS} largest of 1,234. All of them are in results/haircut.jsonl in the bundle."
    );
    assert!(html.contains(&expected));
    let hops =
        html.split_once("<section id=\"hops\">").unwrap().1.split_once("</section>").unwrap().0;
    assert_eq!(hops.matches("<tr>").count(), ROWS + 1);
}

#[test]
fn a_mixer_gets_no_letter_and_nobody_to_call_is_said() {
    let mut dossier = dossier();
    for booking in dossier.traces.iter_mut().flat_map(|trace| &mut trace.bookings) {
        booking.category = booking.category.take().map(|_| "mixing_service".to_owned());
    }
    assert!(dossier.letters(Language::English).unwrap().is_empty());
    let html = dossier.html(Language::English).unwrap();
    assert!(html.contains(Language::English.words().freeze_none));
}

#[test]
fn without_traces_there_is_no_report() {
    let mut dossier = dossier();
    dossier.traces.clear();
    assert!(matches!(dossier.html(Language::English), Err(Error::NothingToReport)));
}

#[test]
fn codes_of_languages_lead_back() {
    for language in Language::ALL {
        assert_eq!(language.code().parse(), Ok(language));
    }
    assert!("de".parse::<Language>().unwrap_err().to_string().contains("en or ja"));
}
