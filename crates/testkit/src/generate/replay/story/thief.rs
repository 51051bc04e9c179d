//! What the thief does with it.

use super::{
    super::super::{
        GenerateError,
        draft::Payment,
        scripts::Shape,
        truth::Class,
        world::{DEPOSITS, DUST, HELD, wallet},
    },
    COIN, Story,
};

/// Shares of the ten storage addresses, in bitcoin; the last takes the rest.
const STORAGE: [u64; 9] = [500, 500, 500, 480, 460, 450, 450, 430, 400];

/// A coin on its way down a peel chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    stage: &'static str,
    slot: u32,
    left: u32,
    /// The height of the next step.
    next: u32,
    /// A peel's usual size in satoshis.
    size: u64,
}

impl Story {
    /// What the thief does so many blocks after the theft.
    pub(super) fn flight(&mut self, blocks: u32) -> Result<(), GenerateError> {
        match blocks {
            3 => self.store()?,
            14 => self.run(0, "peel-1", 36, 6),
            18 => self.run(1, "peel-2", 30, 9),
            26 => self.fan_out()?,
            34 => self.parcel(3, 18, 65 * COIN / 100)?,
            37 => self.parcel(4, 18, 52 * COIN / 100)?,
            40 => self.pools()?,
            58 => self.bridge(6, 40, "0x3f5ce5fbfe3e9af3971dd833d26ba9b5c936f0be")?,
            75 => self.bridge(6, 25, "0x71c7656ec7ab88b098defb751b7401b5f6d8976f")?,
            97 => self.bridge(6, 35, "0x3f5ce5fbfe3e9af3971dd833d26ba9b5c936f0be")?,
            66 | 84 | 103 | 131 | 150 => self.over_the_counter()?,
            44 | 55 | 64 | 72 => self.mix("wasabi2", 4)?,
            48 | 60 | 69 | 80 => self.mix("wasabi1", 4)?,
            170 | 190 | 215 => self.afterwards()?,
            _ => {}
        }
        let due: Vec<Run> = self.runs.extract_if(.., |run| run.next <= blocks).collect();
        for run in due {
            self.peel(run, blocks)?;
        }
        Ok(())
    }

    /// Ten storage addresses.
    fn store(&mut self) -> Result<(), GenerateError> {
        let coins = std::mem::take(&mut self.storage);
        let values: Vec<_> = STORAGE.iter().map(|bitcoin| bitcoin * COIN).collect();
        self.storage = self.divide("storage", &coins, &values)?;
        Ok(())
    }

    /// A storage coin starts down a peel chain.
    fn run(&mut self, storage: usize, stage: &'static str, left: u32, bitcoin: u64) {
        if let Some(slot) = self.storage.get(storage).copied() {
            self.runs.push(Run { stage, slot, left, next: 0, size: bitcoin * COIN });
        }
    }

    /// The third storage coin becomes four short peel chains.
    fn fan_out(&mut self) -> Result<(), GenerateError> {
        let Some(slot) = self.storage.get(2).copied() else { return Ok(()) };
        let coins = self.divide("fan-out", &[slot], &[140 * COIN, 125 * COIN, 120 * COIN])?;
        for slot in coins {
            self.runs.push(Run { stage: "peel-3", slot, left: 9, next: 30, size: 8 * COIN });
        }
        Ok(())
    }

    /// A few parcels for CoinJoins come off a storage coin; the rest stays there.
    fn parcel(&mut self, storage: usize, count: u64, each: u64) -> Result<(), GenerateError> {
        let Some(slot) = self.storage.get(storage).copied() else { return Ok(()) };
        let values: Vec<_> = (0..count).map(|_| each + self.world.random.below(each / 3)).collect();
        let mut coins = self.divide("parcels", &[slot], &values)?;
        coins.pop();
        self.parcels.append(&mut coins);
        Ok(())
    }

    /// Two coins enter Whirlpool; the mixes are other people's as well, and come when they come.
    fn pools(&mut self) -> Result<(), GenerateError> {
        let Some(slot) = self.storage.get(5).copied() else { return Ok(()) };
        let coins = self.divide("whirlpool", &[slot], &[2 * COIN, 13 * COIN / 10])?;
        self.world.watch.note = "whirlpool";
        for slot in coins.into_iter().take(2) {
            self.world.enter_pool(2, slot, 24)?;
        }
        Ok(())
    }

    /// Some parcels go into a CoinJoin with clean people's coins.
    fn mix(&mut self, stage: &'static str, count: usize) -> Result<(), GenerateError> {
        let from = self.parcels.len().saturating_sub(count);
        let parcels = self.parcels.split_off(from);
        self.world.watch.note = stage;
        let done = match stage {
            "wasabi1" => self.world.wasabi1(&parcels)?,
            _ => self.world.wasabi2(&parcels)?,
        };
        self.world.watch.note = "whirlpool";
        if !done {
            self.parcels.extend(parcels);
        }
        Ok(())
    }

