//! Verdicts: each rule, each kind of target, and targets that are anything.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod payments;

use chain::{MemoryLedger, Network, script};
use intel::{Document, Settings, TagSet, TagSetBuilder, lookalike::Book};
use proptest::prelude::*;
use screen::{Basis, Follow, Kind, Part, Rules, Screen, Screened, Seen, Target, Verdict};
use testkit::Chain;

const GENUINE: &str = "1B6rJ6ZKfZmkqMyBGe5KR27oWkEbQdNM7P";
const THIEFS: &str = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
const OTHER: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";

fn tags(rows: &str, network: Network) -> TagSet {
    let text = format!("title: T\ncreator: c\nsource: example.org\ncurrency: BTC\ntags:\n{rows}");
    let document = Document { name: "t.yaml", bytes: text.as_bytes() };
    let import = intel::import(document, &Settings::new(network)).unwrap();
    assert_eq!(import.report.rejected, []);
    let mut builder = TagSetBuilder::from_set(&TagSet::initial(network).unwrap());
    builder.add(&import).unwrap().build().unwrap()
}

/// Everything that a screening can go by; nothing at first.
struct Desk {
    network: Network,
    rules: Rules,
    tags: Option<TagSet>,
    book: Option<Book>,
    ledger: Option<MemoryLedger>,
    follow: Follow,
}

impl Desk {
    fn new(network: Network) -> Self {
        Self {
            network,
            rules: Rules::default(),
            tags: None,
            book: None,
            ledger: None,
            follow: Follow::Indirect,
        }
    }

    fn tagged(rows: &str) -> Self {
        Self { tags: Some(tags(rows, Network::Mainnet)), ..Self::new(Network::Mainnet) }
    }

    fn book(mut self, addresses: &[&str]) -> Self {
        self.book = Some(Book::new(addresses).0);
        self
    }

    fn rules(mut self, toml: &str) -> Self {
        self.rules = Rules::from_toml(toml).unwrap();
        self
    }

    fn target(&self, target: &Target) -> Screened {
        let screen = Screen {
            network: self.network,
            rules: &self.rules,
            tags: self.tags.as_ref(),
            lent: None,
            book: self.book.as_ref(),
            label_book: None,
            ledger: self.ledger.as_ref(),
            is_whole: self.ledger.is_some(),
            exposure: self.follow,
        };
        screen.screen(target).unwrap()
    }

    fn screen(&self, text: &str) -> Screened {
        self.target(&Target::read(text, self.network))
    }

    /// The verdict, and rules with what they say, in order.
    fn said(&self, text: &str) -> String {
        let result = self.screen(text);
        let reasons = result.reasons.iter();
        let rules: Vec<_> = reasons.map(|r| format!("{}:{}", r.rule, r.verdict)).collect();
        format!("{} {}", result.verdict, rules.join(" "))
    }
}

#[test]
fn the_pair_of_the_theft_is_caught() {
    let desk = Desk::tagged("").book(&[GENUINE]);
    assert_eq!(desk.said(THIEFS), "block lookalike:block");
    let reason = &desk.screen(THIEFS).reasons[0];
    assert_eq!(reason.basis, Basis::Inference { heuristic: "lookalike_bits" });
    assert!(reason.detail.contains(GENUINE) && reason.detail.contains("33.8 bits"));
    assert_eq!(desk.said(GENUINE), "allow in_book:allow");
    // Where both are in the book, somebody may have been fooled before.
    let both = Desk::tagged("").book(&[GENUINE, THIEFS]);
    assert_eq!(both.said(THIEFS), "review lookalike:review in_book:allow");
    let strict = Desk::tagged("").book(&[GENUINE]).rules("[lookalike]\nmin_bits = 34");
    assert_eq!(strict.said(THIEFS), "allow ");
    let off = Desk::tagged("").book(&[GENUINE]).rules("[lookalike]\nverdict = 'off'");
    assert_eq!(off.said(THIEFS), "allow ");
}

