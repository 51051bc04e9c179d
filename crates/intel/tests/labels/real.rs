//! Public packs and lists, where the data set is present (`CHAINHOUND_TEST_DATA`, or
//! `../shared/data` beside the checkout).

use std::path::{Path, PathBuf};

use chain::Network;
use intel::{
    Document, Format, Import, Settings, TagSet, TagSetBuilder, lookalike::Book, taxonomy::Role,
};

/// Everything readable in a folder of the data set, read.
fn folder(path: &Path) -> Vec<Import> {
    let settings = Settings::new(Network::Mainnet);
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        intel::import(Document { name, bytes: &bytes }, &settings).unwrap()
    };
    files(path).into_iter().map(read).collect()
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let wanted = |path: &PathBuf| path.is_dir() || Format::is_readable_name(path.to_str().unwrap());
    entries.iter().filter(|path| wanted(path)).flat_map(|path| files(path)).collect()
}

fn set(imports: &[Import]) -> TagSet {
    let mut builder = TagSetBuilder::new(Network::Mainnet);
    builder.add(&intel::builtin(Network::Mainnet).unwrap()).unwrap();
    for import in imports {
        builder.add(import).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn the_invalid_sanctioned_address_is_named_and_the_others_are_taken() {
    let Some(data) = testkit::data_dir() else { return };
    let imports = folder(&data.join("ofac_0xB10C"));
    let of = |name: &str| &imports.iter().find(|import| import.report.name == name).unwrap().report;
    for (name, line) in
        [("sanctioned_addresses_XBT.txt", 355), ("sanctioned_addresses_XBT.json", 356)]
    {
        let report = of(name);
        assert_eq!((report.rows, report.accepted, report.rejected.len()), (435, 434, 1));
        let shown = report.line_of(&report.rejected[0]);
        let expected =
            format!("{name}:{line}: 'TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq' is not a Bitcoin address");
        assert!(shown.starts_with(&expected), "{shown}");
    }
    assert_eq!(imports.iter().map(|import| import.report.rejected.len()).sum::<usize>(), 2);
    // Lists as text and as JSON say the same.
    let texts: Vec<Import> =
        imports.iter().filter(|i| i.report.format == Format::Lines).cloned().collect();
    assert_eq!(set(&texts).digest(), set(&imports).digest());
    // Three addresses on the list for Tether are bitcoin addresses that the list for bitcoin lacks.
    assert_eq!(set(&imports).scripts().count(), 434 + 3);
}

#[test]
fn incidents_name_the_actor_and_the_pair_of_the_theft() {
    let Some(data) = testkit::data_dir() else { return };
    let imports = folder(&data.join("incident_addresses"));
    let [import] = &imports[..] else { panic!("one file") };
    assert_eq!((import.report.rows, import.report.accepted), (85, 85));
    let set = set(&imports);
    let thief = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
    let script = chain::script::parse(thief, Network::Mainnet).unwrap();
    let claim = set.of_script(script.as_bytes()).next().unwrap();
    assert_eq!((claim.label(), claim.actor()), ("dmm-bitcoin-2024", Some("tradertraitor")));
    assert!(claim.context().unwrap().contains("FBI/DC3/NPA"));
    assert_eq!(claim.actors()[0].label(), "TraderTraitor");
    let labels = set.by_label_prefix("dmm", 10);
    assert_eq!(labels.iter().map(|said| said.claims().len()).sum::<usize>(), 12);
    // Whoever has the labels as a book is warned even of the genuine address: it looks like the thief's.
    let check = Book::of_set(&set);
    let check = check.check("1B6rJ6ZKfZmkqMyBGe5KR27oWkEbQdNM7P").unwrap();
    assert!(check.is_alarm());
    assert_eq!(check.nearest.unwrap().address, thief);
}

#[test]
fn pools_by_address_and_by_coinbase() {
    let Some(data) = testkit::data_dir() else { return };
    let imports = folder(&data.join("misc_pools_and_midgard/pools-v2.json"));
    let report = &imports[0].report;
    assert_eq!((report.accepted, report.rejected.len()), (217 + 197, 0));
    let set = set(&imports);
    let said = set.of_coinbase(b"\x03\x9a\x1b\x0b/ViaBTC/Mined by x/\x2c\xfa");
    assert!(said.iter().any(|claim| claim.label() == "ViaBTC"), "{}", said.len());
    assert!(said.iter().all(|claim| claim.has_role(Role::Mining)));
}

#[test]
fn heavy_all_public_packs() {
    let Some(data) = testkit::data_dir() else { return };
    let imports = folder(&data.join("graphsense_tagpacks"));
    let rows: u64 = imports.iter().map(|import| import.report.rows).sum();
    let rejected: usize = imports.iter().map(|import| import.report.rejected.len()).sum();
    assert_eq!((rows, rejected), (524_170 + 3_813, 32));
    let first = set(&imports);
    let counts = first.counts();
    assert_eq!((counts.tags, counts.scripts, counts.actors), (524_132, 483_290, 3_813 + 4));

    // Twice the same, and backwards, is the same set.
    let mut twice: Vec<Import> = imports.iter().rev().cloned().collect();
    twice.extend_from_slice(&imports[..5]);
    assert_eq!(set(&twice).digest(), first.digest());

    // Not one of the Samourai participants' addresses may name a cluster.
    let samourai: Vec<_> = first.by_label("samourai", 10).into_iter().collect();
    let addresses: usize = samourai.iter().map(|said| said.claims().len()).sum();
    assert_eq!(addresses, 36_548);
    assert!(samourai.iter().all(|s| s.is_cluster_definer() == Some(true) && !s.defines_cluster()));

    // Two packs describe the Lazarus Group: both are shown.
    assert_eq!(first.actor("lazarusgroup").len(), 2);
    assert!(first.by_actor("lazarusgroup").map(|said| said.claims().len()).sum::<usize>() >= 26);

    // One half of the addresses is the book, some of the other half ask: nobody made them to
    // resemble another, so each alarm is a false one. Rates are in docs/methods/lookalike.md.
    let addresses: Vec<String> = first
        .scripts()
        .filter_map(|script| chain::script::address(script, Network::Mainnet))
        .collect();
    let (book, left_out) = Book::new(addresses.iter().step_by(2));
    assert_eq!((book.len(), left_out), (addresses.len().div_ceil(2), 0));
    let asked: Vec<&String> = addresses.iter().skip(1).step_by(20).collect();
    let alarms = asked.iter().filter(|text| book.check(text).unwrap().is_alarm()).count();
    assert!(alarms * 1000 <= asked.len() * 3, "{alarms} of {}", asked.len());

    // Out and in again.
    let mut builder = TagSetBuilder::new(Network::Mainnet);
    for exported in intel::export(&first, |_| true) {
        let document = Document { name: &exported.name, bytes: exported.yaml.as_bytes() };
        builder.add(&intel::import(document, &Settings::new(Network::Mainnet)).unwrap()).unwrap();
    }
    assert_eq!(builder.build().unwrap().digest(), first.digest());
}
