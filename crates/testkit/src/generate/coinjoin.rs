//! Coins mixed in the ways of Whirlpool, Wasabi 1 and 2, and JoinMarket.

use super::{
    GenerateError,
    draft::Payment,
    entities::{Habits, Role},
    scripts::Shape,
    truth::Class,
    world::{DUST, HELD, World, wallet},
};

/// Whirlpool's pools: denomination and coordinator's fee in satoshis.
const POOLS: [(u64, u64); 3] = [(100_000, 5_000), (1_000_000, 50_000), (5_000_000, 175_000)];
/// Lists of coins that wait for their first mix, one a pool, and for a further one.
const PREMIX: u32 = 64;
const REMIX: u32 = 80;
/// Participants of a Whirlpool mix.
const SEATS: usize = 5;
/// Wasabi 1's denomination, about.
const TENTH: u64 = 10_000_000;
/// The smallest output of Wasabi 2.
const SMALLEST: u64 = 5_000;

/// How far CoinJoins have got, and who coordinates them.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    whirlpool: u32,
    wasabi: u32,
}

/// The wallets of a CoinJoin look alike.
const UNIFORM: Habits = Habits {
    version_1: false,
    locktime: false,
    sequence: u32::MAX,
    reuses: false,
    change: super::entities::ChangePlace::Sorted,
};

impl Pools {
    pub(crate) fn new(world: &mut World) -> Self {
        let whirlpool = world.newcomer(Role::Coordinator);
        let wasabi = world.newcomer(Role::Coordinator);
        for coordinator in [whirlpool, wasabi] {
            if let Some(entity) = world.entities.get_mut(coordinator as usize) {
                entity.shape = Shape::P2wpkh;
            }
        }
        Self { whirlpool, wasabi }
    }

    /// Whirlpool's coordinator.
    pub(super) const fn whirlpool(&self) -> u32 {
        self.whirlpool
    }

    /// Wasabi's coordinator.
    pub(super) const fn wasabi(&self) -> u32 {
        self.wasabi
    }
}

impl World {
    /// Somebody enters a Whirlpool: premix coins, the coordinator's fee, a marker, change.
    pub(super) fn tx0(&mut self) -> Result<bool, GenerateError> {
        let pool = self.random.index(POOLS.len());
        let (denomination, fee) = POOLS.get(pool).copied().unwrap_or_default();
        let Some(slot) = self.sample(24, |value, _| value > 3 * denomination + fee) else {
            return Ok(false);
        };
        let count = self.random.between(2, 20);
        self.enter_pool(pool, slot, count)
    }

    /// Enters a pool with up to so many coins, made from this one.
    pub(super) fn enter_pool(
        &mut self,
        pool: usize,
        slot: u32,
        most: u64,
    ) -> Result<bool, GenerateError> {
        let (denomination, fee) = POOLS.get(pool).copied().unwrap_or_default();
        let Some(coin) = self.coins.get(slot).copied() else { return Ok(false) };
        let (owner, list) = (coin.owner, coin.list());
        let extra = 1_500 + 500 * self.rate;
        self.draft.clear(Class::Tx0);
        self.wear(UNIFORM);
        self.take(slot);
        let budget = self.draft.available.saturating_sub(fee + self.fee_with(most + 4));
        let count = (budget / (denomination + extra)).min(most);
        if count == 0 {
            self.give_up(list);
            return Ok(false);
        }
        self.pay_to(self.pools.whirlpool, fee);
        for _ in 0..count {
            let address = self.fresh(Shape::P2wpkh);
            self.pay(denomination + extra, address, owner, PREMIX + pool as u32);
        }
        let mut marker = [0; 64];
        for eight in marker.as_chunks_mut::<8>().0 {
            *eight = self.random.word().to_le_bytes();
        }
        self.carry(&marker);
        self.draft.outputs.sort_by_key(|output| output.value);
        self.keep_change_sorted(owner, list);
        self.commit()?;
        Ok(true)
    }

