//! What a transaction joins.

use std::ops::Range;

use chain::{AddressNum, Ledger, TxNum};

use crate::coinjoin::{Classes, Detector, ShapeBuf};

/// Says which transactions join nothing although several addresses pay, and which output is taken for
/// change, if any. A clustering carries the name of its rule.
pub trait Rule<L: Ledger>: Sync {
    /// What one thread keeps from one transaction to the next.
    type Memory;

    /// Fresh memory for a thread.
    fn memory(&self) -> Self::Memory;

    /// The name of the rule and of its clusterings. Rules that join differently have different names.
    fn name(&self) -> &str;

    /// Called with the transactions that will be asked about next: what a ledger tells of many at
    /// once can be read here.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    fn look_ahead(&self, _: &L, _: Range<u32>, _: &mut Self::Memory) -> chain::Result<()> {
        Ok(())
    }

    /// Whether the transaction joins nothing. Asked only where it could join something.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    fn excludes(&self, ledger: &L, tx: TxNum, memory: &mut Self::Memory) -> chain::Result<bool>;

    /// Whether [`Rule::change`] is worth asking.
    fn joins_change(&self) -> bool {
        false
    }

    /// The address of the output that is taken for change and joined with the inputs: a
    /// hypothesis. Not asked for transactions that are excluded.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    fn change(
        &self,
        _ledger: &L,
        _tx: TxNum,
        _memory: &mut Self::Memory,
    ) -> chain::Result<Option<AddressNum>> {
        Ok(None)
    }
}

/// The multi-input heuristic with everything kept out that the detector wants kept apart
/// ([`crate::coinjoin::Finding::do_not_union`]), when it was indexed or now.
#[derive(Clone, Copy, Debug, Default)]
pub struct CoinJoinsApart;

/// Name of [`CoinJoinsApart`].
pub const MULTI_INPUT: &str = "multi_input";

impl<L: Ledger> Rule<L> for CoinJoinsApart {
    type Memory = (Classes, Detector, ShapeBuf);

    fn memory(&self) -> Self::Memory {
        Self::Memory::default()
    }

    fn look_ahead(
        &self,
        ledger: &L,
        txs: Range<u32>,
        (classes, ..): &mut Self::Memory,
    ) -> chain::Result<()> {
        classes.read(ledger, txs)
    }

    fn name(&self) -> &str {
        MULTI_INPUT
    }

    fn excludes(
        &self,
        ledger: &L,
        tx: TxNum,
        (classes, detector, buffer): &mut Self::Memory,
    ) -> chain::Result<bool> {
        let class = match classes.of(tx) {
            Some(class) => class,
            None => detector.class_of(ledger, tx, buffer)?,
        };
        Ok(class.do_not_union())
    }
}

/// The multi-input heuristic with nothing kept out: what others do, for comparison.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllInputs;

impl<L: Ledger> Rule<L> for AllInputs {
    type Memory = ();

    fn memory(&self) {}

    fn name(&self) -> &str {
        "multi_input_all"
    }

    fn excludes(&self, _ledger: &L, _tx: TxNum, _memory: &mut ()) -> chain::Result<bool> {
        Ok(false)
    }
}

/// The addresses that a transaction joins, ascending and once each, and which of them is change.
#[derive(Clone, Debug, Default)]
pub(super) struct Joined {
    pub(super) addresses: Vec<AddressNum>,
    pub(super) change: Option<AddressNum>,
}

impl Joined {
    /// Fills in a transaction whose inputs have these addresses. Whether it joins anything.
    pub(super) fn fill<L: Ledger, R: Rule<L>>(
        &mut self,
        (ledger, rule): (&L, &R),
        tx: TxNum,
        inputs: &[AddressNum],
        memory: &mut R::Memory,
    ) -> chain::Result<bool> {
        self.addresses.clear();
        self.change = None;
        if !may_join(inputs, rule.joins_change()) || rule.excludes(ledger, tx, memory)? {
            return Ok(false);
        }
        self.addresses.extend_from_slice(inputs);
        if rule.joins_change() {
            let change = rule.change(ledger, tx, memory)?;
            self.change = change.filter(|change| !inputs.contains(change));
            self.addresses.extend(self.change);
        }
        self.addresses.sort_unstable();
        self.addresses.dedup();
        Ok(self.addresses.len() > 1)
    }
}

/// Whether inputs with these addresses can join anything.
#[inline]
pub(super) fn may_join(inputs: &[AddressNum], with_change: bool) -> bool {
    match inputs {
        [] => false,
        [first, rest @ ..] => with_change || rest.iter().any(|address| address != first),
    }
}
