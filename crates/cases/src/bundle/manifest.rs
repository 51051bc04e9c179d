//! The list of a bundle's files with their digests. Its own digest names the bundle.

use serde::{Deserialize, Serialize};

use super::SCHEMA;
use crate::{Error, Result, digest::sha256_hex};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) schema: String,
    /// Sorted by name; without the manifest itself, its signature and the signer's key.
    pub(super) files: Vec<Listed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Manifest {
    pub(super) fn of(files: &[(String, Vec<u8>)]) -> Self {
        let list = files.iter().map(|(name, bytes)| Listed {
            name: name.clone(),
            bytes: bytes.len() as u64,
            sha256: sha256_hex(bytes),
        });
        Self { schema: SCHEMA.to_owned(), files: list.collect() }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes =
            serde_json::to_vec_pretty(self).map_err(|error| Error::proof("manifest", error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
