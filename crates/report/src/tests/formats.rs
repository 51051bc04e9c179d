//! Every format on a small trace, word for word.

use analyze::trace::Policy;

use super::{shapes, xml};
use crate::{
    export::{self, Format, csv, markdown},
    model::TraceDocument,
};

fn text(document: &TraceDocument, format: Format) -> String {
    let mut out = Vec::new();
    export::write(document, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn json() {
    insta::assert_snapshot!("tiny_json", text(&shapes::tiny().document(), Format::Json));
    let bounds = shapes::two_thefts().policy(Policy::Bounds).document();
    insta::assert_snapshot!("two_thefts_bounds_json", text(&bounds, Format::Json));
}

#[test]
fn csv_parts() {
    let document = shapes::two_thefts().document();
    let mut out = Vec::new();
    for part in [csv::Part::Flows, csv::Part::Leaves, csv::Part::Bookings] {
        csv::write(&document, part, &mut out).unwrap();
        out.push(b'\n');
    }
    insta::assert_snapshot!("two_thefts_csv", String::from_utf8(out).unwrap());
}

#[test]
fn graphs() {
    insta::assert_snapshot!("tiny_dot", text(&shapes::tiny().document(), Format::Dot));
    insta::assert_snapshot!("tiny_graphml", text(&shapes::tiny().document(), Format::Graphml));
    insta::assert_snapshot!("tiny_gexf", text(&shapes::tiny().document(), Format::Gexf));
}

#[test]
fn table() {
    insta::assert_snapshot!("tiny_table", text(&shapes::tiny().document(), Format::Table));
    insta::assert_snapshot!("heist_table", text(&shapes::heist().document(), Format::Table));
    let bounds = shapes::two_thefts().policy(Policy::Bounds).document();
    insta::assert_snapshot!("two_thefts_bounds_table", text(&bounds, Format::Table));
}

#[test]
fn markdown_page() {
    let documents: Vec<_> =
        Policy::ALL.iter().map(|policy| shapes::tiny().policy(*policy).document()).collect();
    let options = markdown::Options { picture: Some("flow.svg".into()), ..Default::default() };
    let mut out = Vec::new();
    markdown::write(&documents, &options, &mut out).unwrap();
    insta::assert_snapshot!("tiny_markdown", String::from_utf8(out).unwrap());
    assert!(markdown::write(&[], &options, &mut Vec::new()).is_err());
}

#[test]
fn the_json_is_the_document() {
    for case in
        [shapes::tiny(), shapes::two_thefts().backward(), shapes::heist().policy(Policy::Poison)]
    {
        let document = case.document();
        let written: serde_json::Value =
            serde_json::from_str(&text(&document, Format::Json)).unwrap();
        assert_eq!(written, serde_json::to_value(&document).unwrap());
    }
}

#[test]
fn sums_of_the_document_agree() {
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves_value()) {
        let document = shapes::heist().policy(policy).document();
        assert_eq!(document.totals.equal, Some(true));
        let roots: u64 = document.roots.iter().map(|root| root.amount.upper()).sum();
        let booked: u64 = document.bookings.iter().map(|booking| booking.amount.upper()).sum();
        assert_eq!((roots, booked), (document.totals.root_sat, document.totals.booked_sat));
        let leaves: u64 = document.leaves.iter().map(|leaf| leaf.amount.upper()).sum();
        let fees = document.bookings.iter().filter(|booking| booking.stop_reason == "fee");
        assert_eq!(leaves + fees.map(|fee| fee.amount.upper()).sum::<u64>(), booked);
    }
}

#[test]
fn hostile_labels_stay_text_in_every_format() {
    let hostile = "=cmd()|\"'<script>&\u{1b}[31m\u{202e}\r\n\\N`|_";
    let mut case = shapes::tiny();
    case.owners = vec![("Exchange".into(), hostile)];
    let document = case.document();
    for format in Format::ALL {
        let text = text(&document, format);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{format}");
        assert_eq!(text.contains('\u{202e}'), format == Format::Json, "{format}");
        match format {
            Format::Graphml | Format::Gexf | Format::Svg => xml::check(&text),
            Format::Json => assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok()),
            _ => {}
        }
    }
    let mut leaves = Vec::new();
    csv::write(&document, csv::Part::Leaves, &mut leaves).unwrap();
    let leaves = String::from_utf8(leaves).unwrap();
    assert_eq!(leaves.lines().count(), 1 + document.leaves.len());
    assert!(leaves.contains(",\"'=cmd()"), "{leaves}");
}
