//! From statements to blocks.

mod coins;

use std::collections::{HashMap, HashSet};

use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxOut, absolute::LockTime,
    hashes::Hash, transaction,
};
use chain::Network;

use super::{
    Chain,
    error::{ParseError, Problem},
    line::Word,
    parse::{Options, Statement, Tx},
};
use crate::{keys::Kind, mine};

/// More blocks than any test needs, and few enough for a fuzzer.
const MOST_BLOCKS: usize = 5_000;
/// Seconds between two blocks.
const SPACING: u32 = 600;
const MAX_MONEY: u64 = chain::Sats::MAX_MONEY.0;

/// Makes the chain.
pub(super) fn build(statements: Vec<Statement<'_>>) -> Result<Chain, ParseError> {
    let mut builder = Builder::new();
    for statement in statements {
        match statement {
            Statement::Block { name, on, time, at } => builder.open(name, on, time, at)?,
            Statement::Blocks { count, at } => {
                for _ in 0..count {
                    builder.open(None, None, None, at)?;
                }
            }
            Statement::Tx(tx) if tx.inputs.is_none() => builder.coinbase(tx)?,
            Statement::Tx(tx) => builder.tx(tx)?,
            Statement::Again(name) => builder.again(name)?,
            Statement::Unchecked => builder.checked = false,
        }
    }
    builder.close()?;
    Ok(builder.chain)
}

/// A block that still takes transactions.
struct Open<'a> {
    name: String,
    parent: usize,
    height: u32,
    time: u32,
    coinbase: Option<Tx<'a>>,
    txs: Vec<Transaction>,
    fees: u64,
}

struct Builder<'a> {
    chain: Chain,
    parents: Vec<usize>,
    /// The last finished block, and what is unspent on its branch with the open block's changes.
    tip: usize,
    unspent: HashMap<OutPoint, TxOut>,
    kinds: HashMap<ScriptBuf, (Kind, String)>,
    /// Names given to transactions, finished or not.
    taken: HashSet<String>,
    open: Option<Open<'a>>,
    checked: bool,
}

impl<'a> Builder<'a> {
    fn new() -> Self {
        let genesis = mine::genesis();
        let mut chain = Chain::default();
        if let Some(tx) = genesis.txdata.first() {
            chain.tx_names.insert(tx.compute_txid(), "genesis.coinbase".to_owned());
            chain.txs.insert("genesis.coinbase".to_owned(), tx.clone());
        }
        chain.block_names.insert("genesis".to_owned(), 0);
        chain.blocks.push(genesis);
        chain.heights.push(0);
        Self {
            chain,
            parents: vec![0],
            tip: 0,
            unspent: HashMap::new(),
            kinds: HashMap::new(),
            taken: HashSet::new(),
            open: None,
            checked: true,
        }
    }

    fn open(
        &mut self,
        name: Option<Word<'a>>,
        on: Option<Word<'a>>,
        time: Option<u32>,
        at: Word<'a>,
    ) -> Result<(), ParseError> {
        self.close()?;
        let number = self.chain.blocks.len();
        if number > MOST_BLOCKS {
            return Err(at.error(Problem::TooLong(MOST_BLOCKS)));
        }
        let (at, name) = match name {
            Some(name) => (name, name.text.to_owned()),
            None => (at, format!("b{number}")),
        };
        if self.chain.block_names.contains_key(&name) {
            return Err(at.error(Problem::Duplicate(name)));
        }
        let parent = match on {
            None => self.tip,
            Some(on) => *self
                .chain
                .block_names
                .get(on.text)
                .ok_or_else(|| on.error(Problem::Unknown(on.text.to_owned())))?,
        };
        if parent != self.tip {
            self.rewind(parent);
        }
        let height = self.chain.heights.get(parent).copied().unwrap_or(0) + 1;
        let start = self.chain.blocks.first().map_or(0, |block| block.header.time);
        self.open = Some(Open {
            name,
            parent,
            height,
            time: time.unwrap_or(start + SPACING * height),
            coinbase: None,
            txs: Vec::new(),
            fees: 0,
        });
        Ok(())
    }

    /// Makes `unspent` that of the branch up to and with `tip`.
    fn rewind(&mut self, tip: usize) {
        let mut branch = vec![];
        let mut block = tip;
        while block != 0 {
            branch.push(block);
            block = self.parents.get(block).copied().unwrap_or(0);
        }
        self.unspent.clear();
        for place in branch.into_iter().rev() {
            let Some(block) = self.chain.blocks.get(place) else { continue };
            for tx in &block.txdata {
                apply(&mut self.unspent, tx);
            }
        }
        self.tip = tip;
    }

    fn coinbase(&mut self, tx: Tx<'a>) -> Result<(), ParseError> {
        self.take_name(&tx)?;
        let at = tx.name;
        let Some(open) = &mut self.open else { return Err(at.error(Problem::NoBlock)) };
        if open.coinbase.is_some() {
            return Err(at.error(Problem::SecondCoinbase));
        }
        open.coinbase = Some(tx);
        Ok(())
    }

