//! Single questions to the server, each answer checked as far as it can be.

use bitcoin::{
    BlockHash, Transaction, Txid,
    consensus::encode,
    hashes::{Hash, sha256},
    hex::FromHex,
};
use chain::{
    Header, Height, MerklePath, ScriptBuf, Tip,
    header::{check_difficulty, check_work, parse},
    script,
};

use super::{
    Explorer, Fate,
    answers::{Listed, Outspend, Status},
    fault::ServerFault,
};
use crate::{SourceError, blkdir::MAX_BLOCK, esplora::MerkleProof};

/// Of a few words or hashes.
const SHORT: u64 = 16 << 10;
/// Of a list with an element for each output of the largest transaction.
const LIST: u64 = 64 << 20;
/// Of the largest transaction in hexadecimal.
const HEX: u64 = 2 * MAX_BLOCK as u64 + 16;

impl Explorer {
    /// Where the server's chain ends, after a look at where it starts.
    pub(super) fn find_tip(&self) -> Result<Tip, SourceError> {
        let network = self.options.network;
        self.answer("block-height/0", SHORT, None, |body| match text(body)?.parse() {
            Ok(hash) if network.genesis_hash() == hash => Ok(()),
            Ok(_) => Err(ServerFault::OtherNetwork(network)),
            Err(_) => Err(unreadable("no block hash")),
        })?;
        // Height 0 stands for a tip that is not known yet: it is asked again at a refresh.
        let hash: BlockHash = self.answer("blocks/tip/hash", SHORT, Some(0), |body| {
            text(body)?.parse().map_err(|_| unreadable("no block hash"))
        })?;
        let header = self.header(hash)?;
        #[derive(serde::Deserialize)]
        struct Place {
            height: Option<u32>,
        }
        let route = format!("block/{hash}/status");
        let height = self.answer(&route, SHORT, Some(0), |body| {
            let height = json::<Place>(body)?.height;
            let height = height.ok_or_else(|| unreadable("no height of the tip"))?;
            check_difficulty(&header, Height(height), network)?;
            Ok(height)
        })?;
        Ok(Tip { height: Height(height), hash })
    }

    /// The transaction with this id.
    ///
    /// # Errors
    /// [`SourceError::Server`], like every question.
    pub fn transaction(&self, txid: Txid) -> Result<Transaction, SourceError> {
        self.answer(&format!("tx/{txid}/hex"), HEX, None, |body| {
            let bytes = Vec::<u8>::from_hex(text(body)?)
                .map_err(|error| ServerFault::Unreadable(error.to_string()))?;
            let tx: Transaction = encode::deserialize(&bytes)
                .map_err(|error| ServerFault::Unreadable(error.to_string()))?;
            match tx.compute_txid() {
                found if found == txid => Ok(tx),
                other => Err(ServerFault::OtherTransaction(other)),
            }
        })
    }

    /// The header with this hash; its proof of work was checked.
    pub fn header(&self, hash: BlockHash) -> Result<Header, SourceError> {
        let network = self.options.network;
        self.answer(&format!("block/{hash}/header"), SHORT, None, |body| {
            let bytes = Vec::<u8>::from_hex(text(body)?)
                .map_err(|error| ServerFault::Unreadable(error.to_string()))?;
            let header = parse(&bytes)?;
            match check_work(&header, network)? {
                found if found == hash => Ok(header),
                other => Err(ServerFault::Contradiction(format!("it sent block {other}"))),
            }
        })
    }

    /// The path of a transaction in the block with this header, checked. The height is what the server
    /// claimed elsewhere: it must not claim another here.
    pub fn proof(
        &self,
        tx: &Transaction,
        header: &Header,
        height: Height,
    ) -> Result<MerklePath, SourceError> {
        let route = format!("tx/{}/merkle-proof", tx.compute_txid());
        self.answer(&route, SHORT, None, |body| {
            let proof: MerkleProof = json(body)?;
            let path = proof.path()?;
            path.prove(tx, header)?;
            if proof.block_height != height.0 {
                let (hash, told) = (header.block_hash(), proof.block_height);
                let detail = format!("block {hash} is at height {height} and at height {told}");
                return Err(ServerFault::Contradiction(detail));
            }
            Ok(path)
        })
    }

