//! Holds two ledgers against each other: everything that [`Ledger`] answers, one number at a time.
//!
//! Slow and plain on purpose: nothing here shares a thought with what it tests.

use std::{fmt::Debug, ops::Range};

use bitcoin::{BlockHash, ScriptBuf, Txid, hashes::Hash};
use chain::{AddressNum, Height, InputAddresses, Ledger, OutNum, Result, StoredClass, TxNum};

use crate::random::mix;

/// For each address the history is entered at so many arbitrary places besides its own outputs.
const ENTRIES: u64 = 8;

/// The first thing that two ledgers answer differently, `None` where there is none.
///
/// Asks for every block, transaction, output, script and history, for numbers behind the last, and
/// for ids and scripts that are not there. An error counts as different from everything, even from
/// the same error, except for numbers that do not exist.
pub fn differences(one: &impl Ledger, other: &impl Ledger) -> Option<String> {
    Pair { one, other }.compare().err()
}

/// The place and what both say there.
type Same<T = ()> = std::result::Result<T, String>;

struct Pair<'a, A, B> {
    one: &'a A,
    other: &'a B,
}

impl<A: Ledger, B: Ledger> Pair<'_, A, B> {
    fn compare(&self) -> Same {
        same("network", Ok(self.one.network()), Ok(self.other.network()))?;
        let tip = same("tip", Ok(self.one.tip()), Ok(self.other.tip()))?;
        let txs = same("tx_count", Ok(self.one.tx_count()), Ok(self.other.tx_count()))?;
        let counts = (self.one.address_count(), self.other.address_count());
        same("address_count", Ok(counts.0), Ok(counts.1))?;
        for (start, end) in [(0, txs), (0, 0), (txs / 3, txs - txs / 3), (txs, txs)] {
            let ask = |ledger: &dyn Ledger| {
                let mut answer = InputAddresses::default();
                ledger.input_addresses(start..end, &mut answer).map(|()| answer)
            };
            same("input_addresses", ask(self.one), ask(self.other))?;
            for ledger in [self.one as &dyn Ledger, self.other] {
                classes(ledger, start..end)?;
            }
        }
        for height in 0..tip.map_or(0, |tip| tip.height.0 + 1) {
            self.block(Height(height))?;
        }
        let above = Height(tip.map_or(0, |tip| tip.height.0 + 1));
        same("block above the tip", self.one.block(above), self.other.block(above))?;
        let nowhere = BlockHash::hash(b"no block");
        same("find_block", self.one.find_block(&nowhere), self.other.find_block(&nowhere))?;

        let (mut outputs, mut addresses) = (0, 0);
        for tx in 0..txs {
            self.transaction(TxNum(tx), &mut outputs, &mut addresses)?;
        }
        let nothing = Txid::hash(b"no transaction");
        same("find_tx", self.one.find_tx(&nothing), self.other.find_tx(&nothing))?;
        let (one, other) = (self.one, self.other);
        both_refuse("txid", one.txid(TxNum(txs)), other.txid(TxNum(txs)))?;
        both_refuse("output", one.output(OutNum(outputs)), other.output(OutNum(outputs)))?;
        for address in 0..addresses {
            self.address(AddressNum(address), outputs)?;
        }
        let behind = AddressNum(addresses);
        both_refuse("script", one.script(behind), other.script(behind))
    }

    fn block(&self, height: Height) -> Same {
        let what = format!("block {height}");
        let block = same(&what, self.one.block(height), self.other.block(height))?;
        if let Some(block) = block {
            let found = self.one.find_block(&block.hash);
            same(&format!("find_block {}", block.hash), found, self.other.find_block(&block.hash))?;
        }
        Ok(())
    }

    fn transaction(&self, tx: TxNum, outputs: &mut u64, addresses: &mut u32) -> Same {
        let at = |what: &str| format!("{what} of transaction {tx}");
        let (one, other) = (self.one, self.other);
        let txid = same(&at("txid"), one.txid(tx), other.txid(tx))?;
        same(&format!("find_tx {txid}"), one.find_tx(&txid), other.find_tx(&txid))?;
        same(&at("flags"), one.flags(tx), other.flags(tx))?;
        same(&at("height"), one.height(tx), other.height(tx))?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let asked = (one.inputs(tx, &mut ours), other.inputs(tx, &mut theirs));
        same(&at("inputs"), asked.0.map(|()| ours), asked.1.map(|()| theirs))?;
        same(&at("input_sum"), one.input_sum(tx), other.input_sum(tx))?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let asked = (one.outputs(tx, &mut ours), other.outputs(tx, &mut theirs));
        let made = same(&at("outputs"), asked.0.map(|()| ours), asked.1.map(|()| theirs))?;
        for output in &made {
            let num = output.num;
            let at = |what: &str| format!("{what} of output {num}");
            same(&at("facts"), one.output(num), other.output(num))?;
            same(&at("transaction"), one.tx_of(num), other.tx_of(num))?;
            let found = one.output_at(tx, output.vout);
            same(&at("place"), found, other.output_at(tx, output.vout))?;
            let script = same(&at("script"), one.output_script(num), other.output_script(num))?;
            if output.address.is_none() {
                same(&at("data"), one.find_script(&script), other.find_script(&script))?;
            }
            *outputs = (*outputs).max(num.0 + 1);
            *addresses = (*addresses).max(output.address.map_or(0, |address| address.0 + 1));
        }
        for vout in [made.len() as u32, u32::MAX] {
            let what = format!("output {vout} of transaction {tx}");
            same(&what, one.output_at(tx, vout), other.output_at(tx, vout))?;
        }
        Ok(())
    }

    fn address(&self, address: AddressNum, outputs: u64) -> Same {
        let (one, other) = (self.one, self.other);
        let at = |what: &str| format!("{what} of address {address}");
        let script = same(&at("script"), one.script(address), other.script(address))?;
        same(&at("number"), one.find_script(&script), other.find_script(&script))?;
        // A script that differs in one byte, and may be somebody else's.
        let mut bytes = script.into_bytes();
        match bytes.last_mut() {
            Some(last) => *last ^= 1,
            None => bytes.push(0),
        }
        let near = ScriptBuf::from_bytes(bytes);
        same(&at("neighbour"), one.find_script(&near), other.find_script(&near))?;

        let mut before = None;
        loop {
            let what = format!("output of address {address} before {before:?}");
            let ours = one.last_output_of(address, before);
            match same(&what, ours, other.last_output_of(address, before))? {
                None => break,
                Some(next) if before.is_some_and(|before| next >= before) => {
                    return Err(format!("{what}: {next} comes later"));
                }
                next => before = next,
            }
        }
        for entry in 0..ENTRIES {
            let number = mix(u64::from(address.0) * ENTRIES + entry) % (outputs + 2);
            let before = Some(OutNum(number));
            let what = format!("output of address {address} before {number}");
            let ours = one.last_output_of(address, before);
            same(&what, ours, other.last_output_of(address, before))?;
        }
        Ok(())
    }
}

