//! Wasabi 1: equal outputs of about 0.1 bitcoin, and change.

use super::{
    super::{
        GenerateError,
        entities::Role,
        scripts::Shape,
        truth::Class,
        world::{DUST, HELD, World, wallet},
    },
    UNIFORM,
};

/// Wasabi 1's denomination, about.
const TENTH: u64 = 10_000_000;
/// Guests that a round has at least. With fewer, everybody at the lowest level and one without
/// change, it could as well be a round of JoinMarket.
const FEWEST: usize = 20;

impl World {
    /// A round of Wasabi 1: equal outputs of about 0.1, perhaps of 0.2, change, and a fee.
    /// `also` are further guests' coins.
    pub(in crate::generate) fn wasabi1(&mut self, also: &[u32]) -> Result<bool, GenerateError> {
        let wanted = self.random.between(FEWEST as u64, 60) as usize;
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
        if guests.len() < FEWEST {
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

    /// A person's coin of more than 0.105 bitcoin and of the kind that Wasabi 1 took.
    fn rich_coin(&mut self) -> Option<u32> {
        while !self.rich.is_empty() {
            let place = self.random.index(self.rich.len());
            let slot = self.rich.get(place).copied()?;
            if let Some(coin) = self.coins.get(slot)
                && coin.value > TENTH
                && coin.address.shape == Shape::P2wpkh
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