    /// Change by value, at an address of a wallet's new account.
    fn keep_change_sorted(&mut self, owner: u32, list: u32) {
        let value = self.draft.left().saturating_sub(self.fee(Some(Shape::P2wpkh)));
        if value < DUST {
            return;
        }
        let address = self.fresh(Shape::P2wpkh);
        let place = self.draft.outputs.partition_point(|output| output.value <= value);
        self.pay(value, address, owner, list);
        if let Some(tail) = self.draft.outputs.get_mut(place..) {
            tail.rotate_right(1);
        }
        self.draft.change = u16::try_from(place).ok();
    }

    /// Five coins of five people, some new and some mixed before, become five equal ones.
    pub(super) fn whirlpool(&mut self) -> Result<bool, GenerateError> {
        let pool = self.random.index(POOLS.len()) as u32;
        let denomination = POOLS.get(pool as usize).copied().unwrap_or_default().0;
        let (premix, remix) = (PREMIX + pool, REMIX + pool);
        let mut seats = Vec::with_capacity(SEATS);
        let newcomers = self.random.between(1, 4) as usize;
        self.seat(premix, newcomers, &mut seats);
        if seats.is_empty() {
            return Ok(false);
        }
        self.seat(remix, SEATS, &mut seats);
        self.seat(premix, SEATS, &mut seats);
        if seats.len() < SEATS {
            return Ok(false);
        }
        self.random.shuffle(&mut seats);
        self.draft.clear(Class::Whirlpool);
        self.wear(UNIFORM);
        for (slot, _) in &seats {
            self.take(*slot);
        }
        self.random.shuffle(&mut seats);
        for (_, owner) in seats {
            let list = if self.random.permille(650) { remix } else { wallet(owner) };
            let address = self.fresh(Shape::P2wpkh);
            self.pay(denomination, address, owner, list);
        }
        // What premix coins bring above the denomination is the fee, all of it.
        self.commit()?;
        Ok(true)
    }

    /// Adds the oldest coins of a list until there are so many, of different people. Who has a seat
    /// already goes to the end of the queue with his other coins.
    fn seat(&mut self, list: u32, count: usize, seats: &mut Vec<(u32, u32)>) {
        let mut next = self.coins.first(list);
        for _ in 0..40 {
            let Some(slot) = next.filter(|_| seats.len() < count) else { return };
            next = self.coins.after(slot);
            let Some(owner) = self.coins.get(slot).map(|coin| coin.owner) else { return };
            if seats.iter().all(|(_, other)| *other != owner) {
                seats.push((slot, owner));
            } else if seats.iter().all(|(other, _)| *other != slot) {
                self.coins.hang(slot, list);
            }
        }
    }

    /// A round of Wasabi 1: equal outputs of about 0.1, perhaps of 0.2, change, and a fee.
    /// `also` are further guests' coins.
    pub(super) fn wasabi1(&mut self, also: &[u32]) -> Result<bool, GenerateError> {
        let wanted = self.random.between(20, 60) as usize;
        let denomination = TENTH + self.random.below(40_000);
        let mut guests: Vec<(u32, u32)> = Vec::with_capacity(wanted);
        for slot in also {
            guests.extend(self.coins.get(*slot).map(|coin| (*slot, coin.owner)));
        }
        for _ in 0..wanted * 12 {
            let Some(slot) = self.rich_coin() else { break };
            let Some(coin) = self.coins.get(slot) else { continue };
            if coin.value > denomination + 200 * DUST
                && guests.iter().all(|(_, owner)| *owner != coin.owner)
            {
                guests.push((slot, coin.owner));
                if guests.len() == wanted {
                    break;
                }
            }
        }
        if guests.len() < 12 {
            return Ok(false);
        }
        self.draft.clear(Class::Wasabi1);
        self.wear(UNIFORM);
        let coordinator = denomination * guests.len() as u64 / 340;
        for (slot, _) in &guests {
            self.take(*slot);
        }
        let fee = self.fee_with(guests.len() as u64 * 5 / 2) + coordinator;
        let share = fee / guests.len() as u64 + 1;
        for (slot, owner) in &guests {
            let Some(value) = self.coins.get(*slot).map(|coin| coin.value) else { continue };
            let mut rest = value.saturating_sub(share);
            for level in [1, 2] {
                let part = level * denomination;
                if level == 1 || rest > part + DUST {
                    rest = rest.saturating_sub(part);
                    let address = self.fresh(Shape::P2wpkh);
                    self.pay(part, address, *owner, wallet(*owner));
                }
            }
            if rest >= DUST {
                let address = self.fresh(Shape::P2wpkh);
                self.pay(rest, address, *owner, wallet(*owner));
            }
        }
        self.pay_to(self.pools.wasabi, coordinator);
        self.random.shuffle(&mut self.draft.outputs);
        self.random.shuffle(&mut self.draft.inputs);
        self.commit()?;
        Ok(true)
    }

