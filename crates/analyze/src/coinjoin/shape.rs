//! What a detector looks at: values, kinds of scripts and which scripts are the same.

use std::collections::BTreeMap;

use chain::{Flags, Ledger, Network, Output, Sats, SparseTx, TxNum, script::ScriptKind};

use super::{era::When, wasabi1};

/// Which locking script, as far as equality goes. Numbers are comparable within one [`Shape`]
/// only: an address number of a ledger, or a number by first appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScriptId(pub u64);

/// An input (the output that it spends) or an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Its value.
    pub value: Sats,
    /// Its locking script.
    pub script: ScriptId,
    /// The kind of that script.
    pub kind: ScriptKind,
}

/// The shape of a transaction: all that the rules about a single transaction may use.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// The coins spent, all of them.
    pub inputs: &'a [Coin],
    /// All outputs, data carriers included ([`ScriptKind::OpReturn`]).
    pub outputs: &'a [Coin],
    /// Bytes of the longest data carrier's script, its opcode included; 0 without one.
    pub carrier_bytes: usize,
    /// Whether an output pays an address that the Wasabi 1 coordinator published.
    pub pays_coordinator: bool,
    /// When the transaction was mined.
    pub when: When,
}

impl Shape<'_> {
    /// What the inputs hold more than the outputs: the fee; zero where the figures contradict.
    pub fn fee(&self) -> Sats {
        let sum = |coins: &[Coin]| {
            coins.iter().fold(0, |sum: u64, coin| sum.saturating_add(coin.value.0))
        };
        Sats(sum(self.inputs).saturating_sub(sum(self.outputs)))
    }
}

/// Builds shapes one after the other, reusing its memory.
#[derive(Clone, Debug, Default)]
pub struct ShapeBuf {
    inputs: Vec<Coin>,
    outputs: Vec<Coin>,
    carrier_bytes: usize,
    pays_coordinator: bool,
    when: When,
    scripts: BTreeMap<Box<[u8]>, u64>,
    spent: Vec<chain::Input>,
    made: Vec<Output>,
}

impl ShapeBuf {
    /// Forgets the transaction.
    pub fn clear(&mut self) {
        self.inputs.clear();
        self.outputs.clear();
        self.scripts.clear();
        self.carrier_bytes = 0;
        self.pays_coordinator = false;
        self.when = When::Unknown;
    }

    /// Says when the transaction was mined.
    pub fn set_when(&mut self, when: When) {
        self.when = when;
    }

    /// Adds an input: value and locking script of the output that it spends.
    pub fn input(&mut self, value: Sats, script: &[u8]) {
        let coin = self.coin(value, script);
        self.inputs.push(coin);
    }

    /// Adds an output.
    pub fn output(&mut self, value: Sats, script: &[u8]) {
        let coin = self.coin(value, script);
        if coin.kind == ScriptKind::OpReturn {
            self.carrier_bytes = self.carrier_bytes.max(script.len());
        }
        self.pays_coordinator |= wasabi1::is_coordinator(script);
        self.outputs.push(coin);
    }

