//! What holds for all sets: they do not depend on the order of imports or on repetitions, and they
//! survive the way through their bytes and through documents.

use std::sync::Arc;

use chain::{Network, ScriptBuf};
use intel::{
    Actor, Alias, Document, Format, Import, Membership, Pack, Report, Settings, Statement, Subject,
    Tag, TagSet, TagSetBuilder,
};
use proptest::prelude::*;

/// Text that is hard on parsers; nothing that trimming would change.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("0x10".to_owned()),
        Just("1e3".to_owned()),
        Just("-".to_owned()),
        Just("a: b # c".to_owned()),
        Just("two\nlines\t\"quoted\" \\ 'single'".to_owned()),
        Just("Größe 資料 \u{2028}x".to_owned()),
        "[ -~]{1,20}".prop_map(|text| format!("x{}x", text)),
    ]
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    proptest::option::weighted(0.3, text())
}

fn pack() -> impl Strategy<Value = Arc<Pack>> {
    let parts = (text(), text(), some_text(), some_text(), some_text(), any::<Option<bool>>());
    parts.prop_map(|(title, creator, uri, description, owner, is_public)| {
        Arc::new(Pack { title, creator, uri, description, owner, is_public })
    })
}

fn statement() -> impl Strategy<Value = Arc<Statement>> {
    let names = (text(), text(), some_text(), some_text(), some_text());
    let concepts = proptest::collection::btree_set("[a-z]{1,3}", 0..3);
    let rest = (text(), some_text(), any::<Option<bool>>(), some_text(), some_text(), pack());
    (names, concepts, rest).prop_map(|(names, concepts, rest)| {
        let (label, source, category, abuse, actor) = names;
        let (confidence, lastmod, is_cluster_definer, context, tag_type, pack) = rest;
        Arc::new(Statement {
            label,
            source,
            category,
            abuse,
            concepts: concepts.into_iter().collect(),
            actor,
            confidence,
            lastmod,
            is_cluster_definer,
            context,
            tag_type,
            currency: "BTC".to_owned(),
            pack,
        })
    })
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        4 => (0..20_u8).prop_map(|n| Subject::Script(ScriptBuf::from_bytes(
            [&[0x00, 0x14][..], &[n; 20]].concat()
        ))),
        1 => (0..3_u8).prop_map(|n| Subject::Script(ScriptBuf::from_bytes(vec![0x51, n]))),
        1 => any::<[u8; 32]>().prop_map(|bytes| {
            use bitcoin::hashes::Hash as _;
            Subject::Tx(chain::Txid::from_byte_array(bytes))
        }),
        1 => "[a-z0-9]{1,9}".prop_map(|address| Subject::Elsewhere { network: "XMR".into(), address }),
        1 => "[a-f0-9]{1,9}".prop_map(|hash| Subject::TxElsewhere { network: "ETH".into(), hash }),
        1 => text().prop_map(Subject::CoinbaseText),
    ]
}

fn tags() -> impl Strategy<Value = Vec<Tag>> {
    proptest::collection::vec(statement(), 1..5).prop_flat_map(|statements| {
        let statement = proptest::sample::select(statements);
        let tag =
            (subject(), statement).prop_map(|(subject, statement)| Tag { subject, statement });
        proptest::collection::vec(tag, 0..30)
    })
}

fn actors() -> impl Strategy<Value = Vec<Actor>> {
    let pairs = || proptest::collection::btree_set((text(), text()), 0..3);
    let names = (text(), text(), text(), some_text());
    let lists = (
        proptest::collection::vec(text(), 0..3),
        proptest::collection::vec(text(), 0..2),
        pairs(),
        pairs(),
        proptest::collection::btree_map("[a-z]{1,5}", text(), 0..3),
    );
    let actor = (names, lists, pack()).prop_map(|(names, lists, pack)| {
        let (id, label, uri, lastmod) = names;
        let (categories, jurisdictions, aliases, part_of, context) = lists;
        Actor {
            id,
            label,
            uri,
            lastmod,
            categories,
            jurisdictions,
            aliases: aliases.into_iter().map(|(name, source)| Alias { name, source }).collect(),
            part_of: part_of
                .into_iter()
                .map(|(actor, source)| Membership { actor, source })
                .collect(),
            context: context.into_iter().filter(|(key, _)| key != "aliases").collect(),
            pack,
        }
    });
    proptest::collection::vec(actor, 0..4)
}