    /// The block that a transaction is in, says the server: height and hash.
    pub fn block_of(&self, txid: Txid) -> Result<Option<(u32, BlockHash)>, SourceError> {
        let tip = self.tip.height.0;
        let status: Status = self.answer(&format!("tx/{txid}/status"), SHORT, Some(tip), json)?;
        Ok(status.block().filter(|(height, _)| *height <= tip))
    }

    /// What became of each output of a transaction, says the server, as of our tip.
    pub fn fates(&self, tx: &Transaction) -> Result<Vec<Fate>, SourceError> {
        let (txid, outputs) = (tx.compute_txid(), tx.output.len());
        let tip = self.tip.height.0;
        self.answer(&format!("tx/{txid}/outspends"), LIST, Some(tip), |body| {
            let told: Vec<Outspend> = json(body)?;
            if told.len() != outputs {
                let detail = format!("{} fates of {outputs} outputs", told.len());
                return Err(ServerFault::Unreadable(detail));
            }
            told.iter().map(|outspend| fate(*outspend, tip)).collect()
        })
    }

    /// The confirmed transactions that pay to a script or spend from it, at most `most`: ids and
    /// blocks, newest first, as the server tells.
    pub fn history(
        &self,
        of: &ScriptBuf,
        most: usize,
    ) -> Result<Vec<(Txid, u32, BlockHash)>, SourceError> {
        let start = match script::address(of, self.options.network) {
            Some(address) => format!("address/{address}/txs/chain"),
            None => format!("scripthash/{}/txs/chain", sha256::Hash::hash(of.as_bytes())),
        };
        let tip = self.tip.height.0;
        let mut found: Vec<(Txid, u32, BlockHash)> = Vec::new();
        loop {
            let route = match found.last() {
                Some((last, ..)) => format!("{start}/{last}"),
                None => start.clone(),
            };
            let page: Vec<Listed> = self.answer(&route, LIST, Some(tip), json)?;
            let mut new = 0;
            for listed in &page {
                let Some((height, hash)) = listed.block() else { continue };
                // Repeated pages would go on for ever.
                if found.iter().any(|(txid, ..)| *txid == listed.txid()) {
                    let fault = ServerFault::Contradiction("a page repeats another".into());
                    return Err(super::error(&self.options.url, &route, fault));
                }
                found.push((listed.txid(), height, hash));
                new += 1;
            }
            if found.len() > most {
                let fault = ServerFault::LongHistory(most);
                return Err(super::error(&self.options.url, &start, fault));
            }
            if new == 0 {
                found.retain(|(_, height, _)| *height <= tip);
                return Ok(found);
            }
        }
    }
}

fn fate(told: Outspend, tip: u32) -> Result<Fate, ServerFault> {
    if !told.spent {
        return Ok(Fate::Unspent);
    }
    let txid =
        told.spender().ok_or_else(|| unreadable("an output that nobody in particular spent"))?;
    Ok(match told.block() {
        Some((height, hash)) if height <= tip => {
            Fate::SpentBy { txid, height: Height(height), hash }
        }
        _ => Fate::SpentLater { txid },
    })
}

fn text(body: &[u8]) -> Result<&str, ServerFault> {
    let text = std::str::from_utf8(body).map_err(|_| unreadable("this is not text"))?;
    Ok(text.trim())
}

fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ServerFault> {
    serde_json::from_slice(body).map_err(|error| ServerFault::Unreadable(error.to_string()))
}

fn unreadable(what: &str) -> ServerFault {
    ServerFault::Unreadable(what.to_owned())
}
