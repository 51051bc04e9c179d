//! Floor 3: may this address, transaction or payment be dealt with?
//!
//! [`Screen`] takes what there is (labels, a book of known addresses, a ledger; each may be
//! missing) and [`Rules`], and gives a [`Verdict`] with reasons. Each [`Reason`] names its rule,
//! what it rests on (a fact of the chain, an inference, somebody's claim), and the path from the
//! target to it. What could not be looked at is listed as [`NotAssessed`]: silence is no all-clear.
//!
//! The rules and their defaults: `docs/methods/screening.md` and [`DEFAULT_RULES`].
//!
//! No I/O, no clock, no randomness: same rules, labels, book, ledger and target, same result.

mod claims;
mod exposed;
mod lent;
mod payment;
mod psbt;
mod psbt_v2;
mod resemblance;
mod rules;
mod screening;
mod target;
mod verdict;

pub use lent::LentLabels;
pub use payment::{Payment, Place};
pub use psbt::PsbtError;
pub use rules::{
    AgeRule, ClaimRule, ClusterRule, DEFAULT_RULES, ExposedRule, LookalikeRule, Outcome, PlainRule,
    Reach, Rules, RulesError, TaggedRule, WalkLimits, explain_toml,
};
pub use screening::{Follow, Screen};
pub use target::Target;
pub use verdict::{Basis, Kind, NotAssessed, Part, Party, Reason, Screened, Seen, Verdict};
