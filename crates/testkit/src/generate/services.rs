//! What exchanges and mining pools do.

use super::{
    GenerateError,
    truth::Class,
    world::{DUST, World, wallet},
};

impl World {
    /// An exchange gathers deposits into its hot wallet, once there are enough.
    pub(super) fn sweep(&mut self, exchange: u32, list: u32) -> Result<bool, GenerateError> {
        if self.coins.count(list) < 24 {
            return Ok(false);
        }
        self.begin(Class::Sweep, exchange);
        let most = self.random.between(15, 70) as usize;
        self.gather(list, u64::MAX, most);
        let shape = self.entity(exchange).shape;
        let value = self.draft.available.saturating_sub(self.fee(Some(shape)));
        if value < DUST {
            self.give_up(list);
            return Ok(false);
        }
        self.pay_to(exchange, value);
        self.commit()?;
        if self.random.permille(10) {
            self.follow_fashion(exchange);
        }
        Ok(true)
    }

    /// An exchange pays many customers at once.
    pub(super) fn withdraw(&mut self) -> Result<bool, GenerateError> {
        if self.exchanges.is_empty() {
            return Ok(false);
        }
        let exchange = self.some_exchange();
        let exchange = self.exchanges.get(usize::from(exchange)).copied().unwrap_or_default();
        let hot = wallet(exchange);
        self.begin(Class::Withdrawal, exchange);
        let goal = self.coins.value(hot) / 8;
        self.gather(hot, goal.max(200 * DUST), 6);
        let fair = self.draft.available / (20 * DUST);
        let customers = self.random.between(6, 44).min(fair);
        let budget = self.draft.available.saturating_sub(self.fee_with(customers + 1));
        if customers < 3 || budget < customers * 4 * DUST {
            self.give_up(hot);
            return Ok(false);
        }
        for _ in 0..customers {
            let part = (budget / customers) >> self.random.below(4);
            let value = self.random.between(part / 2, part).max(DUST);
            let value = self.round(value);
            let customer = self.person();
            self.pay_to(customer, value);
        }
        self.keep_change(exchange, hot);
        self.commit()?;
        Ok(true)
    }

    /// A pool shares its coinbases out among people, or waits until there is more.
    pub(super) fn payout(&mut self, pool: u32) -> Result<bool, GenerateError> {
        let list = wallet(pool);
        self.begin(Class::Payout, pool);
        self.gather(list, 2_000 * DUST, 12);
        let members = self.random.between(20, 60).min(self.draft.available / (12 * DUST));
        let budget = self.draft.available.saturating_sub(self.fee_with(members + 1));
        if members < 4 || budget < members * 3 * DUST {
            self.give_up(list);
            return Ok(false);
        }
        for _ in 0..members {
            let fair = budget / members;
            let value = self.random.between(fair / 4, fair);
            let member = self.person();
            self.pay_to(member, value);
        }
        self.keep_change(pool, list);
        self.commit()?;
        Ok(true)
    }
}