    /// A round of Wasabi 2: many coins, standard denominations, sorted.
    /// `also` are further guests' coins.
    pub(super) fn wasabi2(&mut self, also: &[u32]) -> Result<bool, GenerateError> {
        let wanted = self.random.between(15, 40) as usize;
        let mut guests: Vec<(u32, u32, u64)> = Vec::with_capacity(2 * wanted);
        for slot in also {
            guests.extend(self.coins.get(*slot).map(|coin| (*slot, coin.owner, coin.value)));
        }
        for _ in 0..wanted {
            let fits = |value: u64, shape: Shape| {
                value > 40 * DUST && matches!(shape, Shape::P2wpkh | Shape::P2tr)
            };
            let Some(slot) = self.sample(16, fits) else { continue };
            let Some(coin) = self.coins.get(slot) else { continue };
            if guests.iter().any(|(_, owner, _)| *owner == coin.owner) {
                continue;
            }
            // A guest brings up to three more coins, where he has such.
            let owner = coin.owner;
            guests.push((slot, owner, coin.value));
            let mut next = self.coins.first(wallet(owner));
            for _ in 0..3 {
                let Some(more) = next else { break };
                next = self.coins.after(more);
                if let Some(coin) = self.coins.get(more)
                    && more != slot
                    && fits(coin.value, coin.address.shape)
                {
                    guests.push((more, owner, coin.value));
                }
            }
        }
        if guests.len() < 15 {
            return Ok(false);
        }
        self.draft.clear(Class::Wasabi2);
        self.wear(UNIFORM);
        guests.sort_by_key(|(slot, _, value)| (std::cmp::Reverse(*value), *slot));
        for (slot, _, _) in &guests {
            self.take(*slot);
        }
        guests.sort_by_key(|(slot, owner, _)| (*owner, *slot));
        let cost = Shape::P2tr.output_weight() * self.rate / 4;
        for coins in guests.chunk_by(|a, b| a.1 == b.1) {
            let Some((_, owner, _)) = coins.first().copied() else { continue };
            let brought: u64 = coins.iter().map(|(_, _, value)| value).sum();
            let inputs = coins.len() as u64 * Shape::P2shP2wpkh.input_weight() * self.rate / 4;
            self.decompose(owner, brought.saturating_sub(inputs + cost), cost);
        }
        self.draft.outputs.sort_by_key(|output| std::cmp::Reverse(output.value));
        self.commit()?;
        Ok(true)
    }

    /// Pays an amount in standard denominations, the largest first, and a rest.
    fn decompose(&mut self, owner: u32, mut left: u64, cost: u64) {
        for _ in 0..8 {
            let Some(value) = denomination_below(left.saturating_sub(cost)) else { break };
            // Not always the largest: that would tell who was the richest guest.
            let value = match denomination_below(value - 1) {
                Some(smaller) if self.random.permille(250) => smaller,
                _ => value,
            };
            let shape = if self.random.permille(500) { Shape::P2tr } else { Shape::P2wpkh };
            let address = self.fresh(shape);
            self.pay(value, address, owner, wallet(owner));
            left = left.saturating_sub(value + cost);
        }
        let rest = left.saturating_sub(cost);
        if rest >= SMALLEST {
            let address = self.fresh(Shape::P2wpkh);
            self.pay(rest, address, owner, wallet(owner));
        }
    }

