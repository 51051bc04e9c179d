//! JoinMarket: a taker and some makers.

use std::collections::BTreeSet;

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

/// A wallet of JoinMarket makes no output below this (its `DUST_THRESHOLD`).
const LEAST: u64 = 27_300;

impl World {
    /// A taker and some makers: one amount for all, and everybody's change.
    pub(in crate::generate) fn joinmarket(&mut self) -> Result<bool, GenerateError> {
        let wanted = self.random.between(4, 9) as usize;
        let mut guests: Vec<(u32, u32, u64)> = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            let fits = |value: u64, shape: Shape| value > 200 * DUST && shape == Shape::P2wpkh;
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
        let changes = self.changes(&guests, amount, fee);
        let distinct: BTreeSet<u64> = changes.iter().copied().chain([amount]).collect();
        // Equal changes would be a second group of equal outputs, which nobody wanted.
        if distinct.len() <= guests.len() {
            let slots: Vec<_> = self.draft.inputs.drain(..).collect();
            for slot in slots {
                let owner = self.coins.get(slot).map_or(0, |coin| coin.owner);
                self.coins.hang(slot, wallet(owner));
            }
            return Ok(false);
        }
        for ((_, owner, _), change) in guests.iter().zip(changes) {
            for value in [amount, change] {
                if value >= LEAST {
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
    /// What everybody gets beside the amount; nothing, where the taker cannot pay. The first guest
    /// is the taker, who pays the fee and a reward to each of the others, who ask for different ones.
    fn changes(&mut self, guests: &[(u32, u32, u64)], amount: u64, fee: u64) -> Vec<u64> {
        let usual = amount / 10_000 + 100;
        let mut costs = fee;
        let mut changes: Vec<u64> = guests
            .iter()
            .map(|(_, _, value)| {
                let reward = self.random.between(usual / 2, usual * 3 / 2);
                costs += reward;
                value.saturating_sub(amount) + reward
            })
            .collect();
        // His own reward is in both sums.
        match changes.first_mut() {
            Some(change) if *change >= costs => *change -= costs,
            _ => changes.clear(),
        }
        changes
    }
}
