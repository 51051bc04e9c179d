//! The rules: what may be set, what holds otherwise, and where a file is wrong.

mod reading;

pub use reading::explain_toml;

use analyze::exposure::Side;
use intel::taxonomy::Role;
use serde::Deserialize;

use crate::Verdict;

/// The default rules as a file with comments: reads as [`Rules::default`].
pub const DEFAULT_RULES: &str = include_str!("default.toml");

/// What a rule does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is not looked at.
    Off,
    /// It is told, and changes nothing.
    Allow,
    /// A person has to look.
    Review,
    /// No.
    Block,
}

/// The rules of a screening. The fields are the tables of the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Neither an address nor a txid nor a PSBT.
    pub unreadable: PlainRule,
    /// An address whose checksum or length is wrong.
    pub bad_checksum: PlainRule,
    /// An address of another network.
    pub wrong_network: PlainRule,
    /// There are no labels to go by.
    pub no_labels: PlainRule,
    /// A sanctions list names the address.
    #[serde(deserialize_with = "reading::sanctioned")]
    pub sanctioned: ClaimRule,
    /// An actor under sanctions holds the address, according to a claim.
    #[serde(deserialize_with = "reading::sanctioned_actor")]
    pub sanctioned_actor: ClaimRule,
    /// Claims by kind; the first that fits counts.
    #[serde(deserialize_with = "reading::tagged")]
    pub tagged: Vec<TaggedRule>,
    /// Claims about others of the same cluster.
    pub clusters: ClusterRule,
    /// How far money is followed.
    #[serde(deserialize_with = "reading::exposure")]
    pub exposure: WalkLimits,
    /// Money from or to kinds of parties.
    #[serde(deserialize_with = "reading::exposed")]
    pub exposed: Vec<ExposedRule>,
    /// Made to resemble an address of the book.
    #[serde(deserialize_with = "reading::lookalike")]
    pub lookalike: LookalikeRule,
    /// Made to resemble a labelled address.
    #[serde(deserialize_with = "reading::lookalike_labels")]
    pub lookalike_labels: LookalikeRule,
    /// Never seen on the chain.
    pub unseen: PlainRule,
    /// First seen a short time ago.
    #[serde(deserialize_with = "reading::young")]
    pub young: AgeRule,
    /// A transaction that the ledger does not have.
    pub unknown_transaction: PlainRule,
    /// An input of which nobody knows whose it is.
    pub unknown_input: PlainRule,
}

/// A rule without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainRule {
    /// What it does.
    pub verdict: Outcome,
}

/// How far claims about an address count for the others of its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterRule {
    /// The worst that they can lead to: that the addresses belong together is an inference.
    pub at_most: Outcome,
}

/// A rule about what is claimed of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// What it does.
    pub verdict: Outcome,
    /// Claims trusted less than this do not count, 0 to 100.
    pub min_confidence: u8,
    /// Ids of the taxonomy, or others.
    pub concepts: Vec<String>,
    /// Parts of sources.
    pub sources: Vec<String>,
}

/// A rule about claims of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedRule {
    /// Its name in reasons.
    pub id: String,
    /// What it does.
    pub verdict: Outcome,
    /// Groups of concepts.
    pub roles: Vec<Role>,
    /// Ids of the taxonomy, or others.
    pub concepts: Vec<String>,
    /// Claims trusted less than this do not count, 0 to 100.
    pub min_confidence: u8,
}

/// How far money is followed to see from whom it came and to whom it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkLimits {
    /// Transactions in a row.
    pub max_hops: u32,
    /// Transactions in all, for each direction.
    pub max_transactions: u64,
    /// Claims trusted less than this do not count, 0 to 100.
    pub min_confidence: u8,
}

/// A rule about money from or to kinds of parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposedRule {
    /// Its name in reasons.
    pub id: String,
    /// What it does.
    pub verdict: Outcome,
    /// One side only.
    pub side: Option<Side>,
    /// How far away.
    pub reach: Reach,
    /// Ids of the rules that the parties' labels fit, or `coinjoin`.
    pub kinds: Vec<String>,
    /// Least share of all money, in thousandths.
    pub min_share_permille: u16,
    /// Least amount.
    pub min_amount_sat: u64,
}

/// How far away a party is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// One hop.
    Direct,
    /// Through addresses of nobody known.
    Indirect,
    /// Either.
    #[default]
    Any,
}

