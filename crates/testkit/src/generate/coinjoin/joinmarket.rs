//! JoinMarket: a taker and some makers.

use super::{
    super::{
        GenerateError,
        draft::Payment,
        scripts::Shape,
        truth::Class,
        world::{DUST, World, wallet},
    },
    UNIFORM,
};

impl World {
    /// A taker and some makers: one amount for all, and everybody's change.
    pub(in crate::generate) fn joinmarket(&mut self) -> Result<bool, GenerateError> {
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
}
