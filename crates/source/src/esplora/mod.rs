//! Single transactions with what they spend, from files: for people without a node.
//!
//! Read are, mixed at will:
//!
//! * the JSON of the Esplora HTTP API (`GET /tx/:txid`): one transaction, an array, one a line, or
//!   under `transactions` or `txs`; each with its answer of `/outspends` under that name, where known;
//! * the JSON of BlockCypher's decoder;
//! * raw transactions in hexadecimal, one a line.
//!
//! What one statement lacks, another may have: inputs without their prevouts find them among the
//! other transactions. The result is for [`chain::MemoryLedger::from_sparse`]. Who looks at one
//! transaction at a time takes [`each_transaction`], whose memory does not grow with the file.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use bitcoin::{
    OutPoint, ScriptBuf, Txid,
    consensus::encode::{self, deserialize_partial},
    hex::FromHex,
};
use chain::{
    BlockHash, Flags, Height, Network, Sats, SparseInput, SparseOutput, SparseSpend, SparseTx,
};

use crate::{SourceError, blkdir::MAX_BLOCK};

mod document;
pub mod explorer;
mod fields;
mod proof;
mod single;
mod stream;

pub use proof::MerkleProof;
pub use single::{Single, each_transaction};

/// One transaction's text may have this many bytes. The largest possible has 4 MB, in Esplora's JSON
/// about six times that.
const MAX_DOCUMENT: u64 = 32 << 20;
/// A line of hexadecimal, with its end: no transaction is longer than a block.
const MAX_HEX: u64 = 2 * MAX_BLOCK as u64 + 3;
/// The endings of files that are read when a directory is given.
const ENDINGS: [&str; 4] = ["json", "jsonl", "ndjson", "hex"];

/// Collects transactions from files.
#[derive(Debug)]
pub struct Transactions {
    network: Network,
    statements: BTreeMap<Txid, Statement>,
    repeated: u64,
}

/// What the files say, put together.
#[derive(Clone, Debug, Default)]
pub struct SparseSet {
    /// The transactions whose prevouts are all known, in the order of their ids.
    pub txs: Vec<SparseTx>,
    /// How many of them came without the fields that their id is the hash of. Nothing but the source's
    /// word says that these have these inputs and outputs.
    pub unchecked_txids: u64,
    /// How often a transaction was told again.
    pub repeated: u64,
    /// Transactions that are left out because a prevout of theirs is in none of the files. Others
    /// still found theirs in them.
    pub incomplete: Vec<(Txid, OutPoint)>,
}

/// A transaction as one or more documents tell it.
#[derive(Clone, Debug)]
struct Statement {
    path: PathBuf,
    line: u64,
    txid: Txid,
    /// Whether the id was recomputed from the rest.
    checked: bool,
    flags: Flags,
    height: Option<Height>,
    time: Option<u32>,
    block_hash: Option<BlockHash>,
    coinbase: bool,
    inputs: Vec<(OutPoint, Option<Coin>)>,
    outputs: Vec<Coin>,
    /// One per output, where anything was said.
    fates: Vec<SparseSpend>,
}

/// A value and its locking script.
type Coin = (Sats, ScriptBuf);

impl Transactions {
    /// None yet. The network is for addresses that stand for scripts.
    pub fn new(network: Network) -> Self {
        Self { network, statements: BTreeMap::new(), repeated: 0 }
    }

    /// Reads a file, or all files of a directory that end in `.json`, `.jsonl`, `.ndjson` or `.hex`,
    /// by name.
    ///
    /// # Errors
    /// [`SourceError::Io`]; those of [`Transactions::read`].
    pub fn read_path(&mut self, path: &Path) -> Result<(), SourceError> {
        for file in files(path)? {
            self.read(&file, open(&file)?)?;
        }
        Ok(())
    }