/// A rule about resemblance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookalikeRule {
    /// What it does.
    pub verdict: Outcome,
    /// What it does where the address itself is known too.
    pub verdict_known: Outcome,
    /// Bits beyond what chance gives.
    pub min_bits: u32,
}

/// A rule about the age of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeRule {
    /// What it does.
    pub verdict: Outcome,
    /// To addresses that were first seen fewer blocks than this before the tip.
    pub blocks: u32,
}

/// Why a file of rules cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {detail}")]
pub struct RulesError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1.
    pub column: usize,
    /// What is wrong, and what may be meant.
    pub detail: String,
}

impl Rules {
    /// Rules from a file; what it does not set is as in [`DEFAULT_RULES`].
    ///
    /// # Errors
    /// [`RulesError`] with the place of what is wrong.
    pub fn from_toml(text: &str) -> Result<Self, RulesError> {
        reading::read(text)
    }

    /// Concepts that the taxonomy does not have: new ones, or typing errors that never match.
    pub fn unknown_concepts(&self) -> Vec<&str> {
        let tagged = self.tagged.iter().flat_map(|rule| &rule.concepts);
        let all = self.sanctioned.concepts.iter().chain(&self.sanctioned_actor.concepts);
        let mut unknown: Vec<&str> = all
            .chain(tagged)
            .map(String::as_str)
            .filter(|id| !intel::taxonomy::is_known(id))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }
}

impl Outcome {
    /// The verdict of a rule that applies; `None` where it is off.
    pub const fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Off => None,
            Self::Allow => Some(Verdict::Allow),
            Self::Review => Some(Verdict::Review),
            Self::Block => Some(Verdict::Block),
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        use Outcome::{Allow, Block, Review};
        let plain = |verdict| PlainRule { verdict };
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let tagged = |id: &str, verdict, role, min_confidence| TaggedRule {
            id: id.to_owned(),
            verdict,
            roles: vec![role],
            concepts: Vec::new(),
            min_confidence,
        };
        let sanctions: &[&str] = &["sanctioned", "sanctioned_actor"];
        let exposed = |id: &str, verdict, reach, kinds: &[&str], permille| ExposedRule {
            id: id.to_owned(),
            verdict,
            side: None,
            reach,
            kinds: texts(kinds),
            min_share_permille: permille,
            min_amount_sat: 100_000,
        };
        Self {
            unreadable: plain(Block),
            bad_checksum: plain(Block),
            wrong_network: plain(Block),
            no_labels: plain(Review),
            sanctioned: ClaimRule {
                verdict: Block,
                min_confidence: 0,
                concepts: texts(&["sanction", "gov_black_list"]),
                sources: texts(&[
                    "treasury.gov/ofac",
                    "ofac.treasury.gov",
                    "ofac.treas.gov",
                    "treasury.gov/policy-issues/financial-sanctions",
                ]),
            },
            sanctioned_actor: ClaimRule {
                verdict: Block,
                min_confidence: 20,
                concepts: texts(&["sanction", "gov_black_list"]),
                sources: Vec::new(),
            },
            tagged: vec![
                tagged("wrongdoing", Block, Role::Abuse, 50),
                tagged("alleged_wrongdoing", Review, Role::Abuse, 0),
                tagged("mixing", Review, Role::Mixing, 0),
            ],
            clusters: ClusterRule { at_most: Review },
            exposure: WalkLimits { max_hops: 6, max_transactions: 1000, min_confidence: 20 },
            exposed: vec![
                exposed("sanctioned_direct", Block, Reach::Direct, sanctions, 10),
                exposed("sanctioned_indirect", Review, Reach::Indirect, sanctions, 100),
                exposed("wrongdoing_direct", Review, Reach::Direct, &["wrongdoing"], 10),
                exposed("wrongdoing_indirect", Review, Reach::Indirect, &["wrongdoing"], 200),
                exposed("mixing_direct", Review, Reach::Direct, &["mixing", "coinjoin"], 100),
            ],
            lookalike: LookalikeRule { verdict: Block, verdict_known: Review, min_bits: 10 },
            lookalike_labels: LookalikeRule { verdict: Review, verdict_known: Allow, min_bits: 10 },
            unseen: plain(Allow),
            young: AgeRule { verdict: Review, blocks: 0 },
            unknown_transaction: plain(Review),
            unknown_input: plain(Review),
        }
    }
}
