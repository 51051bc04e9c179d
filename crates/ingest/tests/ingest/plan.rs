//! A chain in a few small numbers, which proptest makes and shrinks; branch.rs makes blocks of it.

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// How often a coinbase comes again.
const TWINS: f64 = 0.1;

/// A block. What a number picks among is taken modulo how many there are.
#[derive(Clone, Debug)]
pub(crate) struct BlockPlan {
    /// The coinbase repeats this earlier one, txid and all (BIP-0030).
    pub(crate) twin: Option<u8>,
    pub(crate) coinbase: Vec<OutPlan>,
    pub(crate) txs: Vec<TxPlan>,
}

/// A transaction that is no coinbase; left out where nothing is there to be spent.
#[derive(Clone, Debug)]
pub(crate) struct TxPlan {
    /// Picks among the unspent outputs, those of this block included.
    pub(crate) inputs: Vec<u16>,
    pub(crate) outputs: Vec<OutPlan>,
    /// Version, lock time, sequence numbers, witness.
    pub(crate) habits: u8,
}

/// One or more outputs to one script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutPlan {
    pub(crate) kind: u8,
    pub(crate) owner: u8,
    pub(crate) value: u8,
    pub(crate) copies: u16,
}

/// How much there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) blocks: usize,
    /// In a block, besides the coinbase.
    pub(crate) txs: usize,
    /// Scripts of each kind: few, and they are used again and again.
    pub(crate) owners: u8,
    /// Now and then so many outputs at once.
    pub(crate) copies: u16,
}

impl Size {
    /// Enough for several groups of 64 transactions and a chunk of 1,024 outputs.
    pub(crate) const SMALL: Self = Self { blocks: 12, txs: 24, owners: 6, copies: 1500 };
}

fn output(size: Size) -> impl Strategy<Value = OutPlan> + Clone {
    let copies = prop_oneof![400 => Just(1u16), 8 => 2..12u16, 1 => 2..=size.copies.max(2)];
    (any::<u8>(), 0..size.owners, any::<u8>(), copies)
        .prop_map(|(kind, owner, value, copies)| OutPlan { kind, owner, value, copies })
}

fn transaction(size: Size) -> impl Strategy<Value = TxPlan> {
    let inputs = prop::collection::vec(any::<u16>(), 1..5);
    let outputs = prop::collection::vec(output(size), 1..6);
    (inputs, outputs, any::<u8>()).prop_map(|(inputs, outputs, habits)| TxPlan {
        inputs,
        outputs,
        habits,
    })
}

fn block(size: Size) -> impl Strategy<Value = BlockPlan> {
    let twin = prop::option::weighted(TWINS, any::<u8>());
    let coinbase = prop::collection::vec(output(size), 1..4);
    let txs = prop::collection::vec(transaction(size), 0..=size.txs);
    (twin, coinbase, txs).prop_map(|(twin, coinbase, txs)| BlockPlan { twin, coinbase, txs })
}

/// Any chain up to this size.
pub(crate) fn blocks(size: Size) -> impl Strategy<Value = Vec<BlockPlan>> {
    prop::collection::vec(block(size), 1..=size.blocks)
}

/// `size.blocks` blocks decided by a seed.
pub(crate) fn seeded(seed: u64, size: Size) -> Vec<BlockPlan> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let blocks = prop::collection::vec(block(size), size.blocks);
    blocks.new_tree(&mut runner).unwrap().current()
}

/// Cases of a property: a share by default, all of them with CHAINHOUND_STRESS set.
pub(crate) fn share(default: u32, all: u32) -> u32 {
    if std::env::var_os("CHAINHOUND_STRESS").is_some() { all } else { default }
}

/// That many cases. A failing one is printed in full, so that no file has to remember it.
pub(crate) fn cases(default: u32, all: u32) -> Config {
    let cases = share(default, all);
    Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() }
}

/// Random numbers by a seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(word ^ (word >> 31)) * end as u128) >> 64) as usize
    }
}