    /// A taker and some makers: one amount for all, and everybody's change.
    pub(super) fn joinmarket(&mut self) -> Result<bool, GenerateError> {
        let wanted = self.random.between(4, 9) as usize;
        let mut guests: Vec<(u32, u32, u64)> = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            let fits = |value: u64, shape: Shape| value > 100 * DUST && shape == Shape::P2wpkh;
            let Some(slot) = self.sample(24, fits) else { continue };
            let Some(coin) = self.coins.get(slot) else { continue };
            if guests.iter().all(|(_, owner, _)| *owner != coin.owner) {
                guests.push((slot, coin.owner, coin.value));
            }
        }
        let smallest = guests.iter().map(|(_, _, value)| *value).min().unwrap_or(0);
        if guests.len() < 3 {
            return Ok(false);
        }
        self.draft.clear(Class::Joinmarket);
        self.wear(UNIFORM);
        for (slot, _, _) in &guests {
            self.take(*slot);
        }
        let fee = self.fee_with(2 * guests.len() as u64);
        let amount = self.random.between(smallest / 3, smallest * 3 / 4);
        // The first guest is the taker, who pays the fee and each maker's reward.
        let reward = amount / 10_000 + 100;
        let costs = fee + reward * guests.len() as u64;
        let taker = guests.first().map_or(0, |(_, _, value)| *value);
        if taker < amount + costs {
            let slots: Vec<_> = self.draft.inputs.drain(..).collect();
            for slot in slots {
                let owner = self.coins.get(slot).map_or(0, |coin| coin.owner);
                self.coins.hang(slot, wallet(owner));
            }
            return Ok(false);
        }
        for (place, (_, owner, value)) in guests.iter().enumerate() {
            let change = match place {
                0 => value - amount - costs,
                _ => value - amount + reward,
            };
            for value in [amount, change] {
                if value >= 3 * DUST {
                    let address = self.fresh(Shape::P2wpkh);
                    self.draft.pay(Payment { value, address, owner: *owner, list: wallet(*owner) });
                }
            }
        }
        self.random.shuffle(&mut self.draft.outputs);
        self.random.shuffle(&mut self.draft.inputs);
        self.commit()?;
        Ok(true)
    }

    /// A person's coin that fits, among a few tries.
    fn sample(&mut self, tries: usize, fits: impl Fn(u64, Shape) -> bool) -> Option<u32> {
        for _ in 0..tries {
            let Some(slot) = self.random_coin() else { continue };
            let Some(coin) = self.coins.get(slot).copied() else { continue };
            if coin.list() == wallet(coin.owner)
                && fits(coin.value, coin.address.shape)
                && self.entity(coin.owner).role == Role::Person
            {
                return Some(slot);
            }
        }
        None
    }

    /// A person's coin of more than 0.105 bitcoin.
    fn rich_coin(&mut self) -> Option<u32> {
        while !self.rich.is_empty() {
            let place = self.random.index(self.rich.len());
            let slot = self.rich.get(place).copied()?;
            if let Some(coin) = self.coins.get(slot)
                && coin.value > TENTH
                && coin.list() != HELD
                && coin.list() == wallet(coin.owner)
                && self.entity(coin.owner).role == Role::Person
            {
                return Some(slot);
            }
            self.rich.swap_remove(place);
        }
        None
    }
}

/// The largest of Wasabi 2's denominations not above a limit: powers of 2 and 3, and 1, 2 and 5
/// times powers of 10 (some, here).
fn denomination_below(limit: u64) -> Option<u64> {
    let mut best = None;
    for (base, factors) in [(3_u64, [1, 2].as_slice()), (10, &[1, 2, 5])] {
        let mut power = base;
        while power <= limit {
            for factor in factors {
                let value = power * factor;
                if value >= SMALLEST && value <= limit && Some(value) > best {
                    best = Some(value);
                }
            }
            power *= base;
        }
    }
    best
}
