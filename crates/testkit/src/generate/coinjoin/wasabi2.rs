//! Wasabi 2: many coins cut into standard denominations.
//!
//! As its client does (WalletWasabi, `AmountDecomposer`), everybody cuts what he brings into those
//! denominations that the coins of the round yield more than once. That makes equal outputs likely
//! and does not promise them; here a round that has not the shape of its kind does not take place.

use std::collections::BTreeMap;

use super::{
    super::{
        GenerateError,
        scripts::Shape,
        truth::Class,
        world::{DUST, World, wallet},
    },
    UNIFORM,
};

/// The smallest and the largest denomination (WalletWasabi; Dumplings).
const SMALLEST: u64 = 5_000;
const LARGEST: u64 = 134_375_000_000;
/// Coins and outputs that a round has at least.
const FEWEST: usize = 15;
/// Pieces that a guest's money is cut into at most, the rest not counted.
const MOST_PIECES: usize = 8;

/// A coin in a round: slot, owner, value in satoshis.
type Guest = (u32, u32, u64);

impl World {
    /// A round of Wasabi 2: many coins, standard denominations, sorted.
    /// `also` are further guests' coins.
    pub(in crate::generate) fn wasabi2(&mut self, also: &[u32]) -> Result<bool, GenerateError> {
        let mut guests = self.invite(also);
        guests.sort_by_key(|(slot, owner, _)| (*owner, *slot));
        let Some(pieces) = self.cut(&guests) else { return Ok(false) };
        self.draft.clear(Class::Wasabi2);
        self.wear(UNIFORM);
        guests.sort_by_key(|(slot, _, value)| (std::cmp::Reverse(*value), *slot));
        for (slot, _, _) in &guests {
            self.take(*slot);
        }
        for (owner, value) in pieces {
            let shape = if self.random.permille(500) { Shape::P2tr } else { Shape::P2wpkh };
            let address = self.fresh(shape);
            self.pay(value, address, owner, wallet(owner));
        }
        self.draft.outputs.sort_by_key(|output| std::cmp::Reverse(output.value));
        self.commit()?;
        Ok(true)
    }

    /// Some people's coins, and those in `also`.
    fn invite(&mut self, also: &[u32]) -> Vec<Guest> {
        let wanted = self.random.between(15, 40) as usize;
        let mut guests: Vec<Guest> = Vec::with_capacity(2 * wanted);
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
        guests
    }

    /// What the guests, sorted by owner, get: owners and values. `None` where no round comes of it.
    fn cut(&mut self, guests: &[Guest]) -> Option<Vec<(u32, u64)>> {
        if guests.len() < FEWEST {
            return None;
        }
        let output = Shape::P2tr.output_weight() * self.rate / 4;
        let input = Shape::P2shP2wpkh.input_weight() * self.rate / 4;
        let mut denominations = denominations();
        let mut yields = BTreeMap::<u64, usize>::new();
        for (_, _, value) in guests {
            let mut left = value.saturating_sub(input);
            for piece in &denominations {
                while left >= piece + output {
                    left -= piece + output;
                    *yields.entry(*piece).or_default() += 1;
                }
            }
        }
        denominations.retain(|piece| yields.get(piece).is_some_and(|count| *count > 1));
        loop {
            let mut pieces = Vec::with_capacity(4 * guests.len());
            for coins in guests.chunk_by(|a, b| a.1 == b.1) {
                let Some((_, owner, _)) = coins.first().copied() else { continue };
                let brought: u64 = coins.iter().map(|(_, _, value)| value).sum();
                // One output's cost stands for the transaction's own bytes.
                let costs = coins.len() as u64 * input + output;
                let left = brought.saturating_sub(costs);
                self.decompose(owner, left, output, &denominations, &mut pieces);
            }
            let counts = counts(&pieces);
            if is_round(&counts, &denominations) {
                return Some(pieces);
            }
            // Once more without the denominations that nobody shares: fewer each time.
            let before = denominations.len();
            denominations.retain(|piece| counts.get(piece).is_some_and(|count| *count > 1));
            if denominations.len() == before {
                return None;
            }
        }
    }

    /// Cuts an amount into denominations (descending), the largest first, and a rest.
    fn decompose(
        &mut self,
        owner: u32,
        mut left: u64,
        cost: u64,
        denominations: &[u64],
        pieces: &mut Vec<(u32, u64)>,
    ) {
        for _ in 0..MOST_PIECES {
            let fits = denominations.partition_point(|piece| *piece + cost > left);
            // Not always the largest: that would tell who was the richest guest.
            let smaller = usize::from(self.random.permille(250));
            let piece = denominations.get(fits + smaller).or(denominations.get(fits));
            let Some(piece) = piece.copied() else { break };
            pieces.push((owner, piece));
            left -= piece + cost;
        }
        if left >= SMALLEST + cost {
            pieces.push((owner, left - cost));
        }
    }
}

/// How often each value occurs.
fn counts(pieces: &[(u32, u64)]) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    pieces.iter().for_each(|(_, value)| *counts.entry(*value).or_default() += 1);
    counts
}

/// What sets a round apart from other transactions: more than half of the outputs are equal to another, four
/// fifths are standard denominations (Dumplings), and these are three at least.
fn is_round(counts: &BTreeMap<u64, usize>, denominations: &[u64]) -> bool {
    let outputs: usize = counts.values().sum();
    let grouped: usize = counts.values().filter(|count| **count > 1).sum();
    let standard: Vec<usize> =
        denominations.iter().filter_map(|piece| counts.get(piece)).copied().collect();
    outputs >= FEWEST
        && grouped * 2 > outputs
        && standard.iter().sum::<usize>() * 5 >= outputs * 4
        && standard.len() >= 3
}

/// The standard denominations, descending: powers of 2, of 3, twice those, and 1, 2 and 5 times
/// powers of 10.
fn denominations() -> Vec<u64> {
    let mut all = Vec::new();
    for (base, factors) in [(2, [1].as_slice()), (3, &[1, 2]), (10, &[1, 2, 5])] {
        let mut power: u64 = 1;
        while power <= LARGEST {
            all.extend(factors.iter().map(|factor| power * factor));
            power *= base;
        }
    }
    all.retain(|value| (SMALLEST..=LARGEST).contains(value));
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.dedup();
    all
}
