//! The second pass: where the inputs come from and where the outputs go.
//!
//! People remix. A real Wasabi round takes most of its inputs from earlier rounds, and a Whirlpool
//! mix takes all of them from mixes of the same pool and from Tx0s. No shape says as much.

use chain::{Flags, Ledger, Sats, Spend, TxNum};

use super::{Class, Era, Finding, Protocol};

/// How a transaction is tied to CoinJoins of its own protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lineage {
    /// Inputs whose transactions are known.
    pub inputs_known: u32,
    /// Those of them that come from the same protocol (for a mix of Whirlpool: the same
    /// protocol's mixes or Tx0s).
    pub inputs_related: u32,
    /// Inputs whose transactions the ledger does not know.
    pub inputs_unknown: u32,
    /// Outputs known to be spent, by known transactions.
    pub outputs_known: u32,
    /// Those of them that go to the same protocol (for a Tx0: to mixes).
    pub outputs_related: u32,
    /// Value of the related inputs.
    pub value_in: Sats,
    /// Value of the related outputs.
    pub value_out: Sats,
}

impl Lineage {
    /// Counts an input of a transaction of this protocol: its value, and the class of the
    /// transaction that made it, `None` where that one is not known.
    pub fn add_input(&mut self, protocol: Protocol, value: Sats, source: Option<Class>) {
        let Some(class) = source else {
            self.inputs_unknown += 1;
            return;
        };
        self.inputs_known += 1;
        if neighbour(class).is_some_and(|before| feeds(before, protocol)) {
            self.inputs_related += 1;
            self.value_in = Sats(self.value_in.0.saturating_add(value.0));
        }
    }

    /// Counts an output that is spent by a known transaction: its value, and the spender's class.
    pub fn add_output(&mut self, protocol: Protocol, value: Sats, spender: Class) {
        self.outputs_known += 1;
        if neighbour(spender).is_some_and(|after| feeds(protocol, after)) {
            self.outputs_related += 1;
            self.value_out = Sats(self.value_out.0.saturating_add(value.0));
        }
    }

    /// Related inputs and outputs among the known ones, parts of a thousand; `None` where none is
    /// known.
    pub fn per_mille(&self) -> Option<u32> {
        let known = u64::from(self.inputs_known) + u64::from(self.outputs_known);
        let related = u64::from(self.inputs_related) + u64::from(self.outputs_related);
        u32::try_from((related * 1000).checked_div(known)?).ok()
    }
}

/// What the second pass says about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// Its neighbours belong to the same protocol: the label stands, or is given now.
    Confirmed,
    /// Too little is known of its neighbours, or they say nothing.
    Open,
    /// Its neighbours are all known and cannot be those of the protocol: the label goes. The
    /// inputs stay apart.
    Rejected,
}

impl Judgement {
    /// The name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Open => "open",
            Self::Rejected => "rejected",
        }
    }
}

/// Looks at the neighbours of `tx`, whose own protocol is `protocol`. `class` gives the class of
/// any transaction, computed or from a column; it is asked at most once per input and output.
///
/// # Errors
/// Whatever the ledger or `class` reports.
pub fn lineage<L: Ledger>(
    ledger: &L,
    tx: TxNum,
    protocol: Protocol,
    mut class: impl FnMut(TxNum) -> chain::Result<Class>,
) -> chain::Result<Lineage> {
    let mut found = Lineage::default();
    let mut inputs = Vec::new();
    ledger.inputs(tx, &mut inputs)?;
    for input in inputs {
        let source = ledger.tx_of(input.source)?;
        let known = !ledger.flags(source)?.has(Flags::STUB);
        let source = if known { Some(class(source)?) } else { None };
        found.add_input(protocol, input.value, source);
    }
    let mut outputs = Vec::new();
    ledger.outputs(tx, &mut outputs)?;
    for output in outputs {
        let Spend::By(spender) = output.spend else { continue };
        found.add_output(protocol, output.value, class(spender)?);
    }
    Ok(found)
}

/// The protocol of a neighbour that counts. JoinMarket's shape without its wallets' habits is
/// mostly a sale, and sales follow on sales too.
fn neighbour(class: Class) -> Option<Protocol> {
    class.protocol().filter(|protocol| *protocol != Protocol::JoinMarket || class.label())
}

/// Whether coins go from the one protocol to the other as part of using it.
fn feeds(before: Protocol, after: Protocol) -> bool {
    match after {
        Protocol::Whirlpool => matches!(before, Protocol::Whirlpool | Protocol::WhirlpoolTx0),
        // A Tx0 is paid from anywhere, a mix among others.
        Protocol::WhirlpoolTx0 => before == Protocol::Whirlpool,
        _ => before == after,
    }
}

/// What the lineage says about a finding.
///
/// * Whirlpool: every input comes from a mix or a Tx0, so a mix with all sources known and not one
///   of them related is rejected; with half of them related it is confirmed.
/// * Tx0: confirmed where one of its outputs goes to a mix; rejected where all are spent
///   elsewhere.
/// * Wasabi 2: remixing is what its wallets do. With all sources and at least half of the outputs'
///   spenders known and none related, it is rejected; with a fifth related, confirmed.
/// * Wasabi 1: with a tenth related, confirmed; never rejected (first rounds had none).
/// * JoinMarket: with two related, confirmed, unless only its shape was recognised; never rejected
///   (makers wait, tumblers use fresh coins).
pub fn judge(finding: &Finding, lineage: &Lineage) -> Judgement {
    if finding.era == Era::Outside {
        return Judgement::Rejected;
    }
    let all_in = lineage.inputs_unknown == 0 && lineage.inputs_known > 0;
    let none = lineage.inputs_related == 0 && lineage.outputs_related == 0;
    let share = lineage.per_mille().unwrap_or(0);
    let outputs: u32 = finding.denominations.iter().map(|group| group.outputs).sum();
    let (confirmed, rejected) = match finding.protocol {
        Protocol::Whirlpool => (
            lineage.inputs_related * 2 >= lineage.inputs_known && lineage.inputs_related > 0,
            all_in && lineage.inputs_related == 0,
        ),
        Protocol::WhirlpoolTx0 => {
            let premix = parameter(finding, "premix_outputs");
            (lineage.outputs_related > 0, u64::from(lineage.outputs_known) >= premix + 2 && none)
        }
        Protocol::Wasabi2 => {
            let seen = all_in && lineage.outputs_known * 2 >= outputs;
            (share >= 200 && !none, seen && none)
        }
        Protocol::Wasabi1 => (share >= 100 && !none, false),
        Protocol::JoinMarket => {
            let related = lineage.inputs_related + lineage.outputs_related;
            (related >= 2 && finding.rule == super::joinmarket::MAKER_TAKER, false)
        }
        Protocol::Generic | Protocol::Stonewall | Protocol::PayJoin => (false, false),
    };
    match (confirmed, rejected) {
        (true, _) => Judgement::Confirmed,
        (false, true) => Judgement::Rejected,
        (false, false) => Judgement::Open,
    }
}

/// Applies a judgement to a finding: gives or takes the label; the inputs stay apart as they were.
/// A label is given to named protocols only.
pub fn apply(finding: &mut Finding, judgement: Judgement) {
    match judgement {
        Judgement::Confirmed => finding.label = finding.is_named(),
        Judgement::Open => {}
        Judgement::Rejected => finding.label = false,
    }
}

fn parameter(finding: &Finding, name: &str) -> u64 {
    finding.parameters.iter().find(|(key, _)| *key == name).map_or(0, |(_, value)| *value)
}
