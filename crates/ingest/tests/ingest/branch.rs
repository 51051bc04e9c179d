//! Plans become blocks: valid but for scripts, maturity and the coinbase's amount, which nobody
//! looks at.

use std::collections::HashSet;

use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
    absolute::LockTime, transaction::Version,
};
use testkit::mine;

use crate::plan::{BlockPlan, OutPlan, TxPlan};

/// The first value that does not fit into 40 bits beside the mark for "look elsewhere".
const BIG: u64 = (1 << 40) - 1;
/// No transaction moves more: 20 million bitcoin.
const CAP: u64 = 20_000_000 * 100_000_000;

/// A chain and what it leaves to be spent.
#[derive(Clone)]
pub(crate) struct Branch {
    /// From genesis on.
    pub(crate) blocks: Vec<Block>,
    /// As of each block.
    coins: Vec<Coins>,
    /// Tells its blocks from those of other branches.
    tag: u32,
}

#[derive(Clone, Default)]
struct Coins {
    unspent: Vec<(OutPoint, u64)>,
    /// Those that can come again: without a commitment to witnesses.
    coinbases: Vec<Transaction>,
    /// Ids of the others.
    known: HashSet<Txid>,
}

impl Branch {
    /// Nothing but genesis.
    pub(crate) fn genesis() -> Self {
        Self { blocks: vec![mine::genesis()], coins: vec![Coins::default()], tag: 0 }
    }

    /// Genesis and these blocks.
    pub(crate) fn new(plans: &[BlockPlan]) -> Self {
        let mut branch = Self::genesis();
        branch.grow(plans);
        branch
    }

    /// The first `len` blocks of this one (at least genesis), and others from there on.
    pub(crate) fn fork(&self, len: usize, tag: u32, plans: &[BlockPlan]) -> Self {
        let len = len.max(1);
        let (blocks, coins) = (self.blocks[..len].to_vec(), self.coins[..len].to_vec());
        let mut branch = Self { blocks, coins, tag };
        branch.grow(plans);
        branch
    }

    /// More blocks at the end.
    pub(crate) fn grow(&mut self, plans: &[BlockPlan]) {
        for plan in plans {
            let (Some(parent), Some(coins)) = (self.blocks.last(), self.coins.last()) else {
                return;
            };
            let mut coins = coins.clone();
            let place = mine::Place {
                parent: parent.block_hash(),
                time: 1_700_000_000 + self.blocks.len() as u32,
            };
            let twin = coins.twin(plan);
            let txs = coins.transactions(plan, twin.as_ref(), self.blocks.len() as u32, self.tag);
            let block = mine::block(place, txs);
            if twin.is_none() {
                // Only now is its id known: it commits to the witnesses of the others.
                coins.add(&block.txdata[0]);
                coins.remember(&block.txdata[0]);
            }
            self.blocks.push(block);
            self.coins.push(coins);
        }
    }
}

impl Coins {
    fn twin(&self, plan: &BlockPlan) -> Option<Transaction> {
        let pick = usize::from(plan.twin?).checked_rem(self.coinbases.len())?;
        Some(self.coinbases[pick].clone())
    }

    fn transactions(
        &mut self,
        plan: &BlockPlan,
        twin: Option<&Transaction>,
        height: u32,
        tag: u32,
    ) -> Vec<Transaction> {
        let coinbase = match twin {
            Some(twin) => {
                self.add(twin);
                twin.clone()
            }
            None => mine::coinbase(mine::coinbase_script(height, tag), minted(&plan.coinbase)),
        };
        let mut txs = vec![coinbase];
        for plan in &plan.txs {
            // A witness anywhere would change the id of the coinbase.
            let tx = self.transaction(plan, height, twin.is_none());
            // What spends a twin could be a twin itself, which no chain has seen.
            if let Some(tx) = tx.filter(|tx| self.known.insert(tx.compute_txid())) {
                self.add(&tx);
                txs.push(tx);
            }
        }
        txs
    }

    fn remember(&mut self, coinbase: &Transaction) {
        if coinbase.input[0].witness.is_empty() {
            self.coinbases.push(coinbase.clone());
        }
    }