#[test]
fn claims_count_for_the_first_rule_that_fits() {
    #[track_caller]
    fn check(row: &str, expected: &str) {
        assert_eq!(Desk::tagged(&format!("- {{address: {OTHER}, {row}}}")).said(OTHER), expected);
    }
    let trusted = "confidence: forensic, label: x";
    check("label: x, abuse: sanction", "block sanctioned:block");
    check("label: x, source: 'https://www.treasury.gov/ofac/x'", "block sanctioned:block");
    check(&format!("{trusted}, abuse: ransomware"), "block wrongdoing:block");
    check("label: x, abuse: ransomware", "review alleged_wrongdoing:review");
    check(&format!("{trusted}, category: mixing_service"), "review mixing:review");
    check(&format!("{trusted}, category: exchange"), "allow labelled:allow");
    check(&format!("{trusted}, category: nonsense"), "allow labelled:allow");
    check(&format!("{trusted}, actor: lazarusgroup"), "block sanctioned_actor:block");
    check("label: x, actor: lazarusgroup", "allow labelled:allow");
    check(&format!("{trusted}, actor: nobody"), "allow labelled:allow");
    let both = format!(
        "- {{address: {OTHER}, label: good, category: exchange}}\n\
         - {{address: {OTHER}, {trusted}, abuse: scam}}"
    );
    assert_eq!(Desk::tagged(&both).said(OTHER), "block wrongdoing:block labelled:allow");
    let own = "[[tagged]]\nid = 'bets'\nverdict = 'review'\nconcepts = ['gambling']";
    let desk = Desk::tagged(&format!("- {{address: {OTHER}, label: x, category: gambling}}"));
    assert_eq!(desk.rules(own).said(OTHER), "review bets:review");
}

#[test]
fn a_group_under_sanctions_is_reached_by_memberships() {
    let row =
        format!("- {{address: {THIEFS}, label: x, confidence: medium, actor: tradertraitor}}");
    let result = Desk::tagged(&row).screen(THIEFS);
    let reason = &result.reasons[0];
    assert_eq!((reason.rule.as_str(), result.verdict), ("sanctioned_actor", Verdict::Block));
    assert_eq!(reason.path[1], "actor tradertraitor");
    assert!(reason.path[2].contains("is part of") && reason.path[2].contains("according to"));
    assert!(reason.path[3].contains("under 'sanction'"), "{:?}", reason.path);
    let Basis::Claim { confidence, .. } = reason.basis else { panic!("a claim") };
    assert_eq!(confidence, 40);
}

#[test]
fn what_cannot_be_read_is_not_passed() {
    let desk = Desk::tagged("");
    assert_eq!(desk.said("hello"), "block unreadable:block");
    assert_eq!(desk.said(""), "block unreadable:block");
    assert_eq!(desk.said("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"), "block bad_checksum:block");
    let regtest = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    assert_eq!(desk.said(regtest), "block wrong_network:block");
    let ether = "0x098b716b8aaf21512996dc57eb0615e2383e2f96";
    assert_eq!(desk.said(ether), "block wrong_network:block");
    let row = format!("- {{address: '{ether}', currency: ETH, label: x, abuse: sanction}}");
    assert_eq!(Desk::tagged(&row).said(ether), "block wrong_network:block sanctioned:block");
    assert_eq!(
        Desk::tagged(&row).rules("[wrong_network]\nverdict='off'").said(ether),
        "block sanctioned:block"
    );
}

