//! Pictures of heists of many shapes: readable, whole, and the same every time.

use std::collections::BTreeMap;

use analyze::trace::Policy;
use proptest::prelude::*;

use super::{graph::Kind, *};
use crate::tests::{Case, shapes, xml};

fn picture(document: &TraceDocument, options: &Options) -> String {
    let mut out = Vec::new();
    write(document, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn golden(name: &str, document: &TraceDocument) {
    check(document, &Options::default());
    let picture = picture(document, &Options::default());
    insta::assert_binary_snapshot!(&format!("{name}.svg"), picture.into_bytes());
}

/// Everything that must hold for any picture.
#[track_caller]
fn check(document: &TraceDocument, options: &Options) {
    let made = Picture::new(document, options);
    let (text, size, texts) = made.draw(document, options);
    xml::check(&text);
    legible(size, texts);
    if document.totals.equal == Some(true) && !document.flows_truncated {
        whole(document, &made);
    }
    // At least what is said, or one box for each kind of end where that is more.
    let columns = rank::columns(&rank::ranks(&made.graph));
    assert!(columns.len() <= options.columns.max(3), "{} columns", columns.len());
    for column in columns {
        let kinds = |node: &&usize| made.graph.nodes[**node].is_end();
        let ends = column.iter().filter(kinds).count();
        let rows = options.rows.max(4);
        assert!(column.len() <= rows.max(rows / 2 + 9), "{} rows, {ends} ends", column.len());
    }
}

/// No text leaves the canvas or touches another.
#[track_caller]
fn legible((width, height): (i64, i64), mut texts: Vec<Area>) {
    for text in &texts {
        assert!(text.x >= 0 && text.x + text.width <= width, "{text:?} of {width}");
        assert!(text.y >= 0 && text.y + text.height <= height, "{text:?} of {height}");
    }
    texts.sort_by_key(|text| text.y);
    for (place, a) in texts.iter().enumerate() {
        for b in texts.iter().skip(place + 1).take_while(|b| b.y < a.y + a.height) {
            assert!(a.x + a.width <= b.x || b.x + b.width <= a.x, "{a:?} and {b:?} overlap");
        }
    }
}

/// What is drawn adds up to what is booked, and what enters a transaction leaves it.
#[track_caller]
fn whole(document: &TraceDocument, made: &Picture) {
    let mut drawn: BTreeMap<&str, u64> = BTreeMap::new();
    for node in made.graph.nodes.iter().filter(|node| node.is_end()) {
        *drawn.entry(&node.reason).or_default() += node.sum.upper;
    }
    *drawn.entry("fee").or_default() += made.left_out.sum.upper;
    drawn.retain(|_, sum| *sum > 0);
    let booked = document.bookings.iter().map(|b| (b.stop_reason.as_str(), b.amount.upper()));
    let booked: BTreeMap<&str, u64> = booked.filter(|(_, sum)| *sum > 0).collect();
    assert_eq!(drawn, booked);
    let (mut entering, mut leaving) = (BTreeMap::new(), BTreeMap::new());
    for edge in &made.graph.edges {
        *entering.entry(edge.to).or_insert(0) += edge.sum.upper;
        *leaving.entry(edge.from).or_insert(0) += edge.sum.upper;
    }
    let backward = document.provenance.parameters.direction == "backward";
    let mut lost = 0;
    for (number, node) in made.graph.nodes.iter().enumerate() {
        let (enters, leaves) = (entering.get(&number), leaving.get(&number));
        let (enters, leaves) = (enters.copied().unwrap_or(0), leaves.copied().unwrap_or(0));
        match node.kind {
            Kind::Tx | Kind::CoinJoinTx => lost += enters - leaves,
            Kind::Root(_) if backward => assert_eq!(leaves + node.sum.upper, enters),
            Kind::Root(_) => assert_eq!(enters + node.sum.upper, leaves),
            Kind::End(_) => assert_eq!(enters.max(leaves), node.sum.upper),
        }
    }
    assert_eq!(lost, made.left_out.sum.upper, "transactions lose more than the fees left out");
}

#[test]
fn golden_pictures() {
    golden("tiny", &shapes::tiny().document());
    golden("heist", &shapes::heist().document());
    golden("wide", &shapes::wide(500).document());
    golden("deep", &shapes::deep(100).document());
    golden("two_thefts", &shapes::two_thefts().document());
    golden("two_thefts_bounds", &shapes::two_thefts().policy(Policy::Bounds).document());
    golden("heist_poison", &shapes::heist().policy(Policy::Poison).document());
    golden("backward", &shapes::backward().document());
}

#[test]
fn any_policy_and_size() {
    for mut case in [shapes::heist(), shapes::deep(30), shapes::wide(60), shapes::backward()] {
        for policy in Policy::ALL {
            case.query.policy = policy;
            let document = case.document();
            for (columns, rows) in [(3, 4), (4, 6), (12, 40)] {
                check(&document, &Options { columns, rows, title: None });
            }
        }
    }
}

#[test]
fn ten_thousand_edges_are_folded_to_what_can_be_read() {
    // A multiplicative generator, so that the picture is the same every time.
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state * 48_271 % 2_147_483_647;
        state % below
    };
    let mut step = || {
        let inputs = (0..=random(2)).map(|_| usize::try_from(random(1000)).unwrap()).collect();
        let outputs = (0..=random(4)).map(|_| 1 + random(1000) * random(1000)).collect();
        (inputs, outputs)
    };
    let steps: Vec<_> = (0..3_000).map(|_| step()).collect();
    let document = shapes::mesh(&steps).document();
    assert!(document.flows.len() > 10_000, "{}", document.flows.len());
    golden("mesh", &document);
}

#[test]
fn a_theft_that_never_moved() {
    let document = Case::new("block\ntx coins: coinbase -> Thief:50", "coins:0").document();
    check(&document, &Options::default());
    assert!(picture(&document, &Options::default()).contains("unspent"));
}

#[test]
fn a_trace_cut_off_at_its_limit_says_so() {
    let mut case = shapes::heist();
    for (flows, leaves) in [(0, 1000), (40, 1000), (200, 3)] {
        (case.query.limits.flows, case.query.limits.leaves) = (flows, leaves);
        let document = case.document();
        check(&document, &Options::default());
        assert!(picture(&document, &Options::default()).contains("INCOMPLETE"));
    }
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "</title><script>alert(1)</script>\u{202e}\u{1b}[2J&\"'\u{fdfd}\u{fdfd}\u{fdfd}";
    let mut case = shapes::tiny();
    case.owners = vec![("Exchange".into(), hostile)];
    let options = Options { title: Some(hostile.repeat(30)), ..Options::default() };
    let document = case.document();
    check(&document, &options);
    let picture = picture(&document, &options);
    assert!(!picture.contains("<script") && !picture.contains('\u{1b}'));
    assert!(!picture.contains('\u{202e}'));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: testkit::cases(48), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mesh(
        steps in prop::collection::vec(
            (prop::collection::vec(0..1000_usize, 1..4), prop::collection::vec(1..1000_u64, 1..6)),
            1..60,
        ),
        policy in 0..6_usize,
        columns in 3..9_usize,
        rows in 4..16_usize,
    ) {
        let document = shapes::mesh(&steps).policy(Policy::ALL[policy]).document();
        let options = Options { columns, rows, title: None };
        check(&document, &options);
        prop_assert_eq!(picture(&document, &options), picture(&document, &options));
    }
}
