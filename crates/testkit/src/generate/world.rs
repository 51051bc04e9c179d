//! The world of a generated chain: everything that behaviours read and change, and the passage from
//! a draft to a transaction in a block.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
};

use bitcoin::{BlockHash, consensus::serialize, hashes::Hash};
use chain::Network;

use super::{
    GenerateError, GeneratorOptions, Progress, Summary,
    block::{Filling, MAX_SIGOPS, MAX_WEIGHT, Tip},
    coinjoin::Pools,
    coins::{Coin, Coins},
    crime::Peel,
    draft::{Draft, Payment},
    entities::{Entity, Role},
    scripts::{Address, Scripts, Shape},
    truth::{Class, TruthWriter},
    watch::Watch,
    write_summary,
};
use crate::{blkfile::BlockFiles, mine, random::Random};

/// Coins that no behaviour touches but the one that put them there.
pub(super) const HELD: u32 = 0;
/// List of an exchange's deposits: this and the exchange's number.
pub(super) const DEPOSITS: u32 = 1;
/// List of an entity's own coins: this and its number.
const WALLETS: u32 = 128;

/// Outputs below this many satoshis are not made.
pub(super) const DUST: u64 = 1_000;
/// Native segwit coins from this many satoshis on are remembered for rounds of Wasabi 1, which
/// took no others and has a large denomination.
const RICH: u64 = 10_500_000;
/// And so many of them.
const MOST_RICH: usize = 1 << 18;
/// Room that any behaviour's transaction fits in.
const ROOM: u64 = 130_000;
const ROOM_SIGOPS: u64 = 1_500;
/// Blocks until a coinbase may be spent.
const MATURITY: u32 = 100;

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(super) random: Random,
    pub(super) scripts: Scripts,
    pub(super) coins: Coins,
    pub(super) entities: Vec<Entity>,
    pub(super) exchanges: Vec<u32>,
    pub(super) merchants: Vec<u32>,
    pub(super) miners: Vec<u32>,
    pub(super) pools: Pools,
    pub(super) peels: Vec<Peel>,
    /// Pools with a mature coinbase to share out.
    pub(super) due: Vec<u32>,
    pub(super) rich: Vec<u32>,
    pub(super) draft: Draft,
    /// Coinbases of the first so many blocks go to one pool and stay in `reserved`.
    pub(super) reserve: u32,
    pub(super) reserved: Vec<u32>,
    pub(super) watch: Watch,
    /// Slots of the last transaction's coins; `u32::MAX` for a data carrier.
    pub(super) fresh_coins: Vec<u32>,
    /// Satoshis a virtual byte in this block.
    pub(super) rate: u64,
    /// How far the chain is, in thousandths.
    pub(super) era: u64,
    pub(super) tip: Tip,
    filling: Filling,
    /// Whose coinbase the block being filled has, and where it goes.
    coinbase: Option<(u32, Address)>,
    immature: VecDeque<(u32, u32)>,
    owners: Vec<u32>,
    files: BlockFiles,
    truth: TruthWriter,
    bytes: u64,
    per_block: u64,
    out: PathBuf,
    wanted: u64,
    made: u64,
    step: u32,
    start: u32,
    summary: Summary,
}

impl World {
    /// Genesis, and the first services.
    pub(crate) fn new(options: &GeneratorOptions) -> Result<Self, GenerateError> {
        if options.layout.network != Network::Regtest {
            return Err(GenerateError::Network);
        }
        let blocks = options.out.join("blocks");
        let truth = options.out.join("truth");
        let files = BlockFiles::create(&blocks, options.layout.clone());
        let mut world = Self {
            random: Random::new(options.seed),
            scripts: Scripts::new(options.seed),
            coins: Coins::default(),
            entities: vec![Entity::default()],
            exchanges: Vec::new(),
            merchants: Vec::new(),
            miners: Vec::new(),
            pools: Pools::default(),
            peels: Vec::new(),
            due: Vec::new(),
            rich: Vec::new(),
            draft: Draft::default(),
            reserve: 0,
            reserved: Vec::new(),
            watch: Watch::default(),
            fresh_coins: Vec::new(),
            rate: 4,
            era: 0,
            tip: Tip { hash: [0; 32], height: 0, time: 0 },
            filling: Filling::default(),
            coinbase: None,
            immature: VecDeque::new(),
            owners: Vec::new(),
            files: files.map_err(GenerateError::io(&blocks))?,
            truth: TruthWriter::create(&truth).map_err(GenerateError::io(&truth))?,
            bytes: 0,
            per_block: options.per_block.unwrap_or(options.transactions / 500).clamp(20, 2_800),
            out: options.out.clone(),
            wanted: options.transactions,
            made: 0,
            step: options.step,
            start: options.start,
            summary: Summary {
                seed: options.seed,
                blocks: 0,
                transactions: 0,
                inputs: 0,
                outputs: 0,
                data_outputs: 0,
                scripts: 1,
                unspent: 0,
                entities: 0,
                bytes: 0,
                height: 0,
                tip: String::new(),
                classes: BTreeMap::new(),
            },
        };
        world.genesis()?;
        for _ in 0..6 {
            let pool = world.newcomer(Role::Miner);
            world.miners.push(pool);
        }
        world.pools = Pools::new(&mut world);
        Ok(world)
    }