#[test]
fn nothing_to_go_by_is_no_all_clear() {
    let desk = Desk::new(Network::Mainnet);
    assert_eq!(desk.said(OTHER), "review no_labels:review");
    let missing: Vec<_> = desk.screen(OTHER).not_assessed.iter().map(|row| row.what).collect();
    assert_eq!(missing[..3], ["labels", "lookalike", "seen"]);
    assert_eq!(Desk::new(Network::Mainnet).book(&[OTHER]).said(OTHER), "allow in_book:allow");
    let all = Desk::tagged("").book(&[GENUINE]);
    assert!(
        all.screen(OTHER)
            .not_assessed
            .iter()
            .all(|row| !["labels", "lookalike"].contains(&row.what))
    );
}

const CHAIN: &str = "
block
tx funds: coinbase -> victim:50
block
tx theft: funds:0 -> thief:30 change:19
blocks 5
";

fn on_chain(rows: &[(&str, &str)]) -> (Desk, Chain) {
    let chain = Chain::parse(CHAIN).unwrap();
    let row = |(name, more): &(&str, &str)| {
        format!("- {{address: {}, label: {name}, {more}}}\n", chain.address(name).unwrap())
    };
    let rows: String = rows.iter().map(row).collect();
    let mut desk = Desk::new(Network::Regtest);
    desk.tags = Some(tags(&rows, Network::Regtest));
    desk.ledger = Some(MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap());
    (desk, chain)
}

#[test]
fn both_sides_of_a_transaction_are_screened() {
    let (desk, chain) = on_chain(&[("thief", "abuse: sanction"), ("victim", "category: victim")]);
    let txid = chain.txid("theft").unwrap().to_string();
    let result = desk.screen(&txid);
    assert_eq!(result.verdict, Verdict::Block);
    assert_eq!(
        result.reasons[0].path[..2],
        ["output 0".to_owned(), chain.address("thief").unwrap()]
    );
    let parties: Vec<_> = result.parties.iter().map(|p| (p.parts.clone(), p.verdict)).collect();
    let expected = [
        (vec![Part::Input(0)], Verdict::Allow),
        (vec![Part::Output(0)], Verdict::Block),
        (vec![Part::Output(1)], Verdict::Allow),
    ];
    assert_eq!(parties, expected);
    assert_eq!(result.parties[1].value.unwrap().0, 3_000_000_000);
    let unknown = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16";
    assert_eq!(desk.said(unknown), "review unknown_transaction:review");
}

#[test]
fn an_address_is_seen_first_somewhere_or_never() {
    let (desk, chain) = on_chain(&[]);
    let thief = chain.address("thief").unwrap();
    assert_eq!(desk.screen(&thief).parties[0].seen, Seen::First(chain::Height(2)));
    assert_eq!(desk.said(&thief), "allow ");
    let fresh = script::address(
        &bitcoin::ScriptBuf::from_hex("0014751e76e8199196d454941c45d1b3a323f1433bd6").unwrap(),
        Network::Regtest,
    )
    .unwrap();
    assert_eq!(desk.screen(&fresh).parties[0].seen, Seen::Never);
    assert_eq!(desk.said(&fresh), "allow unseen:allow");
    let (desk, _) = on_chain(&[]);
    assert_eq!(desk.rules("[young]\nblocks = 6").said(&thief), "review young:review");
}

const LAUNDERING: &str = "
block
tx funds: coinbase -> thief:1000000sat clean:1000000sat
block
tx move: funds:0 funds:1 -> mule:2000000sat
block
tx split: move:0 -> shop:1500000sat friend:500000sat
block
tx fresh: coinbase -> lucky:5000000sat
";

