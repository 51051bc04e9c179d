//! The story: who moves what, and when. Heights are block heights.

use std::collections::BTreeMap;

use super::{
    super::{
        GenerateError, GeneratorOptions, Progress, Summary,
        draft::Payment,
        entities::Role,
        scripts::{Address, Shape},
        truth::Class,
        world::{DEPOSITS, DUST, HELD, World, wallet},
    },
    bookings,
    look_alike::{imitate, text},
    truth::{self, Truth},
};

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
/// Shares of the ten storage addresses, in bitcoin; the last takes the rest.
const STORAGE: [u64; 9] = [500, 500, 500, 480, 460, 450, 450, 430, 400];

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

/// A coin on its way down a peel chain.
#[derive(Clone, Copy, Debug)]
struct Run {
    stage: &'static str,
    slot: u32,
    left: u32,
    /// The height of the next step.
    next: u32,
    /// A peel's usual size in satoshis.
    size: u64,
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

    /// What the thief does so many blocks after the theft.
    fn flight(&mut self, blocks: u32) -> Result<(), GenerateError> {
        match blocks {
            3 => self.store()?,
            14 => self.run(0, "peel-1", 36, 6),
            18 => self.run(1, "peel-2", 30, 9),
            26 => self.fan_out()?,
            34 => self.parcel(3, 18, 65 * COIN / 100)?,
            37 => self.parcel(4, 18, 52 * COIN / 100)?,
            40 => self.pools()?,
            58 => self.bridge(6, 40, "0x3f5ce5fbfe3e9af3971dd833d26ba9b5c936f0be")?,
            75 => self.bridge(6, 25, "0x71c7656ec7ab88b098defb751b7401b5f6d8976f")?,
            97 => self.bridge(6, 35, "0x3f5ce5fbfe3e9af3971dd833d26ba9b5c936f0be")?,
            66 | 84 | 103 | 131 | 150 => self.over_the_counter()?,
            44 | 55 | 64 | 72 => self.mix("wasabi2", 4)?,
            48 | 60 | 69 | 80 => self.mix("wasabi1", 4)?,
            170 | 190 | 215 => self.afterwards()?,
            _ => {}
        }
        let due: Vec<Run> = self.runs.extract_if(.., |run| run.next <= blocks).collect();
        for run in due {
            self.peel(run, blocks)?;
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

    /// Ten storage addresses.
    fn store(&mut self) -> Result<(), GenerateError> {
        let coins = std::mem::take(&mut self.storage);
        let values: Vec<_> = STORAGE.iter().map(|bitcoin| bitcoin * COIN).collect();
        self.storage = self.divide("storage", &coins, &values)?;
        Ok(())
    }

    /// A storage coin starts down a peel chain.
    fn run(&mut self, storage: usize, stage: &'static str, left: u32, bitcoin: u64) {
        if let Some(slot) = self.storage.get(storage).copied() {
            self.runs.push(Run { stage, slot, left, next: 0, size: bitcoin * COIN });
        }
    }

    /// The third storage coin becomes four short peel chains.
    fn fan_out(&mut self) -> Result<(), GenerateError> {
        let Some(slot) = self.storage.get(2).copied() else { return Ok(()) };
        let coins = self.divide("fan-out", &[slot], &[140 * COIN, 125 * COIN, 120 * COIN])?;
        for slot in coins {
            self.runs.push(Run { stage: "peel-3", slot, left: 9, next: 30, size: 8 * COIN });
        }
        Ok(())
    }

    /// A few parcels for CoinJoins come off a storage coin; the rest stays there.
    fn parcel(&mut self, storage: usize, count: u64, each: u64) -> Result<(), GenerateError> {
        let Some(slot) = self.storage.get(storage).copied() else { return Ok(()) };
        let values: Vec<_> = (0..count).map(|_| each + self.world.random.below(each / 3)).collect();
        let mut coins = self.divide("parcels", &[slot], &values)?;
        coins.pop();
        self.parcels.append(&mut coins);
        Ok(())
    }

    /// Two coins enter Whirlpool; the mixes are other people's as well, and come when they come.
    fn pools(&mut self) -> Result<(), GenerateError> {
        let Some(slot) = self.storage.get(5).copied() else { return Ok(()) };
        let coins = self.divide("whirlpool", &[slot], &[2 * COIN, 13 * COIN / 10])?;
        self.world.watch.note = "whirlpool";
        for slot in coins.into_iter().take(2) {
            self.world.enter_pool(2, slot, 24)?;
        }
        Ok(())
    }

    /// Some parcels go into a CoinJoin with clean people's coins.
    fn mix(&mut self, stage: &'static str, count: usize) -> Result<(), GenerateError> {
        let from = self.parcels.len().saturating_sub(count);
        let parcels = self.parcels.split_off(from);
        self.world.watch.note = stage;
        let done = match stage {
            "wasabi1" => self.world.wasabi1(&parcels)?,
            _ => self.world.wasabi2(&parcels)?,
        };
        self.world.watch.note = "whirlpool";
        if !done {
            self.parcels.extend(parcels);
        }
        Ok(())
    }

    /// To a vault, with a memo that says where the other chain's coins shall go.
    fn bridge(&mut self, storage: usize, bitcoin: u64, to: &str) -> Result<(), GenerateError> {
        let Some(slot) = self.storage.get(storage).copied() else { return Ok(()) };
        self.start(Class::Bridge, "bridge", &[slot]);
        self.world.pay(bitcoin * COIN, self.vault, self.bridge, wallet(self.bridge));
        self.world.carry(format!("=:ETH.ETH:{to}").as_bytes());
        self.keep_rest();
        self.end(Some(2))?;
        self.keep_storage(storage, 2);
        Ok(())
    }

    /// To the market, straight from storage.
    fn over_the_counter(&mut self) -> Result<(), GenerateError> {
        let storage = 7;
        let Some(slot) = self.storage.get(storage).copied() else { return Ok(()) };
        self.start(Class::CashOut, "otc", &[slot]);
        let value = self.world.random.between(20, 40) * COIN;
        let address = self.world.fresh(Shape::P2wpkh);
        self.world.pay(value, address, self.otc, wallet(self.otc));
        self.keep_rest();
        self.end(Some(1))?;
        self.keep_storage(storage, 1);
        Ok(())
    }

    /// Some of what came out of CoinJoins is gathered and cashed in.
    fn afterwards(&mut self) -> Result<(), GenerateError> {
        let list = wallet(self.thief);
        self.start(Class::CashOut, "after-mixing", &[]);
        self.world.gather(list, 4 * COIN, 9);
        let value = self.world.draft.available.saturating_sub(self.world.fee_with(1));
        if value < 100 * DUST {
            self.world.give_up(list);
            return Ok(());
        }
        let payment = self.exchange_payment();
        self.world.draft.pay(Payment { value, ..payment });
        self.end(None)
    }

    /// One step down a peel chain.
    fn peel(&mut self, run: Run, blocks: u32) -> Result<(), GenerateError> {
        let value = self.world.random.between(run.size / 2, run.size * 3 / 2);
        let value = value - value % (COIN / 10);
        self.start(Class::Peel, run.stage, &[run.slot]);
        if self.world.draft.available < value + COIN {
            self.world.give_up(HELD);
            return Ok(());
        }
        let payment = if self.world.random.permille(600) {
            self.exchange_payment()
        } else {
            let address = self.world.fresh(Shape::P2wpkh);
            Payment { value, address, owner: self.otc, list: wallet(self.otc) }
        };
        self.world.draft.pay(Payment { value, ..payment });
        self.keep_rest();
        let rest = self.world.random.index(2);
        if rest == 0 {
            self.world.draft.outputs.reverse();
        }
        self.end(Some(rest))?;
        if run.left > 1
            && let Some(slot) = self.world.fresh_coins.get(rest).copied()
        {
            let next = blocks + self.world.random.between(1, 4) as u32;
            self.runs.push(Run { slot, left: run.left - 1, next, ..run });
        }
        Ok(())
    }

    /// The thief's address at one of three exchanges; a new one now and then.
    fn exchange_payment(&mut self) -> Payment {
        let exchange = self.world.some_exchange().min(2);
        let owner = self.world.exchanges.get(usize::from(exchange)).copied().unwrap_or_default();
        self.names.entry(owner).or_insert_with(|| format!("exchange-{}", exchange + 1));
        let address = match self.deposits.get(&exchange) {
            Some(address) if self.world.random.permille(650) => *address,
            _ => self.world.fresh(self.world.entity(owner).shape),
        };
        self.deposits.insert(exchange, address);
        Payment { value: 0, address, owner, list: DEPOSITS + u32::from(exchange) }
    }

    /// Pays the thief himself: these values, and the rest.
    fn divide(
        &mut self,
        stage: &'static str,
        coins: &[u32],
        values: &[u64],
    ) -> Result<Vec<u32>, GenerateError> {
        self.start(Class::Split, stage, coins);
        for value in values {
            let address = self.world.fresh(Shape::P2wpkh);
            self.world.pay(*value, address, self.thief, HELD);
        }
        self.keep_rest();
        self.end(None)?;
        Ok(self.world.fresh_coins.clone())
    }

    fn start(&mut self, class: Class, stage: &'static str, coins: &[u32]) {
        self.world.watch.note = stage;
        self.world.begin(class, self.thief);
        coins.iter().for_each(|slot| self.world.take(*slot));
    }

    /// What is left after the fee goes to a fresh address of the thief.
    fn keep_rest(&mut self) {
        let address = self.world.fresh(Shape::P2wpkh);
        let rest = self.world.draft.left().saturating_sub(self.world.fee(Some(address.shape)));
        self.world.pay(rest, address, self.thief, HELD);
    }

    fn end(&mut self, change: Option<usize>) -> Result<(), GenerateError> {
        self.world.draft.change = change.and_then(|place| u16::try_from(place).ok());
        self.world.commit()?;
        // Whatever spends the thief's coins unasked is a mix of Whirlpool.
        self.world.watch.note = "whirlpool";
        Ok(())
    }

    /// A storage coin is now the last transaction's output at this place.
    fn keep_storage(&mut self, storage: usize, vout: usize) {
        let fresh = self.world.fresh_coins.get(vout).copied();
        if let (Some(place), Some(slot)) = (self.storage.get_mut(storage), fresh) {
            *place = slot;
        }
    }
}
