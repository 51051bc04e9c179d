//! Who has the money, through which mixers it went, and who is said to have taken it: schema, table
//! and the page of the report.

use std::{collections::BTreeMap, fmt, fmt::Write};

use chain::Sats;
use report::model::{Amount, Basis};
use serde::Serialize;

use crate::output::Rows;

/// Names beside a demo's amounts. None of them is a fact of the chain.
#[derive(Debug, Serialize)]
pub(crate) struct Names {
    /// Services and bridges where traces ended, by labels.
    pub(crate) parties: Vec<NamedParty>,
    /// CoinJoin protocols on the way, as recognised.
    pub(crate) mixers: Vec<Mixer>,
    /// To whom labels attribute the address that the victim paid.
    pub(crate) actors: Vec<Actor>,
}

/// A party that a label names.
#[derive(Debug, Serialize)]
pub(crate) struct NamedParty {
    /// Its name.
    pub(crate) entity: String,
    /// What kind of party it is: an id of the labels' taxonomy.
    pub(crate) category: String,
    /// Who says so, how sure.
    #[serde(flatten)]
    pub(crate) basis: Basis,
    /// What each policy books to it. Poison: the value of all outputs that taint reached.
    pub(crate) booked: BTreeMap<String, Amount>,
}

impl NamedParty {
    /// Under bounds, if it is something for certain.
    pub(super) fn certain(&self) -> Option<Amount> {
        self.booked.get("bounds").copied().filter(|bounds| bounds.lower() > 0)
    }

    /// What to do about money there.
    pub(super) fn action(&self) -> Option<String> {
        let entity = &self.entity;
        match self.category.as_str() {
            "mixing_service" => None,
            "defi_bridge" => {
                Some(format!("follow through the {entity}: its memos name the other chain"))
            }
            _ => Some(format!("ask {entity} to freeze")),
        }
    }

    /// Source and confidence.
    pub(super) fn says_who(&self) -> [String; 2] {
        says_who(&self.basis)
    }
}

/// A CoinJoin protocol on the way.
#[derive(Debug, Serialize)]
pub(crate) struct Mixer {
    /// The protocol.
    pub(crate) protocol: &'static str,
    /// An inference, by the rules that recognise the protocol.
    #[serde(flatten)]
    pub(crate) basis: Basis,
    /// Stolen coins that went into a CoinJoin of it and had been in none before, at least and at most.
    pub(crate) entered: Amount,
    /// As so many outputs.
    pub(crate) entered_outputs: u64,
    /// Into so many CoinJoins.
    pub(crate) first_coinjoins: u64,
    /// The smallest and the largest anonymity set of those: outputs of the most frequent amount.
    pub(crate) anonymity_set: [u32; 2],
    /// The way from there under haircut, those included, as far as an output has 0.001 bitcoin of it.
    pub(crate) followed: Rounds,
    /// The thief's own way.
    #[serde(rename = "truth")]
    pub(crate) true_way: Rounds,
}

/// A way through CoinJoins of one protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Rounds {
    /// How many there are.
    pub(crate) coinjoins: u64,
    /// The most that one satoshi can have passed.
    pub(crate) rounds: u32,
}

/// An actor, according to a label.
#[derive(Debug, Serialize)]
pub(crate) struct Actor {
    /// The id.
    pub(crate) actor: String,
    /// The usual name.
    pub(crate) name: String,
    /// The address that is said to be the actor's.
    pub(crate) address: String,
    /// Who says so, how sure.
    #[serde(flatten)]
    pub(crate) basis: Basis,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [source, confidence] = says_who(&self.basis);
        write!(f, "{}, claimed by {source}, confidence {confidence}", self.name)
    }
}

impl Names {
    pub(super) fn mixers_table(&self, colour: bool) -> String {
        let head = [
            "through CoinJoins",
            ">BTC entered",
            ">into",
            ">anonymity set",
            ">under haircut",
            ">rounds",
            ">in truth",
            ">rounds",
        ];
        let mut rows = Rows::new(&head, colour);
        for mixer in &self.mixers {
            let (followed, truth) = (mixer.followed, mixer.true_way);
            rows.push([
                mixer.protocol.to_owned(),
                super::short(mixer.entered.lower()),
                mixer.first_coinjoins.to_string(),
                mixer.anonymity_text(),
                followed.coinjoins.to_string(),
                followed.rounds.to_string(),
                truth.coinjoins.to_string(),
                truth.rounds.to_string(),
            ]);
        }
        rows.to_text()
    }

    /// The part of the report about names. What is in it has no characters that Markdown minds,
    /// since the demo made it.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = "\n## Who\n\nNone of this is a fact of the chain: names are claims of \
                        labels, and these labels are made up.\n\n"
            .to_owned();
        for actor in &self.actors {
            let _ = writeln!(text, "* `{}`: {actor}.", actor.address);
        }
        text.push_str(
            "\n| who | what | at least BTC | at most BTC | who says so | confidence |\n\
             |---|---|---:|---:|---|---:|\n",
        );
        for party in &self.parties {
            let [source, confidence] = party.says_who();
            let (least, most) = match party.booked.get("bounds") {
                Some(amount) => (amount.lower(), amount.upper()),
                None => continue,
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {source} | {confidence} |",
                party.entity,
                party.category.replace('_', " "),
                Sats(least),
                Sats(most)
            );
        }
        text.push_str(
            "\n## Through which CoinJoins\n\nAs recognised by the shape of transactions: an \
             inference. *Entered* is what came to them without having been in one before, and the \
             anonymity sets are those of the CoinJoins where it entered. Behind them the way is \
             that of haircut, as far as an output has 0.001 BTC of it: an account of where \
             the stolen coins may have gone.\n\n\
             | protocol | BTC entered | into | anonymity set | CoinJoins followed | rounds |\n\
             |---|---:|---:|---:|---:|---:|\n",
        );
        for mixer in &self.mixers {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                mixer.protocol,
                Sats(mixer.entered.lower()),
                mixer.first_coinjoins,
                mixer.anonymity_text(),
                mixer.followed.coinjoins,
                mixer.followed.rounds
            );
        }
        text
    }
}

impl Mixer {
    fn anonymity_text(&self) -> String {
        match self.anonymity_set {
            [least, most] if least == most => least.to_string(),
            [least, most] => format!("{least}-{most}"),
        }
    }
}

fn says_who(basis: &Basis) -> [String; 2] {
    match basis {
        Basis::Claim { source, confidence }
        | Basis::InferenceFromClaim { source, confidence, .. } => {
            [source.clone(), confidence.map_or_else(|| "?".to_owned(), |level| level.to_string())]
        }
        Basis::Fact | Basis::Inference { .. } => [basis.name().to_owned(), String::new()],
    }
}