#[test]
fn money_of_the_sanctioned_is_seen_directly_and_through_others() {
    let chain = Chain::parse(LAUNDERING).unwrap();
    let address = |name: &str| chain.address(name).unwrap();
    let rows = format!(
        "- {{address: {}, label: x, abuse: sanction, confidence: forensic}}\n\
         - {{address: {}, label: shop, category: exchange, confidence: forensic}}\n",
        address("thief"),
        address("shop")
    );
    let mut desk = Desk::new(Network::Regtest);
    desk.tags = Some(tags(&rows, Network::Regtest));
    desk.ledger = Some(MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap());
    // Half of the mule's money came directly from the thief.
    assert_eq!(desk.said(&address("mule")), "block sanctioned_direct:block");
    let reason = desk.screen(&address("mule")).reasons.remove(0);
    assert!(
        reason.detail.starts_with("0.01000000 of 0.02000000 BTC (50.0 %) directly came from"),
        "{}",
        reason.detail
    );
    assert!(reason.path[1].contains("'x' in 1 hop, called so by example.org"), "{:?}", reason.path);
    assert!(matches!(reason.basis, Basis::Claim { confidence: 50, .. }));
    // Half of the friend's came from him through the mule.
    assert_eq!(desk.said(&address("friend")), "review sanctioned_indirect:review");
    assert_eq!(desk.said(&address("lucky")), "allow ");
    // A transaction: whose money it moves. The shop ends the walk and is nobody's business.
    assert_eq!(
        desk.said(&chain.txid("split").unwrap().to_string()),
        "review sanctioned_indirect:review labelled:allow"
    );
    // Thresholds, and the switch.
    let high = "[[exposed]]\nid='e'\nverdict='block'\nkinds=['sanctioned']\n";
    desk = desk.rules(&format!("{high}min_share_permille=500"));
    assert_eq!(desk.said(&address("friend")), "block e:block");
    desk = desk.rules(&format!("{high}min_share_permille=501"));
    assert_eq!(desk.said(&address("friend")), "allow ");
    desk = desk.rules(&format!("{high}min_amount_sat=250001"));
    assert_eq!(desk.said(&address("friend")), "allow ");
    desk = desk.rules(&format!("{high}side='sending'"));
    assert_eq!(desk.said(&address("friend")), "allow ");
    desk = desk.rules("[exposure]\nmax_hops = 1");
    let result = desk.screen(&address("friend"));
    assert_eq!(result.verdict, Verdict::Allow);
    let why = &result.not_assessed.iter().find(|row| row.what == "exposure").unwrap().why;
    assert_eq!(why, "where 0.00500000 of 0.00500000 BTC came from was not followed to an end");
    // One hop, without the rules saying so: what is direct is still seen, and the rest is told.
    desk.follow = Follow::Direct;
    desk = desk.rules("");
    assert_eq!(desk.said(&address("mule")), "block sanctioned_direct:block");
    let result = desk.screen(&address("friend"));
    assert_eq!(result.verdict, Verdict::Allow);
    let why = &result.not_assessed.iter().find(|row| row.what == "exposure").unwrap().why;
    assert_eq!(why, "where 0.00500000 of 0.00500000 BTC came from was followed for one hop only");
    desk = desk.rules("exposed = []");
    let result = desk.screen(&address("mule"));
    assert!(result.not_assessed.iter().any(|row| row.why == "switched off"));
}

proptest! {
    #[test]
    fn anything_gives_a_verdict(text in "\\PC*", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let desk = Desk::tagged("").book(&[GENUINE]);
        let result = desk.screen(&text);
        prop_assert!(result.kind != Kind::Unreadable || result.verdict == Verdict::Block);
        desk.target(&Target::Psbt(bytes.clone()));
        desk.target(&Target::Psbt([b"psbt\xff", &bytes[..]].concat()));
        desk.target(&Target::Psbt([b"psbt\xff\x01\xfb\x04\x02\0\0\0", &bytes[..]].concat()));
        let _ = Target::from_file(&bytes);
        let _ = Rules::from_toml(&text);
    }

    #[test]
    fn a_changed_payment_gives_a_verdict(at in 5usize..100, byte in any::<u8>()) {
        let mut bytes = payments::psbt(&[OTHER, THIEFS], &payments::earlier()).serialize();
        let at = at % bytes.len();
        bytes[at] = byte;
        Desk::tagged("").book(&[GENUINE]).target(&Target::Psbt(bytes));
    }
}
