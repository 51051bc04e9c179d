//! The story up to the theft: who moves what, and when. Heights are block heights.

mod thief;

use std::collections::BTreeMap;

use super::{
    super::{
        GenerateError, GeneratorOptions, Progress, Summary,
        entities::Role,
        scripts::{Address, Shape},
        truth::Class,
        world::{HELD, World, wallet},
    },
    bookings,
    look_alike::{imitate, text},
    truth::{self, Truth},
};
use thief::Run;

const COIN: u64 = 100_000_000;

/// Blocks with people in them.
pub(super) const BUSY_BLOCKS: u64 = 500;
/// The coinbases of the first blocks become the victim's holding: 50 bitcoin each.
const RESERVE: u32 = 100;
/// From here on there are people.
const PEOPLE: u32 = 201;
/// A miner sells, the victim funds its cold wallet.
const SALE: u32 = 206;
const FUNDING: u32 = 230;
/// The victim pays a partner, as it always does.
const WITHDRAWALS: [u32; 4] = [262, 301, 344, 389];
/// The theft.
const THEFT: u32 = 420;
/// No block of the story comes later.
const LAST: u32 = 690;
/// 31 May 2024, 04:26 UTC (13:26 in Tokyo), when the victim noticed.
const THEFT_TIME: u32 = 1_717_129_560;
/// Time of block 1 that puts the theft where it belongs.
pub(super) const fn start(step: u32) -> u32 {
    THEFT_TIME - step * (THEFT - 1)
}

/// Tells it: the world, the theft, and the truth about it.
pub(super) fn tell(
    options: &GeneratorOptions,
    mut progress: impl FnMut(Progress),
) -> Result<(Summary, Truth), GenerateError> {
    let mut story = Story::new(options)?;
    let seed = options.seed;
    while story.world.height() <= LAST || story.world.made() < options.transactions {
        story.chapter()?;
        if story.world.height() >= PEOPLE {
            story.world.be_busy()?;
        }
        story.world.close_block()?;
        if story.world.height() == THEFT + 1 {
            story.theft_time = story.world.tip.time;
        }
        progress(story.world.progress());
    }
    let truth = bookings::truth(&story, seed);
    let summary = story.world.finish()?;
    Ok((summary, truth))
}

/// The world, and what the story keeps in mind.
pub(super) struct Story {
    pub(super) world: World,
    pub(super) victim: u32,
    pub(super) thief: u32,
    pub(super) genuine: Address,
    pub(super) imitation: Address,
    pub(super) cold: Address,
    /// Names of entities that are not numbered persons.
    pub(super) names: BTreeMap<u32, String>,
    pub(super) withdrawals: Vec<truth::Payment>,
    pub(super) theft_time: u32,
    partner: u32,
    otc: u32,
    bridge: u32,
    vault: Address,
    /// The victim's nine coins, and its coin for small payments.
    holding: Vec<u32>,
    hot: Option<u32>,
    storage: Vec<u32>,
    runs: Vec<Run>,
    /// The thief's coins for the next CoinJoins.
    parcels: Vec<u32>,
    /// His addresses at exchanges, by number of the exchange.
    deposits: BTreeMap<u16, Address>,
}

impl Story {
    fn new(options: &GeneratorOptions) -> Result<Self, GenerateError> {
        let mut world = World::new(options)?;
        world.reserve = RESERVE;
        let mut named = |role: Role, shape: Shape| {
            let number = world.newcomer(role);
            if let Some(entity) = world.entities.get_mut(number as usize) {
                entity.shape = shape;
                entity.habits.reuses = false;
            }
            number
        };
        let victim = named(Role::Exchange, Shape::P2shP2wsh);
        let partner = named(Role::Exchange, Shape::P2pkh);
        let thief = named(Role::Thief, Shape::P2wpkh);
        let otc = named(Role::Service, Shape::P2wpkh);
        let bridge = named(Role::Bridge, Shape::P2wpkh);
        let cold = world.fresh(Shape::P2shP2wsh);
        let genuine = world.fresh(Shape::P2pkh);
        let vault = world.fresh(Shape::P2wpkh);
        let imitation = imitate(&mut world.scripts, &mut world.random, genuine);
        world.watch.owners.push(thief);
        let names = [
            (0, "nobody"),
            (victim, "victim"),
            (partner, "partner"),
            (thief, "thief"),
            (otc, "otc"),
            (bridge, "bridge"),
            (world.pools.whirlpool(), "whirlpool-coordinator"),
            (world.pools.wasabi(), "wasabi-coordinator"),
        ];
        let names = names.map(|(number, name)| (number, name.to_owned())).into();
        Ok(Self {
            world,
            victim,
            thief,
            genuine,
            imitation,
            cold,
            names,
            withdrawals: Vec::new(),
            theft_time: 0,
            partner,
            otc,
            bridge,
            vault,
            holding: Vec::new(),
            hot: None,
            storage: Vec::new(),
            runs: Vec::new(),
            parcels: Vec::new(),
            deposits: BTreeMap::new(),
        })
    }

