//! Coins mixed in the ways of Whirlpool, Wasabi 1 and 2, and JoinMarket.

mod joinmarket;
mod wasabi1;
mod wasabi2;
mod whirlpool;

use super::{
    entities::{Habits, Role},
    scripts::Shape,
    world::{World, wallet},
};

/// Who coordinates CoinJoins.
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
    pub(in crate::generate) const fn whirlpool(&self) -> u32 {
        self.whirlpool
    }

    /// Wasabi's coordinator.
    pub(in crate::generate) const fn wasabi(&self) -> u32 {
        self.wasabi
    }
}

impl World {
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
}
