//! What documents of each format say, and what answers a set gives about it.

use chain::{Network, Txid};
use intel::{Defaults, Document, Settings, set::NamedAs, taxonomy::Role};

use crate::{claims, import, set};

const GENESIS: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
const SEGWIT: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

#[track_caller]
fn check(name: &str, text: &str, expected: &str) {
    let import = import(name, text).unwrap();
    assert_eq!(import.report.rejected, []);
    let found = claims(&set(&[import]));
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    assert_eq!(lines(&found), lines(expected));
}

fn script(address: &str) -> Vec<u8> {
    chain::script::parse(address, Network::Mainnet).unwrap().into_bytes()
}

#[test]
fn tags_inherit_from_the_header_and_win_over_it() {
    check(
        "p.yaml",
        &format!(
            "title: T\ncreator: C\nlabel: outer\nsource: s\ncurrency: BTC\nconfidence: forensic\n\
             category: exchange\nconcepts: [hot_wallet]\nactor: a\ntags:\n\
             - address: {GENESIS}\n\
             - {{address: {SEGWIT}, label: inner, concepts: [b, a, a], confidence: override}}\n"
        ),
        &format!(
            "{SEGWIT} inner [exchange,a,b] a 100 BTC s
             {GENESIS} outer [exchange,hot_wallet] a 50 BTC s"
        ),
    );
}

