//! From what was seen to the truth: who, step by step, and where every satoshi is.

use std::collections::{BTreeMap, HashMap};

use bitcoin::{BlockHash, Txid, hashes::Hash};

use super::{
    super::{entities::Role, scripts::Address, truth::Class, watch::Seen},
    look_alike::{alike, text},
    story::Story,
    truth::{Booking, Category, Entity, Input, LookAlike, Output, Step, Theft, Tip, Totals, Truth},
};

/// A txid as people write it.
pub(super) fn hex(txid: [u8; 32]) -> String {
    Txid::from_byte_array(txid).to_string()
}

/// Everything that the story knows.
pub(super) fn truth(story: &Story, seed: u64) -> Truth {
    let seen = &story.world.watch.seen;
    let genuine = text(&story.world.scripts, story.genuine);
    let imitation = text(&story.world.scripts, story.imitation);
    let (prefix, suffix) = alike(&genuine, &imitation);
    let theft = seen.first();
    let value_sat = theft.map_or(0, |seen| seen.outputs.iter().map(|output| output.value).sum());
    let mut ledger = Ledger::new(story);
    seen.iter().for_each(|seen| ledger.follow(seen));
    let (dispositions, before_mixers) = ledger.close();
    let booked_sat = dispositions.iter().map(|booking| booking.value_sat).sum();
    Truth {
        schema: "testkit.replay.v1".to_owned(),
        network: "regtest".to_owned(),
        seed,
        tip: Tip {
            height: story.world.tip.height,
            hash: BlockHash::from_byte_array(story.world.tip.hash).to_string(),
        },
        theft: Theft {
            txid: theft.map_or_else(String::new, |seen| hex(seen.txid)),
            vout: 0,
            height: theft.map_or(0, |seen| seen.height),
            time: story.theft_time,
            value_sat,
            fee_sat: theft.map_or(0, fee),
            address: imitation.clone(),
            victim_address: text(&story.world.scripts, story.cold),
        },
        look_alike: LookAlike { genuine, imitation, prefix, suffix },
        withdrawals: story.withdrawals.clone(),
        entities: entities(story, seen),
        steps: seen.iter().map(|seen| step(story, seen)).collect(),
        dispositions,
        before_mixers,
        totals: Totals { root_sat: value_sat, booked_sat },
    }
}

fn fee(seen: &Seen) -> u64 {
    let available: u64 = seen.inputs.iter().map(|input| input.value).sum();
    available.saturating_sub(seen.outputs.iter().map(|output| output.value).sum())
}

fn name(story: &Story, number: u32) -> String {
    story.names.get(&number).cloned().unwrap_or_else(|| format!("person-{number}"))
}

/// Mixed with other people's coins, or not.
const fn is_mix(class: Class) -> bool {
    matches!(class, Class::Whirlpool | Class::Wasabi1 | Class::Wasabi2 | Class::Joinmarket)
}

fn step(story: &Story, seen: &Seen) -> Step {
    let address = |address: Address| text(&story.world.scripts, address);
    let inputs = seen.inputs.iter().map(|input| Input {
        txid: hex(input.txid),
        vout: input.vout,
        value_sat: input.value,
        address: address(input.address),
        entity: name(story, input.owner),
        stolen: input.owner == story.thief,
    });
    let outputs = (0_u32..).zip(&seen.outputs).map(|(vout, output)| Output {
        vout,
        value_sat: output.value,
        address: (output.owner != 0).then(|| address(output.address)),
        entity: name(story, output.owner),
        stolen: output.owner == story.thief,
    });
    let carrier = seen.outputs.iter().any(|output| output.owner == 0);
    let memo = String::from_utf8(seen.data.clone()).ok();
    Step {
        txid: hex(seen.txid),
        height: seen.height,
        role: seen.class,
        stage: seen.note.to_owned(),
        inputs: inputs.collect(),
        outputs: outputs.collect(),
        fee_sat: fee(seen),
        memo: memo.filter(|_| carrier && seen.class == Class::Bridge),
    }
}

