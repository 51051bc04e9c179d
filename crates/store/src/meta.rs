//! The commit record: a small text file, replaced atomically, that says what counts.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
};

use chain::{BlockHash, Height, Network, Tip};

use crate::{
    error::StoreError,
    layout::{COLUMN_NAMES, FORMAT_VERSION},
};

const FIRST_LINE: &str = "chainhound graph store";

/// How much of a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// In bytes.
    pub(crate) len: u64,
    /// CRC-32 of the last, partial page; of nothing where all pages are full.
    pub(crate) tail_sum: u32,
}

impl Extent {
    /// An empty column: the CRC-32 of nothing is 0.
    pub(crate) const EMPTY: Self = Self { len: 0, tail_sum: 0 };
}

/// How many of everything a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks of the best chain, genesis included.
    pub blocks: u32,
    /// Transactions, coinbases included.
    pub transactions: u32,
    /// Inputs that spend an output; a coinbase has none.
    pub inputs: u64,
    /// Outputs of every kind.
    pub outputs: u64,
    /// Distinct locking scripts, data carriers (`OP_RETURN`) left out.
    pub addresses: u32,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) network: Network,
    pub(crate) tip: Option<Tip>,
    pub(crate) counts: Counts,
    /// Which rules filled `tx.class`; 0 before any did.
    pub(crate) class_rules: u32,
    /// One per column, in the order of [`COLUMN_NAMES`].
    pub(crate) extents: Vec<Extent>,
}

impl Meta {
    /// A store without a block.
    pub(crate) fn empty(network: Network) -> Self {
        let extents = vec![Extent::EMPTY; COLUMN_NAMES.len()];
        Self { network, tip: None, counts: Counts::default(), class_rules: 0, extents }
    }

    pub(crate) fn path(dir: &Path) -> PathBuf {
        dir.join("meta")
    }

    /// Reads the commit record of the store in `dir`.
    pub(crate) fn read(dir: &Path) -> Result<Self, StoreError> {
        let path = Self::path(dir);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|error| {
                StoreError::damaged(&path, error.utf8_error().valid_up_to() as u64, "not text")
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::Missing { path: dir.to_owned() });
            }
            Err(error) => return Err(StoreError::io(&path, error)),
        };
        Self::parse(&text, &path)
    }

    /// Replaces the commit record; durable when it returns.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let (path, next) = (Self::path(dir), dir.join("meta.next"));
        let replace = || -> std::io::Result<()> {
            let mut file = File::create(&next)?;
            file.write_all(self.to_text().as_bytes())?;
            file.sync_data()?;
            fs::rename(&next, &path)?;
            File::open(dir)?.sync_all()
        };
        replace().map_err(|error| StoreError::io(&path, error))
    }

    fn to_text(&self) -> String {
        use std::fmt::Write;
        let mut text =
            format!("{FIRST_LINE}\nversion {FORMAT_VERSION}\nnetwork {}\n", self.network);
        let c = &self.counts;
        if let Some(tip) = self.tip {
            let _ = writeln!(text, "tip {} {}", tip.height, tip.hash);
        }
        let _ = writeln!(
            text,
            "blocks {}\ntransactions {}\ninputs {}\noutputs {}\naddresses {}\nclasses {}",
            c.blocks, c.transactions, c.inputs, c.outputs, c.addresses, self.class_rules
        );
        for (name, extent) in COLUMN_NAMES.iter().zip(&self.extents) {
            let _ = writeln!(text, "{name} {} {:08x}", extent.len, extent.tail_sum);
        }
        let _ = writeln!(text, "checksum {:08x}", crc32fast::hash(text.as_bytes()));
        text
    }

    fn parse(text: &str, path: &Path) -> Result<Self, StoreError> {
        let bad = |at: usize, detail: &str| StoreError::damaged(path, at as u64, detail);
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(bad(0, "this is no store's meta file"));
        }
        // The version comes before the checksum: a later format may sum up differently.
        let version = lines.next().and_then(|line| line.strip_prefix("version "));
        match version.and_then(|version| version.parse::<u32>().ok()) {
            Some(FORMAT_VERSION) => {}
            Some(found) if found > FORMAT_VERSION => {
                let known = FORMAT_VERSION;
                return Err(StoreError::NewerFormat { path: path.to_owned(), found, known });
            }
            _ => return Err(bad(FIRST_LINE.len() + 1, "unknown version")),
        }
        let body = text.rfind("checksum ").ok_or_else(|| bad(text.len(), "no checksum"))?;
        if text[body..] != format!("checksum {:08x}\n", crc32fast::hash(&text.as_bytes()[..body])) {
            return Err(bad(body, "the checksum does not match"));
        }
        let fields: HashMap<&str, &str> =
            text[..body].lines().skip(1).filter_map(|line| line.split_once(' ')).collect();
        Self::from_fields(&fields).ok_or_else(|| bad(0, "a line is missing or malformed"))
    }

    fn from_fields(fields: &HashMap<&str, &str>) -> Option<Self> {
        fn number<T: FromStr>(fields: &HashMap<&str, &str>, name: &str) -> Option<T> {
            fields.get(name)?.parse().ok()
        }
        let tip = match fields.get("tip") {
            None => None,
            Some(text) => {
                let (height, hash) = text.split_once(' ')?;
                Some(Tip {
                    height: Height(height.parse().ok()?),
                    hash: hash.parse::<BlockHash>().ok()?,
                })
            }
        };
        let extents = COLUMN_NAMES.iter().map(|name| {
            let (len, sum) = fields.get(name)?.split_once(' ')?;
            Some(Extent { len: len.parse().ok()?, tail_sum: u32::from_str_radix(sum, 16).ok()? })
        });
        Some(Self {
            network: number(fields, "network")?,
            tip,
            counts: Counts {
                blocks: number(fields, "blocks")?,
                transactions: number(fields, "transactions")?,
                inputs: number(fields, "inputs")?,
                outputs: number(fields, "outputs")?,
                addresses: number(fields, "addresses")?,
            },
            class_rules: number(fields, "classes")?,
            extents: extents.collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Meta {
        let mut meta = Meta::empty(Network::Regtest);
        meta.tip = Some(Tip { height: Height(7), hash: Network::Regtest.genesis_hash() });
        meta.counts.outputs = 1 << 33;
        meta.extents[3] = Extent { len: 12345, tail_sum: 0xdead_beef };
        meta
    }

    #[test]
    fn a_commit_is_read_as_written() {
        let dir = tempfile::tempdir().unwrap();
        sample().write(dir.path()).unwrap();
        assert_eq!(Meta::read(dir.path()).unwrap(), sample());
    }

    #[test]
    fn nothing_newer_or_damaged_is_read() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Meta::read(dir.path()), Err(StoreError::Missing { .. })));
        let path = Meta::path(dir.path());
        let good = sample().to_text();
        fs::write(&path, good.replace("version 1", "version 2")).unwrap();
        assert!(matches!(
            Meta::read(dir.path()),
            Err(StoreError::NewerFormat { found: 2, known: 1, .. })
        ));
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(Meta::read(dir.path()).is_err(), "flip at {at}");
            fs::write(&path, &good[..at]).unwrap();
            assert!(Meta::read(dir.path()).is_err(), "cut at {at}");
        }
    }
}
