//! `truth.json`: names and meaning.

use serde::{Deserialize, Serialize};

use super::super::{Class, Role};

/// What really happened to the stolen coins: the thief's own knowledge.
///
/// The thief owns no other coins, so every coin of his is stolen. Amounts are satoshis, txids and
/// hashes are written as people write them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Always `testkit.replay.v1`.
    pub schema: String,
    /// Always `regtest`.
    pub network: String,
    /// The seed.
    pub seed: u64,
    /// The last block.
    pub tip: Tip,
    /// The theft itself.
    pub theft: Theft,
    /// The address that the thief's resembles.
    pub look_alike: LookAlike,
    /// Earlier, legitimate withdrawals of the victim to the genuine address, in chain order.
    pub withdrawals: Vec<Payment>,
    /// Everybody whom the steps name; clean participants of CoinJoins only by number.
    pub entities: Vec<Entity>,
    /// Every transaction with a stolen coin among its inputs, in chain order. The theft comes first.
    pub steps: Vec<Step>,
    /// Where all stolen satoshis are at the tip. Sums to [`Totals::root_sat`].
    pub dispositions: Vec<Booking>,
    /// The same for somebody who follows no coin into a CoinJoin: what enters one is booked to it.
    /// Until there the stolen coins meet no others, so every policy has to find exactly this.
    pub before_mixers: Vec<Booking>,
    /// The sums.
    pub totals: Totals,
}

/// The last block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// Height.
    pub height: u32,
    /// Hash.
    pub hash: String,
}

/// The theft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theft {
    /// The transaction.
    pub txid: String,
    /// Its only output.
    pub vout: u32,
    /// Its block's height.
    pub height: u32,
    /// Its block's time, seconds since 1970 UTC.
    pub time: u32,
    /// 450,290,000,000.
    pub value_sat: u64,
    /// 10,000,000.
    pub fee_sat: u64,
    /// The thief's address.
    pub address: String,
    /// The victim's address.
    pub victim_address: String,
}

/// Two addresses that look alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookAlike {
    /// The address that the victim knew.
    pub genuine: String,
    /// The thief's.
    pub imitation: String,
    /// Equal characters at the start.
    pub prefix: usize,
    /// Equal characters at the end.
    pub suffix: usize,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The transaction.
    pub txid: String,
    /// The output.
    pub vout: u32,
    /// Its block's height.
    pub height: u32,
    /// To whom.
    pub address: String,
    /// How much.
    pub value_sat: u64,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// The name that the steps use: `thief`, `victim`, `exchange-1`, `otc`, `bridge`, …
    pub entity: String,
    /// What it does.
    pub role: Role,
    /// The number in `truth/outputs.bin` and `truth/entities.csv`.
    pub number: u32,
    /// Its addresses in the steps, in order of appearance.
    pub addresses: Vec<String>,
}

/// A transaction that spends stolen coins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The transaction.
    pub txid: String,
    /// Its block's height.
    pub height: u32,
    /// What kind of transaction it is.
    pub role: Class,
    /// What for: `theft`, `storage`, `peel-1`, `wasabi1`, …
    pub stage: String,
    /// Inputs in order.
    pub inputs: Vec<Input>,
    /// Outputs in order.
    pub outputs: Vec<Output>,
    /// The fee.
    pub fee_sat: u64,
    /// What the data carrier says, where it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The transaction that made the coin.
    pub txid: String,
    /// Its output.
    pub vout: u32,
    /// Its value.
    pub value_sat: u64,
    /// Its address.
    pub address: String,
    /// Whose it is.
    pub entity: String,
    /// Whether it is stolen.
    pub stolen: bool,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its place.
    pub vout: u32,
    /// Its value.
    pub value_sat: u64,
    /// Its address; data carriers have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whose it is; `nobody` for data carriers.
    pub entity: String,
    /// Whether it is a stolen coin in the thief's hands.
    pub stolen: bool,
}

/// Where satoshis ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// In a coin of the thief's that never was in a CoinJoin.
    Unspent,
    /// In a coin of the thief's that was in one (never in `before_mixers`).
    UnspentMixed,
    /// Paid to an exchange or another service.
    Service,
    /// Paid to a bridge's vault.
    Bridge,
    /// Went into a CoinJoin (only in `before_mixers`). The entity is the protocol.
    Mixer,
    /// The coordinator's fee for entering Whirlpool. That of Wasabi is in `fee`.
    MixerFee,
    /// Miners' fees, and what CoinJoins cost.
    Fee,
}

/// Satoshis in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// What kind of place.
    pub category: Category,
    /// Which one.
    pub entity: String,
    /// How much.
    pub value_sat: u64,
    /// The outputs that hold it (`txid:vout`) in chain order; for `mixer` the thief's coins that
    /// were spent there; none for fees.
    pub outputs: Vec<String>,
}

/// The sums, equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// What was stolen.
    pub root_sat: u64,
    /// The sum of the dispositions.
    pub booked_sat: u64,
}
