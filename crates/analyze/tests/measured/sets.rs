//! The data sets, read into one plain form.

use std::{fs, path::Path};

use analyze::coinjoin::{ShapeBuf, When};
use bitcoin::{Block, OutPoint, ScriptBuf, Txid, consensus::deserialize, hex::FromHex};
use chain::{
    Flags, Height, MemoryLedger, Network, Sats, SparseInput, SparseOutput, SparseSpend, SparseTx,
};
use serde_json::Value;

/// A coin: what an input spends, or an output.
#[derive(Clone, Debug)]
pub(crate) struct Coin {
    pub(crate) value: Sats,
    pub(crate) script: ScriptBuf,
}

/// A transaction with its prevouts.
#[derive(Clone, Debug)]
pub(crate) struct Tx {
    pub(crate) txid: Txid,
    pub(crate) spends: Vec<OutPoint>,
    pub(crate) inputs: Vec<Coin>,
    pub(crate) outputs: Vec<Coin>,
    pub(crate) height: Option<u32>,
    pub(crate) time: Option<u32>,
}

impl Tx {
    /// Fills the buffer with it.
    pub(crate) fn shape(&self, buffer: &mut ShapeBuf) {
        buffer.clear();
        for coin in &self.inputs {
            buffer.input(coin.value, coin.script.as_bytes());
        }
        for coin in &self.outputs {
            buffer.output(coin.value, coin.script.as_bytes());
        }
        buffer.set_when(When::of(Network::Mainnet, self.height.map(Height), self.time));
    }

    /// Whether it is in the half that rules were designed on; the other half only measures them.
    pub(crate) fn is_design(&self) -> bool {
        AsRef::<[u8; 32]>::as_ref(&self.txid)[0] & 1 == 0
    }

    /// How often the most frequent output value occurs.
    pub(crate) fn most_equal(&self) -> usize {
        let mut values: Vec<_> = self.outputs.iter().map(|coin| coin.value).collect();
        values.sort_unstable();
        values.chunk_by(|a, b| a == b).map(<[Sats]>::len).max().unwrap_or(0)
    }
}

/// A file of `coinjoin_dev`, by the name of its label.
pub(crate) fn labelled(data: &Path, label: &str) -> Vec<Tx> {
    let text = fs::read_to_string(data.join(format!("coinjoin_dev/{label}.jsonl"))).unwrap();
    text.lines().map(|line| esplora(&serde_json::from_str(line).unwrap()).unwrap()).collect()
}

/// The transactions of a file of `tx_fixtures_am_i_exposed`; none for files with something else.
pub(crate) fn fixture(path: &Path) -> Vec<Tx> {
    let value: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let list = value.as_array().cloned().unwrap_or_else(|| vec![value]);
    list.iter()
        .flat_map(|entry| match entry {
            Value::Object(map) if !map.contains_key("vin") => {
                map.values().filter_map(esplora).collect::<Vec<_>>()
            }
            entry => esplora(entry).into_iter().collect(),
        })
        .collect()
}

/// A transaction as Esplora writes it; `None` for coinbases and other documents.
fn esplora(value: &Value) -> Option<Tx> {
    let mut tx = Tx {
        txid: value.get("txid")?.as_str()?.parse().unwrap(),
        spends: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        height: value["status"]["block_height"].as_u64().map(|height| height as u32),
        time: value["status"]["block_time"].as_u64().map(|time| time as u32),
    };
    for input in value["vin"].as_array()? {
        let txid = input["txid"].as_str()?.parse().unwrap();
        tx.spends.push(OutPoint::new(txid, input["vout"].as_u64()? as u32));
        tx.inputs.push(coin(&input["prevout"], "scriptpubkey")?);
    }
    for output in value["vout"].as_array()? {
        tx.outputs.push(coin(output, "scriptpubkey")?);
    }
    Some(tx)
}

fn coin(value: &Value, script: &str) -> Option<Coin> {
    let hex = value.get(script)?.as_str()?;
    let script = ScriptBuf::from_hex(hex.trim_start_matches("0x")).unwrap();
    Some(Coin { value: Sats(value["value"].as_u64()?), script })
}

