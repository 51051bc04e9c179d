//! `chainhound.block.v1`.

use report::model::UtcTime;
use serde::Serialize;

use super::{Body, Facts};

/// A block and a page of its transactions.
#[derive(Debug, Serialize)]
pub(crate) struct BlockDocument {
    /// Its height.
    pub(crate) height: u32,
    /// Its hash.
    pub(crate) block_hash: String,
    /// Its time, as the miner claimed.
    pub(crate) time: UtcTime,
    /// Blocks from it to the tip, both counted.
    pub(crate) confirmations: Option<u32>,
    /// The rest of its header; `null` where the source has none.
    #[serde(flatten)]
    pub(crate) header: Option<Header>,
    /// How many transactions are known of it: all, on a whole chain.
    pub(crate) transactions: u32,
    /// A page of their ids, in block order.
    pub(crate) txids: Vec<String>,
    /// For `--cursor`, where there is more.
    pub(crate) next_cursor: Option<u32>,
}

/// The fields of a block header that are not given elsewhere.
#[derive(Debug, Serialize)]
pub(crate) struct Header {
    /// The block before it.
    pub(crate) previous_block_hash: String,
    /// Commits to the transactions.
    pub(crate) merkle_root: String,
    /// Version bits.
    pub(crate) version: i32,
    /// The compact target, in hexadecimal.
    pub(crate) bits: String,
    /// What made the hash low enough.
    pub(crate) nonce: u32,
}

impl Header {
    /// From the 80 bytes that are hashed.
    pub(crate) fn parse(bytes: &[u8; 80]) -> Self {
        let four = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        Self {
            previous_block_hash: reversed_hex(&bytes[4..36]),
            merkle_root: reversed_hex(&bytes[36..68]),
            version: i32::from_le_bytes(four(0)),
            bits: format!("{:08x}", u32::from_le_bytes(four(72))),
            nonce: u32::from_le_bytes(four(76)),
        }
    }
}

impl Body for BlockDocument {
    const SCHEMA: &'static str = "chainhound.block.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("height", self.height);
        facts.push("hash", &self.block_hash);
        facts.push("time", self.time);
        facts.push_some("confirmations", self.confirmations);
        if let Some(header) = &self.header {
            facts.push("previous", &header.previous_block_hash);
            facts.push("merkle root", &header.merkle_root);
            facts.push("version", format!("0x{:08x}", header.version));
            facts.push("bits", format!("0x{}", header.bits));
            facts.push("nonce", header.nonce);
        }
        facts.push("transactions", self.transactions);
        let mut text = facts.to_text();
        text.push('\n');
        for txid in &self.txids {
            text.push_str(txid);
            text.push('\n');
        }
        if let Some(cursor) = self.next_cursor {
            text.push_str(&format!("\nmore with --cursor {cursor}\n"));
        }
        text
    }
}

/// Hashes are shown back to front.
fn reversed_hex(bytes: &[u8]) -> String {
    bytes.iter().rev().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_taken_apart() {
        let mut bytes = [0; 80];
        bytes[0] = 4;
        bytes[4] = 0xab;
        bytes[72..].copy_from_slice(&[0xff, 0xff, 0x7f, 0x20, 7, 0, 0, 0]);
        let header = Header::parse(&bytes);
        assert_eq!((header.version, header.nonce, header.bits.as_str()), (4, 7, "207fffff"));
        assert!(header.previous_block_hash.ends_with("00ab"));
    }
}