/// Classes read at once are those read one by one; where one is missing there are none.
fn classes(ledger: &dyn Ledger, txs: Range<u32>) -> Same {
    let mut bytes = Vec::new();
    let rules = ledger.classes(txs.clone(), &mut bytes);
    let at_once = rules.map(|rules| {
        let class = |rules| bytes.iter().map(move |&byte| StoredClass { rules, byte });
        rules.map(|rules| class(rules).collect::<Vec<_>>())
    });
    let one_by_one: Result<Option<Vec<_>>> =
        txs.clone().map(|tx| ledger.class(TxNum(tx))).collect();
    // Of no transactions none is missing, whether the ledger keeps classes or not.
    if txs.is_empty() && matches!(at_once, Ok(None)) {
        return Ok(());
    }
    same("classes", at_once, one_by_one).map(|_| ())
}

/// What both answer.
fn same<T: PartialEq + Debug>(what: &str, one: Result<T>, other: Result<T>) -> Same<T> {
    match (one, other) {
        (Ok(one), Ok(other)) if one == other => Ok(one),
        (one, other) => Err(format!("{what}: {one:?} or {other:?}")),
    }
}

/// A number behind the last one is an error for both.
fn both_refuse<T: Debug>(what: &str, one: Result<T>, other: Result<T>) -> Same {
    use chain::LedgerError::OutOfRange;
    match (one, other) {
        (Err(OutOfRange { .. }), Err(OutOfRange { .. })) => Ok(()),
        (one, other) => Err(format!("{what} behind the last one: {one:?} or {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chain;
    use bitcoin::Block;
    use chain::{MemoryLedger, Network};

    const TEXT: &str = "block\ntx a: coinbase -> A:30 B:20\nblock\ntx b: a:0 -> A:20 C:9";

    /// The ledger of the blocks after a change that leaves their headers as they are.
    fn ledger(change: impl Fn(&mut Vec<Block>)) -> MemoryLedger {
        let mut blocks = Chain::parse(TEXT).unwrap().blocks().to_vec();
        change(&mut blocks);
        MemoryLedger::from_blocks(Network::Regtest, &blocks).unwrap()
    }

    #[track_caller]
    fn check(change: impl Fn(&mut Vec<Block>), expected: &str) {
        let difference = differences(&ledger(|_| ()), &ledger(change)).unwrap();
        assert!(difference.starts_with(expected), "{difference}");
    }

    #[test]
    fn any_change_shows() {
        assert_eq!(differences(&ledger(|_| ()), &ledger(|_| ())), None);
        let output = |block: &mut Block, n: usize| block.txdata[1].output.remove(n);
        check(|blocks| _ = blocks.pop(), "tip: ");
        check(|blocks| _ = blocks[2].txdata.pop(), "tx_count: ");
        check(|blocks| blocks[2].txdata[1].version.0 = 1, "txid of transaction 3: ");
        check(|blocks| _ = output(&mut blocks[2], 1), "address_count: ");
    }
}