    /// Reads from anything; `name` stands for it in messages.
    ///
    /// # Errors
    /// [`SourceError::Text`] for what cannot be read, [`SourceError::Transaction`] for a
    /// transaction that is not what its id says or that contradicts what was read before. What came
    /// before the error has been taken in.
    pub fn read(&mut self, name: &Path, input: impl BufRead) -> Result<(), SourceError> {
        let network = self.network;
        statements(name, input, network, &mut |statement| self.add(statement))
    }

    /// Everything together.
    pub fn finish(self) -> SparseSet {
        let mut set = SparseSet { repeated: self.repeated, ..SparseSet::default() };
        for statement in self.statements.values() {
            let mut inputs = Vec::with_capacity(statement.inputs.len());
            for (outpoint, coin) in &statement.inputs {
                let Some((value, script)) = coin.as_ref().or_else(|| self.coin(outpoint)) else {
                    set.incomplete.push((statement.txid, *outpoint));
                    break;
                };
                let (outpoint, value, script) = (*outpoint, *value, script.clone());
                inputs.push(SparseInput { outpoint, value, script });
            }
            if inputs.len() < statement.inputs.len() {
                continue;
            }
            set.unchecked_txids += u64::from(!statement.checked);
            set.txs.push(statement.sparse(inputs));
        }
        set
    }

    /// The output that another statement knows.
    fn coin(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.statements.get(&outpoint.txid)?.outputs.get(outpoint.vout as usize)
    }

    fn add(&mut self, new: Statement) -> Result<(), SourceError> {
        let Some(known) = self.statements.get_mut(&new.txid) else {
            self.statements.insert(new.txid, new);
            return Ok(());
        };
        self.repeated += 1;
        known.merge(new)
    }
}