    fn genesis(&mut self) -> Result<(), GenerateError> {
        let genesis = mine::genesis();
        self.tip = Tip {
            hash: genesis.block_hash().to_byte_array(),
            height: 0,
            time: genesis.header.time,
        };
        self.write(&serialize(&genesis))?;
        self.filling.clear();
        self.record(Class::Coinbase, None, &[0])
    }

    /// Transactions made so far, coinbases not counted.
    pub(crate) const fn made(&self) -> u64 {
        self.made
    }

    pub(crate) const fn progress(&self) -> Progress {
        Progress { transactions: self.made, blocks: self.summary.blocks, bytes: self.bytes }
    }

    /// Height of the block being filled.
    pub(crate) const fn height(&self) -> u32 {
        self.tip.height + 1
    }

    /// Fills a block with what people do, and closes it.
    pub(crate) fn busy_block(&mut self) -> Result<(), GenerateError> {
        self.be_busy()?;
        self.close_block()
    }

    /// Adds what people do to the block being filled, up to its average.
    pub(crate) fn be_busy(&mut self) -> Result<(), GenerateError> {
        let wanted = self.per_block * self.random.between(60, 140) / 100;
        let mut attempts = wanted * 2;
        let mut left = wanted.min(self.wanted.saturating_sub(self.made));
        while left > 0 && attempts > 0 && self.has_room() {
            attempts -= 1;
            let before = self.made;
            self.act()?;
            left = left.saturating_sub(self.made - before);
        }
        Ok(())
    }

    /// Whether the block takes another transaction.
    pub(crate) const fn has_room(&self) -> bool {
        self.filling.weight + ROOM <= MAX_WEIGHT && self.filling.sigops + ROOM_SIGOPS <= MAX_SIGOPS
    }

    /// One thing that somebody does; nothing, where he cannot.
    fn act(&mut self) -> Result<(), GenerateError> {
        if let Some(pool) = self.due.pop() {
            self.payout(pool)?;
            return Ok(());
        }
        let done = match self.random.below(10_000) {
            0..270 => self.withdraw()?,
            // Entries bring in fewer coins than mixes could take, so nobody waits for long.
            270..410 => self.whirlpool()?,
            410..430 => self.tx0()?,
            430..458 => self.joinmarket()?,
            458..464 => self.wasabi1(&[])?,
            464..470 => self.wasabi2(&[])?,
            470..720 => self.crime()?,
            _ => false,
        };
        if !done {
            self.spend_somewhere()?;
        }
        Ok(())
    }

    /// Decides who finds the block being filled, if that is open yet. Its coinbase comes first, in the
    /// block as in the side files.
    pub(super) fn open_block(&mut self) -> Result<(u32, Address), GenerateError> {
        if let Some(coinbase) = self.coinbase {
            return Ok(coinbase);
        }
        let miner = match self.height() <= self.reserve {
            true => 0,
            false => self.random.index(self.miners.len()),
        };
        let miner = self.miners.get(miner).copied().unwrap_or_default();
        let coinbase = (miner, self.receive(miner));
        self.coinbase = Some(coinbase);
        self.record(Class::Coinbase, None, &[miner, 0])?;
        self.summary.data_outputs += 1;
        Ok(coinbase)
    }