fn import_of(tags: &[Tag], actors: &[Actor]) -> Import {
    let report = Report {
        name: String::new(),
        format: Format::TagPack,
        rows: 0,
        accepted: 0,
        rejected: Vec::new(),
        notes: Vec::new(),
    };
    Import { network: Network::Mainnet, tags: tags.to_vec(), actors: actors.to_vec(), report }
}

fn set_of(imports: &[Import]) -> TagSet {
    let mut builder = TagSetBuilder::new(Network::Mainnet);
    for import in imports {
        builder.add(import).unwrap();
    }
    builder.build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(testkit::cases(96)))]

    #[test]
    fn order_and_repetition_change_nothing(tags in tags(), actors in actors(), at in any::<prop::sample::Index>()) {
        let whole = set_of(&[import_of(&tags, &actors)]);
        let (first, second) = tags.split_at(at.index(tags.len() + 1));
        let mut backward = tags.clone();
        backward.reverse();
        let parts = [import_of(second, &actors), import_of(first, &[]), import_of(&backward, &actors)];
        let other = set_of(&parts);
        prop_assert_eq!(other.as_bytes(), whole.as_bytes());
        // Step by step, each time from the set before.
        let start = set_of(&[import_of(first, &[])]);
        let mut builder = TagSetBuilder::from_set(&start);
        let stepped = builder.add(&import_of(second, &actors)).unwrap().build().unwrap();
        prop_assert_eq!(stepped.digest(), whole.digest());
    }

    #[test]
    fn every_tag_is_found_again(tags in tags(), actors in actors()) {
        let set = set_of(&[import_of(&tags, &actors)]);
        for tag in &tags {
            let said: Vec<Statement> =
                set.of_subject(&tag.subject).map(|claim| claim.to_statement()).collect();
            prop_assert!(said.contains(&tag.statement));
            let subjects = |found: Vec<intel::set::StatementRef<'_>>| -> Vec<Subject> {
                found.iter().flat_map(|said| said.claims()).filter_map(|claim| claim.subject()).collect()
            };
            let everything = usize::MAX;
            let label = &tag.statement.label;
            prop_assert!(subjects(set.by_label(label, everything)).contains(&tag.subject));
            prop_assert!(subjects(set.by_label_prefix(label, everything)).contains(&tag.subject));
            for concept in tag.statement.all_concepts() {
                prop_assert!(subjects(set.by_concept(concept).collect()).contains(&tag.subject));
            }
            if let Some(actor) = &tag.statement.actor {
                prop_assert!(subjects(set.by_actor(actor).collect()).contains(&tag.subject));
            }
        }
        for actor in &actors {
            prop_assert!(set.actor(&actor.id).iter().any(|found| found.to_actor() == *actor));
            for alias in &actor.aliases {
                let named = set.resolve(&alias.name);
                prop_assert!(named.iter().any(|n| n.actor.id() == actor.id && n.source == alias.source));
            }
        }
        let distinct: std::collections::BTreeSet<&Tag> = tags.iter().collect();
        prop_assert_eq!(set.counts().tags, distinct.len() as u64);
        prop_assert_eq!(set.claims().count(), distinct.len());
    }

    #[test]
    fn documents_and_bytes_give_the_set_back(tags in tags(), actors in actors()) {
        let set = set_of(&[import_of(&tags, &actors)]);
        let again = TagSet::from_bytes(set.as_bytes().to_vec()).unwrap();
        prop_assert_eq!(again.digest(), set.digest());
        let settings = Settings::new(Network::Mainnet);
        let mut imports = Vec::new();
        for exported in intel::export(&set, |_| true) {
            let document = Document { name: &exported.name, bytes: exported.yaml.as_bytes() };
            let import = intel::import(document, &settings);
            let import = import.map_err(|error| TestCaseError::fail(format!("{error}\n{}", exported.yaml)))?;
            prop_assert_eq!(&import.report.rejected, &[], "{}", exported.yaml);
            imports.push(import);
        }
        let read = set_of(&imports);
        prop_assert_eq!(read.digest(), set.digest(), "{:#?}", intel::export(&read, |_| true));
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "[ -~\n]{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for name in ["x.yaml", "x.json", "x.csv", "sanctioned_addresses_XBT.txt"] {
            for content in [text.as_bytes(), &bytes] {
                let document = Document { name, bytes: content };
                let _ = intel::import(document, &Settings::new(Network::Mainnet));
            }
        }
        let _ = TagSet::from_bytes(bytes);
    }
}