#[test]
fn the_header_may_come_last_and_json_is_yaml() {
    let text = format!(r#"{{"tags": [{{"address": "{GENESIS}"}}], "label": "x", "source": "s"}}"#);
    check("p.json", &text, &format!("{GENESIS} x [] - 5 BTC s"));
}

#[test]
fn subjects_of_every_kind() {
    let text = "label: x\nsource: [a, b]\nconfidence: low\ntags:\n\
        - {address: '0x098B716B8Aaf21512996dC57EB0615e2383E2f96', currency: ETH}\n\
        - {tx_hash: 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b, currency: BTC}\n\
        - {tx_hash: 0xAB, currency: USDT, network: ETH}\n\
        - {address: 'script:51', currency: BTC}\n\
        - {coinbase_text: /Pool/}\n";
    check(
        "p.yaml",
        text,
        "script:51 x [] - 20 BTC a ; b
         4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b x [] - 20 BTC a ; b
         0x098b716b8aaf21512996dc57eb0615e2383e2f96 x [] - 20 ETH a ; b
         0xab x [] - 20 USDT a ; b
         /Pool/ x [] - 20 BTC a ; b",
    );
    let set = set(&[import("p.yaml", text).unwrap()]);
    let txid: Txid =
        "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b".parse().unwrap();
    assert_eq!(set.of_transaction(&txid).len(), 1);
    let upper = "0x098B716B8AAF21512996DC57EB0615E2383E2F96";
    assert_eq!(set.of_address_elsewhere("eth", upper).len(), 1);
    assert_eq!(set.networks_elsewhere(), ["ETH"]);
    assert_eq!(set.of_coinbase(b"\x03abc/Pool/xyz").len(), 1);
    assert!(set.of_coinbase(b"/Poo").is_empty());
    assert_eq!(set.of_script(&[0x51]).next().unwrap().sources().count(), 2);
}

#[test]
fn tables_of_tags_and_of_incidents() {
    check(
        "tags.csv",
        &format!(
            "label,address,source,confidence,concepts,currency\r\n\
             \"a, b\",{GENESIS},s,web_crawl,scam;phishing,\n"
        ),
        &format!("{GENESIS} a, b [phishing,scam] - 20 BTC s"),
    );
    check(
        "incidents.csv",
        &format!(
            "incident,date,attribution,chain,address,role,confidence,public_source\n\
             theft,2024-05-31,TraderTraitor (DPRK) per FBI,BTC,{GENESIS},\"cashout (x, y)\",medium,u\n"
        ),
        &format!("{GENESIS} theft [hacking,money_laundering] tradertraitor 40 BTC u"),
    );
}

#[test]
fn lists_take_their_header_from_the_name_or_from_outside() {
    check(
        "dir/sanctioned_addresses_XBT.txt",
        &format!("# list\n\n{GENESIS} # the first\n"),
        &format!(
            "{GENESIS} OFAC SDN list [sanction,gov_black_list] - 60 BTC https://sanctionslist.ofac.treas.gov/Home/SdnList"
        ),
    );
    let defaults =
        Defaults { label: Some("mine".into()), source: Some("me".into()), ..Defaults::default() };
    let settings = Settings { defaults, ..Settings::new(Network::Mainnet) };
    let text = format!("[\"{GENESIS}\"]");
    let document = Document { name: "l.json", bytes: text.as_bytes() };
    let found = intel::import(document, &settings).unwrap();
    assert_eq!(claims(&set(&[found])), format!("{GENESIS} mine [] - 5 BTC me\n"));
    let error = import("l.json", &text).unwrap_err().to_string();
    assert_eq!(error, "l.json: the list does not say its label: give it with the import");
}

#[test]
fn pools_old_and_new() {
    let home = "https://github.com/mempool/mining-pools";
    let expected = format!(
        "{GENESIS} P [mining_service] - 50 BTC {home}
         /P/ P [mining_service] - 50 BTC {home}"
    );
    let new =
        format!(r#"[{{"id":1,"name":"P","addresses":["{GENESIS}"],"tags":["/P/"],"link":"l"}}]"#);
    check("pools-v2.json", &new, &expected);
    let old = format!(
        r#"{{"coinbase_tags":{{"/P/":{{"name":"P","link":"l"}}}},"payout_addresses":{{"{GENESIS}":{{"name":"P","link":"l"}}}}}}"#
    );
    check("pools.json", &old, &expected);
}

#[test]
fn contradictions_stay_side_by_side() {
    let pack = |label: &str, actor: &str, category: &str, confidence: &str| {
        let text = format!(
            "title: {label}\nlabel: {label}\nsource: s\nconfidence: {confidence}\nactor: {actor}\n\
             category: {category}\ntags: [{{address: {GENESIS}}}]"
        );
        import("p.yaml", &text).unwrap()
    };
    let both =
        set(&[pack("x", "one", "exchange", "heuristic"), pack("y", "two", "miner", "ownership")]);
    let said = both.of_script(&script(GENESIS));
    assert_eq!(said.len(), 2);
    let disagreement = said.clone().disagreement().unwrap();
    assert_eq!(disagreement.actors, ["one", "two"]);
    assert_eq!(disagreement.categories, ["exchange", "miner"]);
    let levels: Vec<u8> = said.ranked().iter().map(|claim| claim.confidence().level).collect();
    assert_eq!(levels, [100, 10]);
    assert!(
        set(&[pack("x", "one", "exchange", "heuristic")])
            .of_script(&script(GENESIS))
            .disagreement()
            .is_none()
    );
}

#[test]
fn mixers_never_define_clusters() {
    let tag = |category: &str| {
        let text = format!(
            "label: x\nsource: s\nis_cluster_definer: true\ncategory: {category}\n\
             tags: [{{address: {GENESIS}}}]"
        );
        let set = set(&[import("p.yaml", &text).unwrap()]);
        let claim = set.of_script(&script(GENESIS)).next().unwrap();
        (claim.is_cluster_definer(), claim.defines_cluster(), claim.has_role(Role::Mixing))
    };
    assert_eq!(tag("exchange"), (Some(true), true, false));
    assert_eq!(tag("coinjoin"), (Some(true), false, true));
    assert_eq!(tag("mixing_service"), (Some(true), false, true));
}

#[test]
fn searches() {
    let text = format!(
        "source: s\ntags:\n\
         - {{address: {GENESIS}, label: Binance Hot, actor: binance, category: exchange}}\n\
         - {{address: {SEGWIT}, label: binance cold, actor: binance, abuse: scam}}\n\
         - {{address: {SEGWIT}, label: Not Binance}}\n"
    );
    let set = set(&[import("p.yaml", &text).unwrap()]);
    let labels = |found: Vec<intel::set::StatementRef<'_>>| -> Vec<String> {
        found.into_iter().map(|said| said.label().to_owned()).collect()
    };
    assert_eq!(labels(set.by_label_prefix("BINANCE", 9)), ["binance cold", "Binance Hot"]);
    assert_eq!(labels(set.by_label_prefix("binance", 1)), ["binance cold"]);
    assert_eq!(labels(set.by_label("nance", 9)), ["binance cold", "Binance Hot", "Not Binance"]);
    assert_eq!(set.by_label("zzz", 9).len(), 0);
    assert_eq!(set.by_actor("binance").map(|said| said.claims().len()).sum::<usize>(), 2);
    assert_eq!(set.by_concept("scam").count(), 1);
    assert_eq!(set.by_concept("nothing").count(), 0);
    assert!(set.of_script(b"never seen").is_empty());
}

#[test]
fn a_name_leads_to_a_set_of_actors_with_sources() {
    let set = intel::TagSet::initial(Network::Mainnet).unwrap();
    let resolve = |name: &str| -> Vec<(String, NamedAs, String)> {
        let found = set.resolve(name).into_iter();
        found.map(|n| (n.actor.id().to_owned(), n.how, n.source.to_owned())).collect()
    };
    let fbi = "FBI, DC3 and NPA, 2024-12-23";
    let jade = resolve("jade sleet");
    assert!(
        jade.len() >= 2
            && jade.iter().all(|(id, how, _)| id == "tradertraitor" && *how == NamedAs::Alias)
    );
    // One source has the name, the other does not.
    assert_eq!(resolve("Slow Pisces"), [("tradertraitor".into(), NamedAs::Alias, fbi.into())]);
    assert_eq!(resolve("UNC-4899").len(), 2);
    // Two sources give the same name to two actors: both are found.
    let mut disputed: Vec<String> =
        resolve("Labyrinth Chollima").into_iter().map(|(id, ..)| id).collect();
    disputed.sort();
    assert_eq!(disputed, ["lazarusgroup", "tradertraitor"]);
    let [actor] = set.actor("tradertraitor")[..] else { panic!("one description") };
    assert!(actor.part_of().iter().any(|(group, _)| *group == "lazarusgroup"));
    assert!(actor.part_of().iter().all(|(_, source)| !source.is_empty()));
    assert!(resolve("nobody").is_empty() && set.actor("Jade Sleet").is_empty());
}

#[test]
fn packs_can_be_replaced() {
    let edition = |address: &str| {
        let text =
            format!("title: T\ncreator: C\nlabel: x\nsource: s\ntags: [{{address: {address}}}]");
        import("p.yaml", &text).unwrap()
    };
    let old = set(&[edition(GENESIS)]);
    let mut builder = intel::TagSetBuilder::from_set(&old);
    assert_eq!(builder.remove_packs(|pack| pack.title == "T" && pack.creator == "C"), 1);
    let new = builder.add(&edition(SEGWIT)).unwrap().build().unwrap();
    assert_eq!(new.digest(), set(&[edition(SEGWIT)]).digest());
    assert_ne!(new.digest(), old.digest());
}