    /// What the story does in the block being filled.
    fn chapter(&mut self) -> Result<(), GenerateError> {
        let height = self.world.height();
        match height {
            SALE => self.sale()?,
            FUNDING => self.funding()?,
            THEFT => self.theft()?,
            _ if WITHDRAWALS.contains(&height) => self.withdrawal(height)?,
            _ if height > THEFT => self.flight(height - THEFT)?,
            _ => {}
        }
        Ok(())
    }

    /// A miner sells his first coins to the victim.
    fn sale(&mut self) -> Result<(), GenerateError> {
        let coins = std::mem::take(&mut self.world.reserved);
        for half in coins.chunks(50) {
            let Some(owner) = half.first().and_then(|slot| self.world.coins.get(*slot)) else {
                return Ok(());
            };
            let (owner, shape) = (owner.owner, Shape::P2shP2wsh);
            self.world.begin(Class::Sale, owner);
            half.iter().for_each(|slot| self.world.take(*slot));
            let value = self.world.draft.available - self.world.fee(Some(shape));
            let address = self.world.fresh(shape);
            self.world.pay(value, address, self.victim, HELD);
            self.world.commit()?;
            self.holding.extend(self.world.fresh_coins.first().copied());
        }
        Ok(())
    }

    /// The victim divides its holding: nine coins for the cold address, one for daily use.
    fn funding(&mut self) -> Result<(), GenerateError> {
        let coins = std::mem::take(&mut self.holding);
        self.world.begin(Class::Split, self.victim);
        coins.iter().for_each(|slot| self.world.take(*slot));
        for place in 0..9 {
            let value = if place == 4 { 503 * COIN } else { 500 * COIN };
            self.world.pay(value, self.cold, self.victim, HELD);
        }
        let address = self.world.fresh(Shape::P2shP2wsh);
        let rest = self.world.draft.left() - self.world.fee(Some(address.shape));
        self.world.pay(rest, address, self.victim, HELD);
        self.world.commit()?;
        let (nine, hot) = self.world.fresh_coins.split_at(9);
        self.holding = nine.to_vec();
        self.hot = hot.first().copied();
        Ok(())
    }

    /// The victim pays its partner a little, always at the same address.
    fn withdrawal(&mut self, height: u32) -> Result<(), GenerateError> {
        let Some(hot) = self.hot else { return Ok(()) };
        self.world.begin(Class::Withdrawal, self.victim);
        self.world.take(hot);
        let value = self.world.random.between(20, 90) * COIN / 10;
        self.world.pay(value, self.genuine, self.partner, wallet(self.partner));
        let address = self.world.fresh(Shape::P2shP2wsh);
        let rest = self.world.draft.left() - self.world.fee(Some(address.shape));
        self.world.pay(rest, address, self.victim, HELD);
        self.world.draft.change = Some(1);
        let txid = self.world.commit()?;
        self.hot = self.world.fresh_coins.get(1).copied();
        self.withdrawals.push(truth::Payment {
            txid: bookings::hex(txid),
            vout: 0,
            height,
            address: text(&self.world.scripts, self.genuine),
            value_sat: value,
        });
        Ok(())
    }

    /// All nine coins to the look-alike, with a fee of 0.1.
    fn theft(&mut self) -> Result<(), GenerateError> {
        let coins = std::mem::take(&mut self.holding);
        // The step is the victim's own transaction: watch it for this once.
        self.world.watch.owners.push(self.victim);
        self.world.watch.note = "theft";
        self.world.begin(Class::Theft, self.victim);
        coins.iter().for_each(|slot| self.world.take(*slot));
        self.world.pay(45_029 * COIN / 10, self.imitation, self.thief, HELD);
        self.world.commit()?;
        self.world.watch.owners.pop();
        self.storage = self.world.fresh_coins.clone();
        Ok(())
    }
}
