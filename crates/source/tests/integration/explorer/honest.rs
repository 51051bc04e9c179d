//! What an honest server answers, computed from blocks and not by the code under test.

use bitcoin::{
    Block, BlockHash, MerkleBlock, Transaction, Txid, consensus::encode,
    merkle_tree::calculate_root,
};
use chain::{Height, Tip};
use serde_json::{Value, json};
use testkit::{Chain, server::Reply};

const CHAIN: &str = r#"
block
tx funds: coinbase -> victim:50
block
tx clean: coinbase -> honest:50
block
tx theft: funds:0 -> thief:30 thief:19.9
block
tx split: theft:0 -> one:10 two:19.9
tx far: theft:1 -> three:19.8
block
tx join: split:0 clean:0 -> four:30 five:29.9
tx last: split:1 far:0 -> six:39.6
blocks 3
"#;

/// Blocks, and the names of their transactions.
#[derive(Clone, Debug)]
pub(super) struct World {
    blocks: Vec<Block>,
    theft: Txid,
    names: Vec<(String, Txid)>,
}

impl World {
    pub(super) fn new() -> Self {
        let chain = Chain::parse(CHAIN).unwrap();
        let names = ["funds", "clean", "theft", "split", "far", "join", "last"];
        Self {
            blocks: chain.best().into_iter().cloned().collect(),
            theft: chain.txid("theft").unwrap(),
            names: names.map(|name| (name.to_owned(), chain.txid(name).unwrap())).to_vec(),
        }
    }

    pub(super) fn theft(&self) -> Txid {
        self.theft
    }

    pub(super) fn txid(&self, name: &str) -> Txid {
        self.names.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// The theft, and all that follows from it.
    pub(super) fn tainted(&self) -> usize {
        5
    }

    pub(super) fn tip(&self) -> Tip {
        let last = self.blocks.last().unwrap();
        Tip { height: Height(self.blocks.len() as u32 - 1), hash: last.block_hash() }
    }

    fn find(&self, txid: &str) -> Option<(usize, usize, &Transaction)> {
        self.blocks.iter().enumerate().find_map(|(height, block)| {
            let place = block.txdata.iter().position(|tx| tx.compute_txid().to_string() == txid);
            place.map(|place| (height, place, &block.txdata[place]))
        })
    }

    fn status(&self, height: usize) -> Value {
        let block = &self.blocks[height];
        json!({ "confirmed": true, "block_height": height, "block_hash": block.block_hash().to_string(),
                "block_time": block.header.time })
    }

    /// The header of the block with this hash.
    pub(super) fn header(&self, hash: &str) -> Option<&Block> {
        let is = |block: &&Block| block.block_hash().to_string() == hash;
        self.blocks.iter().find(is)
    }

    pub(super) fn answer(&self, path: &str) -> Reply {
        match self.try_answer(path) {
            Some(body) => Reply::ok(body),
            None => Reply::new(404, "not found"),
        }
    }

    fn try_answer(&self, path: &str) -> Option<String> {
        let words: Vec<&str> = path.split('/').collect();
        match words[..] {
            ["block-height", height] => {
                let block = self.blocks.get(height.parse::<usize>().ok()?)?;
                Some(block.block_hash().to_string())
            }
            ["blocks", "tip", "hash"] => Some(self.tip().hash.to_string()),
            ["block", hash, "header"] => Some(encode::serialize_hex(&self.header(hash)?.header)),
            ["block", hash, "status"] => {
                let height = self
                    .blocks
                    .iter()
                    .position(|block| block.block_hash() == hash.parse::<BlockHash>().unwrap())?;
                Some(json!({ "in_best_chain": true, "height": height }).to_string())
            }
            ["tx", txid, "hex"] => Some(encode::serialize_hex(self.find(txid)?.2)),
            ["tx", txid, "status"] => Some(self.status(self.find(txid)?.0).to_string()),
            ["tx", txid, "outspends"] => {
                let (_, _, tx) = self.find(txid)?;
                let fates: Vec<Value> =
                    (0..tx.output.len()).map(|vout| self.fate(txid, vout as u32)).collect();
                Some(Value::from(fates).to_string())
            }
            ["tx", txid, "merkle-proof"] => {
                let (height, place, _) = self.find(txid)?;
                let merkle = branch(&self.blocks[height], place);
                Some(json!({ "block_height": height, "merkle": merkle, "pos": place }).to_string())
            }
            _ => None,
        }
    }

    fn fate(&self, txid: &str, vout: u32) -> Value {
        for (height, block) in self.blocks.iter().enumerate() {
            for tx in &block.txdata {
                for (vin, input) in tx.input.iter().enumerate() {
                    let spent = input.previous_output;
                    if spent.txid.to_string() == txid && spent.vout == vout {
                        return json!({ "spent": true, "txid": tx.compute_txid().to_string(), "vin": vin,
                                       "status": self.status(height) });
                    }
                }
            }
        }
        json!({ "spent": false })
    }
}

/// The hashes beside the way up, told by the `bitcoin` crate's roots of the halves beside it.
fn branch(block: &Block, place: usize) -> Vec<String> {
    let ids: Vec<_> = block.txdata.iter().map(|tx| tx.compute_txid().to_raw_hash()).collect();
    let mut size = 1;
    let mut hashes = Vec::new();
    while size < ids.len() {
        let other = (place / size) ^ 1;
        let all = |part: usize| ids.iter().skip(part * size).take(size).copied();
        // The odd one out is paired with itself.
        let part = if all(other).next().is_some() { other } else { place / size };
        // A part at the end that is not full is filled by repeating its last one at each level.
        let mut nodes: Vec<_> = all(part).collect();
        let mut width = size;
        while width > 1 {
            if nodes.len() % 2 == 1 {
                nodes.extend(nodes.last().copied());
            }
            let pairs = nodes.chunks(2).map(|pair| calculate_root(pair.iter().copied()).unwrap());
            nodes = pairs.collect();
            width /= 2;
        }
        hashes.push(nodes[0].to_string());
        size *= 2;
    }
    let proof = MerkleBlock::from_block_with_predicate(block, |_| false);
    assert_eq!(proof.header.merkle_root, block.compute_merkle_root().unwrap());
    hashes
}
