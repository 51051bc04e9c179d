//! Which output is change: hypotheses by the field's names, and what they say together.
//!
//! Each [`Heuristic`] is a function of its own that names the outputs that may be change, and why,
//! or says nothing. [`Judge::verdict`] counts independent signs. Change is a labelled hypothesis on
//! an edge: nothing here joins addresses, and where the transaction may be a CoinJoin there is no
//! verdict. Definitions, sources and measured errors: `docs/methods/change.md`.

mod address;
mod amount;
mod payment;
mod successor;
mod verdict;

#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use chain::Ledger;

pub use payment::Payment;
pub use verdict::{Cleared, Judge, Strength, Verdict};

/// A way of telling change from payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Heuristic {
    /// The output pays an address that also paid (GraphSense: `direct_change`).
    AddressReuse,
    /// The output has the kind of script that all inputs have, and others have another.
    AddressType,
    /// The output is smaller than every input: as a payment it would have needed fewer of them.
    OptimalChange,
    /// Other outputs are round amounts, the output is not.
    PowerOfTen,
    /// Other outputs pay addresses seen before, the output does not.
    ClientBehaviour,
    /// The output alone is fresh, not round, of the inputs' kind and smaller than every input
    /// (GraphSense: `one_time_change`).
    OneTime,
    /// The transaction that spends the output sets `nLockTime` or not, as this one does.
    Locktime,
    /// The transaction that spends the output has the version and the sequences of this one.
    Fingerprint,
    /// The transaction that spends the output pays exactly the same fee.
    FixedFee,
    /// One input, two outputs, and the transaction that spends the output is such a one again.
    Peeling,
}

impl Heuristic {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AddressReuse,
        Self::AddressType,
        Self::OptimalChange,
        Self::PowerOfTen,
        Self::ClientBehaviour,
        Self::OneTime,
        Self::Locktime,
        Self::Fingerprint,
        Self::FixedFee,
        Self::Peeling,
    ];

    /// The name in JSON, flags and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddressReuse => "address_reuse",
            Self::AddressType => "address_type",
            Self::OptimalChange => "optimal_change",
            Self::PowerOfTen => "power_of_ten",
            Self::ClientBehaviour => "client_behaviour",
            Self::OneTime => "one_time",
            Self::Locktime => "locktime",
            Self::Fingerprint => "fingerprint",
            Self::FixedFee => "fixed_fee",
            Self::Peeling => "peeling",
        }
    }

    /// What the heuristic says about a payment; `None` where it says nothing: where all outputs,
    /// or none, would be change by it.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn apply(
        self,
        ledger: &impl Ledger,
        payment: &Payment,
        options: &Options,
    ) -> chain::Result<Option<Opinion>> {
        match self {
            Self::AddressReuse => Ok(address::reuse(payment)),
            Self::AddressType => Ok(address::kind(payment)),
            Self::OptimalChange => Ok(amount::optimal(payment)),
            Self::PowerOfTen => Ok(amount::power_of_ten(payment, options.digits)),
            Self::ClientBehaviour => address::client(ledger, payment),
            Self::OneTime => address::one_time(ledger, payment),
            Self::Locktime => successor::locktime(ledger, payment),
            Self::Fingerprint => successor::fingerprint(ledger, payment),
            Self::FixedFee => successor::fixed_fee(ledger, payment),
            Self::Peeling => successor::peeling(ledger, payment),
        }
    }

    /// Whether what it says may change with later blocks: it looks at who spends the outputs.
    pub fn looks_ahead(self) -> bool {
        self.family() == Family::Successor
    }

    /// What the heuristic looks at. Two heuristics of one family are one sign, not two.
    pub const fn family(self) -> Family {
        match self {
            Self::AddressReuse => Family::Identity,
            Self::AddressType => Family::Script,
            Self::OptimalChange => Family::Selection,
            Self::PowerOfTen => Family::Roundness,
            Self::ClientBehaviour => Family::Freshness,
            Self::OneTime => Family::Composite,
            Self::Locktime | Self::Fingerprint | Self::FixedFee | Self::Peeling => {
                Family::Successor
            }
        }
    }
}

impl fmt::Display for Heuristic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text is no heuristic's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown change heuristic '{0}': use address_reuse, address_type, optimal_change, power_of_ten, \
     client_behaviour, one_time, locktime, fingerprint, fixed_fee or peeling"
)]
pub struct UnknownHeuristic(pub String);

/// Also takes GraphSense's names `direct_change` and `one_time_change`.
impl FromStr for Heuristic {
    type Err = UnknownHeuristic;

    fn from_str(text: &str) -> Result<Self, UnknownHeuristic> {
        match text {
            "direct_change" => Ok(Self::AddressReuse),
            "one_time_change" => Ok(Self::OneTime),
            other => Self::ALL
                .into_iter()
                .find(|heuristic| heuristic.name() == other)
                .ok_or_else(|| UnknownHeuristic(other.to_owned())),
        }
    }
}

/// What a heuristic looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The same address on both sides.
    Identity,
    /// The kind of script.
    Script,
    /// How inputs were chosen.
    Selection,
    /// How round amounts are.
    Roundness,
    /// Whether addresses were seen before.
    Freshness,
    /// What happens to the outputs later.
    Successor,
    /// Several of the others at once: no sign of its own.
    Composite,
}

impl Family {
    /// The name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Script => "script",
            Self::Selection => "selection",
            Self::Roundness => "roundness",
            Self::Freshness => "freshness",
            Self::Successor => "successor",
            Self::Composite => "composite",
        }
    }
}

/// What a heuristic says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Which heuristic.
    pub heuristic: Heuristic,
    /// The outputs that may be change by it (`vout`), ascending: at least one, and not all.
    pub change: Vec<u32>,
    /// Why, in a few words.
    pub why: String,
}

/// Which heuristics are asked, and their parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The heuristics to ask.
    pub heuristics: Vec<Heuristic>,
    /// An amount is round when it ends in so many zeros (satoshis): 6 is a hundredth of a bitcoin.
    pub digits: u32,
    /// Independent signs for a strong verdict.
    pub signs: usize,
}

impl Options {
    /// All heuristics whose opinions no later block changes: what a clustering needs that is
    /// gone on with block by block.
    pub fn without_looking_ahead() -> Self {
        let heuristics = Heuristic::ALL.into_iter().filter(|heuristic| !heuristic.looks_ahead());
        Self { heuristics: heuristics.collect(), ..Self::default() }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { heuristics: Heuristic::ALL.to_vec(), digits: 6, signs: 2 }
    }
}
