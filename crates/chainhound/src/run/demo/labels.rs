//! What is told to the traces of a demo: whose some addresses are, as a source would claim it.
//!
//! The claims are written as a TagPack and an ActorPack and imported like anybody's, so that every
//! verb finds them in the demo's store. They are made up with the chain, and say so.

use std::{fmt::Write, path::PathBuf};

use intel::TagSet;
use testkit::{generate::Role, replay::Truth};

use super::{directory::Directory, write_to};
use crate::{
    args::ALL_POLICIES,
    failure::Failure,
    labels::{self, KeptDefaults, Library},
};

/// Who says so.
const SOURCE: &str = "chainhound demo (synthetic)";
/// The id of the replay's actor.
const ACTOR: &str = "replayed_thief";

/// Writes the labels, imports them, and gives the set that is in force then.
pub(super) fn import(out: &Directory, truth: &Truth) -> Result<TagSet, Failure> {
    let mut paths = Vec::new();
    for (name, text) in [("actors.yaml", actor_pack()), ("labels.yaml", tag_pack(truth))] {
        let path: PathBuf = out.path().join(name);
        write_to(&path, |file| Ok(file.write_all(text.as_bytes())?))?;
        paths.push(path);
    }
    let place = out.place()?;
    let mut library = Library::open(&place)?;
    let mut fresh = Vec::new();
    for read in library.read(&paths, None, &KeptDefaults::default()) {
        let read = read.map_err(|(_, error)| Failure::unavailable(error))?;
        if let Some(rejected) = read.import.report.rejected.first() {
            return Err(Failure::unavailable(read.import.report.line_of(rejected)));
        }
        fresh.push(read);
    }
    library.replace(&fresh)?;
    labels::open_or_initial(&place)
}

/// Categories of the taxonomy for those who hold other people's money. Private people, the victim
/// and most of the thief's addresses have no label: nobody outside knows them.
const fn category(role: Role) -> Option<&'static str> {
    match role {
        Role::Exchange => Some("exchange"),
        Role::Service => Some("service"),
        Role::Bridge => Some("defi_bridge"),
        Role::Coordinator => Some("mixing_service"),
        Role::Merchant => Some("shop"),
        Role::Nobody | Role::Person | Role::Miner | Role::Thief => None,
    }
}

/// Names are those of the replay, plain ASCII words; addresses are too.
fn tag_pack(truth: &Truth) -> String {
    let mut text = format!(
        "# Made up with the chain: these parties do not exist.\n\
         title: Synthetic labels of the replayed theft\n\
         creator: Chainhound\n\
         source: {SOURCE}\n\
         currency: BTC\n\
         confidence: service_data\n\
         tags:\n\
         # The address that the victim paid, as an authority would publish it.\n\
         - {{address: {}, label: thief of the replay, abuse: service_hack, actor: {ACTOR}, \
         confidence: authority_data}}\n",
        truth.theft.address
    );
    for entity in truth.entities.iter().filter(|entity| entity.entity != "victim") {
        let Some(category) = category(entity.role) else { continue };
        for address in &entity.addresses {
            let _ = writeln!(
                text,
                "- {{address: {address}, label: {}, category: {category}}}",
                entity.entity
            );
        }
    }
    text
}

fn actor_pack() -> String {
    format!(
        "# Made up: the actors of the real theft come with the program.\n\
         title: Synthetic actors of the replayed theft\n\
         creator: Chainhound\n\
         actors:\n\
         - id: {ACTOR}\n  \
           label: Replayed Thief (synthetic)\n  \
           uri: https://example.org/replayed-thief\n  \
           categories: [perpetrator]\n"
    )
}

/// `case.toml`: what was asked, to be read and changed by people, and run by `chainhound case run`.
pub(super) fn case_file(truth: &Truth) -> String {
    let (policy, others) = (ALL_POLICIES[0], &ALL_POLICIES[1..]);
    let others: Vec<_> = others.iter().map(|policy| format!("\"{policy}\"")).collect();
    let theft = &truth.theft;
    format!(
        "# What the demo asked. The chain is in data/ and blocks/, what really happened in truth.json.\n\
         # chainhound case run case.toml --datadir data --blocks-dir blocks --out case.zip\n\
         title = \"The replayed theft of May 2024\"\n\
         network = \"regtest\"\n\
         victim = \"an exchange that does not exist\"\n\
         labels = [\"actors.yaml\", \"labels.yaml\"]\n\n\
         [[theft]]\n\
         output = \"{}:{}\"\n\
         amount_sat = {}\n\n\
         [trace]\n\
         policy = \"{policy}\"\n\
         alternatives = [{}]\n\
         fees = \"drop\"\n\n\
         [stops]\n\
         at = [\"service\"]\n",
        theft.txid,
        theft.vout,
        theft.value_sat,
        others.join(", ")
    )
}
