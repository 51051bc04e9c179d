//! The floor under every indexer: read the block files, find the transactions, hash them.
//!
//! One thread, no order, no checks beyond what parsing needs. It shares no code with the product,
//! so that it cannot become slower together with it.

use std::{
    fs,
    io::Read as _,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use bitcoin_slices::{Visit as _, Visitor, bsl};
use serde_json::{Value, json};

/// What a pass saw.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// Bytes of all files.
    pub(crate) bytes: u64,
    /// Blocks, side branches and duplicates included.
    pub(crate) blocks: u64,
    /// Transactions.
    pub(crate) transactions: u64,
    /// Inputs, those of coinbases included.
    inputs: u64,
    /// Outputs.
    outputs: u64,
    /// All ids, combined, so that the hashing cannot be optimised away.
    ids: [u8; 32],
}

impl Pass {
    /// As one JSON document.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "bytes": self.bytes,
            "blocks": self.blocks,
            "transactions": self.transactions,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "ids_xor": self.ids.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        })
    }
}

impl Visitor for Pass {
    fn visit_transaction(&mut self, tx: &bsl::Transaction) -> ControlFlow<()> {
        self.transactions += 1;
        for (sum, byte) in self.ids.iter_mut().zip(tx.txid_sha2()) {
            *sum ^= byte;
        }
        ControlFlow::Continue(())
    }

    fn visit_tx_ins(&mut self, inputs: usize) {
        self.inputs += inputs as u64;
    }

    fn visit_tx_outs(&mut self, outputs: usize) {
        self.outputs += outputs as u64;
    }
}

/// Reads and hashes every `blk*.dat` of a folder.
pub(crate) fn run(dir: &Path) -> anyhow::Result<Pass> {
    let files = block_files(dir)?;
    let key = xor_key(dir)?;
    let mut pass = Pass::default();
    let mut bytes = Vec::new();
    for path in files {
        bytes.clear();
        fs::File::open(&path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .with_context(|| path.display().to_string())?;
        pass.bytes += bytes.len() as u64;
        if let Some(key) = key {
            for (byte, mask) in bytes.iter_mut().zip(key.iter().cycle()) {
                *byte ^= mask;
            }
        }
        one_file(&bytes, &mut pass).with_context(|| path.display().to_string())?;
    }
    Ok(pass)
}

/// Block files in the order of their names.
fn block_files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if name.is_some_and(|name| name.starts_with("blk") && name.ends_with(".dat")) {
            files.push(path);
        }
    }
    anyhow::ensure!(!files.is_empty(), "{}: no blk*.dat here", dir.display());
    files.sort();
    Ok(files)
}

/// The key with which the node obfuscated its files, if it did (Core PR 28052).
fn xor_key(dir: &Path) -> anyhow::Result<Option<[u8; 8]>> {
    let path = dir.join("xor.dat");
    if !path.exists() {
        return Ok(None);
    }
    let bytes = fs::read(&path)?;
    let key = <[u8; 8]>::try_from(&*bytes);
    let key = key.ok().with_context(|| format!("{}: not 8 bytes", path.display()))?;
    Ok((key != [0; 8]).then_some(key))
}

/// Each block is preceded by the network's magic and its length; the end is padded with zeros.
fn one_file(bytes: &[u8], pass: &mut Pass) -> anyhow::Result<()> {
    let mut rest = bytes;
    let Some(magic) = rest.first_chunk::<4>().copied() else { return Ok(()) };
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let (found, length) = head.split_at(4);
        if found == [0; 4] {
            break;
        }
        let offset = bytes.len() - rest.len();
        anyhow::ensure!(found == magic, "no block at byte {offset}");
        let length = u32::from_le_bytes(length.try_into()?) as usize;
        let Some((block, next)) = after.split_at_checked(length) else {
            bail!("the block at byte {offset} is cut off");
        };
        if let Err(error) = bsl::Block::visit(block, pass) {
            bail!("the block at byte {offset} cannot be read: {error:?}");
        }
        pass.blocks += 1;
        rest = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::run;

    /// The genesis block of mainnet.
    const GENESIS: &str = "0100000000000000000000000000000000000000000000000000000000000000\
        000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d\
        1dac2b7c0101000000010000000000000000000000000000000000000000000000000000000000000000ffff\
        ffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f7220\
        6f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f205\
        2a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f\
        4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000";

    fn file() -> Vec<u8> {
        let hex: Vec<u8> = GENESIS.bytes().collect();
        let block: Vec<u8> = hex
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let mut file = vec![0xf9, 0xbe, 0xb4, 0xd9];
        file.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
        file.extend(block);
        file.extend([0; 100]);
        file
    }

    #[test]
    fn reads_and_hashes() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("blk00000.dat"), file()).unwrap();
        let pass = run(dir.path()).unwrap().to_json();
        assert_eq!(pass["blocks"], 1);
        assert_eq!(pass["transactions"], 1);
        // Byte order as hashed, not as shown.
        let id = "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a";
        assert_eq!(pass["ids_xor"], id);
    }

    #[test]
    fn obfuscated_files_are_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let key = [1, 2, 3, 4, 5, 6, 7, 8];
        let masked: Vec<u8> = file().iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k).collect();
        fs::write(dir.path().join("blk00000.dat"), masked).unwrap();
        fs::write(dir.path().join("xor.dat"), key).unwrap();
        assert_eq!(run(dir.path()).unwrap().to_json()["transactions"], 1);
    }

    #[test]
    fn a_cut_off_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("blk00000.dat"), &file()[..200]).unwrap();
        let error = format!("{:#}", run(dir.path()).unwrap_err());
        assert!(error.ends_with("blk00000.dat: the block at byte 0 is cut off"), "{error}");
    }
}