    fn transaction(&mut self, plan: &TxPlan, height: u32, segwit: bool) -> Option<Transaction> {
        let (mut input, mut taken) = (Vec::new(), 0);
        for (n, &pick) in plan.inputs.iter().enumerate() {
            let at = usize::from(pick).checked_rem(self.unspent.len()).unwrap_or(0);
            let &(previous_output, value) = self.unspent.get(at)?;
            if taken + value > CAP {
                break;
            }
            taken += value;
            self.unspent.swap_remove(at);
            let last = [0xffff_ffff, 0xffff_fffe, 0xffff_fffd, n as u32];
            let witness: &[&[u8]] = if segwit && plan.habits & 1 == 1 { &[&[1; 64]] } else { &[] };
            input.push(TxIn {
                previous_output,
                script_sig: ScriptBuf::new(),
                sequence: Sequence(last[usize::from(plan.habits >> 1 & 3)]),
                witness: Witness::from_slice(witness),
            });
            if self.unspent.is_empty() {
                break;
            }
        }
        let times = [0, height, height.saturating_sub(100), height + 1, 1_600_000_000];
        let lock_time = LockTime::from_consensus(times[usize::from(plan.habits >> 3) % 5]);
        let version = Version([1, 2, 3, -1][usize::from(plan.habits >> 6 & 3)]);
        let output = split(&plan.outputs, taken);
        (!input.is_empty()).then_some(Transaction { version, lock_time, input, output })
    }

    /// What a transaction makes can be spent. The outputs of a twin take the places of those
    /// before it.
    fn add(&mut self, tx: &Transaction) {
        let txid = tx.compute_txid();
        self.unspent.retain(|(outpoint, _)| outpoint.txid != txid);
        let outputs = tx.output.iter().zip(0..);
        self.unspent
            .extend(outputs.map(|(output, vout)| (OutPoint { txid, vout }, output.value.to_sat())));
    }
}

/// Outputs of a coinbase, of any value.
fn minted(plans: &[OutPlan]) -> Vec<TxOut> {
    let mut total = 0;
    each(plans, |plan| {
        let values = [0, 1, 5_000_000_000, BIG - 1, BIG, BIG + 1, 1 << 41, 100_000_000_000_000];
        let value = values[usize::from(plan.value) % values.len()];
        let value = if total + value > CAP / 2 { 7 } else { value };
        total += value;
        value
    })
}

/// Outputs that share what the inputs bring; the rest is the fee.
fn split(plans: &[OutPlan], taken: u64) -> Vec<TxOut> {
    let mut rest = taken;
    each(plans, |plan| {
        let wishes = [rest, rest / 2, rest / 3, rest / 16, BIG, BIG - 1, 1, 0];
        let value = wishes[usize::from(plan.value) % wishes.len()].min(rest);
        rest -= value;
        value
    })
}

fn each(plans: &[OutPlan], mut value: impl FnMut(&OutPlan) -> u64) -> Vec<TxOut> {
    let mut outputs = Vec::new();
    for plan in plans {
        // Not so much of the long ones that a block gets larger than blocks can be.
        let long = script(plan.kind, plan.owner).len() > 1000;
        for _ in 0..if long { plan.copies.min(10) } else { plan.copies } {
            let value = Amount::from_sat(value(plan));
            outputs.push(TxOut { value, script_pubkey: script(plan.kind, plan.owner) });
        }
    }
    outputs
}

/// Locking scripts of every kind, and ones that nearly are of a kind.
fn script(kind: u8, owner: u8) -> ScriptBuf {
    // No zeros: a last block that ends in many looks as if it were still being written.
    let owner = owner + 1;
    let key = [owner; 64];
    let parts: [&[u8]; 3] = match kind % 20 {
        0 => [&[0x76, 0xa9, 0x14], &key[..20], &[0x88, 0xac]],
        1 => [&[0xa9, 0x14], &key[..20], &[0x87]],
        2 => [&[0x00, 0x14], &key[..20], &[]],
        3 => [&[0x00, 0x20], &key[..32], &[]],
        4 => [&[0x51, 0x20], &key[..32], &[]],
        5 => [&[0x21, 0x02], &key[..32], &[0xac]],
        6 => [&[0x41, 0x04], &key[..64], &[0xac]],
        // The frame of a bare key around what is none.
        7 => [&[0x21, 0x07], &key[..32], &[0xac]],
        8 => [&[0x41, 0x07], &key[..64], &[0xac]],
        9 => [&[0x51, 0x02, 0x4e, 0x73], &[], &[]],
        // Bare multisig, 1 of 1.
        10 => [&[0x51, 0x21, 0x02], &key[..32], &[0x51, 0xae]],
        11 => [&[0x6a], &[], &[]],
        12 => [&[0x6a, 0x20], &key[..32], &[]],
        13 => return ScriptBuf::from_bytes([vec![0x6a], vec![owner; 9000]].concat()),
        14 => [&[], &[], &[]],
        15 => [&[], &key[..1], &[]],
        // What a kind keeps of a script, as a script of its own.
        16 => [&[], &key[..20], &[]],
        17 => return ScriptBuf::from_bytes(vec![owner; 10_001]),
        // A witness version without meaning.
        18 => [&[0x60, 0x28], &key[..40], &[]],
        // A hash of 20 bytes where 32 belong.
        _ => [&[0x51, 0x14], &key[..20], &[]],
    };
    ScriptBuf::from_bytes(parts.concat())
}
