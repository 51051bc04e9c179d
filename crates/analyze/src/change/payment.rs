//! A transaction as the change heuristics see it.

use chain::{AddressNum, Flags, Input, Ledger, OutNum, Output, TxNum, script::ScriptKind};

use super::{Heuristic, Opinion};

/// A transaction with at least two outputs that can be spent: one of them may be change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub(super) tx: TxNum,
    pub(super) flags: Flags,
    pub(super) inputs: Vec<Input>,
    /// Without data carriers.
    pub(super) outputs: Vec<Output>,
    pub(super) input_kinds: Vec<ScriptKind>,
    pub(super) output_kinds: Vec<ScriptKind>,
    /// The transaction's first output: whatever was before it is older.
    pub(super) first: OutNum,
    pub(super) fee: u64,
}

impl Payment {
    /// Takes a transaction from a ledger; `None` where there is no question: a coinbase, a stub,
    /// fewer than two outputs that can be spent.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn load(ledger: &impl Ledger, tx: TxNum) -> chain::Result<Option<Self>> {
        let flags = ledger.flags(tx)?;
        if flags.has(Flags::COINBASE) || flags.has(Flags::STUB) {
            return Ok(None);
        }
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        ledger.inputs(tx, &mut inputs)?;
        ledger.outputs(tx, &mut outputs)?;
        let Some(first) = outputs.iter().map(|output| output.num).min() else { return Ok(None) };
        let fee = fee(&inputs, &outputs);
        outputs.retain(|output| output.address.is_some());
        if inputs.is_empty() || outputs.len() < 2 {
            return Ok(None);
        }
        let kind = |address: Option<AddressNum>| match address {
            Some(address) => Ok(ScriptKind::of(ledger.script(address)?.as_bytes())),
            None => Ok(ScriptKind::NonStandard),
        };
        let input_kinds =
            inputs.iter().map(|input| kind(input.address)).collect::<chain::Result<_>>()?;
        let output_kinds =
            outputs.iter().map(|output| kind(output.address)).collect::<chain::Result<_>>()?;
        Ok(Some(Self { tx, flags, inputs, outputs, input_kinds, output_kinds, first, fee }))
    }

    /// The transaction.
    pub const fn tx(&self) -> TxNum {
        self.tx
    }

    /// Its outputs without data carriers, in `vout` order.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The one kind of all inputs' scripts.
    pub(super) fn input_kind(&self) -> Option<ScriptKind> {
        let first = *self.input_kinds.first()?;
        self.input_kinds.iter().all(|kind| *kind == first).then_some(first)
    }

    /// The smallest input, satoshis.
    pub(super) fn smallest_input(&self) -> u64 {
        self.inputs.iter().map(|input| input.value.0).min().unwrap_or(0)
    }

    /// Whether an address is among those that paid.
    pub(super) fn paid_from(&self, address: Option<AddressNum>) -> bool {
        address.is_some() && self.inputs.iter().any(|input| input.address == address)
    }

    /// The opinion that some outputs may be change, the others not; `None` where it tells nothing
    /// apart. `candidate` is asked by place in [`Payment::outputs`].
    pub(super) fn opinion(
        &self,
        heuristic: Heuristic,
        candidate: impl Fn(usize) -> bool,
        why: impl FnOnce() -> String,
    ) -> Option<Opinion> {
        let change: Vec<u32> = self
            .outputs
            .iter()
            .enumerate()
            .filter(|(place, _)| candidate(*place))
            .map(|(_, output)| output.vout)
            .collect();
        let tells = !change.is_empty() && change.len() < self.outputs.len();
        tells.then(|| Opinion { heuristic, change, why: why() })
    }
}

/// What the inputs hold more than the outputs, satoshis.
pub(super) fn fee(inputs: &[Input], outputs: &[Output]) -> u64 {
    let add = |sum: u64, value: u64| sum.saturating_add(value);
    let put = inputs.iter().map(|input| input.value.0).fold(0, add);
    let taken = outputs.iter().map(|output| output.value.0).fold(0, add);
    put.saturating_sub(taken)
}
