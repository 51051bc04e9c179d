//! A complete ledger from whole blocks.

use std::collections::HashMap;

use bitcoin::{OutPoint, Transaction, hashes::Hash};

use super::{MemoryLedger, MemoryLedgerError};
use crate::{Block, Flags, Height, Network, OutNum, Sats, script::ScriptKind};

impl MemoryLedger {
    /// A complete ledger of these blocks: the first is block 0, each builds on the one before it.
    /// An output that none of them spends is unspent.
    ///
    /// Of two transactions with the same id (BIP-0030: mainnet 91722/91880 and 91812/91842) the
    /// later one takes over the id and whatever its outputs are spent by; the outputs of the
    /// earlier one stay unspent for ever, unless they were spent before.
    ///
    /// # Errors
    /// The first thing that no valid chain contains, with its height and txid. Scripts, proofs of
    /// work, Merkle roots and the coinbase's amount are not looked at.
    pub fn from_blocks(
        network: Network,
        blocks: &[bitcoin::Block],
    ) -> Result<Self, MemoryLedgerError> {
        let mut ledger = Self::empty(network);
        // Every output made so far under its latest outpoint, spent or not.
        let mut made: HashMap<OutPoint, OutNum> = HashMap::new();
        let mut parent = bitcoin::BlockHash::all_zeros();
        for (height, block) in blocks.iter().enumerate() {
            let height = Height(u32::try_from(height).map_err(|_| MemoryLedgerError::TooLarge)?);
            if height.0 > 0 && block.header.prev_blockhash != parent {
                return Err(MemoryLedgerError::NotLinked { height });
            }
            parent = block.header.block_hash();
            let first = ledger.txs.len() as u32;
            let coinbases = block.txdata.iter().filter(|tx| tx.is_coinbase()).count();
            if coinbases != 1 || !block.txdata[0].is_coinbase() {
                return Err(MemoryLedgerError::Coinbase { height });
            }
            for tx in &block.txdata {
                ledger.push_transaction(tx, height, &mut made)?;
            }
            let txs = first..ledger.txs.len() as u32;
            let time = block.header.time;
            ledger.blocks.insert(height, Block { height, hash: parent, time, txs });
            ledger.by_hash.insert(parent, height);
        }
        Ok(ledger)
    }

    fn push_transaction(
        &mut self,
        tx: &Transaction,
        height: Height,
        made: &mut HashMap<OutPoint, OutNum>,
    ) -> Result<(), MemoryLedgerError> {
        let txid = tx.compute_txid();
        let inputs = if tx.is_coinbase() { &[][..] } else { &tx.input[..] };
        let mut sources: Vec<OutNum> = Vec::new();
        for (vin, input) in inputs.iter().enumerate() {
            let prevout = input.previous_output;
            let height = Some(height);
            let Some(&source) = made.get(&prevout) else {
                return Err(MemoryLedgerError::UnknownPrevout { txid, height, vin, prevout });
            };
            let spender = match self.outputs[source.index()].spend {
                crate::Spend::By(by) => Some(self.txs[by.index()].txid),
                _ => sources.contains(&source).then_some(txid),
            };
            if let Some(by) = spender {
                return Err(MemoryLedgerError::DoubleSpend { txid, height, vin, prevout, by });
            }
            sources.push(source);
        }
        let mut outputs = Vec::new();
        for (vout, output) in tx.output.iter().enumerate() {
            let vout = u32::try_from(vout).map_err(|_| MemoryLedgerError::TooLarge)?;
            outputs.push((vout, Sats(output.value.to_sat()), output.script_pubkey.clone()));
        }
        let num = self.push(txid, Flags::of(tx, Some(height)), Some(height), &sources, outputs)?;
        for &out in &self.txs[num.index()].outputs {
            made.insert(OutPoint::new(txid, self.outputs[out.index()].vout), out);
        }
        Ok(())
    }
}