    /// Ends the block and writes it.
    pub(crate) fn close_block(&mut self) -> Result<(), GenerateError> {
        let (miner, address) = self.open_block()?;
        let value = Network::Regtest.subsidy(self.height()) + self.filling.fees;
        let jitter = self.random.below(u64::from(self.step) / 2 + 1) as u32;
        let time = (self.start + self.step * self.tip.height + jitter).max(self.tip.time + 1);
        let mut filling = std::mem::take(&mut self.filling);
        let (block, txid) = filling.close(&mut self.tip, time, value, address, &self.scripts);
        let written = self.write(block);
        filling.clear();
        self.filling = filling;
        self.coinbase = None;
        written?;
        let slot = self.coins.add(Coin::new(txid, 0, value, address, miner), HELD);
        self.immature.push_back((self.tip.height + MATURITY, slot));
        self.mature();
        self.rate = (self.rate + self.random.below(3)).saturating_sub(1).clamp(1, 12);
        self.era = self.made * 1000 / self.wanted.max(1);
        Ok(())
    }

    /// Gives pools the coins that the next block may spend.
    fn mature(&mut self) {
        while let Some((height, slot)) = self.immature.front().copied()
            && height <= self.height()
        {
            self.immature.pop_front();
            if height <= self.reserve + MATURITY {
                self.reserved.push(slot);
            } else if let Some(owner) = self.coins.get(slot).map(|coin| coin.owner) {
                self.coins.hang(slot, wallet(owner));
                self.due.push(owner);
            }
        }
    }

    /// Serialises the draft into the block being filled, and hands the coins over.
    pub(super) fn commit(&mut self) -> Result<[u8; 32], GenerateError> {
        self.open_block()?;
        let draft = std::mem::take(&mut self.draft);
        debug_assert!(draft.available >= draft.paid, "{:?} pays more than it has", draft.class);
        let ids =
            draft.write(&self.coins, &self.scripts, &mut self.random, &mut self.filling.bytes);
        let mut sigops = 0;
        self.watch.look(ids.txid, self.height(), &draft, &self.coins);
        for slot in &draft.inputs {
            sigops += self.coins.get(*slot).map_or(0, |coin| coin.address.shape.input_sigops());
            self.coins.remove(*slot);
        }
        self.fresh_coins.clear();
        let mut owners = std::mem::take(&mut self.owners);
        owners.clear();
        for (vout, output) in (0_u32..).zip(&draft.outputs) {
            let Payment { value, address, owner, list } = *output;
            owners.push(owner);
            if owner == 0 {
                self.summary.data_outputs += 1;
                self.fresh_coins.push(u32::MAX);
                continue;
            }
            sigops += address.shape.output_sigops();
            let slot = self.coins.add(Coin::new(ids.txid, vout, value, address, owner), list);
            self.fresh_coins.push(slot);
            let fits = value >= RICH && list >= WALLETS && address.shape == Shape::P2wpkh;
            if fits && self.rich.len() < MOST_RICH {
                self.rich.push(slot);
            }
        }
        self.filling.count(ids, draft.left(), draft.weight(None), sigops);
        self.made += 1;
        self.summary.inputs += draft.inputs.len() as u64;
        self.record(draft.class, draft.change, &owners)?;
        self.owners = owners;
        self.draft = draft;
        Ok(ids.txid)
    }

    /// Notes the truth about the next transaction in chain order.
    fn record(
        &mut self,
        class: Class,
        change: Option<u16>,
        owners: &[u32],
    ) -> Result<(), GenerateError> {
        self.summary.transactions += 1;
        self.summary.outputs += owners.len() as u64;
        *self.summary.classes.entry(class).or_default() += 1;
        let mut result = self.truth.transaction(class, change);
        for owner in owners {
            result = result.and_then(|()| self.truth.output(*owner));
        }
        result.map_err(GenerateError::io(&self.out.join("truth")))
    }

    fn write(&mut self, block: &[u8]) -> Result<(), GenerateError> {
        self.bytes += block.len() as u64;
        self.summary.blocks += 1;
        let written = self.files.write(block);
        written.map_err(GenerateError::io(&self.out.join("blocks"))).map(drop)
    }

    /// Closes the files.
    pub(crate) fn finish(mut self) -> Result<Summary, GenerateError> {
        let dir = self.out.join("truth");
        self.files.finish().map_err(GenerateError::io(&self.out.join("blocks")))?;
        self.truth.finish(&dir, &self.entities).map_err(GenerateError::io(&dir))?;
        self.summary.scripts += self.scripts.count();
        self.summary.unspent = self.coins.len() as u64;
        self.summary.entities = self.entities.len() as u64;
        self.summary.bytes = self.bytes;
        self.summary.height = self.tip.height;
        self.summary.tip = BlockHash::from_byte_array(self.tip.hash).to_string();
        write_summary(&self.summary, &dir)?;
        Ok(self.summary)
    }
}

/// The list of an entity's own coins.
pub(super) const fn wallet(entity: u32) -> u32 {
    WALLETS + entity
}
