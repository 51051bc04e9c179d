//! Thefts, and the peel chains behind them.

use super::{
    GenerateError,
    entities::Role,
    truth::Class,
    world::{DEPOSITS, DUST, HELD, World, wallet},
};

/// Peel chains that go on at the same time.
const MOST_PEELS: usize = 400;

/// A coin on its way down a peel chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peel {
    slot: u32,
    /// Steps until its owner stops.
    left: u32,
}

impl World {
    /// The next step of some thief, or somebody becomes one.
    pub(super) fn crime(&mut self) -> Result<bool, GenerateError> {
        if self.peels.len() < MOST_PEELS && self.random.permille(25) {
            return self.steal();
        }
        if self.peels.is_empty() {
            return Ok(false);
        }
        let place = self.random.index(self.peels.len());
        let peel = self.peels.swap_remove(place);
        if peel.left == 0 {
            // The rest stays where it is.
            return Ok(false);
        }
        self.peel(peel)
    }

    /// A thief empties somebody's wallet into one address and divides the haul.
    fn steal(&mut self) -> Result<bool, GenerateError> {
        let Some(slot) = self.random_coin() else { return Ok(false) };
        let Some(coin) = self.coins.get(slot).copied() else { return Ok(false) };
        let victim = self.entity(coin.owner);
        let list = coin.list();
        let mine = list == wallet(coin.owner);
        if !mine
            || !matches!(victim.role, Role::Person | Role::Merchant)
            || self.coins.value(list) < 400 * DUST
        {
            return Ok(false);
        }
        // The thief moves the coins with the victim's own wallet.
        self.begin(Class::Theft, coin.owner);
        self.gather(list, u64::MAX, 30);
        let haul = self.draft.available.saturating_sub(self.fee_with(1));
        if haul < 200 * DUST {
            self.give_up(list);
            return Ok(false);
        }
        let thief = self.newcomer(Role::Thief);
        let address = self.fresh(self.entity(thief).shape);
        self.pay(haul, address, thief, HELD);
        self.commit()?;
        let Some(slot) = self.fresh_coins.first().copied() else { return Ok(true) };
        self.divide(thief, slot)?;
        Ok(true)
    }

    /// One to four parts, each at the head of a peel chain.
    fn divide(&mut self, thief: u32, slot: u32) -> Result<(), GenerateError> {
        self.begin(Class::Split, thief);
        self.take(slot);
        let parts = self.random.between(1, 4);
        let budget = self.draft.available.saturating_sub(self.fee_with(parts));
        if budget < parts * 20 * DUST {
            self.give_up(HELD);
            return Ok(());
        }
        for part in 0..parts {
            let fair = budget / parts;
            let value = if part == 0 { budget - fair * (parts - 1) } else { fair };
            let address = self.fresh(self.entity(thief).shape);
            self.pay(value, address, thief, HELD);
        }
        self.commit()?;
        for place in 0..self.fresh_coins.len() {
            if let Some(slot) = self.fresh_coins.get(place).copied() {
                let left = self.random.between(5, 80) as u32;
                self.peels.push(Peel { slot, left });
            }
        }
        Ok(())
    }

    /// One input, a small payment, the rest to a fresh address.
    fn peel(&mut self, peel: Peel) -> Result<bool, GenerateError> {
        let Some(coin) = self.coins.get(peel.slot).copied() else { return Ok(false) };
        let thief = coin.owner;
        self.begin(Class::Peel, thief);
        self.take(peel.slot);
        let budget = self.draft.available.saturating_sub(self.fee_with(2));
        let value = self.random.between(budget / 60, budget / 12);
        let value = self.round(value);
        if value < 3 * DUST {
            self.give_up(HELD);
            return Ok(false);
        }
        if self.random.permille(700) {
            let (exchange, address) = self.deposit_address(thief);
            let owner = self.exchanges.get(usize::from(exchange)).copied().unwrap_or_default();
            self.pay(value, address, owner, DEPOSITS + u32::from(exchange));
        } else {
            let person = self.person();
            self.pay_to(person, value);
        }
        // A thief's wallet shows nothing twice.
        let address = self.fresh(self.entity(thief).shape);
        let rest = self.draft.left().saturating_sub(self.fee(Some(address.shape)));
        self.pay(rest, address, thief, HELD);
        let place = self.random.index(2);
        if place == 0 {
            self.draft.outputs.reverse();
        }
        self.draft.change = Some(place as u16);
        self.commit()?;
        if let Some(slot) = self.fresh_coins.get(place).copied() {
            self.peels.push(Peel { slot, left: peel.left - 1 });
        }
        Ok(true)
    }
}
