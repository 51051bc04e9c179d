//! A clustering that follows the tip: blocks are folded in, and taken back after a reorganisation.

use std::collections::VecDeque;

use chain::{AddressNum, Block, Height, InputAddresses, Ledger, LedgerError, OutNum, Tip, TxNum};

use super::{
    batch::{self, Options, Until},
    clustering::{Basis, Clustering},
    forest::Forest,
    guard::{self, Finding, Guard},
    rule::{Joined, Rule},
};
use crate::{Error, Result, coinjoin::RULES_VERSION};

/// A clustering that can be changed block by block.
///
/// At any moment it equals what [`super::build`] makes of the same blocks, however many blocks were
/// folded and undone before. Eight bytes an address, and twelve for each merge that can be undone.
#[derive(Clone, Debug)]
pub struct Live<R> {
    rule: R,
    options: Options,
    /// The last so many blocks can be undone.
    undoable: u32,
    forest: Forest,
    tip: Option<Tip>,
    txs: u32,
    findings: Vec<Finding>,
    marks: VecDeque<Mark>,
}

/// What a block changed.
#[derive(Clone, Copy, Debug)]
struct Mark {
    tip_before: Option<Tip>,
    txs_before: u32,
    addresses_before: u32,
    findings_before: usize,
    links: usize,
}

/// What [`Live::sync`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Blocks undone.
    pub undone: u32,
    /// Blocks folded in.
    pub folded: u32,
    /// Whether the fork lay deeper than what can be undone, so that everything was built again.
    pub rebuilt: bool,
}

