//! What people do with their coins, and shops.

use super::{
    GenerateError,
    entities::{Entity, Role},
    scripts::Address,
    truth::Class,
    world::{DEPOSITS, DUST, HELD, World, wallet},
};

/// A shop for so many people.
const PEOPLE_PER_SHOP: usize = 300;
/// An exchange for so many, and no more than its lists have numbers.
const PEOPLE_PER_EXCHANGE: usize = 2_000;
const MOST_EXCHANGES: usize = 48;

/// Where money goes.
#[derive(Clone, Copy, Debug)]
struct Payee {
    owner: u32,
    address: Address,
    list: u32,
    class: Class,
}

impl World {
    /// The owner of some coin does something with it.
    pub(super) fn spend_somewhere(&mut self) -> Result<bool, GenerateError> {
        for _ in 0..8 {
            let Some(slot) = self.random_coin() else { continue };
            let Some(coin) = self.coins.get(slot).copied() else { continue };
            let list = coin.list();
            let role = self.entity(coin.owner).role;
            let done = if list == wallet(coin.owner) {
                match role {
                    Role::Person => self.live(coin.owner, slot)?,
                    Role::Merchant => self.sell(coin.owner)?,
                    Role::Miner => self.payout(coin.owner)?,
                    _ => false,
                }
            } else if role == Role::Exchange && list != HELD {
                self.sweep(coin.owner, list)?
            } else {
                false
            };
            if done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A person pays somebody, or tidies up.
    fn live(&mut self, person: u32, slot: u32) -> Result<bool, GenerateError> {
        let coins = self.coins.count(wallet(person));
        if coins >= 8 && self.random.permille(if coins >= 20 { 600 } else { 300 }) {
            return self.consolidate(person);
        }
        if self.random.permille(3) {
            self.follow_fashion(person);
        }
        self.begin(Class::Payment, person);
        self.take(slot);
        // Most payments are smaller than one coin; some want several.
        let appetite = if self.random.permille(450) { self.random.between(2, 6) } else { 1 };
        let goal = self.draft.available.saturating_mul(appetite);
        let payees = if self.random.permille(940) { 1 } else { self.random.between(2, 5) };
        if appetite > 1 {
            self.gather(wallet(person), goal, 8);
        }
        self.gather(wallet(person), (payees + 1) * 3 * DUST, 8);
        let fee = self.fee_with(payees + 1);
        let budget = self.draft.available.saturating_sub(fee);
        if budget < payees * 2 * DUST {
            self.give_up(wallet(person));
            return Ok(false);
        }
        for _ in 0..payees {
            // From nearly everything down to a small part, small parts more often.
            let part = (budget / payees) >> self.random.below(5);
            let value = self.random.between(part / 2, part).max(DUST);
            let value = self.round(value);
            let payee = self.payee(person);
            if payee.class == Class::Deposit && payees == 1 {
                self.draft.class = Class::Deposit;
            }
            self.pay(value, payee.address, payee.owner, payee.list);
        }
        if self.random.permille(12) {
            let number = self.random.word();
            self.carry(&number.to_le_bytes());
        }
        self.keep_change(person, wallet(person));
        self.commit()?;
        Ok(true)
    }

    /// Many small coins become one.
    fn consolidate(&mut self, person: u32) -> Result<bool, GenerateError> {
        self.begin(Class::Consolidation, person);
        let most = self.random.between(8, 50) as usize;
        self.gather(wallet(person), u64::MAX, most);
        let shape = self.entity(person).shape;
        let value = self.draft.available.saturating_sub(self.fee(Some(shape)));
        if value < DUST {
            self.give_up(wallet(person));
            return Ok(false);
        }
        self.pay_to(person, value);
        self.commit()?;
        Ok(true)
    }

    /// A shop sells what it received.
    fn sell(&mut self, shop: u32) -> Result<bool, GenerateError> {
        if self.coins.count(wallet(shop)) < 10 {
            return Ok(false);
        }
        self.begin(Class::Sale, shop);
        let most = self.random.between(10, 36) as usize;
        self.gather(wallet(shop), u64::MAX, most);
        let budget = self.draft.available.saturating_sub(self.fee_with(2));
        if budget < 10 * DUST {
            self.give_up(wallet(shop));
            return Ok(false);
        }
        let value = self.random.between(budget / 2, budget - budget / 10);
        let value = self.round(value);
        let payee = self.deposit(shop);
        self.pay(value, payee.address, payee.owner, payee.list);
        self.keep_change(shop, wallet(shop));
        self.commit()?;
        Ok(true)
    }

    /// Whom somebody pays.
    fn payee(&mut self, payer: u32) -> Payee {
        match self.random.below(1000) {
            0..200 => self.deposit(payer),
            200..400 => {
                let shop = self.shop();
                let address = self.receive(shop);
                Payee { owner: shop, address, list: wallet(shop), class: Class::Payment }
            }
            _ => {
                let mut person = self.person();
                if person == payer {
                    person = self.newcomer(Role::Person);
                }
                let address = self.receive(person);
                Payee { owner: person, address, list: wallet(person), class: Class::Payment }
            }
        }
    }

    /// Somebody's own deposit address at his exchange.
    fn deposit(&mut self, customer: u32) -> Payee {
        let (exchange, address) = self.deposit_address(customer);
        let owner = self.exchanges.get(usize::from(exchange)).copied().unwrap_or_default();
        Payee { owner, address, list: DEPOSITS + u32::from(exchange), class: Class::Deposit }
    }

    /// The number of a customer's exchange, and his address there; new ones now and then.
    pub(super) fn deposit_address(&mut self, customer: u32) -> (u16, Address) {
        let Entity { exchange, deposit, .. } = self.entity(customer);
        if let Some(address) = deposit
            && !self.random.permille(300)
        {
            return (exchange, address);
        }
        let exchange = match deposit {
            Some(_) => exchange,
            None => self.some_exchange(),
        };
        let owner = self.exchanges.get(usize::from(exchange)).copied().unwrap_or_default();
        let address = self.fresh(self.entity(owner).shape);
        if let Some(entity) = self.entities.get_mut(customer as usize) {
            (entity.exchange, entity.deposit) = (exchange, Some(address));
        }
        (exchange, address)
    }

    /// The number of an exchange; the first are the largest.
    pub(super) fn some_exchange(&mut self) -> u16 {
        let due = 2 + self.entities.len() / PEOPLE_PER_EXCHANGE;
        if self.exchanges.len() < due.min(MOST_EXCHANGES) {
            let exchange = self.newcomer(Role::Exchange);
            self.exchanges.push(exchange);
        }
        let count = self.exchanges.len();
        self.random.index(count).min(self.random.index(count)) as u16
    }

    fn shop(&mut self) -> u32 {
        if self.merchants.len() <= self.entities.len() / PEOPLE_PER_SHOP {
            let shop = self.newcomer(Role::Merchant);
            self.merchants.push(shop);
        }
        let place = self.random.index(self.merchants.len());
        self.merchants.get(place).copied().unwrap_or_default()
    }
}