/// A ledger that knows these transactions and what they spend, nothing else.
pub(crate) fn sparse(txs: &[Tx]) -> MemoryLedger {
    let txs = txs.iter().map(|tx| SparseTx {
        txid: tx.txid,
        flags: Flags::default(),
        height: tx.height.map(Height),
        time: tx.time,
        block_hash: None,
        position: None,
        coinbase: false,
        inputs: tx
            .spends
            .iter()
            .zip(&tx.inputs)
            .map(|(outpoint, coin)| SparseInput {
                outpoint: *outpoint,
                value: coin.value,
                script: coin.script.clone(),
            })
            .collect(),
        outputs: tx
            .outputs
            .iter()
            .map(|coin| SparseOutput {
                value: coin.value,
                script: coin.script.clone(),
                spend: SparseSpend::Unknown,
            })
            .collect(),
    });
    MemoryLedger::from_sparse(Network::Mainnet, txs.collect()).unwrap()
}

/// The transactions but coinbases of all mainnet blocks with prevouts, block by block, by height.
pub(crate) fn blocks(data: &Path) -> Vec<(u32, Vec<Tx>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(data.join("blocks_raito_prevouts")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some(number) = name.strip_prefix("full_") else { continue };
        let height = number.parse::<u32>().unwrap() + 1;
        all.push((height, raito(&path, height)));
    }
    for height in [367_891, 866_342] {
        let stem = data.join(format!("blocks_floresta/block_{height}"));
        let block: Block = deserialize(&fs::read(stem.with_extension("raw")).unwrap()).unwrap();
        let spent = fs::read_to_string(stem.with_extension("spent_utxos")).unwrap();
        let spent: Vec<Value> = serde_json::from_str(&spent).unwrap();
        let coins = spent.iter().map(|entry| coin(&entry["txout"], "script_pubkey").unwrap());
        all.push((height, joined(&block, height, coins)));
    }
    let stem = data.join("blocks_bcoin/block300025");
    let block: Block = deserialize(&fs::read(stem.with_extension("raw")).unwrap()).unwrap();
    let undo = fs::read(data.join("blocks_bcoin/block300025-undo.raw")).unwrap();
    let mut rest = undo.as_slice();
    let coins = std::iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        let (out, used) = bitcoin::consensus::deserialize_partial::<bitcoin::TxOut>(rest).unwrap();
        rest = &rest[used..];
        Some(Coin { value: Sats(out.value.to_sat()), script: out.script_pubkey })
    });
    all.push((300_025, joined(&block, 300_025, coins)));
    all.sort_by_key(|(height, _)| *height);
    all
}

/// A block and the outputs that its inputs spend, in order.
fn joined(block: &Block, height: u32, mut coins: impl Iterator<Item = Coin>) -> Vec<Tx> {
    let txs = block.txdata[1..]
        .iter()
        .map(|tx| Tx {
            txid: tx.compute_txid(),
            spends: tx.input.iter().map(|input| input.previous_output).collect(),
            inputs: tx.input.iter().map(|_| coins.next().unwrap()).collect(),
            outputs: tx
                .output
                .iter()
                .map(|out| Coin {
                    value: Sats(out.value.to_sat()),
                    script: out.script_pubkey.clone(),
                })
                .collect(),
            height: Some(height),
            time: Some(block.header.time),
        })
        .collect();
    assert!(coins.next().is_none());
    txs
}

fn raito(path: &Path, height: u32) -> Vec<Tx> {
    let value: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let block = &value["blocks"][0];
    let time = block["header"]["time"].as_u64().map(|time| time as u32);
    let txs = block["data"]["transactions"].as_array().unwrap();
    let mut found = Vec::new();
    for (place, tx) in txs.iter().enumerate().skip(1) {
        let mut read = Tx {
            // The files have no ids; a number in their place tells the transactions apart.
            txid: numbered(height, place),
            spends: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            height: Some(height),
            time,
        };
        for input in tx["inputs"].as_array().unwrap() {
            let spent = &input["previous_output"];
            let txid = spent["txid"].as_str().unwrap().parse().unwrap();
            read.spends.push(OutPoint::new(txid, spent["vout"].as_u64().unwrap() as u32));
            read.inputs.push(coin(&spent["data"], "pk_script").unwrap());
        }
        read.outputs = tx["outputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|out| coin(out, "pk_script").unwrap())
            .collect();
        found.push(read);
    }
    found
}

fn numbered(height: u32, place: usize) -> Txid {
    let hex = format!("{height:032x}{place:032x}");
    bitcoin::hashes::Hash::from_byte_array(<[u8; 32]>::from_hex(&hex).unwrap())
}