impl Flags {
    /// The flags of a whole transaction in the block at `height` (`None`: not known).
    ///
    /// Every input counts, the coinbase's too: its witness (BIP-0141) and its sequence number.
    pub fn of(tx: &Transaction, height: Option<Height>) -> Self {
        let mut flags = Self::default();
        let mut set = |when: bool, flag: Self| {
            if when {
                flags = flags.with(flag);
            }
        };
        let locktime = tx.lock_time.to_consensus_u32();
        let near = |Height(height): Height| locktime <= height && height - locktime <= 100;
        let sequences = || tx.input.iter().map(|input| input.sequence.0);
        set(tx.is_coinbase(), Self::COINBASE);
        set(tx.input.iter().any(|input| !input.witness.is_empty()), Self::WITNESS);
        set(tx.version.0 == 1, Self::VERSION_1);
        set(tx.version.0 == 2, Self::VERSION_2);
        set(locktime != 0, Self::LOCKTIME);
        set(locktime != 0 && height.is_some_and(near), Self::LOCKTIME_NEAR_TIP);
        set(sequences().any(|sequence| sequence < 0xffff_fffe), Self::RBF);
        set(sequences().all(|sequence| sequence == 0xffff_ffff), Self::SEQUENCE_FINAL);
        let data = |script: &[u8]| ScriptKind::of(script) == ScriptKind::OpReturn;
        set(tx.output.iter().any(|out| data(out.script_pubkey.as_bytes())), Self::DATA);
        flags
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::{
        Amount, BlockHash, CompactTarget, ScriptBuf, Sequence, TxIn, TxMerkleNode, TxOut, Txid,
        Witness, absolute::LockTime, block, transaction::Version,
    };

    use super::*;
    use crate::{AddressNum, Ledger, Spend, TxNum};

    fn pay(tag: u8, sats: u64) -> TxOut {
        TxOut { value: Amount::from_sat(sats), script_pubkey: ScriptBuf::from_bytes(vec![tag]) }
    }

    fn tx(inputs: Vec<OutPoint>, output: Vec<TxOut>) -> Transaction {
        let input = inputs
            .into_iter()
            .map(|previous_output| TxIn {
                previous_output,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            })
            .collect();
        Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input, output }
    }

    fn coinbase(tag: u8) -> Transaction {
        tx(vec![OutPoint::null()], vec![pay(tag, 5_000_000_000)])
    }

    fn chain(bodies: Vec<Vec<Transaction>>) -> Vec<bitcoin::Block> {
        let mut parent = BlockHash::all_zeros();
        let mut blocks = Vec::new();
        for (time, txdata) in bodies.into_iter().enumerate() {
            let header = block::Header {
                version: block::Version::ONE,
                prev_blockhash: parent,
                merkle_root: TxMerkleNode::all_zeros(),
                time: time as u32,
                bits: CompactTarget::from_consensus(0x207f_ffff),
                nonce: 0,
            };
            parent = header.block_hash();
            blocks.push(bitcoin::Block { header, txdata });
        }
        blocks
    }

    fn ledger(bodies: Vec<Vec<Transaction>>) -> Result<MemoryLedger, MemoryLedgerError> {
        MemoryLedger::from_blocks(Network::Regtest, &chain(bodies))
    }

    fn id(tx: &Transaction) -> Txid {
        tx.compute_txid()
    }

    #[test]
    fn numbers_follow_the_chain() {
        let first = coinbase(1);
        let data = TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from_bytes(vec![0x6a]) };
        let spend = tx(
            vec![OutPoint::new(id(&first), 0)],
            vec![pay(2, 1_000), data, pay(1, 4_999_990_000)],
        );
        let ledger = ledger(vec![vec![first.clone()], vec![coinbase(3), spend.clone()]]).unwrap();

        assert_eq!(ledger.tx_count(), 3);
        assert_eq!(ledger.find_tx(&id(&spend)).unwrap(), Some(TxNum(2)));
        assert_eq!(ledger.tip().unwrap().height, Height(1));
        let block = ledger.block(Height(1)).unwrap().unwrap();
        assert_eq!((block.txs.clone(), block.time), (1..3, 1));
        assert_eq!(ledger.find_block(&block.hash).unwrap(), Some(Height(1)));

        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        ledger.inputs(TxNum(2), &mut inputs).unwrap();
        ledger.outputs(TxNum(2), &mut outputs).unwrap();
        assert_eq!(inputs[0].source, OutNum(0));
        assert_eq!(inputs[0].value, Sats(5_000_000_000));
        let addresses: Vec<_> = outputs.iter().map(|out| out.address).collect();
        assert_eq!(addresses, [Some(AddressNum(2)), None, Some(AddressNum(0))]);
        assert_eq!(ledger.output(OutNum(0)).unwrap().spend, Spend::By(TxNum(2)));
        assert_eq!(outputs[2].spend, Spend::Unspent);
        assert_eq!(ledger.output_at(TxNum(2), 2).unwrap(), Some(OutNum(4)));
        assert_eq!(ledger.output_at(TxNum(2), 3).unwrap(), None);
        assert_eq!(ledger.tx_of(OutNum(4)).unwrap(), TxNum(2));
        assert_eq!(ledger.output_script(OutNum(3)).unwrap().as_bytes(), [0x6a]);

