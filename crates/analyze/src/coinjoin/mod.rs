//! Recognising CoinJoins by their shape: Whirlpool and its Tx0, Wasabi 1, Wasabi 2, JoinMarket,
//! and shapes that only make one suspicious.
//!
//! [`Detector::classify`] looks at one transaction: values, kinds of scripts, which scripts are
//! equal, and when it was mined. [`lineage`] looks at its neighbours and confirms or rejects.
//! A finding carries two decisions: [`Finding::label`] (may the name be put on it; high
//! precision) and [`Finding::do_not_union`] (must its inputs stay apart in clustering; high
//! recall). Rules, sources and measured errors: `docs/methods/coinjoin.md`.
//!
//! No rule uses the order of inputs or outputs.

mod absence;
mod era;
mod facts;
mod finding;
mod joinmarket;
pub mod lineage;
mod measured;
mod shape;
mod suspicion;
mod wasabi1;
mod wasabi2;
mod whirlpool;

#[cfg(test)]
mod tests;

use std::ops::Range;

use chain::{Ledger, TxNum};

pub use absence::Absence;
pub use era::{Era, Span, When};
pub use finding::{Class, Denomination, Finding, Participants, Protocol};
pub use measured::{FALSE_POSITIVES, MEASURED, Measured};
pub use shape::{Coin, ScriptId, Shape, ShapeBuf};
pub use wasabi2::denominations as wasabi2_denominations;

use facts::Facts;

/// All rule ids, in the order in which they are tried. They never change their meaning.
pub const RULES: [&str; 13] = [
    whirlpool::MIX,
    whirlpool::TX0,
    wasabi2::DENOMINATIONS,
    wasabi2::SMALL,
    wasabi1::COORDINATOR,
    wasabi1::DENOMINATION,
    joinmarket::MAKER_TAKER,
    joinmarket::LIKE,
    suspicion::STONEWALL,
    suspicion::EQUAL_OUTPUTS,
    suspicion::MANY_GROUPS,
    suspicion::EQUAL_PAIR,
    suspicion::PAYJOIN,
];

/// Number of this set of rules. It changes whenever a rule does, so that classes kept by a store
/// ([`Class`]) are not believed when the rules that gave them are not these.
pub const RULES_VERSION: u32 = 1;

/// Applies the rules, one transaction after the other, reusing its memory.
#[derive(Clone, Debug, Default)]
pub struct Detector {
    facts: Facts,
}

impl Detector {
    /// What the transaction is, by its shape alone; `None` where nothing speaks for a CoinJoin.
    ///
    /// A shape whose protocol did not exist then is no finding of that protocol; the later rules
    /// still apply, so that at least its inputs stay apart.
    pub fn classify(&mut self, shape: &Shape<'_>) -> Option<Finding> {
        let values = shape.outputs.iter().map(|coin| coin.value.0);
        let spent = shape.inputs.iter().map(|coin| coin.value.0);
        let carriers = usize::from(shape.carrier_bytes > 0);
        if !possible(spent, values, carriers) {
            return None;
        }
        self.facts.gather(shape);
        let facts = &self.facts;
        whirlpool::mix(shape, facts)
            .filter(existed)
            .or_else(|| whirlpool::tx0(shape, facts).filter(existed))
            .or_else(|| wasabi2::round(shape, facts).filter(existed))
            .or_else(|| wasabi1::round(shape, facts).filter(existed))
            .or_else(|| joinmarket::round(shape, facts).filter(existed))
            .or_else(|| suspicion::stonewall(facts))
            .or_else(|| suspicion::generic(facts))
            .or_else(|| suspicion::pair(facts))
            .or_else(|| suspicion::payjoin(shape, facts))
    }

    /// [`Detector::classify`] in one byte.
    pub fn class(&mut self, shape: &Shape<'_>) -> Class {
        self.classify(shape).map_or(Class::NONE, |finding| finding.class())
    }

    /// What a transaction of a ledger is. Where the ledger knows that it is nothing, that is believed.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn classify_tx(
        &mut self,
        ledger: &impl Ledger,
        tx: TxNum,
        buffer: &mut ShapeBuf,
    ) -> chain::Result<Option<Finding>> {
        if stored_class(ledger, tx)? == Some(Class::NONE) {
            return Ok(None);
        }
        Ok(buffer.load(ledger, tx)?.and_then(|shape| self.classify(&shape)))
    }

    /// [`Detector::classify_tx`] in one byte; what the ledger knows already is believed.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn class_of(
        &mut self,
        ledger: &impl Ledger,
        tx: TxNum,
        buffer: &mut ShapeBuf,
    ) -> chain::Result<Class> {
        if let Some(class) = stored_class(ledger, tx)? {
            return Ok(class);
        }
        let shape = buffer.load(ledger, tx)?;
        Ok(shape.map_or(Class::NONE, |shape| self.class(&shape)))
    }
}

/// Classes that a ledger keeps of transactions in a row, if these rules gave them: read at once
/// they cost a tenth of [`Detector::class_of`].
#[derive(Clone, Debug, Default)]
pub struct Classes {
    first: u32,
    bytes: Vec<u8>,
}

impl Classes {
    /// Reads those of other transactions.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn read(&mut self, ledger: &impl Ledger, txs: Range<u32>) -> chain::Result<()> {
        self.first = txs.start;
        if ledger.classes(txs, &mut self.bytes)? != Some(RULES_VERSION) {
            self.bytes.clear();
        }
        Ok(())
    }

    /// The class of a transaction; `None` where it was not read, or is not known.
    #[inline]
    pub fn of(&self, tx: TxNum) -> Option<Class> {
        let place = tx.0.checked_sub(self.first)?;
        self.bytes.get(place as usize).copied().and_then(Class::from_byte)
    }
}

/// The class that a ledger keeps of a transaction, if these rules gave it.
pub(crate) fn stored_class(ledger: &impl Ledger, tx: TxNum) -> chain::Result<Option<Class>> {
    let stored = ledger.class(tx)?.filter(|stored| stored.rules == RULES_VERSION);
    Ok(stored.and_then(|stored| Class::from_byte(stored.byte)))
}

fn existed(finding: &Finding) -> bool {
    finding.era != Era::Outside
}

/// Whether counts and values leave any rule a chance; cheap enough for every transaction of a
/// chain, and needs no scripts. `carriers` is how many of the outputs carry data.
///
/// With two outputs it may be a PayJoin, if an input was not needed. With more, two values are
/// equal or, with a data carrier, it may be a Tx0.
pub fn possible(
    inputs: impl ExactSizeIterator<Item = u64>,
    outputs: impl ExactSizeIterator<Item = u64> + Clone,
    carriers: usize,
) -> bool {
    match (inputs.len(), outputs.len()) {
        (0, _) | (_, 0 | 1) => false,
        (1, count) => count > 2 && carriers == 1,
        (_, 2) => carriers == 0 && outputs.min() >= inputs.min(),
        (_, count) => carriers == 1 || has_equal(outputs, count),
    }
}

/// Whether two of the values are equal. More than a few are not compared pair by pair: sorting
/// them, which comes next, is cheaper.
fn has_equal(mut values: impl Iterator<Item = u64> + Clone, count: usize) -> bool {
    const PAIRWISE: usize = 16;
    if count > PAIRWISE {
        return true;
    }
    while let Some(value) = values.next() {
        if values.clone().any(|other| other == value) {
            return true;
        }
    }
    false
}
