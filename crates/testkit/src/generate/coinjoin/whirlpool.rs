//! Whirlpool: the entry into a pool, and its mixes.

use super::{
    super::{
        GenerateError,
        scripts::Shape,
        truth::Class,
        world::{DUST, World, wallet},
    },
    UNIFORM,
};

/// Whirlpool's pools: denomination and coordinator's fee in satoshis.
const POOLS: [(u64, u64); 3] = [(100_000, 5_000), (1_000_000, 50_000), (5_000_000, 175_000)];
/// Lists of coins that wait for their first mix, one a pool, and for a further one.
const PREMIX: u32 = 64;
const REMIX: u32 = 80;
/// Participants of a Whirlpool mix.
const SEATS: usize = 5;

impl World {
    /// Somebody enters a Whirlpool: premix coins, the coordinator's fee, a marker, change.
    pub(in crate::generate) fn tx0(&mut self) -> Result<bool, GenerateError> {
        let pool = self.random.index(POOLS.len());
        let (denomination, fee) = POOLS.get(pool).copied().unwrap_or_default();
        let Some(slot) = self.sample(24, |value, _| value > 3 * denomination + fee) else {
            return Ok(false);
        };
        let count = self.random.between(2, 20);
        self.enter_pool(pool, slot, count)
    }

    /// Enters a pool with up to so many coins, made from this one.
    pub(in crate::generate) fn enter_pool(
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
    pub(in crate::generate) fn whirlpool(&mut self) -> Result<bool, GenerateError> {
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
}
