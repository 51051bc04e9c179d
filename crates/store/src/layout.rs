//! Names and widths of the files of a store. The prose is in README.md.

use std::path::{Path, PathBuf};

/// The format this release writes.
pub const FORMAT_VERSION: u32 = 1;

/// Bytes covered by one checksum.
pub(crate) const PAGE: usize = 4096;
/// Transactions that share a 40-bit base in `tx.in` and `tx.out`.
pub(crate) const TX_GROUP: u32 = 64;
/// Addresses that share a 40-bit base in `address.base`.
pub(crate) const ADDRESS_GROUP: u32 = 32;
/// A value of 2^40 - 1 in a value column says: look it up in `out.big`.
pub(crate) const BIG_VALUE: u64 = (1 << 40) - 1;
/// No address: the output carries data.
pub(crate) const NO_ADDRESS: u32 = u32::MAX;

/// Declares the append-only columns once: a struct with a field for each, generic over what
/// stands behind a column (reading or writing side), and the table of file names.
macro_rules! columns {
    ($($(#[$doc:meta])* $field:ident = $name:literal,)*) => {
        /// One value per append-only column.
        #[derive(Debug)]
        pub(crate) struct Columns<C> {
            $($(#[$doc])* pub(crate) $field: C,)*
        }

        /// File names, in the order of `meta`.
        pub(crate) const COLUMN_NAMES: &[&str] = &[$($name),*];

        impl<C> Columns<C> {
            /// Makes each column from its file name.
            pub(crate) fn build<E>(mut make: impl FnMut(&'static str) -> Result<C, E>) -> Result<Self, E> {
                Ok(Self { $($field: make($name)?,)* })
            }

            /// All columns, in the order of [`COLUMN_NAMES`].
            pub(crate) fn each(&self) -> impl Iterator<Item = &C> {
                [$(&self.$field),*].into_iter()
            }

            /// All columns, to change them.
            pub(crate) fn each_mut(&mut self) -> impl Iterator<Item = &mut C> {
                [$(&mut self.$field),*].into_iter()
            }
        }
    };
}

columns! {
    /// 80 bytes: the header as it is hashed.
    block_header = "block.header",
    /// 32 bytes: its hash.
    block_hash = "block.hash",
    /// u32: number of its first transaction.
    block_tx = "block.tx",
    /// 32 bytes: txid.
    tx_id = "tx.id",
    /// u16: chain::Flags.
    tx_flags = "tx.flags",
    /// u8: what the transaction was recognised as. May end before the last transaction.
    tx_class = "tx.class",
    /// u40 per 64 transactions: first input of the group.
    tx_in_base = "tx.in.base",
    /// u24: first input, from the base.
    tx_in = "tx.in",
    /// u40 per 64 transactions: first output of the group.
    tx_out_base = "tx.out.base",
    /// u24: first output, from the base.
    tx_out = "tx.out",
    /// u40: the output spent.
    in_source = "in.source",
    /// u40: its value, or BIG_VALUE.
    in_value = "in.value",
    /// u32: its address.
    in_address = "in.address",
    /// u40: value, or BIG_VALUE.
    out_value = "out.value",
    /// u32: address, or NO_ADDRESS.
    out_address = "out.address",
    /// u40: 1 + the previous output of the same address, 0 for none.
    out_previous = "out.previous",
    /// u40 output, u64 value: the values of 2^40 - 1 satoshis and more.
    out_big = "out.big",
    /// u8: codec::Kind.
    address_kind = "address.kind",
    /// u40 per 32 addresses: where the group's payloads start.
    address_base = "address.base",
    /// The hashes, keys or scripts, one after the other.
    address_payload = "address.payload",
    /// u40 output, u40 start in data.bytes: data carriers in order.
    data_place = "data.place",
    /// Their locking scripts, one after the other.
    data_bytes = "data.bytes",
}

/// u32 per output: the spending transaction, 0 for none (transaction 0 is a coinbase).
pub(crate) const OUT_SPENDER: &str = "out.spender";
/// u40 per address: 1 + its newest output.
pub(crate) const ADDRESS_HEAD: &str = "address.head";
/// Look-up tables: README.md, "Indexes".
pub(crate) const BLOCK_INDEX: &str = "block.index";
pub(crate) const TX_INDEX: &str = "tx.index";
pub(crate) const ADDRESS_INDEX: &str = "address.index";

/// The mutable files.
pub(crate) const MUTABLE_NAMES: &[&str] =
    &[OUT_SPENDER, ADDRESS_HEAD, BLOCK_INDEX, TX_INDEX, ADDRESS_INDEX];

/// Where the page checksums of a column live.
pub(crate) fn sums_path(dir: &Path, column: &str) -> PathBuf {
    dir.join("sums").join(column)
}

/// Little-endian numbers of odd widths.
#[inline]
pub(crate) fn u24(b: &[u8]) -> u32 {
    u32::from(b[0]) | u32::from(b[1]) << 8 | u32::from(b[2]) << 16
}

#[inline]
pub(crate) fn u40(b: &[u8]) -> u64 {
    u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]])) | u64::from(b[4]) << 32
}

#[inline]
pub(crate) fn to_u40(value: u64) -> [u8; 5] {
    let b = value.to_le_bytes();
    [b[0], b[1], b[2], b[3], b[4]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_widths_lead_back() {
        for value in [0, 1, 255, 0x1234_5678, (1 << 40) - 1] {
            assert_eq!(u40(&to_u40(value)), value);
        }
        assert_eq!(u24(&[1, 2, 3]), 0x03_0201);
    }

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let mut names: Vec<_> = COLUMN_NAMES.iter().chain(MUTABLE_NAMES).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), COLUMN_NAMES.len() + MUTABLE_NAMES.len());
    }
}
