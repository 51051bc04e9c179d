//! A small language for small chains.
//!
//! One text describes blocks and transactions, and becomes real [`bitcoin::Block`]s of regtest:
//! Merkle roots, witness commitments, proof of work and heights in coinbases are right. Signatures
//! are dummies, and coins from a coinbase may be spent before they are 100 blocks old.
//!
//! ```
//! let chain = testkit::Chain::parse(
//!     r#"
//!     block                              # block 1 on regtest's genesis, named b1
//!     tx a: coinbase -> A:50
//!     block
//!     tx b: a:0 -> B:30 p2tr/C:19.9      # the fee is what is left: 0.1
//!     tx c: b:0 b:1 -> D:49 data:"memo"
//!     "#,
//! )?;
//! assert_eq!(chain.blocks().len(), 3);
//! assert_eq!(chain.tx("b").map(|tx| tx.output[1].value.to_sat()), Some(1_990_000_000));
//! assert!(chain.address("C").is_some_and(|address| address.starts_with("bcrt1p")));
//! # Ok::<(), testkit::ParseError>(())
//! ```
//!
//! # Lines
//!
//! | line | meaning |
//! |---|---|
//! | `block [NAME] [on PARENT] [time=N]` | a new block; on the one before it, or on another one (a fork). Unnamed blocks are `b1`, `b2`, … in order of appearance; `genesis` is there from the start |
//! | `blocks N` | N empty blocks |
//! | `tx NAME: INPUTS -> OUTPUTS [\| OPTIONS]` | a transaction of the last block |
//! | `tx NAME` | the transaction of that name once more, in a block of another branch |
//! | `unchecked` | from here on values, double spends and unknown sources are not checked |
//! | `# …` | a comment, also at the end of a line |
//!
//! * **Inputs** are `coinbase`, or any number of `NAME:VOUT`. After `unchecked` a txid of 64 hex
//!   digits may stand for a name. A block without a coinbase gets one that pays subsidy and fees to
//!   `miner`; its name is that of the block and `.coinbase`: `b1.coinbase:0`.
//! * **Outputs** are `[KIND/]NAME:AMOUNT`, `script/HEX:AMOUNT` and `data:"TEXT"` or `data:0xHEX`
//!   (`OP_RETURN`; an amount may follow). The kinds are those of [`Kind`]; a name keeps the kind of
//!   its first use, which is `p2wpkh` where none is written. The same name is always the same key.
//! * **Amounts** are bitcoin with up to eight decimals (`0.1`), satoshis (`1000sat`), or `*` once a
//!   transaction: what is left after the other outputs and the fee (for a coinbase: of subsidy and
//!   fees).
//! * **Options**: `version=N` (2), `locktime=N` (0), `sequence=N[,N…]` (0xffffffff; the last one
//!   holds for all further inputs), `fee=AMOUNT` (for `*`; 0), `script=HEX` (a coinbase's input
//!   script, in place of height and block number: two alike make duplicate txids, BIP-0030).

mod build;
mod error;
mod line;
mod parse;

use std::{collections::HashMap, fmt};

use bitcoin::{Block, BlockHash, OutPoint, Script, ScriptBuf, Transaction, TxOut, Txid};
use chain::Network;

pub use crate::keys::Kind;
pub use error::{ParseError, Problem};

/// A small chain, or tree of chains, made from text.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    blocks: Vec<Block>,
    heights: Vec<u32>,
    block_names: HashMap<String, usize>,
    txs: HashMap<String, Transaction>,
    tx_names: HashMap<Txid, String>,
    scripts: HashMap<String, ScriptBuf>,
    script_names: HashMap<ScriptBuf, String>,
}

impl Chain {
    /// Makes the chain that a text describes (see the [module](self)).
    ///
    /// # Errors
    /// [`ParseError`], with line and column, where the text is not in the language or describes an
    /// impossible chain.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        build::build(parse::parse(text)?)
    }

    /// All blocks in order of appearance, genesis first, parents before children.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Height of the block at this place in [`Self::blocks`].
    pub fn height(&self, index: usize) -> Option<u32> {
        self.heights.get(index).copied()
    }

    /// The longest branch from genesis to tip (regtest: the one with most work); the first seen
    /// where two are equally long.
    pub fn best(&self) -> Vec<&Block> {
        let places: HashMap<BlockHash, usize> =
            self.blocks.iter().enumerate().map(|(i, block)| (block.block_hash(), i)).collect();
        let tip = (0..self.blocks.len()).rev().max_by_key(|i| self.height(*i));
        let mut branch = Vec::new();
        let mut next = tip.and_then(|i| self.blocks.get(i));
        while let Some(block) = next {
            branch.push(block);
            let parent = places.get(&block.header.prev_blockhash);
            next = parent.and_then(|i| self.blocks.get(*i));
        }
        branch.reverse();
        branch
    }

    /// A block by name: `genesis`, the given one, or `b1`, `b2`, ….
    pub fn block(&self, name: &str) -> Option<&Block> {
        self.blocks.get(*self.block_names.get(name)?)
    }

    /// A transaction by name. `NAME.coinbase` is the automatic coinbase of block `NAME`.
    pub fn tx(&self, name: &str) -> Option<&Transaction> {
        self.txs.get(name)
    }

    /// A transaction's id by name.
    pub fn txid(&self, name: &str) -> Option<Txid> {
        self.tx(name).map(Transaction::compute_txid)
    }

    /// The outpoint of a named transaction; `None` also where it has no such output.
    pub fn outpoint(&self, name: &str, vout: u32) -> Option<OutPoint> {
        let tx = self.tx(name)?;
        tx.output.get(vout as usize)?;
        Some(OutPoint { txid: tx.compute_txid(), vout })
    }

    /// The output behind an outpoint of any transaction of the chain.
    pub fn output(&self, outpoint: &OutPoint) -> Option<&TxOut> {
        self.tx(self.tx_name(&outpoint.txid)?)?.output.get(outpoint.vout as usize)
    }

    /// The locking script of a name.
    pub fn script(&self, name: &str) -> Option<&Script> {
        self.scripts.get(name).map(ScriptBuf::as_script)
    }

    /// The regtest address of a name; `None` also for scripts without one (bare keys, multisig).
    pub fn address(&self, name: &str) -> Option<String> {
        chain::script::address(self.script(name)?, Network::Regtest)
    }

    /// The name of a transaction, the first where several share the id.
    pub fn tx_name(&self, txid: &Txid) -> Option<&str> {
        self.tx_names.get(txid).map(String::as_str)
    }

    /// The name of a locking script, the first where several share it.
    pub fn script_name(&self, script: &Script) -> Option<&str> {
        self.script_names.get(script).map(String::as_str)
    }

    /// An outpoint as the language writes it: `b:1`, or the txid where the name is unknown.
    pub fn outpoint_name(&self, outpoint: &OutPoint) -> String {
        match self.tx_name(&outpoint.txid) {
            Some(name) => format!("{name}:{}", outpoint.vout),
            None => outpoint.to_string(),
        }
    }
}

/// Names, heights and transactions, one block a line.
impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (block, height) in self.blocks.iter().zip(&self.heights) {
            write!(f, "{height} {}:", block.block_hash())?;
            for tx in &block.txdata {
                let txid = tx.compute_txid();
                write!(f, " {}", self.tx_name(&txid).unwrap_or("?"))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
