//! The read-only view of a chain that every analysis is written against.

use std::{ops::Range, path::PathBuf, sync::Arc};

use bitcoin::{BlockHash, Script, ScriptBuf, Txid};

use crate::{AddressNum, Height, Network, OutNum, Sats, TxNum};

/// What a ledger answers, or why it cannot.
pub type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// A chain, read-only and of one consistent tip for as long as the value lives.
///
/// Two things implement it: the durable store (complete: the whole chain is there) and
/// [`crate::MemoryLedger`] (a whole small chain, or *sparse*: a handful of transactions with
/// their prevouts). In a sparse ledger what is missing is *unknown*, never *unspent*:
/// see [`Spend::Unknown`] and [`Flags::STUB`].
///
/// Numbers are dense and follow chain order: every input of a transaction spends an output of a
/// transaction with a smaller [`TxNum`]. The coinbase is the first transaction of its block.
///
/// All numbers passed in must come from this ledger; others give [`LedgerError::OutOfRange`].
pub trait Ledger {
    /// The network of the chain.
    fn network(&self) -> Network;

    /// The last block, `None` for an empty ledger or one whose transactions have no heights.
    fn tip(&self) -> Option<Tip>;

    /// Transactions are numbered `0..tx_count`.
    fn tx_count(&self) -> u32;

    /// The transaction with this id, the latest one where the id occurs twice (BIP-0030).
    fn find_tx(&self, txid: &Txid) -> Result<Option<TxNum>>;

    /// The id of a transaction.
    fn txid(&self, tx: TxNum) -> Result<Txid>;

    /// Properties of a transaction.
    fn flags(&self, tx: TxNum) -> Result<Flags>;

    /// The height of the block with this transaction, `None` where a sparse source did not say.
    fn height(&self, tx: TxNum) -> Result<Option<Height>>;

    /// The time of the block with this transaction, seconds since 1970 UTC, as its header says;
    /// `None` where a sparse source did not say.
    fn time(&self, tx: TxNum) -> Result<Option<u32>> {
        let Some(height) = self.height(tx)? else { return Ok(None) };
        Ok(self.block(height)?.map(|block| block.time))
    }

    /// What the transaction was recognised as when it was indexed; `None` where the ledger keeps no
    /// such thing, or has not got to it yet. Whoever asks can find out from the shape then.
    fn class(&self, _tx: TxNum) -> Result<Option<StoredClass>> {
        Ok(None)
    }

    /// Clears `into` and fills it with the byte of [`StoredClass`] of many transactions at once, and
    /// gives the number of the rules; `None` where the ledger lacks one of them.
    fn classes(&self, _txs: Range<u32>, into: &mut Vec<u8>) -> Result<Option<u32>> {
        into.clear();
        Ok(None)
    }

    /// The block at a height, `None` above the tip or where a sparse ledger lacks it.
    fn block(&self, height: Height) -> Result<Option<Block>>;

    /// The block with this hash on the best chain.
    fn find_block(&self, hash: &BlockHash) -> Result<Option<Height>>;

    /// Clears `into` and fills it with the inputs in `vin` order; a coinbase has none.
    fn inputs(&self, tx: TxNum, into: &mut Vec<Input>) -> Result<()>;

    /// Sum of the values of the inputs; nothing for a coinbase.
    ///
    /// A sweep under haircut, poison or bounds needs no more than this of the inputs, and a store
    /// can add up a column faster than it can fill a vector: that is a quarter of the sweep.
    fn input_sum(&self, tx: TxNum) -> Result<Sats> {
        let mut inputs = Vec::new();
        self.inputs(tx, &mut inputs)?;
        Ok(Sats(inputs.iter().fold(0, |sum: u64, input| sum.saturating_add(input.value.0))))
    }

    /// Clears `into` and fills it with the addresses of the inputs of many transactions at once:
    /// what clustering reads of a chain, and ten times as fast as [`Ledger::inputs`] from columns.
    ///
    /// An input whose locking script has no number is left out. A range that ends behind the last
    /// transaction gives [`LedgerError::OutOfRange`].
    fn input_addresses(&self, txs: Range<u32>, into: &mut InputAddresses) -> Result<()> {
        into.clear();
        let mut inputs = Vec::new();
        for tx in txs {
            self.inputs(TxNum(tx), &mut inputs)?;
            into.push_tx(inputs.iter().filter_map(|input| input.address));
        }
        Ok(())
    }

    /// Clears `into` and fills it with the known outputs in `vout` order: all of them, unless
    /// the transaction is a [`Flags::STUB`].
    fn outputs(&self, tx: TxNum, into: &mut Vec<Output>) -> Result<()>;

    /// One output.
    fn output(&self, out: OutNum) -> Result<Output>;

    /// The output `vout` of a transaction, `None` where it has no such (known) output.
    fn output_at(&self, tx: TxNum, vout: u32) -> Result<Option<OutNum>>;

    /// The transaction that made an output.
    fn tx_of(&self, out: OutNum) -> Result<TxNum>;

    /// Addresses are numbered `0..address_count`.
    fn address_count(&self) -> u32;

    /// The address number of a locking script.
    fn find_script(&self, script: &Script) -> Result<Option<AddressNum>>;

    /// The locking script behind an address number.
    fn script(&self, address: AddressNum) -> Result<ScriptBuf>;

    /// The locking script of an output, data carriers included.
    fn output_script(&self, out: OutNum) -> Result<ScriptBuf>;

