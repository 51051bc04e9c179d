use super::*;
use crate::Error;

const TXID: &str = "975ec405c9d4adcc0d02d2f3d3b9f5f3a5d8a2b1c0d9e8f7a6b5c4d3e2f1a0b9";

fn theft() -> String {
    format!("[[theft]]\noutput = \"{TXID}:1\"\n")
}

#[test]
fn little_has_to_be_said() {
    let case = Case::parse(&format!("title = \"A\"\n{}", theft())).unwrap();
    assert_eq!((case.network, case.policy()), (Network::Mainnet, Policy::Haircut));
    assert_eq!(case.policies, POLICIES);
    assert_eq!(case.stops, CaseStops::default());
    assert!(matches!(case.roots()[..], [RootSpec::Output(out)] if out.vout == 1));
}

#[test]
fn everything_can_be_said() {
    let text = format!(
        "title = 'T'\nnetwork = 'mainnet'\nvictim = 'V'\nlabels = ['l.yaml']\nnotes = ['n']\n\
         [[theft]]\ntransaction = '{TXID}'\namount_sat = 450_290_000_000\nsource = 'p'\nnote = 'x'\n\
         [[theft]]\naddress = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'\n\
         [trace]\npolicy = 'fifo'\nalternatives = ['fifo', 'bounds']\nfees = 'drop'\n\
         [stops]\nat = ['service', 'coinjoin']\naddresses = ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa']\n\
         until_height = 9\nmax_hops = 8\nmin_tainted_sat = 7\nmax_transactions = 6\nmin_confidence = 5\n\
         [[source]]\nid = 'p'\ntitle = 'P'\nurl = 'u'\ndate = 'd'\nsays = 'likely'\n"
    );
    let case = Case::parse(&text).unwrap();
    assert_eq!(case.policies, [Policy::Fifo, Policy::Bounds]);
    assert_eq!((case.thefts.len(), case.thefts[0].amount_sat), (2, Some(450_290_000_000)));
    assert_eq!((case.stops.services, case.stops.coinjoins), (true, true));
    assert_eq!((case.stops.addresses.len(), case.stops.min_confidence), (1, 5));
    assert_eq!(case.sources[0].says.as_deref(), Some("likely"));
}

#[test]
fn the_template_becomes_a_case_when_its_theft_is_filled_in() {
    let empty = template("A \"title\"", Network::Regtest, &[]);
    assert!(matches!(Case::parse(&empty), Err(Error::CaseFile { .. })));
    let roots =
        [format!("{TXID}:3"), TXID.to_owned(), "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa".to_owned()];
    let case = Case::parse(&template("A \"title\"", Network::Mainnet, &roots)).unwrap();
    assert_eq!((case.title.as_str(), case.thefts.len()), ("A \"title\"", 3));
    assert_eq!(case.policies, POLICIES);
    // Every key that is commented out is one that is known.
    let all: String = template("A", Network::Mainnet, &roots)
        .lines()
        .map(|line| {
            let key = line.strip_prefix("# ").filter(|rest| {
                rest.contains(" = ") && !rest.contains("`") && rest.starts_with(char::is_lowercase)
                    || rest.starts_with("[[")
            });
            format!("{}\n", key.unwrap_or(line))
        })
        .collect();
    let all = all.replace("[\"...\"]", "[]");
    let case = Case::parse(&all).unwrap();
    assert_eq!((case.sources.len(), case.stops.max_hops), (1, Some(100)));
}

#[track_caller]
fn wrong(text: &str, place: (usize, usize), words: &[&str]) {
    let Err(Error::CaseFile { line, column, detail }) = Case::parse(text) else {
        panic!("was read");
    };
    assert_eq!((line, column), place, "{detail}");
    for word in words {
        assert!(detail.contains(word), "no '{word}' in: {detail}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let title = "title = 'T'\n";
    wrong(title, (1, 1), &["[[theft]]"]);
    wrong("tilte = 'T'", (1, 1), &["`tilte`", "did you mean `title`?"]);
    wrong("title = ", (1, 9), &[]);
    wrong(&format!("{title}network = 'mainet'\n{}", theft()), (2, 11), &["mean `mainnet`?"]);
    wrong(&format!("{title}[[theft]]\nouput = 'x'"), (3, 1), &["did you mean `output`?"]);
    wrong(&format!("{title}[[theft]]\noutput = '{TXID}'"), (3, 10), &["TXID:VOUT"]);
    wrong(&format!("{title}[[theft]]\ntransaction = 'ab'"), (3, 15), &["64"]);
    wrong(&format!("{title}[[theft]]\naddress = '1A1zP1eP'"), (3, 11), &["not a Bitcoin address"]);
    wrong(&format!("{title}[[theft]]\nnote = 'x'"), (2, 1), &["names one thing"]);
    wrong(&format!("{title}{}transaction = '{TXID}'", theft()), (2, 1), &["names one thing"]);
    wrong(&format!("{title}{}source = 'p'", theft()), (4, 10), &["no [[source]]"]);
    let base = format!("{title}{}", theft());
    wrong(&format!("{base}[trace]\npolicy = 'hairct'"), (5, 10), &["did you mean `haircut`?"]);
    wrong(&format!("{base}[trace]\nfees = 'follow'"), (5, 8), &["every transaction of a block"]);
    wrong(&format!("{base}[trace]\nalternatives = ['x']"), (5, 17), &["unknown policy"]);
    wrong(&format!("{base}[stops]\nat = ['servise']"), (5, 7), &["did you mean `service`?"]); // typos:ignore
    wrong(&format!("{base}[stops]\nmin_confidence = 101"), (5, 18), &["0 to 100"]);
    wrong(&format!("{base}[stops]\nmaxhops = 1"), (5, 1), &["did you mean `max_hops`?"]);
    let source = "[[source]]\nid = 'a'\ntitle = 'A'\n";
    wrong(&format!("{base}{source}{source}"), (7, 1), &["another source"]);
}
