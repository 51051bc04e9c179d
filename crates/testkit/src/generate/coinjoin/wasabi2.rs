//! Wasabi 2: many coins cut into standard denominations.

use super::{
    super::{
        GenerateError,
        scripts::Shape,
        truth::Class,
        world::{DUST, World, wallet},
    },
    UNIFORM,
};

/// The smallest output of Wasabi 2.
const SMALLEST: u64 = 5_000;

impl World {
    /// A round of Wasabi 2: many coins, standard denominations, sorted.
    /// `also` are further guests' coins.
    pub(in crate::generate) fn wasabi2(&mut self, also: &[u32]) -> Result<bool, GenerateError> {
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