    fn tx(&mut self, tx: Tx<'a>) -> Result<(), ParseError> {
        self.take_name(&tx)?;
        let mut input = Vec::new();
        let mut available = 0_u64;
        let mut seen = HashSet::new();
        let Tx { name, inputs, outputs, options } = tx;
        for (i, from) in inputs.iter().flatten().enumerate() {
            let sequence = options.sequence.get(i).or(options.sequence.last());
            let sequence = sequence.map_or(Sequence::MAX, |n| Sequence::from_consensus(*n));
            let (txin, value) = self.input(from, sequence)?;
            if self.checked && !seen.insert(txin.previous_output) {
                return Err(from.whole.error(Problem::Spent(from.whole.text.to_owned())));
            }
            available = available.saturating_add(value);
            input.push(txin);
        }
        let rest = available.checked_sub(options.fee);
        let (output, total) = self.outputs(outputs, rest, name)?;
        if self.checked && total.saturating_add(options.fee) > available {
            let missing = total.saturating_add(options.fee) - available;
            return Err(name.error(Problem::Overspent { missing }));
        }
        let tx = Transaction {
            version: transaction::Version(options.version.unwrap_or(2)),
            lock_time: LockTime::from_consensus(options.locktime),
            input,
            output,
        };
        let Some(open) = &mut self.open else { return Err(name.error(Problem::NoBlock)) };
        open.fees = open.fees.saturating_add(available.saturating_sub(total)).min(MAX_MONEY);
        apply(&mut self.unspent, &tx);
        open.txs.push(tx.clone());
        self.remember(name.text, tx);
        Ok(())
    }

    fn again(&mut self, name: Word<'a>) -> Result<(), ParseError> {
        let Some(tx) = self.chain.txs.get(name.text).cloned() else {
            return Err(name.error(Problem::Unknown(name.text.to_owned())));
        };
        let Some(open) = &mut self.open else { return Err(name.error(Problem::NoBlock)) };
        let mut available = 0_u64;
        for input in &tx.input {
            match self.unspent.get(&input.previous_output) {
                Some(output) => available = available.saturating_add(output.value.to_sat()),
                None if !self.checked => {}
                None => {
                    let outpoint = self.chain.outpoint_name(&input.previous_output);
                    return Err(name.error(Problem::Spent(outpoint)));
                }
            }
        }
        let total = tx.output.iter().fold(0_u64, |sum, o| sum.saturating_add(o.value.to_sat()));
        open.fees = open.fees.saturating_add(available.saturating_sub(total)).min(MAX_MONEY);
        apply(&mut self.unspent, &tx);
        open.txs.push(tx);
        Ok(())
    }

    /// Finishes the open block, if there is one.
    fn close(&mut self) -> Result<(), ParseError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let number = self.chain.blocks.len();
        let reward = Network::Regtest.subsidy(open.height).saturating_add(open.fees);
        let number_in_script = u32::try_from(number).unwrap_or(u32::MAX);
        let standard = mine::coinbase_script(open.height, number_in_script);
        let (name, coinbase) = match open.coinbase.take() {
            Some(Tx { name, outputs, options, .. }) => {
                let (output, total) = self.outputs(outputs, Some(reward), name)?;
                if self.checked && total > reward {
                    let missing = total - reward;
                    return Err(name.error(Problem::Overspent { missing }));
                }
                (name.text.to_owned(), coinbase_with(options, standard, output))
            }
            None => {
                let script_pubkey = self.named_script("miner");
                let output = TxOut { value: Amount::from_sat(reward), script_pubkey };
                (format!("{}.coinbase", open.name), mine::coinbase(standard, vec![output]))
            }
        };
        let parent = self.chain.blocks.get(open.parent);
        let hash = parent.map_or_else(Hash::all_zeros, Block::block_hash);
        let place = mine::Place { parent: hash, time: open.time };
        let mut txdata = vec![coinbase];
        txdata.append(&mut open.txs);
        let block = mine::block(place, txdata);
        if let Some(coinbase) = block.txdata.first() {
            apply(&mut self.unspent, coinbase);
            self.remember(&name, coinbase.clone());
        }
        self.chain.block_names.insert(open.name, number);
        self.chain.blocks.push(block);
        self.chain.heights.push(open.height);
        self.parents.push(open.parent);
        self.tip = number;
        Ok(())
    }

    fn take_name(&mut self, tx: &Tx<'a>) -> Result<(), ParseError> {
        if self.taken.insert(tx.name.text.to_owned()) {
            return Ok(());
        }
        Err(tx.name.error(Problem::Duplicate(tx.name.text.to_owned())))
    }

    fn remember(&mut self, name: &str, tx: Transaction) {
        self.chain.tx_names.entry(tx.compute_txid()).or_insert_with(|| name.to_owned());
        self.chain.txs.insert(name.to_owned(), tx);
    }
}

fn coinbase_with(options: Options, standard: ScriptBuf, output: Vec<TxOut>) -> Transaction {
    let script = options.script.map_or(standard, ScriptBuf::from_bytes);
    let mut tx = mine::coinbase(script, output);
    tx.version = transaction::Version(options.version.unwrap_or(2));
    tx.lock_time = LockTime::from_consensus(options.locktime);
    if let (Some(input), Some(sequence)) = (tx.input.first_mut(), options.sequence.first()) {
        input.sequence = Sequence::from_consensus(*sequence);
    }
    tx
}

/// Spends and makes what a transaction spends and makes. Data carriers cannot be spent.
fn apply(unspent: &mut HashMap<OutPoint, TxOut>, tx: &Transaction) {
    for input in &tx.input {
        unspent.remove(&input.previous_output);
    }
    let txid = tx.compute_txid();
    for (vout, output) in (0_u32..).zip(&tx.output) {
        if !output.script_pubkey.is_op_return() {
            unspent.insert(OutPoint { txid, vout }, output.clone());
        }
    }
}
