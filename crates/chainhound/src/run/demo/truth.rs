//! The truth of a replay in the shape that a score needs: destinations, and what each output holds.

use std::collections::{BTreeMap, HashMap};

use testkit::{
    generate::Class,
    replay::{Category, Step, Truth},
};

/// Where stolen satoshis really are at some height.
pub(super) struct Holdings {
    /// The last block looked at.
    pub(super) height: u32,
    /// `exchange-1`, `thief, not mixed`, …, in order; fees are no output and have none.
    pub(super) destinations: Vec<Destination>,
    /// Of each output (`txid:vout`): stolen satoshis in it, and the index of its destination.
    pub(super) outputs: HashMap<String, (u64, usize)>,
    /// Miners' fees, and what CoinJoins cost.
    pub(super) fees: u64,
}

/// A place where stolen satoshis are.
pub(super) struct Destination {
    pub(super) name: String,
    /// `unspent`, `unspent_mixed`, `service`, `bridge` or `mixer_fee`.
    pub(super) kind: &'static str,
    pub(super) stolen: u64,
}

impl Holdings {
    /// At the tip.
    pub(super) fn at_the_end(truth: &Truth) -> Self {
        let values = values(&truth.steps);
        let mut holdings = Self::empty(truth.tip.height);
        for booking in &truth.dispositions {
            let kind = match booking.category {
                Category::Unspent => "unspent",
                Category::UnspentMixed => "unspent_mixed",
                Category::Service => "service",
                Category::Bridge => "bridge",
                Category::MixerFee => "mixer_fee",
                Category::Fee | Category::Mixer => {
                    holdings.fees += booking.value_sat;
                    continue;
                }
            };
            let destination = holdings.destination(&booking.entity, kind);
            for output in &booking.outputs {
                let value = values.get(output).copied().unwrap_or(0);
                holdings.add(output.clone(), value, destination);
            }
        }
        holdings
    }

    /// In the block before the first CoinJoin: the stolen coins have met no others yet.
    pub(super) fn before_first_mix(truth: &Truth) -> Self {
        let first = truth.steps.iter().find(|step| is_mix(step.role));
        let height = first.map_or(truth.tip.height, |step| step.height.saturating_sub(1));
        let mut holdings = Self::empty(height);
        let mut held: BTreeMap<String, (u64, String, bool)> = BTreeMap::new();
        for step in truth.steps.iter().filter(|step| step.height <= height) {
            let mut brought = 0;
            for input in step.inputs.iter().filter(|input| input.stolen) {
                held.remove(&format!("{}:{}", input.txid, input.vout));
                brought += input.value_sat;
            }
            let mut paid = 0;
            for output in step.outputs.iter().filter(|output| output.value_sat > 0) {
                let name = format!("{}:{}", step.txid, output.vout);
                held.insert(name, (output.value_sat, output.entity.clone(), output.stolen));
                paid += output.value_sat;
            }
            // The theft spends the victim's coins: its fee is the victim's loss, not stolen.
            holdings.fees += u64::saturating_sub(brought, paid);
        }
        for (name, (value, entity, own)) in held {
            let kind = if own { "unspent" } else { "service" };
            let destination = holdings.destination(&entity, kind);
            holdings.add(name, value, destination);
        }
        holdings
    }

    fn empty(height: u32) -> Self {
        Self { height, destinations: Vec::new(), outputs: HashMap::new(), fees: 0 }
    }

    fn destination(&mut self, name: &str, kind: &'static str) -> usize {
        let same = |known: &Destination| known.name == name && known.kind == kind;
        match self.destinations.iter().position(same) {
            Some(at) => at,
            None => {
                self.destinations.push(Destination { name: name.to_owned(), kind, stolen: 0 });
                self.destinations.len() - 1
            }
        }
    }

    fn add(&mut self, output: String, value: u64, destination: usize) {
        if let Some(place) = self.destinations.get_mut(destination) {
            place.stolen += value;
        }
        self.outputs.insert(output, (value, destination));
    }
}

/// Whether stolen coins meet others in it.
pub(super) const fn is_mix(class: Class) -> bool {
    matches!(class, Class::Whirlpool | Class::Wasabi1 | Class::Wasabi2 | Class::Joinmarket)
}

/// The value of every output of the story.
fn values(steps: &[Step]) -> HashMap<String, u64> {
    let outputs = steps.iter().flat_map(|step| {
        let name = move |vout| format!("{}:{vout}", step.txid);
        step.outputs.iter().map(move |output| (name(output.vout), output.value_sat))
    });
    outputs.collect()
}