        let address = ledger.find_script(&ScriptBuf::from_bytes(vec![1])).unwrap().unwrap();
        assert_eq!(ledger.script(address).unwrap().as_bytes(), [1]);
        let newest = ledger.last_output_of(address, None).unwrap();
        assert_eq!(newest, Some(OutNum(4)));
        assert_eq!(ledger.last_output_of(address, newest).unwrap(), Some(OutNum(0)));
        assert_eq!(ledger.last_output_of(address, Some(OutNum(0))).unwrap(), None);
        let error = ledger.txid(TxNum(3)).unwrap_err();
        assert_eq!(error.to_string(), "transaction 3 does not exist: the ledger has 3");
    }

    #[test]
    fn the_latest_of_two_equal_txids_is_spent() {
        let twin = coinbase(1);
        let spend = tx(vec![OutPoint::new(id(&twin), 0)], vec![pay(2, 5)]);
        let ledger =
            ledger(vec![vec![twin.clone()], vec![twin.clone()], vec![coinbase(9), spend]]).unwrap();
        assert_eq!(ledger.find_tx(&id(&twin)).unwrap(), Some(TxNum(1)));
        assert_eq!(ledger.output(OutNum(0)).unwrap().spend, Spend::Unspent);
        assert_eq!(ledger.output(OutNum(1)).unwrap().spend, Spend::By(TxNum(3)));
    }

    #[test]
    fn flags_say_what_the_transaction_looks_like() {
        let mut fingerprint = tx(vec![OutPoint::new(id(&coinbase(1)), 0)], vec![pay(1, 1)]);
        fingerprint.lock_time = LockTime::from_consensus(900);
        fingerprint.input[0].sequence = Sequence(0xffff_fffd);
        fingerprint.input[0].witness.push([1]);
        let expect = Flags::WITNESS.with(Flags::VERSION_2).with(Flags::LOCKTIME).with(Flags::RBF);
        assert_eq!(Flags::of(&fingerprint, None), expect);
        assert_eq!(Flags::of(&fingerprint, Some(Height(1_001))), expect);
        assert_eq!(Flags::of(&fingerprint, Some(Height(899))), expect);
        let near = expect.with(Flags::LOCKTIME_NEAR_TIP);
        assert_eq!(Flags::of(&fingerprint, Some(Height(1_000))), near);
        let coinbase = Flags::COINBASE.with(Flags::VERSION_2).with(Flags::SEQUENCE_FINAL);
        assert_eq!(Flags::of(&super::tests::coinbase(1), Some(Height(5))), coinbase);
    }

    #[test]
    fn what_no_chain_contains_is_an_error() {
        let first = coinbase(1);
        let prevout = OutPoint::new(id(&first), 0);
        let height = Some(Height(1));
        let with = |txs: Vec<Transaction>| {
            let body = [vec![coinbase(2)], txs].concat();
            ledger(vec![vec![first.clone()], body]).map(|_| ())
        };

        let unknown = tx(vec![OutPoint::new(id(&first), 1)], vec![]);
        let txid = id(&unknown);
        let prevout_1 = OutPoint::new(id(&first), 1);
        let error = MemoryLedgerError::UnknownPrevout { txid, height, vin: 0, prevout: prevout_1 };
        assert_eq!(
            error.to_string(),
            format!(
                "block 1: transaction {txid}: input 0 spends {prevout_1}, which does not exist"
            )
        );
        assert_eq!(with(vec![unknown]), Err(error));

        let (one, two) = (tx(vec![prevout], vec![pay(1, 1)]), tx(vec![prevout], vec![pay(1, 2)]));
        let (txid, by) = (id(&two), id(&one));
        let error = MemoryLedgerError::DoubleSpend { txid, height, vin: 0, prevout, by };
        assert_eq!(with(vec![one, two]), Err(error));
        let twice = tx(vec![prevout, prevout], vec![]);
        let txid = id(&twice);
        let error = MemoryLedgerError::DoubleSpend { txid, height, vin: 1, prevout, by: txid };
        assert_eq!(with(vec![twice]), Err(error));

        let much = tx(vec![prevout], vec![pay(1, Sats::MAX_MONEY.0), pay(1, 1)]);
        let error = MemoryLedgerError::ValueOverflow { txid: id(&much), height, what: "outputs" };
        assert_eq!(with(vec![much]), Err(error));
        let more = tx(vec![prevout], vec![pay(1, 5_000_000_001)]);
        let (paid, taken) = (Sats(5_000_000_001), Sats(5_000_000_000));
        let error = MemoryLedgerError::Inflation { txid: id(&more), height, paid, taken };
        assert_eq!(with(vec![more]), Err(error));

        let error = MemoryLedgerError::Coinbase { height: Height(1) };
        assert_eq!(with(vec![coinbase(7)]), Err(error.clone()));
        assert_eq!(ledger(vec![vec![coinbase(1)], vec![]]).map(|_| ()), Err(error));
        let mut blocks = chain(vec![vec![coinbase(1)], vec![coinbase(2)]]);
        blocks[1].header.prev_blockhash = BlockHash::all_zeros();
        let unlinked = MemoryLedger::from_blocks(Network::Regtest, &blocks).map(|_| ());
        assert_eq!(unlinked, Err(MemoryLedgerError::NotLinked { height: Height(1) }));
    }
}
