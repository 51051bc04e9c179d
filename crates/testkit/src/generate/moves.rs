//! The moves that all behaviours are made of: take coins, pay, keep the change.

use super::{
    draft::Payment,
    entities::{ChangePlace, Entity, Habits, Role},
    scripts::{Address, Shape},
    truth::Class,
    world::{DUST, World, wallet},
};
use crate::generate::entities;

impl World {
    /// Starts a transaction in the manner of its sender's wallet.
    pub(super) fn begin(&mut self, class: Class, sender: u32) {
        let habits = self.entity(sender).habits;
        self.draft.clear(class);
        self.wear(habits);
    }

    /// Gives the draft a wallet's fingerprint.
    pub(super) fn wear(&mut self, habits: Habits) {
        self.draft.version = if habits.version_1 { 1 } else { 2 };
        self.draft.sequence = habits.sequence;
        if habits.locktime {
            // Core sets the tip's height, and one time in ten up to 99 blocks less.
            let back = if self.random.below(10) == 0 { self.random.below(100) as u32 } else { 0 };
            self.draft.locktime = self.tip.height.saturating_sub(back);
        }
    }

    /// Spends a coin.
    pub(super) fn take(&mut self, slot: u32) {
        if let Some(coin) = self.coins.get(slot) {
            let (value, shape) = (coin.value, coin.address.shape);
            self.coins.take(slot);
            self.draft.spend(slot, value, shape);
        }
    }

    /// Spends a list's oldest coins until inputs are worth `goal` and the fee, or number `most`.
    pub(super) fn gather(&mut self, list: u32, goal: u64, most: usize) {
        while self.draft.inputs.len() < most
            && self.draft.available < goal.saturating_add(self.fee(None))
            && let Some(slot) = self.coins.first(list)
        {
            self.take(slot);
        }
    }

    /// Puts all coins back. Only before the first output: addresses are not taken back.
    pub(super) fn give_up(&mut self, list: u32) {
        debug_assert!(self.draft.outputs.is_empty(), "addresses are given out already");
        for slot in self.draft.inputs.drain(..) {
            self.coins.hang(slot, list);
        }
    }

    /// The fee at this block's rate, in satoshis; with a further output, if any.
    pub(super) fn fee(&self, further: Option<Shape>) -> u64 {
        self.draft.weight(further) * self.rate / 4
    }

    /// The fee when so many outputs of the largest usual kind come behind.
    pub(super) fn fee_with(&self, outputs: u64) -> u64 {
        self.fee(None) + outputs * Shape::P2tr.output_weight() * self.rate / 4
    }

    /// Adds an output.
    pub(super) fn pay(&mut self, value: u64, address: Address, owner: u32, list: u32) {
        self.draft.pay(Payment { value, address, owner, list });
    }

    /// Adds an output to an entity's own wallet.
    pub(super) fn pay_to(&mut self, entity: u32, value: u64) {
        let address = self.receive(entity);
        self.pay(value, address, entity, wallet(entity));
    }

    /// Adds a data carrier with up to 80 bytes.
    pub(super) fn carry(&mut self, data: &[u8]) {
        self.draft.data.clear();
        self.draft.data.extend_from_slice(data);
        self.pay(0, Address::default(), 0, 0);
    }

    /// Gives what is left after the fee back to the sender, in the place that his wallet chooses;
    /// what is too little for that becomes fee.
    pub(super) fn keep_change(&mut self, sender: u32, list: u32) {
        let habits = self.entity(sender).habits;
        let shape = self.entity(sender).shape;
        let left = self.draft.left();
        let value = left.saturating_sub(self.fee(Some(shape)));
        if value < DUST {
            return;
        }
        let address = self.receive(sender);
        // Reusers may show an address of an older shape: a few bytes, and the fee still covers it.
        let count = self.draft.outputs.len();
        let place = match habits.change {
            ChangePlace::Random => self.random.index(count + 1),
            ChangePlace::Last => count,
            ChangePlace::First => 0,
            ChangePlace::Sorted => {
                self.draft.outputs.sort_by_key(|output| output.value);
                self.draft.outputs.partition_point(|output| output.value <= value)
            }
        };
        self.pay(value, address, sender, list);
        if let Some(tail) = self.draft.outputs.get_mut(place..) {
            tail.rotate_right(1);
        }
        self.draft.change = u16::try_from(place).ok();
    }

    /// An address that somebody shows to be paid.
    pub(super) fn receive(&mut self, entity: u32) -> Address {
        let Entity { last, habits, shape, role, .. } = self.entity(entity);
        if let Some(last) = last {
            let again =
                habits.reuses || self.random.permille(if role == Role::Person { 150 } else { 40 });
            if again {
                return last;
            }
        }
        let address = self.scripts.fresh(shape);
        if let Some(entity) = self.entities.get_mut(entity as usize) {
            entity.last = Some(address);
        }
        address
    }

    /// An address that its owner has not shown before, of a shape that he chooses.
    pub(super) fn fresh(&mut self, shape: Shape) -> Address {
        self.scripts.fresh(shape)
    }

    /// Somebody by number.
    pub(super) fn entity(&self, number: u32) -> Entity {
        self.entities.get(number as usize).copied().unwrap_or_default()
    }

    /// Somebody new.
    pub(super) fn newcomer(&mut self, role: Role) -> u32 {
        let entity = Entity::new(role, self.era, &mut self.random);
        self.entities.push(entity);
        u32::try_from(self.entities.len() - 1).unwrap_or(0)
    }

    /// Some wallets move with the fashion.
    pub(super) fn follow_fashion(&mut self, number: u32) {
        let shape = entities::shape(self.era, &mut self.random);
        if let Some(entity) = self.entities.get_mut(number as usize) {
            entity.shape = shape;
        }
    }

    /// Any coin that a behaviour may look at.
    pub(super) fn random_coin(&mut self) -> Option<u32> {
        let slots = self.coins.slots();
        (0..4).find_map(|_| {
            let slot = u32::try_from(self.random.index(slots)).ok()?;
            self.coins.get(slot).map(|_| slot)
        })
    }

    /// A person, now and then somebody new.
    pub(super) fn person(&mut self) -> u32 {
        if !self.random.permille(110) {
            for _ in 0..6 {
                let number = self.random.index(self.entities.len()) as u32;
                if self.entity(number).role == Role::Person {
                    return number;
                }
            }
        }
        self.newcomer(Role::Person)
    }

    /// An amount as people like it: fewer digits, in four of ten cases.
    pub(super) fn round(&mut self, value: u64) -> u64 {
        if !self.random.permille(400) || value < 10_000 {
            return value;
        }
        let mut unit = 1;
        while unit * 100 <= value {
            unit *= 10;
        }
        value - value % unit
    }
}
