//! What is unspent, and in whose hands: coins in slots, strung into lists.

use super::scripts::Address;

/// No slot.
const NONE: u32 = u32::MAX;

/// An unspent output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coin {
    pub(crate) txid: [u8; 32],
    pub(crate) vout: u32,
    pub(crate) value: u64,
    pub(crate) address: Address,
    /// The entity it belongs to; 0 marks a free slot.
    pub(crate) owner: u32,
    list: u32,
    before: u32,
    after: u32,
}

impl Coin {
    pub(crate) fn new(txid: [u8; 32], vout: u32, value: u64, address: Address, owner: u32) -> Self {
        Self { txid, vout, value, address, owner, list: NONE, before: NONE, after: NONE }
    }

    /// The list it hangs in; a coin that is being spent hangs in none.
    pub(crate) const fn list(&self) -> u32 {
        self.list
    }
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    first: u32,
    last: u32,
    count: u32,
    value: u64,
}

impl Default for Ends {
    fn default() -> Self {
        Self { first: NONE, last: NONE, count: 0, value: 0 }
    }
}

/// All coins. A list is a number; it begins to exist when it is used.
#[derive(Debug, Default)]
pub(crate) struct Coins {
    slots: Vec<Coin>,
    free: Vec<u32>,
    lists: Vec<Ends>,
}

impl Coins {
    /// How many coins there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many slots there are, free ones included.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The coin in a slot, `None` where it is free.
    pub(crate) fn get(&self, slot: u32) -> Option<&Coin> {
        self.slots.get(slot as usize).filter(|coin| coin.owner != 0)
    }

    /// Number of coins in a list.
    pub(crate) fn count(&self, list: u32) -> u32 {
        self.ends(list).count
    }

    /// Value of all coins in a list.
    pub(crate) fn value(&self, list: u32) -> u64 {
        self.ends(list).value
    }

    /// The oldest coin of a list.
    pub(crate) fn first(&self, list: u32) -> Option<u32> {
        Some(self.ends(list).first).filter(|slot| *slot != NONE)
    }

    /// The next younger coin of the same list.
    pub(crate) fn after(&self, slot: u32) -> Option<u32> {
        self.get(slot).map(|coin| coin.after).filter(|slot| *slot != NONE)
    }

    /// Puts a new coin at the end of a list.
    pub(crate) fn add(&mut self, coin: Coin, list: u32) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => {
                if let Some(place) = self.slots.get_mut(slot as usize) {
                    *place = coin;
                }
                slot
            }
            None => {
                self.slots.push(coin);
                u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
            }
        };
        self.hang(slot, list);
        slot
    }

    /// Moves a coin to the end of a list.
    pub(crate) fn hang(&mut self, slot: u32, list: u32) {
        self.take(slot);
        if self.lists.len() <= list as usize {
            self.lists.resize(list as usize + 1, Ends::default());
        }
        let Some(ends) = self.lists.get_mut(list as usize) else { return };
        let Some(coin) = self.slots.get_mut(slot as usize) else { return };
        coin.list = list;
        coin.before = ends.last;
        coin.after = NONE;
        let last = ends.last;
        ends.last = slot;
        ends.count += 1;
        ends.value += coin.value;
        if last == NONE {
            ends.first = slot;
        } else if let Some(last) = self.slots.get_mut(last as usize) {
            last.after = slot;
        }
    }

    /// Takes a coin out of its list; it stays in its slot.
    pub(crate) fn take(&mut self, slot: u32) {
        let Some(coin) = self.slots.get_mut(slot as usize) else { return };
        if coin.list == NONE {
            return;
        }
        let Coin { list, before, after, value, .. } = *coin;
        coin.list = NONE;
        if let Some(ends) = self.lists.get_mut(list as usize) {
            ends.count -= 1;
            ends.value -= value;
            if before == NONE {
                ends.first = after;
            }
            if after == NONE {
                ends.last = before;
            }
        }
        if let Some(coin) = self.slots.get_mut(before as usize) {
            coin.after = after;
        }
        if let Some(coin) = self.slots.get_mut(after as usize) {
            coin.before = before;
        }
    }

    /// Forgets a coin: it is spent.
    pub(crate) fn remove(&mut self, slot: u32) {
        self.take(slot);
        if let Some(coin) = self.slots.get_mut(slot as usize)
            && coin.owner != 0
        {
            coin.owner = 0;
            self.free.push(slot);
        }
    }

    fn ends(&self, list: u32) -> Ends {
        self.lists.get(list as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_order_and_sums() {
        let mut coins = Coins::default();
        let coin = |value| Coin::new([0; 32], 0, value, Address::default(), 1);
        let slots: Vec<_> = (1..=4).map(|value| coins.add(coin(value), 2)).collect();
        coins.hang(slots[1], 5);
        coins.remove(slots[3]);
        coins.remove(slots[3]);
        assert_eq!((coins.count(2), coins.value(2), coins.len()), (2, 4, 3));
        assert_eq!(coins.first(2), Some(slots[0]));
        assert_eq!(coins.after(slots[0]), Some(slots[2]));
        assert_eq!((coins.after(slots[2]), coins.value(5)), (None, 2));
        assert_eq!(coins.add(coin(9), 5), slots[3]);
        coins.take(slots[1]);
        assert_eq!(coins.first(5), Some(slots[3]));
    }
}