/// A file itself, or those of a directory that are read, by name.
fn files(path: &Path) -> Result<Vec<PathBuf>, SourceError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let io = |error| SourceError::Io { path: path.to_owned(), error };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(io)? {
        let file = entry.map_err(io)?.path();
        let ending = file.extension().and_then(|ending| ending.to_str());
        if ending.is_some_and(|ending| ENDINGS.contains(&ending)) && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn open(path: &Path) -> Result<BufReader<File>, SourceError> {
    let file =
        File::open(path).map_err(|error| SourceError::Io { path: path.to_owned(), error })?;
    Ok(BufReader::new(file))
}

/// Hands on what a stream says about transactions, one after the other.
fn statements(
    name: &Path,
    mut input: impl BufRead,
    network: Network,
    each: &mut dyn FnMut(Statement) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let io = |error| SourceError::Io { path: name.to_owned(), error };
    let start = input.fill_buf().map_err(io)?;
    let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(u8::is_ascii_hexdigit) {
        return read_hex(name, input, each);
    }
    stream::documents(name, input, MAX_DOCUMENT, &mut |line, document| {
        document.statements(name, line, network, each)
    })
}

fn read_hex(
    name: &Path,
    mut input: impl BufRead,
    each: &mut dyn FnMut(Statement) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let mut text = Vec::new();
    for line in 1_u64.. {
        text.clear();
        let read = (&mut input).take(MAX_HEX).read_until(b'\n', &mut text);
        let read = read.map_err(|error| SourceError::Io { path: name.to_owned(), error })?;
        if read == 0 {
            break;
        }
        let hex = text.trim_ascii();
        if hex.is_empty() {
            continue;
        }
        let refuse = |detail: String| SourceError::Text { path: name.to_owned(), line, detail };
        if read as u64 == MAX_HEX {
            return Err(refuse("longer than any transaction can be".into()));
        }
        let hex = std::str::from_utf8(hex).map_err(|_| refuse("this is not text".into()))?;
        let bytes = Vec::<u8>::from_hex(hex)
            .map_err(|error| refuse(format!("not a transaction in hexadecimal: {error}")))?;
        let tx = match deserialize_partial::<bitcoin::Transaction>(&bytes) {
            Ok((tx, used)) if used == bytes.len() => tx,
            Ok((_, used)) => {
                let more = bytes.len() - used;
                return Err(refuse(format!("{more} bytes follow behind the transaction")));
            }
            Err(encode::Error::Io(_)) => {
                return Err(refuse("the transaction ends too early".into()));
            }
            Err(error) => return Err(refuse(format!("not a transaction: {error}"))),
        };
        each(Statement::of_raw(name, line, &tx))?;
    }
    Ok(())
}

impl Statement {
    fn of_raw(path: &Path, line: u64, tx: &bitcoin::Transaction) -> Self {
        let inputs = tx.input.iter().map(|input| (input.previous_output, None));
        let coin =
            |output: &bitcoin::TxOut| (Sats(output.value.to_sat()), output.script_pubkey.clone());
        Self {
            path: path.to_owned(),
            line,
            txid: tx.compute_txid(),
            checked: true,
            flags: Flags::of(tx, None),
            height: None,
            time: None,
            block_hash: None,
            coinbase: tx.is_coinbase(),
            inputs: if tx.is_coinbase() { Vec::new() } else { inputs.collect() },
            outputs: tx.output.iter().map(coin).collect(),
            fates: Vec::new(),
        }
    }

    fn sparse(&self, inputs: Vec<SparseInput>) -> SparseTx {
        let mut fates = self.fates.iter().copied();
        let output = |(value, script): &Coin| SparseOutput {
            value: *value,
            script: script.clone(),
            spend: fates.next().unwrap_or_default(),
        };
        SparseTx {
            txid: self.txid,
            flags: self.flags,
            height: self.height,
            time: self.time,
            block_hash: self.block_hash,
            position: self.coinbase.then_some(0),
            coinbase: self.coinbase,
            inputs,
            outputs: self.outputs.iter().map(output).collect(),
        }
    }

    /// Adds what another statement about the same transaction knows.
    fn merge(&mut self, new: Self) -> Result<(), SourceError> {
        let place = format!("{} line {}", self.path.display(), self.line);
        let other = |what: &str| format!("{what} than in {place}");
        let (path, line, txid) = (new.path.clone(), new.line, new.txid);
        let refuse = |detail| SourceError::Transaction { path: path.clone(), line, txid, detail };
        let outpoints = |of: &Self| of.inputs.iter().map(|(out, _)| *out).collect::<Vec<_>>();
        if self.coinbase != new.coinbase || outpoints(self) != outpoints(&new) {
            return Err(refuse(other("it has other inputs")));
        }
        if self.outputs != new.outputs {
            return Err(refuse(other("it has other outputs")));
        }
        for (vin, ((_, known), (_, said))) in self.inputs.iter_mut().zip(new.inputs).enumerate() {
            if !agree(known, said) {
                return Err(refuse(other(&format!("input {vin} spends another value or script"))));
            }
        }
        if !agree(&mut self.height, new.height)
            || !agree(&mut self.time, new.time)
            || !agree(&mut self.block_hash, new.block_hash)
        {
            return Err(refuse(other("it is in another block")));
        }
        self.fates.resize(self.outputs.len(), SparseSpend::Unknown);
        for (vout, (known, said)) in self.fates.iter_mut().zip(new.fates).enumerate() {
            match (*known, said) {
                (_, SparseSpend::Unknown) => {}
                (SparseSpend::Unknown, said) => *known = said,
                (known, said) if known == said => {}
                _ => return Err(refuse(other(&format!("output {vout} has another fate")))),
            }
        }
        self.flags = self.flags.with(new.flags);
        self.checked |= new.checked;
        Ok(())
    }
}

/// Takes over what is said where nothing was known, and says whether the two agree.
fn agree<T: PartialEq>(known: &mut Option<T>, said: Option<T>) -> bool {
    match (&known, &said) {
        (Some(known), Some(said)) => known == said,
        (None, Some(_)) => {
            *known = said;
            true
        }
        (_, None) => true,
    }
}