impl<R> Live<R> {
    /// Builds the clustering of a ledger; its last `undoable` blocks can be taken back later.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn start<L: Ledger + Sync>(
        ledger: &L,
        rule: R,
        options: Options,
        undoable: u32,
    ) -> Result<Self>
    where
        R: Rule<L>,
    {
        let base = ledger.tip().and_then(|tip| tip.height.0.checked_sub(undoable));
        let mut until = Until { tip: None, txs: 0, addresses: 0 };
        if let Some(block) = base.map(|height| ledger.block(Height(height))).transpose()?.flatten()
        {
            until = Until {
                tip: Some(Tip { height: block.height, hash: block.hash }),
                txs: block.txs.end,
                addresses: addresses_before(ledger, block.txs.end)?,
            };
        }
        let built = batch::build_until(ledger, &rule, &options, until, &mut |_| ())?;
        let mut live = Self::resume(built, rule, options, undoable)?;
        while live.fold(ledger)? {}
        Ok(live)
    }

    /// Goes on from a clustering that was kept. Blocks before it cannot be undone: where that is
    /// needed, [`Live::sync`] builds again.
    ///
    /// # Errors
    /// [`Error::OtherRule`] where the clustering was made by a rule of another name,
    /// [`Error::OtherBasis`] where it was made under another guard or by other rules for CoinJoins.
    pub fn resume<L: Ledger>(
        clustering: Clustering,
        rule: R,
        options: Options,
        undoable: u32,
    ) -> Result<Self>
    where
        R: Rule<L>,
    {
        let Clustering { ids, basis, findings } = clustering;
        if basis.rule != rule.name() {
            return Err(Error::OtherRule { has: basis.rule, wanted: rule.name().to_owned() });
        }
        if basis.guard != options.guard || basis.coinjoin_rules != RULES_VERSION {
            return Err(Error::OtherBasis);
        }
        Ok(Self {
            rule,
            options,
            undoable,
            forest: Forest::on(ids),
            tip: basis.tip,
            txs: basis.txs,
            findings,
            marks: VecDeque::new(),
        })
    }

    /// The last block that was folded in.
    pub fn tip(&self) -> Option<Tip> {
        self.tip
    }

    /// What the guard found, in chain order.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The cluster of an address and how many addresses it has; `None` for an unknown address.
    pub fn cluster_of(&self, address: AddressNum) -> Option<(AddressNum, u32)> {
        let root = self.forest.root(address.0)?;
        Some((AddressNum(self.forest.lowest(root)), self.forest.size(root)))
    }

    /// Folds in the next block. Whether there was one; after an error nothing has changed.
    ///
    /// # Errors
    /// [`LedgerError::Reorganised`] where the ledger does not have the last block that was folded
    /// in: [`Live::sync`] helps. Otherwise whatever the ledger reports.
    pub fn fold<L: Ledger>(&mut self, ledger: &L) -> Result<bool>
    where
        R: Rule<L>,
    {
        if !self.is_on(ledger)? {
            return Err(LedgerError::Reorganised.into());
        }
        let height = self.tip.map_or(Some(Height(0)), |tip| tip.height.checked_add(1));
        let Some(block) = height.map(|height| ledger.block(height)).transpose()?.flatten() else {
            return Ok(false);
        };
        if block.txs.start != self.txs {
            return Err(LedgerError::Reorganised.into());
        }
        let mark = Mark {
            tip_before: self.tip,
            txs_before: self.txs,
            addresses_before: self.forest.addresses(),
            findings_before: self.findings.len(),
            links: 0,
        };
        let before = self.forest.links();
        let result = self.join(ledger, &block);
        self.marks.push_back(Mark { links: self.forest.links() - before, ..mark });
        (self.tip, self.txs) =
            (Some(Tip { height: block.height, hash: block.hash }), block.txs.end);
        if let Err(error) = result {
            self.undo();
            return Err(error);
        }
        while self.marks.len() > self.undoable as usize {
            if let Some(mark) = self.marks.pop_front() {
                self.forest.settle(mark.links);
            }
        }
        Ok(true)
    }

    /// Takes the last block back. Whether that was possible.
    pub fn undo(&mut self) -> bool {
        let Some(mark) = self.marks.pop_back() else { return false };
        self.forest.undo(mark.links);
        self.forest.shrink(mark.addresses_before);
        self.findings.truncate(mark.findings_before);
        (self.tip, self.txs) = (mark.tip_before, mark.txs_before);
        true
    }

    /// Goes to the tip of a ledger, back over blocks that it does not have any more.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn sync<L: Ledger + Sync>(&mut self, ledger: &L) -> Result<Synced>
    where
        R: Rule<L> + Clone,
    {
        let mut synced = Synced::default();
        while !self.is_on(ledger)? {
            if !self.undo() {
                *self = Self::start(ledger, self.rule.clone(), self.options, self.undoable)?;
                synced.rebuilt = true;
                return Ok(synced);
            }
            synced.undone += 1;
        }
        while self.fold(ledger)? {
            synced.folded += 1;
        }
        Ok(synced)
    }

    /// The clustering as it is now.
    pub fn clustering<L: Ledger>(&self) -> Clustering
    where
        R: Rule<L>,
    {
        let basis = Basis {
            rule: self.rule.name().to_owned(),
            coinjoin_rules: RULES_VERSION,
            guard: self.options.guard,
            tip: self.tip,
            txs: self.txs,
        };
        Clustering { ids: self.forest.ids(), basis, findings: self.findings.clone() }
    }

    /// The guard in use.
    pub fn guard(&self) -> Option<&Guard> {
        self.options.guard.as_ref()
    }

    /// Whether the last block folded in is one of the ledger's.
    fn is_on(&self, ledger: &impl Ledger) -> Result<bool> {
        let Some(tip) = self.tip else { return Ok(true) };
        Ok(ledger.block(tip.height)?.is_some_and(|block| block.hash == tip.hash))
    }

    fn join<L: Ledger>(&mut self, ledger: &L, block: &Block) -> Result<()>
    where
        R: Rule<L>,
    {
        self.forest.grow(self.addresses_after(ledger, block)?);
        let mut inputs = InputAddresses::default();
        let (mut memory, mut joined) = (self.rule.memory(), Joined::default());
        ledger.input_addresses(block.txs.clone(), &mut inputs)?;
        self.rule.look_ahead(ledger, block.txs.clone(), &mut memory)?;
        for (tx, inputs) in block.txs.clone().map(TxNum).zip(inputs.iter()) {
            if joined.fill((ledger, &self.rule), tx, inputs, &mut memory)? {
                let guard = self.options.guard.as_ref();
                let found = guard::join(&mut self.forest, guard, tx, &joined);
                self.findings.extend(found.ok_or_else(|| batch::unknown_address(ledger, tx))?);
            }
        }
        Ok(())
    }

    /// How many addresses there are after a block.
    fn addresses_after(&self, ledger: &impl Ledger, block: &Block) -> chain::Result<u32> {
        if block.txs.end == ledger.tx_count() {
            return Ok(ledger.address_count());
        }
        let (mut count, mut outputs) = (self.forest.addresses(), Vec::new());
        for tx in block.txs.clone() {
            ledger.outputs(TxNum(tx), &mut outputs)?;
            let highest = outputs.iter().filter_map(|output| output.address).max();
            count = count.max(highest.map_or(0, |address| address.0.saturating_add(1)));
        }
        Ok(count)
    }
}

/// How many addresses appear before a transaction.
///
/// Addresses are numbered as they appear: those that have an output before come first, so bisection
/// finds where they end.
fn addresses_before(ledger: &impl Ledger, tx: u32) -> chain::Result<u32> {
    let mut outputs = Vec::new();
    let mut cut: Option<OutNum> = None;
    for tx in tx..ledger.tx_count() {
        ledger.outputs(TxNum(tx), &mut outputs)?;
        if let Some(first) = outputs.first() {
            cut = Some(first.num);
            break;
        }
    }
    let (mut low, mut high) = (0, ledger.address_count());
    let Some(cut) = cut else { return Ok(high) };
    while low < high {
        let middle = low + (high - low) / 2;
        match ledger.last_output_of(AddressNum(middle), Some(cut))? {
            Some(_) => low = middle + 1,
            None => high = middle,
        }
    }
    Ok(low)
}
