//! What really happened, beside the blocks: the side files, written and read.
//!
//! A generated chain lies in a directory with `blocks/` and `truth/`. Transactions and outputs are
//! numbered in chain order from 0, genesis included: its coinbase is transaction 0 and output 0.
//!
//! | file in `truth/` | content |
//! |---|---|
//! | `transactions.bin` | four bytes a transaction: the [`Class`], a zero, the place of the change output (`u16`, little endian; 65535 where there is none) |
//! | `outputs.bin` | four bytes an output: the number of the entity that owns it (`u32`, little endian; 0 for data carriers and genesis) |
//! | `entities.csv` | `entity,role`; entity 0 is nobody |
//! | `summary.json` | [`Summary`](super::Summary): counts, seed, tip |
//!
//! An address belongs to one entity: to the owner of any of its outputs.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use super::entities::{Entity, Role};

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What a transaction really is. The number is the one in `transactions.bin`.
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum Class {
            $($(#[$doc])* $name = $number,)*
        }

        impl Class {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

classes! {
    /// New coins and fees.
    Coinbase = 0, "coinbase";
    /// To a person or a shop.
    #[default]
    Payment = 1, "payment";
    /// To one's own deposit address at an exchange.
    Deposit = 2, "deposit";
    /// An exchange gathers what came in on its deposit addresses.
    Sweep = 3, "sweep";
    /// An exchange pays many customers at once.
    Withdrawal = 4, "withdrawal";
    /// A wallet pays itself with many small coins.
    Consolidation = 5, "consolidation";
    /// A shop sells what it received to an exchange.
    Sale = 6, "sale";
    /// A mining pool pays its members.
    Payout = 7, "payout";
    /// Whirlpool: entry into a pool, with the coordinator's fee.
    Tx0 = 8, "tx0";
    /// Whirlpool: five equal inputs and outputs.
    Whirlpool = 9, "whirlpool";
    /// Wasabi 1: equal outputs of about 0.1 bitcoin, and change.
    Wasabi1 = 10, "wasabi1";
    /// Wasabi 2: standard denominations.
    Wasabi2 = 11, "wasabi2";
    /// JoinMarket: a taker, some makers, equal outputs and change.
    Joinmarket = 12, "joinmarket";
    /// Coins taken without the owner's consent.
    Theft = 13, "theft";
    /// Somebody, mostly a thief, divides coins over addresses of his own.
    Split = 14, "split";
    /// A step of a peel chain: a small payment, the rest moves on.
    Peel = 15, "peel";
    /// A thief's whole coin goes to a service.
    CashOut = 16, "cash_out";
    /// To a bridge's vault, with a memo.
    Bridge = 17, "bridge";
}

impl TryFrom<u8> for Class {
    type Error = u8;

    fn try_from(number: u8) -> Result<Self, u8> {
        Self::ALL.get(usize::from(number)).copied().ok_or(number)
    }
}

/// Writes the side files while the chain grows.
#[derive(Debug)]
pub(crate) struct TruthWriter {
    transactions: BufWriter<File>,
    outputs: BufWriter<File>,
}

impl TruthWriter {
    pub(crate) fn create(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let open = |name: &str| File::create(dir.join(name)).map(BufWriter::new);
        Ok(Self { transactions: open("transactions.bin")?, outputs: open("outputs.bin")? })
    }

    pub(crate) fn transaction(&mut self, class: Class, change: Option<u16>) -> io::Result<()> {
        let [low, high] = change.unwrap_or(u16::MAX).to_le_bytes();
        self.transactions.write_all(&[class as u8, 0, low, high])
    }

    pub(crate) fn output(&mut self, owner: u32) -> io::Result<()> {
        self.outputs.write_all(&owner.to_le_bytes())
    }

    pub(crate) fn finish(mut self, dir: &Path, entities: &[Entity]) -> io::Result<()> {
        self.transactions.flush()?;
        self.outputs.flush()?;
        let mut list = BufWriter::new(File::create(dir.join("entities.csv"))?);
        writeln!(list, "entity,role")?;
        for (number, entity) in entities.iter().enumerate() {
            writeln!(list, "{number},{}", entity.role.name())?;
        }
        list.flush()
    }
}

/// The side files of a generated chain, read back. Four bytes a transaction and an output.
#[derive(Clone, Debug, Default)]
pub struct SideFiles {
    transactions: Vec<u8>,
    outputs: Vec<u8>,
    roles: Vec<Role>,
}

impl SideFiles {
    /// Reads the truth of the chain in `dir` (the directory with `blocks/` and `truth/`).
    ///
    /// # Errors
    /// What the operating system says; [`io::ErrorKind::InvalidData`] for a role that no
    /// generator knows.
    pub fn read(dir: &Path) -> io::Result<Self> {
        let dir = dir.join("truth");
        let roles = fs::read_to_string(dir.join("entities.csv"))?
            .lines()
            .skip(1)
            .map(|line| {
                let name = line.split_once(',').map_or("", |(_, name)| name);
                serde_json::from_value(name.into()).map_err(io::Error::from)
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            transactions: fs::read(dir.join("transactions.bin"))?,
            outputs: fs::read(dir.join("outputs.bin"))?,
            roles,
        })
    }

    /// How many transactions there are, genesis included.
    pub fn transactions(&self) -> usize {
        self.transactions.len() / 4
    }

    /// How many outputs there are, genesis included.
    pub fn outputs(&self) -> usize {
        self.outputs.len() / 4
    }

    /// What a transaction is, by its number in chain order.
    pub fn class(&self, tx: usize) -> Option<Class> {
        Class::try_from(*self.transactions.get(tx * 4)?).ok()
    }

    /// The place of a transaction's change output.
    pub fn change(&self, tx: usize) -> Option<u16> {
        let [.., low, high] = four(&self.transactions, tx)?;
        Some(u16::from_le_bytes([low, high])).filter(|place| *place != u16::MAX)
    }

    /// The entity that owns an output, by its number in chain order; 0 is nobody.
    pub fn owner(&self, output: usize) -> Option<u32> {
        four(&self.outputs, output).map(u32::from_le_bytes)
    }

    /// What an entity does.
    pub fn role(&self, entity: u32) -> Option<Role> {
        self.roles.get(entity as usize).copied()
    }
}

fn four(bytes: &[u8], place: usize) -> Option<[u8; 4]> {
    bytes.as_chunks::<4>().0.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_their_numbers_and_names() {
        for (number, class) in (0_u8..).zip(Class::ALL) {
            assert_eq!(Class::try_from(number), Ok(*class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
        }
        assert_eq!(Class::try_from(99), Err(99));
    }
}
