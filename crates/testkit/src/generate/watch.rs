//! Remembers what somebody's coins go through.

use super::{coins::Coins, draft::Draft, scripts::Address, truth::Class};

/// A transaction that spends a watched entity's coins.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) txid: [u8; 32],
    pub(crate) height: u32,
    pub(crate) class: Class,
    /// What it is for, in the words of whoever wrote the story.
    pub(crate) note: &'static str,
    pub(crate) inputs: Vec<SeenInput>,
    pub(crate) outputs: Vec<SeenOutput>,
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenInput {
    pub(crate) txid: [u8; 32],
    pub(crate) vout: u32,
    pub(crate) value: u64,
    pub(crate) address: Address,
    pub(crate) owner: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenOutput {
    pub(crate) value: u64,
    pub(crate) address: Address,
    /// 0 for a data carrier.
    pub(crate) owner: u32,
}

/// Whom to watch; nobody by default.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) owners: Vec<u32>,
    /// Goes with every transaction until it is changed.
    pub(crate) note: &'static str,
    pub(crate) seen: Vec<Seen>,
}

impl Watch {
    /// Looks at a transaction before its coins are gone.
    pub(super) fn look(&mut self, txid: [u8; 32], height: u32, draft: &Draft, coins: &Coins) {
        if self.owners.is_empty() {
            return;
        }
        let inputs = || draft.inputs.iter().filter_map(|slot| coins.get(*slot));
        if !inputs().any(|coin| self.owners.contains(&coin.owner)) {
            return;
        }
        let inputs = inputs().map(|coin| SeenInput {
            txid: coin.txid,
            vout: coin.vout,
            value: coin.value,
            address: coin.address,
            owner: coin.owner,
        });
        let outputs = draft.outputs.iter().map(|output| SeenOutput {
            value: output.value,
            address: output.address,
            owner: output.owner,
        });
        self.seen.push(Seen {
            txid,
            height,
            class: draft.class,
            note: self.note,
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            data: draft.data.clone(),
        });
    }
}