/// Everybody with a name, and his addresses in the steps.
fn entities(story: &Story, seen: &[Seen]) -> Vec<Entity> {
    let mut addresses: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    addresses.entry(story.victim).or_default();
    let partner =
        story.names.iter().find(|(_, name)| *name == "partner").map(|(number, _)| *number);
    if let Some(partner) = partner {
        let genuine = text(&story.world.scripts, story.genuine);
        addresses.entry(partner).or_default().push(genuine);
    }
    for seen in seen {
        let inputs = seen.inputs.iter().map(|input| (input.owner, input.address));
        let outputs = seen.outputs.iter().map(|output| (output.owner, output.address));
        for (owner, address) in inputs.chain(outputs) {
            if owner == 0 || !story.names.contains_key(&owner) {
                continue;
            }
            let list = addresses.entry(owner).or_default();
            let address = text(&story.world.scripts, address);
            if !list.contains(&address) {
                list.push(address);
            }
        }
    }
    let entity = |(number, addresses)| Entity {
        entity: name(story, number),
        role: story.world.entity(number).role,
        number,
        addresses,
    };
    addresses.into_iter().map(entity).collect()
}

type Books = BTreeMap<(Category, String), (u64, Vec<String>)>;

/// A stolen coin.
#[derive(Clone, Copy, Debug)]
struct Held {
    value: u64,
    mixed: bool,
    order: usize,
}

/// Follows the thief's coins by what he himself knows.
struct Ledger<'s> {
    story: &'s Story,
    coins: HashMap<([u8; 32], u32), Held>,
    made: usize,
    all: Books,
    before: Books,
}

impl<'s> Ledger<'s> {
    fn new(story: &'s Story) -> Self {
        Self { story, coins: HashMap::new(), made: 0, all: Books::new(), before: Books::new() }
    }

    fn follow(&mut self, seen: &Seen) {
        let thief = self.story.thief;
        let mut brought = 0;
        let mut mixed = is_mix(seen.class);
        for input in seen.inputs.iter().filter(|input| input.owner == thief) {
            let Some(held) = self.coins.remove(&(input.txid, input.vout)) else { continue };
            brought += held.value;
            if is_mix(seen.class) && !held.mixed {
                let at = format!("{}:{}", hex(input.txid), input.vout);
                book(&mut self.before, Category::Mixer, seen.class.name(), held.value, Some(at));
            }
            mixed |= held.mixed;
        }
        let theft = seen.class == Class::Theft;
        let mut kept = 0;
        let mut paid = 0;
        for (vout, output) in (0_u32..).zip(&seen.outputs) {
            if output.owner == thief {
                kept += output.value;
                let held = Held { value: output.value, mixed, order: self.made };
                self.made += 1;
                self.coins.insert((seen.txid, vout), held);
                continue;
            }
            // In a CoinJoin the other outputs are other people's own.
            if output.owner == 0 || is_mix(seen.class) {
                continue;
            }
            paid += output.value;
            let category = match self.story.world.entity(output.owner).role {
                Role::Bridge => Category::Bridge,
                Role::Coordinator => Category::MixerFee,
                _ => Category::Service,
            };
            let entity = name(self.story, output.owner);
            let at = format!("{}:{vout}", hex(seen.txid));
            if !mixed {
                book(&mut self.before, category, &entity, output.value, Some(at.clone()));
            }
            book(&mut self.all, category, &entity, output.value, Some(at));
        }
        if theft {
            return;
        }
        let cost = brought.saturating_sub(kept + paid);
        book(&mut self.all, Category::Fee, "miners", cost, None);
        if !mixed {
            book(&mut self.before, Category::Fee, "miners", cost, None);
        }
    }

    /// Books what is still there.
    fn close(mut self) -> (Vec<Booking>, Vec<Booking>) {
        let mut left: Vec<_> = self.coins.drain().collect();
        left.sort_by_key(|(_, held)| held.order);
        for ((txid, vout), held) in left {
            let at = format!("{}:{vout}", hex(txid));
            if held.mixed {
                book(&mut self.all, Category::UnspentMixed, "thief", held.value, Some(at));
            } else {
                let at = Some(at);
                book(&mut self.before, Category::Unspent, "thief", held.value, at.clone());
                book(&mut self.all, Category::Unspent, "thief", held.value, at);
            }
        }
        (bookings(self.all), bookings(self.before))
    }
}

fn book(books: &mut Books, category: Category, entity: &str, value: u64, at: Option<String>) {
    let (sum, outputs) = books.entry((category, entity.to_owned())).or_default();
    *sum += value;
    outputs.extend(at);
}

fn bookings(books: Books) -> Vec<Booking> {
    let booking = |((category, entity), (value_sat, outputs))| Booking {
        category,
        entity,
        value_sat,
        outputs,
    };
    books.into_iter().map(booking).filter(|booking| booking.value_sat > 0).collect()
}
