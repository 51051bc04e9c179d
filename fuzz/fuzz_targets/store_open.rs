//! A store with damaged files: opened, read from end to end and checked. Nothing panics, and
//! whoever believes an amount of a damaged column is told so.

#![no_main]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use chain::{AddressNum, Height, Ledger, TxNum};
use flate2::read::GzDecoder;
use libfuzzer_sys::fuzz_target;
use store::Store;

/// The files of the store that is kept for format 1.
static FILES: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/store/compat/v1.tar.gz");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let archive = File::open(path).expect("the kept store");
    tar::Archive::new(GzDecoder::new(archive)).unpack(dir.path()).expect("a good archive");
    let mut files = Vec::new();
    collect(dir.path(), dir.path(), &mut files);
    files.sort();
    files
});

fn collect(root: &Path, dir: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(dir).expect("a readable directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("inside").to_owned();
            files.push((name, fs::read(&path).expect("a readable file")));
        }
    }
}

// Each damage: which file, where, what to turn over there; a length to cut to now and then.
fuzz_target!(|damage: Vec<(u8, u32, u8, Option<u16>)>| {
    let mut files = FILES.clone();
    for (file, at, turned, cut) in damage {
        let n = files.len();
        let bytes = &mut files[usize::from(file) % n].1;
        if !bytes.is_empty() {
            let at = at as usize % bytes.len();
            bytes[at] ^= turned;
        }
        if let Some(len) = cut {
            bytes.truncate(len.into());
        }
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, bytes) in &files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder made");
        fs::write(path, bytes).expect("a file written");
    }
    if let Ok(store) = Store::open(dir.path()) {
        read_all(&store);
    }
    let _ = store::check(dir.path(), |_| ());
});

/// Asks everything and believes nothing.
fn read_all(store: &Store) {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for tx in (0..store.tx_count().min(10_000)).map(TxNum) {
        if let Ok(txid) = store.txid(tx) {
            let _ = store.find_tx(&txid);
        }
        let _ = (store.flags(tx), store.height(tx), store.inputs(tx, &mut inputs));
        let _ = store.outputs(tx, &mut outputs);
        for output in &outputs {
            let _ = (
                store.output(output.num),
                store.tx_of(output.num),
                store.output_script(output.num),
            );
        }
    }
    for height in (0..store.counts().blocks.min(10_000)).map(Height) {
        let _ = store.block(height).map(|block| block.map(|block| store.find_block(&block.hash)));
    }
    for address in (0..store.counts().addresses.min(10_000)).map(AddressNum) {
        let _ = store.script(address).map(|script| store.find_script(&script));
        let mut before = None;
        while let Ok(Some(out)) = store.last_output_of(address, before) {
            before = Some(out);
        }
    }
}
