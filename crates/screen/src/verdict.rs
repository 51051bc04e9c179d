//! What a screening says.

use std::fmt;

use chain::{Height, Sats};

/// What to do with a target. The worst of all reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No rule objects.
    Allow,
    /// A person has to look.
    Review,
    /// No.
    Block,
}

/// What a target was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An address of the own network.
    Address,
    /// An address of another network or chain.
    AddressElsewhere,
    /// A transaction by its id.
    Transaction,
    /// A payment not yet signed by all.
    Psbt,
    /// None of these.
    Unreadable,
}

/// On what a reason rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// On the chain, or on the target's own text.
    Fact,
    /// On a named heuristic.
    Inference {
        /// Its name.
        heuristic: &'static str,
    },
    /// On somebody's word.
    Claim {
        /// Whose.
        source: String,
        /// How far that is trusted, 0 to 100.
        confidence: u8,
        /// When it was last changed, as written there.
        lastmod: Option<String>,
    },
}

/// What a reason is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The target itself.
    Itself,
    /// An input: whose money it is.
    Input(u32),
    /// An output: who gets it.
    Output(u32),
}

/// Why a verdict is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The rule's id: its table in the file of rules.
    pub rule: String,
    /// What the rule says.
    pub verdict: Verdict,
    /// On what it rests.
    pub basis: Basis,
    /// The address in question, where it is one.
    pub address: Option<String>,
    /// What was found, in words.
    pub detail: String,
    /// How one comes from the target to this, step by step; the target itself is not among them.
    pub path: Vec<String>,
}

/// An address that a target involves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The address, or `script:HEX`.
    pub address: String,
    /// As what it takes part, in order.
    pub parts: Vec<Part>,
    /// What it pays and gets there together; `None` for a bare address.
    pub value: Option<Sats>,
    /// The worst that is said about it.
    pub verdict: Verdict,
    /// Whether the chain has seen it.
    pub seen: Seen,
}

/// Whether the chain has seen an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There is no whole chain to say so.
    Unknown,
    /// Not up to the tip.
    Never,
    /// First at this height.
    First(Height),
    /// First at this height or below: its history is too long to be walked to its beginning.
    NotAfter(Height),
}

/// Something that could not be looked at: its silence means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAssessed {
    /// `labels`, `lookalike`, `seen`, `inputs` or `exposure`.
    pub what: &'static str,
    /// Why.
    pub why: String,
}

/// The result for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screened {
    /// What it was read as.
    pub kind: Kind,
    /// What to do.
    pub verdict: Verdict,
    /// Why, the worst first.
    pub reasons: Vec<Reason>,
    /// The addresses that it involves.
    pub parties: Vec<Party>,
    /// What was not looked at.
    pub not_assessed: Vec<NotAssessed>,
}

impl Verdict {
    /// `allow`, `review` or `block`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}

impl Kind {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::AddressElsewhere => "address_elsewhere",
            Self::Transaction => "transaction",
            Self::Psbt => "psbt",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Basis {
    /// `fact`, `inference` or `claim`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Inference { .. } => "inference",
            Self::Claim { .. } => "claim",
        }
    }
}

impl Screened {
    /// A result from its reasons.
    pub(crate) fn new(
        kind: Kind,
        mut reasons: Vec<Reason>,
        parties: Vec<Party>,
        not_assessed: Vec<NotAssessed>,
    ) -> Self {
        // A stable order: the worst first, otherwise as the rules came upon them.
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
        let verdict = reasons.first().map_or(Verdict::Allow, |reason| reason.verdict);
        Self { kind, verdict, reasons, parties, not_assessed }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Itself => f.pad("itself"),
            Self::Input(number) => f.pad(&format!("input {number}")),
            Self::Output(number) => f.pad(&format!("output {number}")),
        }
    }
}