    /// To a vault, with a memo that says where the other chain's coins shall go.
    fn bridge(&mut self, storage: usize, bitcoin: u64, to: &str) -> Result<(), GenerateError> {
        let Some(slot) = self.storage.get(storage).copied() else { return Ok(()) };
        self.start(Class::Bridge, "bridge", &[slot]);
        self.world.pay(bitcoin * COIN, self.vault, self.bridge, wallet(self.bridge));
        self.world.carry(format!("=:ETH.ETH:{to}").as_bytes());
        self.keep_rest();
        self.end(Some(2))?;
        self.keep_storage(storage, 2);
        Ok(())
    }

    /// To the market, straight from storage.
    fn over_the_counter(&mut self) -> Result<(), GenerateError> {
        let storage = 7;
        let Some(slot) = self.storage.get(storage).copied() else { return Ok(()) };
        self.start(Class::CashOut, "otc", &[slot]);
        let value = self.world.random.between(20, 40) * COIN;
        let address = self.world.fresh(Shape::P2wpkh);
        self.world.pay(value, address, self.otc, wallet(self.otc));
        self.keep_rest();
        self.end(Some(1))?;
        self.keep_storage(storage, 1);
        Ok(())
    }

    /// Some of what came out of CoinJoins is gathered and cashed in.
    fn afterwards(&mut self) -> Result<(), GenerateError> {
        let list = wallet(self.thief);
        self.start(Class::CashOut, "after-mixing", &[]);
        self.world.gather(list, 4 * COIN, 9);
        let value = self.world.draft.available.saturating_sub(self.world.fee_with(1));
        if value < 100 * DUST {
            self.world.give_up(list);
            return Ok(());
        }
        let payment = self.exchange_payment();
        self.world.draft.pay(Payment { value, ..payment });
        self.end(None)
    }

    /// One step down a peel chain.
    fn peel(&mut self, run: Run, blocks: u32) -> Result<(), GenerateError> {
        let value = self.world.random.between(run.size / 2, run.size * 3 / 2);
        let value = value - value % (COIN / 10);
        self.start(Class::Peel, run.stage, &[run.slot]);
        if self.world.draft.available < value + COIN {
            self.world.give_up(HELD);
            return Ok(());
        }
        let payment = if self.world.random.permille(600) {
            self.exchange_payment()
        } else {
            let address = self.world.fresh(Shape::P2wpkh);
            Payment { value, address, owner: self.otc, list: wallet(self.otc) }
        };
        self.world.draft.pay(Payment { value, ..payment });
        self.keep_rest();
        let rest = self.world.random.index(2);
        if rest == 0 {
            self.world.draft.outputs.reverse();
        }
        self.end(Some(rest))?;
        if run.left > 1
            && let Some(slot) = self.world.fresh_coins.get(rest).copied()
        {
            let next = blocks + self.world.random.between(1, 4) as u32;
            self.runs.push(Run { slot, left: run.left - 1, next, ..run });
        }
        Ok(())
    }

    /// The thief's address at one of three exchanges; a new one now and then.
    fn exchange_payment(&mut self) -> Payment {
        let exchange = self.world.some_exchange().min(2);
        let owner = self.world.exchanges.get(usize::from(exchange)).copied().unwrap_or_default();
        self.names.entry(owner).or_insert_with(|| format!("exchange-{}", exchange + 1));
        let address = match self.deposits.get(&exchange) {
            Some(address) if self.world.random.permille(650) => *address,
            _ => self.world.fresh(self.world.entity(owner).shape),
        };
        self.deposits.insert(exchange, address);
        Payment { value: 0, address, owner, list: DEPOSITS + u32::from(exchange) }
    }

    /// Pays the thief himself: these values, and the rest.
    fn divide(
        &mut self,
        stage: &'static str,
        coins: &[u32],
        values: &[u64],
    ) -> Result<Vec<u32>, GenerateError> {
        self.start(Class::Split, stage, coins);
        for value in values {
            let address = self.world.fresh(Shape::P2wpkh);
            self.world.pay(*value, address, self.thief, HELD);
        }
        self.keep_rest();
        self.end(None)?;
        Ok(self.world.fresh_coins.clone())
    }

    fn start(&mut self, class: Class, stage: &'static str, coins: &[u32]) {
        self.world.watch.note = stage;
        self.world.begin(class, self.thief);
        coins.iter().for_each(|slot| self.world.take(*slot));
    }

    /// What is left after the fee goes to a fresh address of the thief.
    fn keep_rest(&mut self) {
        let address = self.world.fresh(Shape::P2wpkh);
        let rest = self.world.draft.left().saturating_sub(self.world.fee(Some(address.shape)));
        self.world.pay(rest, address, self.thief, HELD);
    }

    fn end(&mut self, change: Option<usize>) -> Result<(), GenerateError> {
        self.world.draft.change = change.and_then(|place| u16::try_from(place).ok());
        self.world.commit()?;
        // Whatever spends the thief's coins unasked is a mix of Whirlpool.
        self.world.watch.note = "whirlpool";
        Ok(())
    }

    /// A storage coin is now the last transaction's output at this place.
    fn keep_storage(&mut self, storage: usize, vout: usize) {
        let fresh = self.world.fresh_coins.get(vout).copied();
        if let (Some(place), Some(slot)) = (self.storage.get_mut(storage), fresh) {
            *place = slot;
        }
    }
}
