//! `chainhound case report`: from a bundle to a page and letters.

use std::fs;

use ::cases::results::{Amount, Line};

use crate::{
    cases::{home, make},
    harness::{edit, text},
};

/// Every amount in a table of a page.
fn amounts(html: &str) -> Vec<u64> {
    let parts = html.split("<data value=\"").skip(1);
    parts.map(|part| part.split_once('"').unwrap().0.parse().unwrap()).collect()
}

#[test]
fn a_bundle_becomes_a_page_and_letters() {
    let home = home();
    make(&home, "case.zip", &[]);
    let (bundle, out) = (home.path("case.zip"), home.path("report.html"));
    let letters = home.path("letters");
    let args = ["case", "report", text(&bundle), "--out", text(&out), "--letters", text(&letters)];
    let answer = home.run(&[&args[..], &["--format", "json"]].concat()).json();
    assert_eq!(answer["schema"], "chainhound.case_report.v1");
    let html = fs::read(&out).unwrap();
    assert_eq!(answer["sha256"], ::cases::sha256_hex(&html));
    home.run(&args).ok();
    assert_eq!(fs::read(&out).unwrap(), html);
    let html = String::from_utf8(html).unwrap();

    let opened = ::cases::bundle::Opened::read(&fs::read(&bundle).unwrap()).unwrap();
    let section = |id: &str| {
        let from = html.split_once(&format!("<section id=\"{id}\">")).unwrap().1;
        from.split_once("</section>").unwrap().0
    };
    // Each column of destinations has the bookings of its policy, no more and no less.
    let (mut booked, mut steps, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (_, results)) in opened.results.iter().enumerate() {
        for line in &results.lines {
            match line {
                Line::Booking(line) => booked.extend(sats(line.amount)),
                Line::Totals(line) => {
                    booked.extend([line.root_sat, line.booked_sat]);
                    booked.extend(line.booked_lower_sat.filter(|low| *low != line.booked_sat));
                }
                Line::Step(line) if number == 0 => steps.extend(sats(line.amount)),
                Line::Leaf(line) if number == 0 => {
                    ends.extend(sats(line.amount));
                    ends.push(line.value_sat);
                }
                _ => {}
            }
        }
    }
    let mut shown = amounts(section("destinations"));
    shown.sort_unstable();
    booked.sort_unstable();
    assert_eq!(shown, booked);
    assert_eq!(amounts(section("hops")), steps);
    assert_eq!(amounts(section("ends")), ends);

    let path = letters.join("freeze-request-01-example-com.txt");
    let letter = fs::read_to_string(path).unwrap();
    let digest = ::cases::sha256_hex(&fs::read(&bundle).unwrap());
    assert!(letter.contains(&digest) && html.contains(&digest));
    assert!(letter.contains(&home.address("three")), "{letter}");
}

fn sats(amount: Amount) -> Vec<u64> {
    match amount {
        Amount::Exact { tainted_sat } => vec![tainted_sat],
        Amount::Between { lower_sat, upper_sat } if lower_sat == upper_sat => vec![upper_sat],
        Amount::Between { lower_sat, upper_sat } => vec![lower_sat, upper_sat],
        Amount::Unmeasured {} => vec![],
    }
}

#[test]
fn there_is_no_report_on_a_damaged_bundle() {
    let home = home();
    make(&home, "case.zip", &[]);
    let (bundle, out) = (home.path("case.zip"), home.path("report.html"));
    edit(&bundle, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    let run = home.run(&["case", "report", text(&bundle), "--out", text(&out)]);
    assert!(run.code == Some(1) && run.err.contains("does not hold"), "{}", run.err);
    assert!(!out.exists());
    let case = home.path("case.toml");
    home.run(&["case", "report", text(&case), "--out", text(&out)]).fails(2, &["case run"]);
    let args = ["case", "report", text(&bundle), "--out", text(&out), "--language", "de"];
    home.run(&args).fails(2, &["en or ja"]);
}