    /// The transaction as built so far.
    pub fn shape(&self) -> Shape<'_> {
        Shape {
            inputs: &self.inputs,
            outputs: &self.outputs,
            carrier_bytes: self.carrier_bytes,
            pays_coordinator: self.pays_coordinator,
            when: self.when,
        }
    }

    /// Takes a transaction from a ledger, where its counts and values do not rule a CoinJoin out
    /// already: only then its scripts are read.
    ///
    /// `None` for transactions without known inputs (coinbases, stubs) and for those ruled out.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn load(&mut self, ledger: &impl Ledger, tx: TxNum) -> chain::Result<Option<Shape<'_>>> {
        self.load_where(ledger, tx, |spent, made| {
            let carriers = made.iter().filter(|output| output.address.is_none()).count();
            let values = made.iter().map(|output| output.value.0);
            super::possible(spent.iter().map(|input| input.value.0), values, carriers)
        })
    }

    /// Takes any transaction with known inputs from a ledger; `None` for coinbases and stubs.
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn load_any(
        &mut self,
        ledger: &impl Ledger,
        tx: TxNum,
    ) -> chain::Result<Option<Shape<'_>>> {
        self.load_where(ledger, tx, |_, _| true)
    }

    /// Takes a transaction that comes alone, where its counts and values do not rule a CoinJoin
    /// out already. `None` as with [`ShapeBuf::load`].
    pub fn load_sparse(&mut self, network: Network, tx: &SparseTx) -> Option<Shape<'_>> {
        self.clear();
        let is_carrier = |script: &[u8]| ScriptKind::of(script) == ScriptKind::OpReturn;
        let carriers =
            tx.outputs.iter().filter(|output| is_carrier(output.script.as_bytes())).count();
        let spent = tx.inputs.iter().map(|input| input.value.0);
        let made = tx.outputs.iter().map(|output| output.value.0);
        if tx.coinbase || !super::possible(spent, made, carriers) {
            return None;
        }
        for input in &tx.inputs {
            self.input(input.value, input.script.as_bytes());
        }
        for output in &tx.outputs {
            self.output(output.value, output.script.as_bytes());
        }
        self.when = When::of(network, tx.height, tx.time);
        Some(self.shape())
    }

    fn load_where(
        &mut self,
        ledger: &impl Ledger,
        tx: TxNum,
        wanted: impl FnOnce(&[chain::Input], &[Output]) -> bool,
    ) -> chain::Result<Option<Shape<'_>>> {
        self.clear();
        let flags = ledger.flags(tx)?;
        if flags.has(Flags::COINBASE) || flags.has(Flags::STUB) {
            return Ok(None);
        }
        let (mut spent, mut made) =
            (std::mem::take(&mut self.spent), std::mem::take(&mut self.made));
        ledger.inputs(tx, &mut spent)?;
        ledger.outputs(tx, &mut made)?;
        let wanted = wanted(&spent, &made);
        let filled = if wanted { self.fill(ledger, &spent, &made) } else { Ok(()) };
        (self.spent, self.made) = (spent, made);
        filled?;
        if !wanted {
            return Ok(None);
        }
        self.when = match (ledger.network(), ledger.height(tx)?) {
            (Network::Mainnet, None) => When::of(Network::Mainnet, None, ledger.time(tx)?),
            (network, height) => When::of(network, height, None),
        };
        Ok(Some(self.shape()))
    }

    fn fill(
        &mut self,
        ledger: &impl Ledger,
        spent: &[chain::Input],
        made: &[Output],
    ) -> chain::Result<()> {
        for input in spent {
            let (script, kind) = match input.address {
                Some(address) => {
                    let script = ledger.script(address)?;
                    (ScriptId(u64::from(address.0)), ScriptKind::of(script.as_bytes()))
                }
                None => (carrier(input.source), ScriptKind::NonStandard),
            };
            self.inputs.push(Coin { value: input.value, script, kind });
        }
        for output in made {
            let script = ledger.output_script(output.num)?;
            let kind = ScriptKind::of(script.as_bytes());
            let id = match output.address {
                Some(address) => ScriptId(u64::from(address.0)),
                None => {
                    self.carrier_bytes = self.carrier_bytes.max(script.len());
                    carrier(output.num)
                }
            };
            self.pays_coordinator |= wasabi1::is_coordinator(script.as_bytes());
            self.outputs.push(Coin { value: output.value, script: id, kind });
        }
        Ok(())
    }

    fn coin(&mut self, value: Sats, script: &[u8]) -> Coin {
        let next = self.scripts.len() as u64;
        let id = match self.scripts.get(script) {
            Some(&id) => id,
            None => *self.scripts.entry(script.into()).or_insert(next),
        };
        Coin { value, script: ScriptId(id), kind: ScriptKind::of(script) }
    }
}

/// An identity of its own for an output whose script has no number.
fn carrier(out: chain::OutNum) -> ScriptId {
    ScriptId((1 << 63) | out.0)
}

#[cfg(test)]
mod tests {
    use chain::{MemoryLedger, Network};

    use super::*;

    #[test]
    fn a_ledger_and_the_scripts_themselves_give_the_same_shape() {
        let chain = testkit::Chain::parse(
            "block
             tx a: coinbase -> A:10 B:10 p2tr/C:10 A:10
             block
             tx b: a:0 a:1 a:2 -> D:5 E:5 p2tr/F:5 A:4 data:\"memo\"",
        )
        .unwrap();
        let ledger = MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap();
        let tx = ledger.find_tx(&chain.txid("b").unwrap()).unwrap().unwrap();
        let mut loaded = ShapeBuf::default();
        let shape = loaded.load(&ledger, tx).unwrap().unwrap();
        let mut built = ShapeBuf::default();
        for (name, coins) in [("a", 3), ("b", 5)] {
            for out in &chain.tx(name).unwrap().output[..coins] {
                let (value, script) = (Sats(out.value.to_sat()), out.script_pubkey.as_bytes());
                if name == "a" { built.input(value, script) } else { built.output(value, script) }
            }
        }
        let plain = built.shape();
        let facts = |coins: &[Coin]| -> Vec<_> {
            coins.iter().map(|coin| (coin.value, coin.kind)).collect()
        };
        assert_eq!(facts(shape.inputs), facts(plain.inputs));
        assert_eq!(facts(shape.outputs), facts(plain.outputs));
        assert_eq!(shape.carrier_bytes, plain.carrier_bytes);
        assert_eq!(shape.fee(), plain.fee());
        // The address of input 0 is that of output 3, both ways.
        assert_eq!(shape.inputs[0].script, shape.outputs[3].script);
        assert_eq!(plain.inputs[0].script, plain.outputs[3].script);
    }
}