    /// The newest output of an address with a number below `before` (any, when `None`).
    ///
    /// Walking it backwards gives the whole history, newest first, one step per output.
    fn last_output_of(&self, address: AddressNum, before: Option<OutNum>)
    -> Result<Option<OutNum>>;
}

/// The last block of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: Height,
    /// Its hash.
    pub hash: BlockHash,
}

/// A block header's facts and the numbers of its transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Height in the best chain.
    pub height: Height,
    /// Hash of the header.
    pub hash: BlockHash,
    /// The header's time, seconds since 1970 UTC: what the miner claimed, not a clock.
    pub time: u32,
    /// Its transactions, the coinbase first. In a sparse ledger only the known ones.
    pub txs: Range<u32>,
}

/// An input and the output that it spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// The output spent.
    pub source: OutNum,
    /// Its value.
    pub value: Sats,
    /// Its locking script's number.
    pub address: Option<AddressNum>,
}

/// Addresses of the inputs of transactions, in order; filled by [`Ledger::input_addresses`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputAddresses {
    addresses: Vec<AddressNum>,
    /// How many of `addresses` belong to each transaction and those before it.
    ends: Vec<usize>,
}

impl InputAddresses {
    /// Forgets all transactions, not the memory.
    pub fn clear(&mut self) {
        self.addresses.clear();
        self.ends.clear();
    }

    /// Adds a transaction by the addresses of its inputs.
    pub fn push_tx(&mut self, addresses: impl IntoIterator<Item = AddressNum>) {
        self.addresses.extend(addresses);
        self.ends.push(self.addresses.len());
    }

    /// Adds many transactions: for each one how many of the addresses belong to it and those
    /// before it, ascending, and the addresses of all their inputs.
    pub fn push_txs(
        &mut self,
        ends: impl Iterator<Item = usize>,
        addresses: impl Iterator<Item = AddressNum>,
    ) {
        let before = self.addresses.len();
        self.ends.reserve(ends.size_hint().0);
        // An iterator over groups is faster from within than when it is asked for the next one.
        ends.for_each(|end| self.ends.push(before + end));
        self.addresses.extend(addresses);
    }

    /// The transactions in order, each as the addresses of its inputs in `vin` order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &[AddressNum]> {
        let (mut rest, mut start) = (self.addresses.as_slice(), 0);
        self.ends.iter().map(move |&end| {
            let (tx, behind) =
                rest.split_at_checked(end.saturating_sub(start)).unwrap_or((rest, &[]));
            (rest, start) = (behind, end);
            tx
        })
    }
}

/// An output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its number.
    pub num: OutNum,
    /// Its place in the transaction.
    pub vout: u32,
    /// Its value.
    pub value: Sats,
    /// Its locking script's number; `None` for data carriers (`OP_RETURN`).
    pub address: Option<AddressNum>,
    /// What became of it.
    pub spend: Spend,
}

/// What became of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spend {
    /// Not spent up to the ledger's tip.
    Unspent,
    /// Spent by this transaction.
    By(TxNum),
    /// A sparse ledger that has not seen a spender and cannot say that there is none.
    Unknown,
}

/// Properties of a transaction, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// The first transaction of a block.
    pub const COINBASE: Self = Self(1 << 0);
    /// Sparse ledgers only: its inputs are not all known. Most are known just as the source of
    /// somebody's input: then no input is, and only those outputs that were seen being spent are.
    pub const STUB: Self = Self(1 << 1);
    /// At least one input has a witness (BIP-0141).
    pub const WITNESS: Self = Self(1 << 2);
    /// `version` is 1.
    pub const VERSION_1: Self = Self(1 << 3);
    /// `version` is 2 (BIP-0068).
    pub const VERSION_2: Self = Self(1 << 4);
    /// `nLockTime` is not 0.
    pub const LOCKTIME: Self = Self(1 << 5);
    /// `nLockTime` is a height at most 100 below the block's: the anti-fee-sniping habit of some
    /// wallets (Core PR 2340; up to 99 blocks back since Core PR 6216).
    pub const LOCKTIME_NEAR_TIP: Self = Self(1 << 6);
    /// Some input's `nSequence` is below 0xfffffffe: replaceable (BIP-0125).
    pub const RBF: Self = Self(1 << 7);
    /// Every input's `nSequence` is 0xffffffff.
    pub const SEQUENCE_FINAL: Self = Self(1 << 8);
    /// Some output carries data (`OP_RETURN`).
    pub const DATA: Self = Self(1 << 9);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These bits and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a transaction was recognised as when it was indexed. Only who wrote it knows what it means:
/// `analyze::coinjoin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoredClass {
    /// Number of the set of rules that said so. Other rules must not believe it.
    pub rules: u32,
    /// What they said.
    pub byte: u8,
}

/// Why a ledger could not answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Bytes of the store are not what was written there.
    #[error("{}: damaged at byte {offset}: {detail}; run `chainhound store check`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        detail: String,
    },
    /// The operating system refused a read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: Arc<std::io::Error>,
    },
    /// A number that this ledger never gave out.
    #[error("{what} {number} does not exist: the ledger has {count}")]
    OutOfRange {
        /// What kind of number.
        what: &'static str,
        /// The number.
        number: u64,
        /// How many there are.
        count: u64,
    },
    /// A reorganisation replaced blocks while they were being read. Open again and repeat.
    #[error("the chain was reorganised while it was being read: repeat the command")]
    Reorganised,
}
